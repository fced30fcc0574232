/**
 * A benchmark's items and worked examples, from the hub or from files, with where they came from. The first items are taken in the source's
 * own order, or in a seeded random order where asked for; more items never change which the first ones are.
 */

import { createHash } from "node:crypto";
import path from "node:path";
import { type BenchmarkFile, type BenchmarkRow, readBenchmarkFile, readBenchmarkFiles } from "#data/files/benchmark-file.ts";
import { questionKey } from "#data/filters/split.ts";
import { fetchHubFiles, type HubOptions } from "#data/hub/hub.ts";
import {
  type CallSpecs,
  callback,
  checkCall,
  choice,
  flag,
  needed,
  secret,
  seedOption,
  signalOption,
  text,
  thing,
  whole,
} from "#kernel/call-options.ts";
import { MidcourseError, userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { counted } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { isRecord } from "#kernel/values.ts";
import type { HubSource, Task } from "#tasks/task.ts";

export interface TaskItemsOptions extends Pick<HubOptions, "cacheFolder" | "signal" | "environment" | "onDownload"> {
  task: Task;
  /** A file, or a folder of files, instead of the hub. */
  data?: string | undefined;
  /** Most items; all when left out. */
  limit?: number | undefined;
  /** Takes items in a random order drawn from the seed, instead of the source's. */
  shuffle?: boolean | undefined;
  seed?: number;
  /** Worked examples before each question; none when left out. */
  shots?: number | undefined;
  /** Where examples come from when they are not to come from the hub; needed beside `data` unless that is a folder which holds them. */
  shotsData?: string | undefined;
  /** `throw` when left out: a row that cannot be read ends the load. `skip` leaves it out and counts it among the problems. */
  badRows?: "throw" | "skip" | undefined;
}

const specs: CallSpecs<TaskItemsOptions> = {
  task: needed(
    thing("the benchmark", "a task, such as findTask gives", (value) => isRecord(value) && typeof value.readRow === "function"),
  ),
  data: text("a file, or a folder of files, instead of the hub"),
  limit: whole("most items", 1),
  shuffle: flag("take items in a random order"),
  seed: seedOption,
  shots: whole("worked examples before each question"),
  shotsData: text("a file of worked examples"),
  badRows: choice("what becomes of a row that cannot be read", ["throw", "skip"]),
  cacheFolder: text("where downloads are kept"),
  signal: signalOption,
  environment: secret(thing("names addresses and tokens, in the place of the process's")),
  onDownload: callback("told of downloads"),
};

/** A row that was left out. */
export interface RowProblem {
  /** File and line, entry or row. */
  where: string;
  message: string;
}

/** What was read: a dataset at a commit, or files; with the checksum of their content, several checksums joined and summed again. */
export interface Provenance {
  dataset?: string;
  config?: string | undefined;
  split?: string;
  /** The commit. */
  revision?: string;
  /** Base names of the files read. */
  files: string[];
  sha256: string;
}

export interface TaskItems {
  items: Item[];
  shots: Item[];
  problems: RowProblem[];
  /** Items there are, whatever the limit; undefined where the limit left some unread. */
  available: number | undefined;
  provenance: Provenance;
  /** Of the examples, where there are some. */
  shotsProvenance?: Provenance | undefined;
}

/** Throws user errors: for what cannot be fetched or read, and where examples are missing. */
export async function taskItems(options: TaskItemsOptions): Promise<TaskItems> {
  checkCall("taskItems", specs, options);
  const { task, limit, seed = 0 } = options;
  if (task.generate !== undefined && options.data === undefined) return generated(task, options);
  // In another order any row may be the first, so all are read.
  const most = options.shuffle ? undefined : limit;
  const source = await load(task, options, options.data, task.source, task.folder?.items, most);
  const all = options.shuffle ? new Random(deriveSeed(seed, "items", task.id)).shuffle(source.items) : source.items;
  const items = all.slice(0, limit);
  if (items.length === 0) throw empty(task, options.data, source.problems);
  const { shots, problems, provenance } = await workedExamples(options, items);
  return {
    items,
    shots,
    problems: [...source.problems, ...problems],
    available: source.isWhole ? source.items.length : undefined,
    provenance: source.provenance,
    shotsProvenance: provenance,
  };
}

/** Endless sources give as many as are asked for. */
const generatedItems = 400;

function generated(task: Task, { limit = generatedItems, seed = 0 }: TaskItemsOptions): TaskItems {
  const items = task.generate?.(limit, seed) ?? [];
  const sha256 = createHash("sha256").update(JSON.stringify(items)).digest("hex");
  return {
    items,
    shots: [],
    problems: [],
    available: items.length,
    provenance: { dataset: task.id, revision: `seed ${seed}`, files: [], sha256 },
  };
}

interface Loaded {
  items: Item[];
  problems: RowProblem[];
  provenance: Provenance;
  /** No row was left unread. */
  isWhole: boolean;
}

/** Reads as many rows as `most` items need. */
async function load(
  task: Task,
  options: TaskItemsOptions,
  data: string | undefined,
  hub: HubSource,
  ending: string | undefined,
  most?: number | undefined,
): Promise<Loaded> {
  // Rows that are left out are no items, so more may be needed than are wanted.
  for (let rows = most; ; rows = rows! * 4) {
    const loaded = await loadRows(task, options, data, hub, ending, rows, most);
    if (most === undefined || loaded.isWhole || loaded.items.length >= most) return loaded;
  }
}

async function loadRows(
  task: Task,
  options: TaskItemsOptions,
  data: string | undefined,
  hub: HubSource,
  ending: string | undefined,
  most: number | undefined,
  wantedItems: number | undefined,
): Promise<Loaded> {
  const { files, provenance } =
    data === undefined ? await fromHub(task, hub, options, most) : await fromFiles(task, data, hub.split, ending, most);
  const items: Item[] = [];
  const problems: RowProblem[] = [];
  let index = 0;
  let isWhole = true;
  for (const file of files) {
    if (most !== undefined) isWhole &&= file.rows.length < most;
    // In a folder every file counts from 0, so that a file more changes no names; the parts of one table count on.
    if (task.folder !== undefined) index = 0;
    for (const row of file.rows) {
      if (items.length === wantedItems) {
        isWhole = false;
        break;
      }
      const read = readItem(task, row, index++);
      if ("item" in read) items.push(read.item);
      else if (options.badRows === "skip") problems.push(read.problem);
      else throw badRow(read.problem);
    }
  }
  const sums = files.map(({ sha256 }) => sha256);
  const sha256 = sums.length === 1 ? (sums[0] as string) : createHash("sha256").update(sums.join("\n")).digest("hex");
  return {
    items: withOwnIds(items),
    problems,
    isWhole,
    provenance: { ...provenance, files: files.map((file) => path.basename(file.path)), sha256 },
  };
}

type Source = { files: BenchmarkFile[]; provenance: Pick<Provenance, "dataset" | "config" | "split" | "revision"> };

async function fromHub(task: Task, source: HubSource, options: TaskItemsOptions, most: number | undefined): Promise<Source> {
  const { cacheFolder, signal, environment, onDownload } = options;
  const fetched = await fetchHubFiles(source, { cacheFolder, signal, environment, onDownload });
  const files: BenchmarkFile[] = [];
  for (const { path: file } of fetched.files) files.push(await readBenchmarkFile(file, { csvColumns: task.csvColumns, most }));
  const { dataset, config, split } = source;
  return { files, provenance: { dataset, config, split, revision: fetched.commit } };
}

async function fromFiles(
  task: Task,
  data: string,
  split: string,
  ending: string | undefined,
  most: number | undefined,
): Promise<Source> {
  const fieldsOf = task.folder && ((name: string) => ({ subject: name.replace(/_(?:test|dev|val)$/, "") }));
  const files = await readBenchmarkFiles(data, {
    csvColumns: task.csvColumns,
    ending,
    split,
    most,
    fieldsOf,
  });
  return { files, provenance: {} };
}

function readItem(task: Task, { where, values, problem }: BenchmarkRow, index: number): { item: Item } | { problem: RowProblem } {
  if (values === undefined) return { problem: { where, message: problem ?? "unreadable" } };
  try {
    return { item: task.readRow(values, index) };
  } catch (error) {
    if (!MidcourseError.isInstance(error) || error.family !== "user") throw error;
    return { problem: { where, message: error.what } };
  }
}

function badRow({ where, message }: RowProblem): MidcourseError {
  return userError(
    "data-row",
    `${where}: ${message.replace(/\.$/, "")}.`,
    "Mend the row, or leave such rows out with --skip-bad-rows.",
  );
}

function empty(task: Task, data: string | undefined, problems: readonly RowProblem[]): MidcourseError {
  const first = problems[0];
  const why =
    first === undefined ? "" : ` (${counted(problems.length, "row")} could not be read; ${first.where}: ${first.message})`;
  return userError("data-empty", `${data ?? task.source.dataset} holds no items of ${task.id}${why}.`, "Check the file.");
}

/** Results are kept by id, so every item has one of its own; the first of several keeps it, whatever the others are then called. */
function withOwnIds(items: readonly Item[]): Item[] {
  const given = new Set(items.map(({ id }) => id));
  const counts = new Map<string, number>();
  return items.map((item) => {
    let count = counts.get(item.id) ?? 0;
    do count++;
    while (count > 1 && given.has(`${item.id}#${count}`));
    counts.set(item.id, count);
    return count === 1 ? item : { ...item, id: `${item.id}#${count}` };
  });
}

/** The first examples of their source that ask no question of the items; of every group where examples belong to groups. */
async function workedExamples(
  options: TaskItemsOptions,
  items: readonly Item[],
): Promise<{ shots: Item[]; problems: RowProblem[]; provenance?: Provenance | undefined }> {
  const { task, shots: count = 0 } = options;
  if (count === 0) return { shots: [], problems: [] };
  if (task.shots === undefined) {
    throw userError("no-shots", `${task.id} has no worked examples.`, "Leave --shots out.");
  }
  const source = await load(task, options, await shotsFile(options), task.shots.source, task.folder?.shots);
  const asked = new Set(items.map(({ question }) => questionKey(question)));
  const usable = source.items.filter(({ question }) => !asked.has(questionKey(question)));
  const groups = task.shotsPerGroup ? [...new Set(items.map(({ group }) => group))] : [undefined];
  const shots = groups.flatMap((group) => {
    const own = (task.shotsPerGroup ? usable.filter((item) => item.group === group) : usable).slice(0, count);
    if (own.length === count) return own;
    const place = group === undefined ? task.id : `${task.id}, ${group}`;
    throw userError(
      "few-shots",
      `There are ${own.length} worked examples for ${place}, not ${count}.`,
      `Ask for --shots ${own.length}.`,
    );
  });
  return { shots, problems: source.problems, provenance: source.provenance };
}

async function shotsFile({ data, shotsData, task }: TaskItemsOptions): Promise<string | undefined> {
  if (shotsData !== undefined || data === undefined) return shotsData;
  if (task.folder !== undefined && path.extname(data) === "") return data;
  throw userError(
    "no-shots",
    `Worked examples for ${task.id} cannot come from ${data}, which holds the questions themselves.`,
    "Name a file of other questions with --shots-data FILE.",
  );
}
