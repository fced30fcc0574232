/** The report in a real browser: it draws, filters, searches, walks, keeps to itself, and shows untrusted answers as text. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { renderReport } from "#evaluation/report.ts";
import { pageData } from "#evaluation/report-data.ts";
import { findChromium } from "./chromium.ts";
import { exampleReport, hostileTexts } from "./example-report.ts";

const executablePath = findChromium("the report in a browser");

const data = exampleReport();
const shown = pageData(data);
const isRight = (accuracy: number | undefined) => accuracy === 1;
const pairs = shown.items.map((_, index) => shown.compare.map((set) => shown.sets[set]!.answers[index]));
const expected = {
  all: pairs.length,
  gained: pairs.filter(([left, right]) => !isRight(left?.accuracy) && isRight(right?.accuracy)).length,
  lost: pairs.filter(([left, right]) => isRight(left?.accuracy) && !isRight(right?.accuracy)).length,
  refined: pairs.filter(([, right]) => right!.refinements > 0).length,
  malformed: pairs.filter(([, right]) => right!.verdict !== "ok").length,
};

describe.skipIf(!executablePath)("the report in a browser", () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-report-"));
  const file = path.join(folder, "report.html");
  let browser: Browser;
  let page: Page;
  let problems: string[];
  let requests: string[];

  beforeAll(async () => {
    writeFileSync(file, renderReport(data));
    browser = await chromium.launch({ executablePath: executablePath!, args: ["--no-sandbox"] });
  });

  afterAll(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  beforeEach(() => {
    problems = [];
    requests = [];
  });

  afterEach(async () => {
    await page.close();
    expect(problems).toEqual([]);
    expect(requests).toEqual([pathToFileURL(file).href]);
  });

  async function open(options: BrowserContextOptions = {}): Promise<void> {
    page = await browser.newPage({ viewport: { width: 1280, height: 900 }, ...options });
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) problems.push(message.text());
    });
    page.on("pageerror", (error) => problems.push(String(error)));
    page.on("request", (request) => requests.push(request.url()));
    await page.goto(pathToFileURL(file).href);
    await page.locator("html[data-ready=true]").waitFor();
  }

  test("draws every figure, each with a description, and redraws by the other count of tokens", async () => {
    await open();
    const labels = await page
      .locator("svg[role=img], figure [role=img]")
      .evaluateAll((charts) => charts.map((chart) => chart.getAttribute("aria-label")));
    expect(labels.length).toBe(12);
    expect(labels.every((label) => label !== null && label.length > 20)).toBe(true);
    expect(labels[0]).toContain("pasr:");
    await page.getByLabel("sampled tokens and prompts").check();
    const other = await page.locator("#cost-figure [role=img]").getAttribute("aria-label");
    expect(other).not.toBe(labels[0]);
    // Methods, then the marks of the legend: every method has its name in the drawing.
    for (const { id } of data.results.methods)
      await page.locator("#cost-figure").getByText(id, { exact: true }).first().waitFor();
    await page.getByText("2 more curves").click();
    await page.getByRole("heading", { name: "clipFraction" }).waitFor();
  });

  test("filters count and show what the data holds", async () => {
    await open();
    for (const [filter, count] of Object.entries(expected)) {
      const button = page.locator(`button[data-filter=${filter}]`);
      await button.click();
      expect(await button.textContent()).toContain(`(${count})`);
      expect(await button.getAttribute("aria-pressed")).toBe("true");
      expect(await page.locator(".answer-list li").count()).toBe(count);
      expect(count).toBeGreaterThan(0);
    }
  });

  test("is walked through by keyboard and button, and not while typing", async () => {
    await open();
    const position = page.locator(".position");
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("k");
    expect(await position.textContent()).toBe(`Problem 2 of ${expected.all}`);
    await page.getByRole("button", { name: "next" }).click();
    expect(await position.textContent()).toBe(`Problem 3 of ${expected.all}`);
    await page.getByLabel("Search").pressSequentially("j");
    expect(await position.textContent()).toBe("No problem matches.");
    await page.getByLabel("Search").fill(shown.items[7]!.question);
    expect(await position.textContent()).toBe("Problem 1 of 1");
  });

  test("colours think, refine and answer apart, and marks the first wrong step", async () => {
    await open();
    await page.locator("button[data-filter=refined]").click();
    const colours = await Promise.all(
      ["think", "refine", "answer"].map((kind) =>
        page.evaluate<string>(`getComputedStyle(document.querySelector(".card .span.${kind}")).backgroundColor`),
      ),
    );
    expect(new Set(colours).size).toBe(3);
    for (const colour of colours) expect(colour).not.toMatch(/rgba\(.*, 0\)|transparent/);

    const index = shown.sets[0]!.answers.findIndex((answer) => answer!.marks.some((mark) => mark.kind === "wrong"));
    await page.locator("select[data-side=left]").selectOption("0");
    await page.locator("button[data-filter=all]").click();
    await page.getByLabel("Search").fill(shown.items[index]!.question);
    const mark = page.locator(".card .mark.wrong").first();
    expect(await mark.isVisible()).toBe(true);
    const answer = shown.sets[0]!.answers[index]!;
    const { start, end } = answer.marks.find(({ kind }) => kind === "wrong")!;
    expect(await mark.textContent()).toBe(`✗ first wrong step${answer.text.slice(start, end)}`);
  });

  test("shows hostile answers as the text they are", async () => {
    await open();
    for (const [index, hostile] of hostileTexts.entries()) {
      await page.getByLabel("Search").fill(shown.items[index]!.question);
      const text = await page
        .locator(".card .answer-text")
        .nth(1)
        .evaluate((root) => {
          const copy = root.cloneNode(true) as typeof root;
          for (const badge of copy.querySelectorAll(".badge")) badge.remove();
          return copy.textContent;
        });
      expect(text).toBe(shown.sets[shown.compare[1]]!.answers[index]!.text);
      expect(text).toContain(hostile);
    }
    expect(await page.evaluate("window.broken")).toBeUndefined();
    expect(await page.locator(".answer-text img, .answer-text script").count()).toBe(0);
  });

  test("fits a telephone and follows dark mode", async () => {
    await open({ viewport: { width: 400, height: 800 }, colorScheme: "dark" });
    expect(await page.evaluate("document.documentElement.scrollWidth")).toBe(400);
    const background = await page.evaluate("getComputedStyle(document.body).backgroundColor");
    expect(background).toBe("rgb(20, 23, 28)");
    const [first, second] = await Promise.all([0, 1].map((card) => page.locator(".card").nth(card).boundingBox()));
    expect(second!.y).toBeGreaterThan(first!.y + first!.height - 1);
  });
});
