/**
 * checkpoints/step-N: folders that exist whole or not at all, listed in checkpoints.jsonl. A folder is written beside its place and
 * moved there once it is on the disk; only then is it listed. Old ones go, never the newest.
 */
import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import path from "node:path";
import { makeFolder, replaceFolder } from "#files/durable.ts";
import { guarded } from "#files/file-failures.ts";
import { JsonLines, type JsonObject, readLines, repairLines } from "#files/json-lines.ts";

export interface CheckpointDetails {
  /** The step whose weights the sampler had at this checkpoint; the checkpoint's own step when the sampler is the policy itself. */
  samplerStep: number;
  /** What the loop needs besides weights, such as a place in the data. */
  state?: JsonObject | undefined;
}

export interface Checkpoint extends CheckpointDetails {
  /** Steps done. */
  step: number;
  folder: string;
  samplerFolder: string;
}

const listName = "checkpoints.jsonl";

export class Checkpoints {
  readonly #root: string;
  readonly #keep: number;
  readonly #list: JsonLines;
  #all: Checkpoint[];

  /** Repairs the list, removes what a crash left half-written or half-deleted. `keep`: how many of the newest stay (at least 1). */
  constructor(runFolder: string, keep: number) {
    this.#root = path.join(runFolder, "checkpoints");
    this.#keep = Math.max(1, keep);
    const listFile = path.join(runFolder, listName);
    makeFolder(this.#root, `prepare ${this.#root}`);
    repairLines(listFile);
    const newest = readCheckpoints(runFolder).at(-1)?.step ?? -1;
    repairLines(listFile, (line) => (line.step as number) <= newest);
    this.#all = readCheckpoints(runFolder);
    const listed = new Set(this.#all.flatMap((each) => [each.folder, each.samplerFolder]));
    for (const name of readdirSync(this.#root)) {
      const folder = path.join(this.#root, name);
      if (/^step-\d+(\.\w+)?$/.test(name) && !listed.has(folder)) remove(folder);
    }
    this.#list = new JsonLines(listFile);
    this.#removeOld();
  }

  get newest(): Checkpoint | undefined {
    return this.#all.at(-1);
  }

  at(step: number): Checkpoint | undefined {
    return this.#all.find((each) => each.step === step);
  }

  /** `save` fills an empty folder. When it fails, nothing is listed and the newest checkpoint stays what it was. */
  async write(step: number, save: (folder: string) => Promise<void>, details: CheckpointDetails): Promise<Checkpoint> {
    const folder = path.join(this.#root, `step-${step}`);
    await replaceFolder(folder, save);
    this.#list.append({ step, ...details });
    this.#list.sync();
    const checkpoint = { step, folder, samplerFolder: path.join(this.#root, `step-${details.samplerStep}`), ...details };
    this.#all = [...this.#all.filter((each) => each.step !== step), checkpoint];
    this.#removeOld();
    return checkpoint;
  }

  close(): void {
    this.#list.close();
  }

  /** Step 0 stays (reference weights come from it), and so do the sampler weights that a kept checkpoint needs. */
  #removeOld(): void {
    const kept = this.#all.filter((each, index) => each.step === 0 || index >= this.#all.length - this.#keep);
    const needed = new Set(kept.flatMap((each) => [each.folder, each.samplerFolder]));
    for (const each of this.#all) if (!needed.has(each.folder)) remove(each.folder);
    this.#all = this.#all.filter((each) => needed.has(each.folder));
  }
}

/** The checkpoints of a run that can be gone on from, oldest first. Reads only. */
export function readCheckpoints(runFolder: string): Checkpoint[] {
  const lines = readLines(path.join(runFolder, listName)) as unknown as (CheckpointDetails & { step: number })[];
  const byStep = new Map(lines.map(({ step, samplerStep, state }) => [step, { step, samplerStep, state }]));
  const place = (step: number) => path.join(runFolder, "checkpoints", `step-${step}`);
  return [...byStep.values()]
    .map((line) => ({ ...line, folder: place(line.step), samplerFolder: place(line.samplerStep) }))
    .filter((each) => existsSync(each.folder) && existsSync(each.samplerFolder))
    .sort((first, second) => first.step - second.step);
}

/** Renamed first, so that a crash half-way leaves nothing that looks like a checkpoint. */
function remove(folder: string): void {
  guarded(`remove ${folder}`, () => {
    const doomed = `${folder}.removed`;
    rmSync(doomed, { recursive: true, force: true });
    if (!existsSync(folder)) return;
    renameSync(folder, doomed);
    rmSync(doomed, { recursive: true, force: true });
  });
}
