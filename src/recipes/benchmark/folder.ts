/** A finished or running evaluation as a folder: what else stands in it beside records and results, and how it is read again. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { ReportData } from "#evaluation/report/page-data.ts";
import type { Results } from "#evaluation/summary/results.ts";
import { resamplingMethod } from "#evaluation/summary/summary.ts";
import { guarded } from "#files/file-failures.ts";
import { readLines } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { counted } from "#kernel/numbers.ts";
import { getOrMake } from "#kernel/values.ts";
import { methodCards } from "#methods/catalogue.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { RecordIndex, recordsFile } from "./store.ts";

/** Where a task's items came from: other data under the same name must not be mixed into a run. */
export interface TaskOrigin {
  version: string;
  items: Readonly<Record<string, unknown>>;
  shots?: Readonly<Record<string, unknown>> | undefined;
}

const modulesFile = "methods.json";
const originsFile = "tasks.json";
const itemsFile = (task: string) => path.join("items", `${encodeURIComponent(task)}.jsonl`);

export function isEvaluation(folder: string): boolean {
  return existsSync(path.join(folder, recordsFile));
}

/** Writes down a task's items and origin; refuses a task that the run knows from another origin. */
export function keepTask(run: RunDirectory, task: string, origin: TaskOrigin, items: readonly Item[]): void {
  const file = path.join(run.folder, originsFile);
  const origins = (existsSync(file) ? readJson(file) : {}) as Record<string, TaskOrigin>;
  const known = origins[task];
  if (known && JSON.stringify(known) !== JSON.stringify(origin)) {
    const { before, now } = { before: shotsOf(known), now: shotsOf(origin) };
    if (before !== now) {
      throw userError(
        "other-shots",
        `${run.folder} holds answers to ${task} with ${counted(before, "worked example")}, and this would add some with ${now}`,
        `Give --shots ${task}=${before} to go on with it, or choose another run folder.`,
      );
    }
    throw userError(
      "other-data",
      `${run.folder} holds answers to ${task} from ${JSON.stringify(known)}, and this would add some from ${JSON.stringify(origin)}`,
      "Give the same data and version, or choose another run folder.",
    );
  }
  run.writeFile(originsFile, `${JSON.stringify({ ...origins, [task]: origin }, null, 2)}\n`);
  // A smaller limit must not make the items of earlier answers forgotten.
  const all = new Map(
    [...readLines<Item & object>(path.join(run.folder, itemsFile(task))), ...items].map((item) => [item.id, item]),
  );
  run.writeFile(itemsFile(task), [...all.values()].map((item) => `${JSON.stringify(item)}\n`).join(""));
}

function shotsOf({ shots }: TaskOrigin): number {
  return typeof shots?.count === "number" ? shots.count : 0;
}

/**
 * Writes down what the modules hold that methods came from, by the methods' ids; refuses a module that has another content than when the run's answers
 * were given. One whose answers all failed may have been mended since.
 */
export function keepModules(run: RunDirectory, modules: ReadonlyMap<string, string>): void {
  if (modules.size === 0) return;
  const file = path.join(run.folder, modulesFile);
  const known = new Map(Object.entries((existsSync(file) ? readJson(file) : {}) as Record<string, string>));
  for (const [id, content] of modules) {
    const before = known.get(id);
    if (before !== undefined && before !== content && hasAnswers(run, id)) {
      throw userError(
        "other-module",
        `${run.folder} holds answers of ${id} by another content of its module: ${before} there, ${content} now`,
        "Restore the module, give the method another id, or choose another run folder.",
      );
    }
    known.set(id, content);
  }
  run.writeFile(modulesFile, `${JSON.stringify(Object.fromEntries(known), null, 2)}\n`);
}

/** Whether one was given that did not fail. Methods under another name may be composed of it: they count too. */
function hasAnswers(run: RunDirectory, id: string): boolean {
  const isOfCatalogue = (method: string) => methodCards.some((card) => card.id === /^[a-z0-9-]+/.exec(method)?.[0]);
  const isOfIt = (method: string) =>
    method !== resamplingMethod && (method.match(/[a-z0-9-]+/g)?.includes(id) || !isOfCatalogue(method));
  return RecordIndex.read(run.folder).records(({ failed, method }) => !failed && isOfIt(method)).length > 0;
}

export interface EvaluationFolder {
  results: Results;
  index: RecordIndex;
  itemsOf(task: string): Map<string, Item>;
}

export function readEvaluation(folder: string): EvaluationFolder {
  const file = path.join(folder, "results.json");
  if (!existsSync(file)) {
    throw userError(
      "no-results",
      `${folder} has no results yet`,
      "Let its midcourse eval come to an end, or press Ctrl-C there: it writes what it has.",
    );
  }
  const results = readJson(file) as Results;
  if (results.schema !== 2)
    throw userError("no-evaluation", `${file} is not of midcourse eval`, "Give the folder of an evaluation.");
  const items = new Map<string, Map<string, Item>>();
  return {
    results,
    index: RecordIndex.read(folder),
    itemsOf: (task) => {
      const read = () => readLines<Item & object>(path.join(folder, itemsFile(task)));
      return getOrMake(items, task, () => new Map(read().map((item) => [item.id, item])));
    },
  };
}

/** What a report shows of it: the answers that its results are made of. */
export function reportData({ results, index, itemsOf }: EvaluationFolder): ReportData {
  const tasks = new Map(results.tasks.map(({ task, methods }) => [task, new Set(methods.map(({ id }) => id))]));
  return {
    results,
    records: index.records(({ task, method }) => tasks.get(task ?? "")?.has(method) === true),
    readTraces: (keys) => index.readTraces(keys),
    itemsOf: (task, ids) => ids.flatMap((id) => itemsOf(task).get(id) ?? []),
  };
}

function readJson(file: string): unknown {
  const text = guarded(`read ${file}`, () => readFileSync(file, "utf8"));
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw userError(
      "record-damaged",
      `${file} is not JSON`,
      "The file was changed by something else; restore it, or start a new run folder.",
      cause,
    );
  }
}
