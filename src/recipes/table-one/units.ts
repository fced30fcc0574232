/**
 * Pieces of work in one folder, each in a run directory of its own and done once. A process takes whatever is ready and in nobody's hands,
 * so that the same command in a second terminal shares the work, and a run that was killed goes on with what is not done.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { JsonObject } from "#files/json-lines.ts";
import { pause } from "#http/tries.ts";
import { bugError, MidcourseError, messageOf } from "#kernel/errors.ts";
import { openConfiguration, type RunConfiguration } from "#record/configuration.ts";
import { openRun, type RunDirectory } from "#record/run-directory.ts";

export interface Unit {
  /** Path below the folder. */
  name: string;
  /** Units that must be done before. */
  needs: readonly string[];
  /** What decides its result. */
  options: JsonObject;
  /** What it cost, for the record; throws the signal's reason when it was stopped. `resumed`: an earlier process began it. */
  work: (run: RunDirectory, resumed: boolean) => Promise<JsonObject>;
}

export interface UnitFailure {
  name: string;
  message: string;
}

export interface UnitHooks {
  signal?: AbortSignal | undefined;
  /** A unit begins; so many of all are done. */
  onUnit?: ((name: string, done: number, total: number) => void) | undefined;
  /** Nothing can be begun until another process has done what it is at. */
  onWaiting?: (() => void) | undefined;
}

const doneFile = "done.json";
const waitSeconds = 1;

/** Does what is left; what is done must have been done with the same options. What a unit cannot do for reasons of its data is listed, as is what needs it; anything else is thrown. */
export async function runUnits(
  root: string,
  units: readonly Unit[],
  { signal, onUnit, onWaiting }: UnitHooks = {},
): Promise<UnitFailure[]> {
  for (const unit of units) if (isDone(root, unit.name)) openConfiguration(path.join(root, unit.name), configurationOf(unit));
  const failures: UnitFailure[] = [];
  const hasFailed = (name: string) => failures.some((each) => each.name === name);
  for (;;) {
    const open = units.filter(({ name }) => !isDone(root, name) && !hasFailed(name));
    if (open.length === 0) return failures;
    const ready = open.filter(({ needs }) => needs.every((each) => isDone(root, each)));
    if (ready.length === 0 && open.every(({ needs }) => needs.some(hasFailed))) {
      return [...failures, ...open.map(({ name, needs }) => ({ name, message: `needs ${needs.find(hasFailed)}` }))];
    }
    const worked = await workOnFirst(root, ready, failures, {
      signal,
      onUnit: (name) => onUnit?.(name, units.length - open.length, units.length),
    });
    // All that is ready is in other hands, or waits for what is.
    if (worked) continue;
    onWaiting?.();
    await pause(waitSeconds, signal);
  }
}

/** True when one was done, or failed. */
async function workOnFirst(
  root: string,
  ready: readonly Unit[],
  failures: UnitFailure[],
  { signal, onUnit }: { signal?: AbortSignal | undefined; onUnit: (name: string) => void },
): Promise<boolean> {
  for (const unit of ready) {
    signal?.throwIfAborted();
    const run = openUnit(root, unit);
    if (run === undefined) continue;
    try {
      // Done by another process between the look and the lock.
      if (isDone(root, unit.name)) return true;
      onUnit(unit.name);
      const resumed = existsSync(path.join(run.folder, "begun.json"));
      if (!resumed) run.writeFile("begun.json", "{}\n");
      const cost = await unit.work(run, resumed);
      signal?.throwIfAborted();
      run.writeFile(doneFile, `${JSON.stringify({ ...cost, resumed }, null, 2)}\n`);
      run.event("finished");
    } catch (error) {
      if (signal?.aborted || !isOfItsData(error)) throw error;
      const message = messageOf(error);
      run.event("failed", { message });
      failures.push({ name: unit.name, message });
    } finally {
      run.close();
    }
    return true;
  }
  return false;
}

/** Undefined while another process has it. */
function openUnit(root: string, unit: Unit): RunDirectory | undefined {
  try {
    return openRun(path.join(root, unit.name), configurationOf(unit));
  } catch (error) {
    if (error instanceof MidcourseError && error.code === "run-in-use") return undefined;
    throw error;
  }
}

function configurationOf({ name, options }: Unit): RunConfiguration {
  return { command: "reproduce", options: { unit: name, ...options } };
}

function isOfItsData(error: unknown): error is MidcourseError {
  return error instanceof MidcourseError && ["nothing-kept", "sampling-failed", "data-empty"].includes(error.code);
}

export function isDone(root: string, name: string): boolean {
  return existsSync(path.join(root, name, doneFile));
}

/** What `work` returned. */
export function readDone(root: string, name: string): JsonObject {
  const file = path.join(root, name, doneFile);
  if (!existsSync(file)) throw bugError("unit-not-done", `${name} was read before it was done`);
  return JSON.parse(readFileSync(file, "utf8")) as JsonObject;
}
