/**
 * A long run: does it slow down, and does it stay small?
 *
 *   node bench/records.ts [--items 6250] [--samples 5] [--concurrency 256]
 *
 * Three methods, five times each, and the resampling pool answer every item through a model that answers at once, so that only the harness
 * takes time: sixteen records an item, each with its whole trace, go to the disk. Then the folder is opened again, and then the whole command is given again.
 * Each of the three is a process of its own, because the largest memory is that of a process. The ceiling is 500 MB.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { RecordStore, recordsFile } from "#recipes/benchmark/store.ts";
import { writeLargeRun } from "../test/support/large-run.ts";

const { values } = parseArgs({
  options: {
    items: { type: "string", default: "6250" },
    samples: { type: "string", default: "5" },
    concurrency: { type: "string", default: "256" },
    part: { type: "string" },
    folder: { type: "string" },
  },
});
const itemCount = Number(values.items);
const ceiling = 500;

const megabytes = () => Math.round(process.resourceUsage().maxRSS / 1024);
const secondsSince = (start: number) => (performance.now() - start) / 1000;

function evaluate(folder: string, signal: AbortSignal | undefined, onProgress: (done: number, total: number) => void) {
  return writeLargeRun(folder, {
    items: itemCount,
    methods: "vanilla,chain-of-thought,self-refine:rounds=1",
    samples: Number(values.samples),
    poolSamples: 4,
    concurrency: Number(values.concurrency),
    signal,
    onProgress,
  });
}

async function run(folder: string): Promise<void> {
  const rates: number[] = [];
  let tenthAt = performance.now();
  const startedAt = tenthAt;
  let endedAt = tenthAt;
  await evaluate(folder, undefined, (done, total) => {
    if (done % Math.floor(total / 10) !== 0) return;
    rates.push(total / 10 / secondsSince(tenthAt));
    tenthAt = performance.now();
    if (done < total) return;
    endedAt = tenthAt;
    const bytes = statSync(path.join(folder, recordsFile)).size;
    console.log(`records a second, by tenths of the run: ${rates.map((rate) => rate.toFixed(0)).join(" ")}`);
    console.log(
      `${total} records of ${(bytes / total / 1000).toFixed(1)} kB: ${((endedAt - startedAt) / 1000).toFixed(1)} s, ${within()}`,
    );
  });
  console.log(`summary and report: ${secondsSince(endedAt).toFixed(1)} s, ${within()}, ${reportSize(folder)}`);
}

function open(folder: string): void {
  const startedAt = performance.now();
  const store = new RecordStore(folder);
  console.log(
    `the folder opened again: ${store.index.records().length} records, ${secondsSince(startedAt).toFixed(1)} s, ${within()}`,
  );
  store.close();
}

async function again(folder: string): Promise<void> {
  const startedAt = performance.now();
  const { end } = await evaluate(folder, undefined, () => {
    throw new Error("an answer was asked for again");
  });
  console.log(`the whole command again (${end}): ${secondsSince(startedAt).toFixed(1)} s, ${within()}`);
}

function within(): string {
  const peak = megabytes();
  return `${peak} MB at most${peak > ceiling ? ` (OVER the ${ceiling} MB)` : ""}`;
}

function reportSize(folder: string): string {
  return `report.html ${(statSync(path.join(folder, "report.html")).size / 1e6).toFixed(1)} MB`;
}

function inOwnProcess(part: string, folder: string): Promise<void> {
  const child = fork(import.meta.filename, [
    "--part",
    part,
    "--folder",
    folder,
    "--items",
    String(itemCount),
    "--samples",
    values.samples,
    "--concurrency",
    values.concurrency,
  ]);
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => (code === 0 ? resolve() : reject(new Error(`${part} ended with ${code}`))));
  });
}

const { part, folder } = values;
if (part === undefined) {
  console.log(`${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}; memory is the resident set`);
  const made = mkdtempSync(path.join(tmpdir(), "midcourse-records-"));
  try {
    for (const each of ["run", "open", "again"]) await inOwnProcess(each, made);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
} else if (part === "run") await run(folder!);
else if (part === "open") open(folder!);
else await again(folder!);
