/**
 * A TensorBoard event file of this process. Every process writes a file of its own; the first record says from which step on earlier
 * files no longer count, so that steps done again after a restart show once.
 */
import { closeSync, mkdirSync, openSync, readdirSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { guarded } from "#files/file-failures.ts";
import { fileVersionRecord, restartRecord, scalarRecord } from "./tensorboard-events.ts";

/** Numbers of one step by name. */
export type Scalars = readonly (readonly [name: string, value: number])[];

export class TensorBoardFile {
  readonly file: string;
  readonly #handle: number;

  /** @param stepsDone where this process goes on from; 0 in a new run. Throws a user error where the folder cannot be written. */
  constructor(folder: string, stepsDone: number) {
    guarded(`create ${folder}`, () => mkdirSync(folder, { recursive: true }));
    this.file = path.join(folder, nextName(guarded(`read ${folder}`, () => readdirSync(folder))));
    this.#handle = guarded(`create ${this.file}`, () => openSync(this.file, "wx"));
    this.#write(fileVersionRecord(seconds()));
    this.#write(restartRecord(seconds(), stepsDone + 1));
  }

  /** Throws where the disk is full; the file then ends in a torn record, which readers leave out. */
  write(step: number, scalars: Scalars): void {
    this.#write(scalarRecord({ wallTime: seconds(), step, scalars }));
  }

  close(): void {
    closeSync(this.#handle);
  }

  #write(bytes: Uint8Array): void {
    guarded(`write ${this.file}`, () => {
      for (let written = 0; written < bytes.length; ) written += writeSync(this.#handle, bytes, written);
    });
  }
}

/** TensorBoard reads the files of a folder in the order of their names, which begin with a time: a later process must have a later one. */
function nextName(present: readonly string[]): string {
  const times = present.map((name) => Number(/^events\.out\.tfevents\.(\d{10})\./.exec(name)?.[1] ?? 0));
  const time = Math.max(Math.floor(seconds()), 1 + times.reduce((most, each) => Math.max(most, each), 0));
  return `events.out.tfevents.${time}.${hostname()}.${process.pid}.0`;
}

function seconds(): number {
  return Date.now() / 1000;
}
