/** The benchmarks of an evaluation as the command names them: their items loaded, the methods bound to each. */

import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { findTask } from "#tasks/catalogue.ts";

import type { PreparedTask } from "./benchmark.ts";
import { keepModules, keepTask, type TaskOrigin } from "./folder.ts";
import { type TaskItems, type TaskItemsOptions, taskItems } from "./task-items.ts";
import { bindFor } from "./task-methods.ts";

export interface TasksWanted extends Pick<TaskItemsOptions, "limit" | "shuffle" | "seed" | "shots" | "badRows"> {
  names: readonly string[];
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

/** Throws user errors: for unknown names, and for what cannot be fetched or read. `onNote` is told what a reader should know: rows left out, say. */
export async function prepareTasks(
  wanted: TasksWanted,
  { signal, onNote }: { signal?: AbortSignal | undefined; onNote?: (note: string) => void },
): Promise<WantedTask[]> {
  const { names, methods, data, shotsData, limit, ...others } = wanted;
  const found = names.map((name) => findTask(name));
  const twice = found.find((task, index) => found.indexOf(task) !== index);
  if (twice) throw userError("task-twice", `${twice.id} is named twice`, "Name each benchmark once.");
  const prepared: WantedTask[] = [];
  for (const [index, task] of found.entries()) {
    const name = names[index];
    const loaded = await taskItems({
      ...others,
      task,
      signal,
      limit: limit ?? (task.generate && data[name] === undefined ? generatedItems : undefined),
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
      origin: originOf(task.version, loaded),
    });
  }
  return prepared;
}

/** Writes down items and origins in the run, and refuses other ones than those of its answers. */
export function keepTasks(run: RunDirectory, tasks: readonly WantedTask[]): void {
  for (const { modules } of tasks) keepModules(run, modules);
  for (const { task, origin, items } of tasks) keepTask(run, task.id, origin, items);
}

function originOf(version: string, { provenance, shotsProvenance, shots }: TaskItems): TaskOrigin {
  // More items of a generated task are the same items and some more: their checksum says nothing.
  const { sha256, ...place } = provenance;
  const items = place.revision?.startsWith("seed ") ? place : { ...place, sha256 };
  return { version, items, shots: shotsProvenance && { ...shotsProvenance, count: shots.length } };
}
