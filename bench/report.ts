/**
 * A report of many items: how large is it, how long and in how much memory is it written, and how soon does it stand in a browser?
 *
 *   npm run bench:report -- [--items 20000] [--methods vanilla,chain-of-thought,self-refine:rounds=1] [--words 0] [--folder FOLDER]
 *
 * A run folder is made by the writer itself (test/support/large-run.ts), or one at hand is taken. The report is written in a process of its own,
 * then opened from the disk in Chromium three times: from the navigation's start until the list of items can be used, until the first item's
 * traces are shown, and until the file has been read to its end; then frames while the list is scrolled, and a search through everything.
 */
import { fork } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { chromium, type Page } from "playwright-core";
import { renderReport } from "#evaluation/report/report.ts";
import { replaceFile } from "#files/durable.ts";
import { readEvaluation, reportData } from "#recipes/benchmark/folder.ts";
import { writeLargeRun } from "../test/support/large-run.ts";

const { values } = parseArgs({
  options: {
    items: { type: "string", default: "20000" },
    methods: { type: "string", default: "vanilla,chain-of-thought,self-refine:rounds=1" },
    words: { type: "string", default: "0" },
    folder: { type: "string" },
    part: { type: "string" },
  },
});

const secondsSince = (start: number) => ((performance.now() - start) / 1000).toFixed(1);

const memory = () => `${Math.round(process.resourceUsage().maxRSS / 1024)} MB of memory at most`;

function writeReport(folder: string): void {
  const startedAt = performance.now();
  const data = reportData(readEvaluation(folder));
  const file = path.join(folder, "report.html");
  console.log(`folder read: ${secondsSince(startedAt)} s, ${memory()}`);
  const readAt = performance.now();
  replaceFile(file, renderReport(data));
  const size = (statSync(file).size / 1e6).toFixed(1);
  const records = (statSync(path.join(folder, "records.jsonl")).size / 1e6).toFixed(1);
  console.log(`report written: ${secondsSince(readAt)} s, ${size} MB of ${records} MB of records, ${memory()}`);
}

async function openReport(file: string): Promise<void> {
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? "/usr/bin/chromium",
    args: ["--no-sandbox"],
  });
  try {
    for (let time = 1; time <= 3; time++) {
      const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
      await page.addInitScript(watch);
      await page.goto(pathToFileURL(file).href, { waitUntil: "commit" });
      await page.waitForLoadState("load");
      await page.locator(".answer-detail .card").first().waitFor();
      await page.waitForTimeout(50);
      const seen = await page.evaluate<Record<"list" | "item" | "whole", number>>("window.seen");
      console.log(
        `opened: list after ${seen.list.toFixed(0)} ms, first item after ${seen.item.toFixed(0)} ms, read to the end after ${seen.whole.toFixed(0)} ms`,
      );
      if (time === 3) await useReport(page);
      await page.close();
    }
  } finally {
    await browser.close();
  }
}

/** Runs in the page before its own scripts: milliseconds since the navigation began. */
const watch = `
  window.seen = {};
  const look = () => {
    if (!seen.list && document.documentElement?.dataset.ready === "true") seen.list = performance.now();
    if (!seen.item && document.querySelector(".answer-detail .card")) seen.item = performance.now();
    if (!seen.whole && document.readyState === "complete") seen.whole = performance.now();
    if (!seen.list || !seen.item || !seen.whole) setTimeout(look, 2);
  };
  look();
`;

async function useReport(page: Page): Promise<void> {
  const frames = await page.evaluate<number[]>(`new Promise((resolve) => {
    const list = document.querySelector(".answer-list");
    const frames = [];
    let last = performance.now();
    const step = () => {
      const now = performance.now();
      frames.push(now - last);
      last = now;
      list.scrollTop += 700;
      if (frames.length < 200) requestAnimationFrame(step); else resolve(frames.slice(1));
    };
    requestAnimationFrame(step);
  })`);
  const sorted = frames.toSorted((first, second) => first - second);
  const rows = await page.locator(".answer-list li").count();
  const [middle, worst] = [sorted[sorted.length >> 1], sorted.at(-1)!].map((frame) => frame.toFixed(0));
  console.log(`scrolled: a frame each ${middle} ms (longest ${worst} ms), ${rows} rows in the document`);
  const startedAt = performance.now();
  await page.getByLabel("Search", { exact: true }).fill("there are 1234 and");
  await page.locator(".search-progress", { hasText: "Searched all" }).waitFor({ timeout: 300_000 });
  console.log(`searched every trace: ${secondsSince(startedAt)} s; ${await page.locator(".search-progress").textContent()}`);
}

function inOwnProcess(part: string, folder: string): Promise<void> {
  const child = fork(import.meta.filename, [...process.argv.slice(2), "--part", part, "--folder", folder]);
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${part} ended with ${code}`))));
  });
}

async function makeRun(folder: string): Promise<void> {
  await writeLargeRun(folder, { items: Number(values.items), methods: values.methods, words: Number(values.words) });
}

const { part, folder } = values;
if (part === "make") await makeRun(folder!);
else if (part === "write") writeReport(folder!);
else {
  console.log(`${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}; memory is the resident set`);
  const made = folder ?? path.join(mkdtempSync(path.join(tmpdir(), "midcourse-report-")), "run");
  try {
    if (!existsSync(path.join(made, "results.json"))) await inOwnProcess("make", made);
    await inOwnProcess("write", made);
    await openReport(path.join(made, "report.html"));
  } finally {
    if (folder === undefined) rmSync(path.dirname(made), { recursive: true, force: true });
  }
}
