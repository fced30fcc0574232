/** The benchmarks of an evaluation as the command names them: their items loaded, the methods bound to each. */

import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { findTask } from "#tasks/catalogue.ts";
import type { Task } from "#tasks/task.ts";
import type { PreparedTask } from "./benchmark.ts";
import { keepModules, keepTask, type TaskOrigin } from "./folder.ts";
import { type TaskItems, type TaskItemsOptions, taskItems } from "./task-items.ts";
import { bindFor } from "./task-methods.ts";

/** One number for every task, others for those that are named, by any name that `findTask` knows. */
export interface CountByTask {
  each?: number | undefined;
  tasks: Readonly<Record<string, number>>;
}

export interface TasksWanted extends Pick<TaskItemsOptions, "shuffle" | "seed" | "badRows"> {
  names: readonly string[];
  /** Items of a task; all when left out. */
  limit?: CountByTask | undefined;
  /** Worked examples before each question; none when left out. */
  shots?: CountByTask | undefined;
  /** Methods with their options, as typed. */
  methods: string;
  /** Files in place of the hub's tables, by task. */
  data: Readonly<Record<string, string>>;
  shotsData: Readonly<Record<string, string>>;
}

export interface WantedTask extends PreparedTask {
  origin: TaskOrigin;
  /** What the modules hold that methods came from, by the methods' ids. */
  modules: ReadonlyMap<string, string>;
}

/** As many items of a task without an end, unless told otherwise. */
const generatedItems = 200;

/** Throws user errors for names of tasks, methods and options that do not exist: to be known before a model is opened, which may take long. */
export async function checkNames({ names, methods }: TasksWanted): Promise<void> {
  for (const task of namedTasks(names)) await bindFor(task, methods);
}

function namedTasks(names: readonly string[]): Task[] {
  const found = names.map((name) => findTask(name));
  const twice = found.find((task, index) => found.indexOf(task) !== index);
  if (twice) throw userError("task-twice", `${twice.id} is named twice`, "Name each benchmark once.");
  return found;
}

/** Throws user errors: for unknown names, and for what cannot be fetched or read. `onNote` is told what a reader should know: rows left out, say. */
export async function prepareTasks(
  wanted: TasksWanted,
  { signal, onNote }: { signal?: AbortSignal | undefined; onNote?: (note: string) => void },
): Promise<WantedTask[]> {
  const { names, methods, data, shotsData, limit, shots, ...others } = wanted;
  const found = namedTasks(names);
  const limits = countsOf(limit, found, "--limit");
  const shotCounts = countsOf(shots, found, "--shots");
  const prepared: WantedTask[] = [];
  for (const [index, task] of found.entries()) {
    const name = names[index];
    const loaded = await taskItems({
      ...others,
      task,
      signal,
      shots: shotCounts(task),
      limit: limits(task) ?? (task.generate && data[name] === undefined ? generatedItems : undefined),
      data: data[name],
      shotsData: shotsData[name],
    });
    const [first] = loaded.problems;
    if (first)
      onNote?.(`${task.id}: ${counted(loaded.problems.length, "row")} left out; the first: ${first.where}, ${first.message}.`);
    const modules = new Map<string, string>();
    prepared.push({
      task,
      items: loaded.items,
      shots: loaded.shots,
      methods: await bindFor(task, methods, (id, content) => modules.set(id, content)),
      modules,
      origin: originOf(task.version, loaded, shotCounts(task)),
    });
  }
  return prepared;
}

/** Writes down items and origins in the run, and refuses other ones than those of its answers. */
export function keepTasks(run: RunDirectory, tasks: readonly WantedTask[]): void {
  for (const { modules } of tasks) keepModules(run, modules);
  for (const { task, origin, items } of tasks) keepTask(run, task.id, origin, items);
}

/** Throws user errors for names of no benchmark, and of one that is not asked for. */
function countsOf(counts: CountByTask | undefined, asked: readonly Task[], option: string): (task: Task) => number | undefined {
  const own = new Map<string, number>();
  for (const [name, count] of Object.entries(counts?.tasks ?? {})) {
    const task = findTask(name);
    if (!asked.some(({ id }) => id === task.id)) {
      throw userError(
        "task-not-asked",
        `${option} names ${task.id}, which is not among the benchmarks ${asked.map(({ id }) => id).join(", ")}`,
        `Add it with --tasks, or leave it out of ${option}.`,
      );
    }
    if (own.has(task.id)) throw userError("task-twice", `${option} names ${task.id} twice`, "Give one number.");
    own.set(task.id, count);
  }
  return ({ id }) => own.get(id) ?? counts?.each;
}

function originOf(version: string, { provenance, shotsProvenance }: TaskItems, shots: number | undefined): TaskOrigin {
  // More items of a generated task are the same items and some more: their checksum says nothing.
  const { sha256, ...place } = provenance;
  const items = place.revision?.startsWith("seed ") ? place : { ...place, sha256 };
  return { version, items, shots: shotsProvenance && { ...shotsProvenance, count: shots } };
}
