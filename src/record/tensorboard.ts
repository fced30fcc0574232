/**
 * A TensorBoard event file of this process. Such a file is a row of TFRecords, each a length, the length's checksum, a message and the
 * message's checksum; a message is an `Event` in protobuf (tensorboard/compat/proto/event.proto, summary.proto). Every process writes a file of its own; the first record says from which step on earlier
 * files no longer count, so that steps done again after a restart show once.
 */
import { closeSync, openSync, readdirSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import path from "node:path";
import { ProtobufWriter } from "#bytes/protobuf.ts";
import { makeFolder } from "#files/durable.ts";
import { guarded } from "#files/file-failures.ts";

/** Numbers of one step by name. */
export type Scalars = readonly (readonly [name: string, value: number])[];

export class TensorBoardFile {
  readonly file: string;
  readonly #handle: number;

  /** @param stepsDone where this process goes on from; 0 in a new run. Throws a user error where the folder cannot be written. */
  constructor(folder: string, stepsDone: number) {
    makeFolder(folder);
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

interface ScalarEvent {
  /** Seconds since 1970. */
  wallTime: number;
  /** A whole number from 0. */
  step: number;
  /** TensorBoard keeps 32-bit floats. */
  scalars: Scalars;
}

/** What every file begins with. */
export function fileVersionRecord(wallTime: number): Uint8Array {
  return record(wallTime, 0, (event) => event.text(3, "brain.Event:2"));
}

/** One step's scalars. */
export function scalarRecord({ wallTime, step, scalars }: ScalarEvent): Uint8Array {
  return record(wallTime, step, (event) =>
    event.message(5, (summary) => {
      for (const [name, value] of scalars) {
        summary.message(1, (scalar) => {
          scalar.text(1, name);
          scalar.float(2, value);
        });
      }
    }),
  );
}

/** The start of a process: what earlier files say of this step and of later ones no longer counts. */
export function restartRecord(wallTime: number, step: number): Uint8Array {
  const start = 1;
  return record(wallTime, step, (event) => event.message(7, (log) => log.integer(1, start)));
}

/** CRC-32C (Castagnoli) of the bytes. */
export function crc32c(bytes: ArrayLike<number>): number {
  let crc = 0xffffffff;
  for (let index = 0; index < bytes.length; index++) crc = (crc >>> 8) ^ table[(crc ^ bytes[index]) & 0xff];
  return (crc ^ 0xffffffff) >>> 0;
}

const table = Uint32Array.from({ length: 256 }, (_, index) => {
  let value = index;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

/** Checksums are stored rotated and shifted, so that a checksum of data with checksums in it stays meaningful. */
function maskedCrc(bytes: ArrayLike<number>): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** An event in its frame. Step 0 is left out, as protobuf leaves out what is 0. */
function record(wallTime: number, step: number, write: (event: ProtobufWriter) => void): Uint8Array {
  const event = new ProtobufWriter();
  event.double(1, wallTime);
  if (step !== 0) event.integer(2, step);
  write(event);
  const data = event.bytes();
  const framed = Buffer.alloc(data.length + 16);
  framed.writeBigUInt64LE(BigInt(data.length), 0);
  framed.writeUInt32LE(maskedCrc(framed.subarray(0, 8)), 8);
  framed.set(data, 12);
  framed.writeUInt32LE(maskedCrc(data), data.length + 12);
  return framed;
}
