/**
 * The run directory: runs/<name> with config.json, events.jsonl, metrics.jsonl (and any other lines by step), checkpoints.jsonl and
 * checkpoints/step-N. Opening it again goes on from the newest checkpoint: lines of later steps are cut off, because those steps will be
 * done again, so that a run that was killed leaves the same record as one that was not.
 */
import { readdirSync } from "node:fs";
import path from "node:path";
import { type FileContent, makeFolder, replaceFile } from "#files/durable.ts";
import { guarded } from "#files/file-failures.ts";
import { JsonLines, type JsonObject, readLines, repairLines } from "#files/json-lines.ts";
import { takeLock } from "#files/lock.ts";
import { type CallSpecs, checkCall, whole } from "#kernel/call-options.ts";
import { userError } from "#kernel/errors.ts";
import { getOrMake } from "#kernel/values.ts";
import { type Checkpoint, type CheckpointDetails, Checkpoints, readCheckpoints } from "./checkpoints.ts";
import { openConfiguration, type RunConfiguration, readConfiguration, type StoredConfiguration } from "./configuration.ts";

export type EventType = "opened" | "resumed" | "interrupted" | "failed" | "finished" | "note";

export interface OpenRunOptions {
  /** How many of the newest checkpoints stay on the disk. */
  keepCheckpoints?: number | undefined;
}

const specs: CallSpecs<OpenRunOptions> = { keepCheckpoints: whole("how many of the newest checkpoints stay", 1) };

/** History of the run as a whole: never cut back. */
const eventsName = "events";
/** Records of an evaluation have no step, and may be too many to look through at every opening. */
const notByStep = new Set([`${eventsName}.jsonl`, "checkpoints.jsonl", "records.jsonl"]);

/** Creates the directory, or opens it again. One process at a time; `close` when done. */
export function openRun(folder: string, configuration: RunConfiguration, options: OpenRunOptions = {}): RunDirectory {
  checkCall("openRun", specs, options);
  makeFolder(folder, `create the run folder ${folder}`);
  refuseOtherFolders(folder);
  const unlock = takeLock(folder);
  try {
    const stored = openConfiguration(folder, configuration);
    return new RunDirectory(folder, stored, unlock, options.keepCheckpoints ?? 3);
  } catch (error) {
    unlock();
    throw error;
  }
}

/**
 * `work` with the directory open, which is given back however that ends. In place of `using`, which is a syntax error on the oldest Node
 * we promise.
 */
export async function withRun<Result>(
  folder: string,
  configuration: RunConfiguration,
  work: (run: RunDirectory) => Promise<Result>,
  options: OpenRunOptions = {},
): Promise<Result> {
  const run = openRun(folder, configuration, options);
  try {
    return await work(run);
  } finally {
    run.close();
  }
}

export class RunDirectory {
  readonly folder: string;
  readonly configuration: StoredConfiguration;
  readonly #checkpoints: Checkpoints;
  readonly #files = new Map<string, JsonLines>();
  readonly #unlock: () => void;
  #closed = false;

  /** Use `openRun`. */
  constructor(folder: string, configuration: StoredConfiguration, unlock: () => void, keepCheckpoints: number) {
    this.folder = folder;
    this.configuration = configuration;
    this.#unlock = unlock;
    this.#checkpoints = new Checkpoints(folder, keepCheckpoints);
    const done = this.#checkpoints.newest?.step ?? -1;
    const removed = cutLines(folder, done);
    repairLines(path.join(folder, `${eventsName}.jsonl`));
    if (done >= 0) this.event("resumed", { step: done, removedBytes: removed });
    else this.event("opened");
  }

  /** Where to go on from; undefined in a new run. */
  get newestCheckpoint(): Checkpoint | undefined {
    return this.#checkpoints.newest;
  }

  checkpointAt(step: number): Checkpoint | undefined {
    return this.#checkpoints.at(step);
  }

  /** Adds a line to <name>.jsonl. Give `step` (steps done), so that resuming knows which lines to do again. */
  append<Line extends { step: number }>(name: string, line: Line): void {
    this.#file(name).append(line);
  }

  /** Adds a line to events.jsonl with the time. */
  event(type: EventType, details: JsonObject = {}): void {
    this.#file(eventsName).append({ type, at: new Date().toISOString(), ...details });
  }

  /** Flushes every line so far, then writes checkpoints/step-N whole or not at all. `save` fills an empty folder. */
  async checkpoint(step: number, save: (folder: string) => Promise<void>, details?: CheckpointDetails): Promise<Checkpoint> {
    for (const file of this.#files.values()) file.sync();
    return this.#checkpoints.write(step, save, details ?? { samplerStep: step });
  }

  /** Writes a file such as results.json or report.html in one move, and returns its path. */
  writeFile(name: string, content: FileContent): string {
    const file = path.join(this.folder, name);
    makeFolder(path.dirname(file));
    replaceFile(file, content);
    return file;
  }

  readLines<Line extends object = JsonObject>(name: string): Line[] {
    return readLines<Line>(path.join(this.folder, `${name}.jsonl`));
  }

  /** Gives the directory back. Safe to call twice. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const file of this.#files.values()) file.close();
    this.#checkpoints.close();
    this.#unlock();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #file(name: string): JsonLines {
    return getOrMake(this.#files, name, () => new JsonLines(path.join(this.folder, `${name}.jsonl`)));
  }
}

/** A run as others read it, while it may still be going on. */
export interface RunRecord {
  configuration: StoredConfiguration;
  metrics: JsonObject[];
  events: JsonObject[];
  checkpoints: Checkpoint[];
}

/** Reads without locking and without repairing; a torn last line is left out. */
export function readRun(folder: string): RunRecord {
  const configuration = readConfiguration(folder);
  if (configuration === undefined) throw notARun(folder);
  const lines = (name: string) => readLines(path.join(folder, `${name}.jsonl`));
  return { configuration, metrics: lines("metrics"), events: lines(eventsName), checkpoints: readCheckpoints(folder) };
}

/** Cuts lines of steps that are not in the newest checkpoint; lines without a step stay. */
function cutLines(folder: string, done: number): number {
  let removed = 0;
  for (const name of readdirSync(folder)) {
    if (!name.endsWith(".jsonl") || notByStep.has(name)) continue;
    removed += repairLines(path.join(folder, name), (line) => typeof line.step !== "number" || line.step <= done);
  }
  return removed;
}

/** A folder with other people's files in it is not taken over. The cache of answers may have been opened before the run was. */
function refuseOtherFolders(folder: string): void {
  const names = guarded(`read ${folder}`, () => readdirSync(folder));
  if (names.includes("config.json") || names.every((name) => /^((lock|config)\.json|answers$)/.test(name))) return;
  throw userError(
    "not-a-run",
    `${folder} holds files that are not a run of this program (${names.slice(0, 3).join(", ")}${names.length > 3 ? ", …" : ""})`,
    "Choose a folder that does not exist yet, or an empty one.",
  );
}

function notARun(folder: string) {
  return userError("not-a-run", `${folder} has no config.json`, "Give the folder of a run, such as runs/start.");
}
