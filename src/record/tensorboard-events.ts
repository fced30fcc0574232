/**
 * TensorBoard's event files as bytes. A file is a row of TFRecords, each a length, the length's checksum, a message and the message's
 * checksum; a message is an `Event` in protobuf (tensorboard/compat/proto/event.proto, summary.proto). Only what scalars need is here.
 */

export interface ScalarEvent {
  /** Seconds since 1970. */
  wallTime: number;
  /** A whole number from 0. */
  step: number;
  /** Names and values; TensorBoard keeps 32-bit floats. */
  scalars: readonly (readonly [name: string, value: number])[];
}

/** What every file begins with. */
export function fileVersionRecord(wallTime: number): Uint8Array {
  return frame([...double(1, wallTime), ...text(3, "brain.Event:2")]);
}

/** One step's scalars. */
export function scalarRecord({ wallTime, step, scalars }: ScalarEvent): Uint8Array {
  const summary = scalars.flatMap(([name, value]) => message(1, [...text(1, name), ...float(2, value)]));
  return frame([...double(1, wallTime), ...whole(2, step), ...message(5, summary)]);
}

/** The start of a process: what earlier files say of this step and of later ones no longer counts. */
export function restartRecord(wallTime: number, step: number): Uint8Array {
  const start = 1;
  return frame([...double(1, wallTime), ...whole(2, step), ...message(7, whole(1, start))]);
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

function frame(data: readonly number[]): Uint8Array {
  const record = Buffer.alloc(data.length + 16);
  record.writeBigUInt64LE(BigInt(data.length), 0);
  record.writeUInt32LE(maskedCrc(record.subarray(0, 8)), 8);
  record.set(data, 12);
  record.writeUInt32LE(maskedCrc(data), data.length + 12);
  return record;
}

/** Protobuf's wire types. */
const varintType = 0;
const eightBytes = 1;
const lengthType = 2;
const fourBytes = 5;

function key(field: number, type: number): number {
  return field * 8 + type;
}

function double(field: number, value: number): number[] {
  const bytes = Buffer.alloc(8);
  bytes.writeDoubleLE(value);
  return [key(field, eightBytes), ...bytes];
}

function float(field: number, value: number): number[] {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return [key(field, fourBytes), ...bytes];
}

/** Left out where it is 0, as protobuf does. */
function whole(field: number, value: number): number[] {
  return value === 0 ? [] : [key(field, varintType), ...varint(value)];
}

function text(field: number, value: string): number[] {
  return message(field, [...Buffer.from(value)]);
}

function message(field: number, bytes: readonly number[]): number[] {
  return [key(field, lengthType), ...varint(bytes.length), ...bytes];
}

/** Without bit operations, which end at 32 bits. */
function varint(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) + 128);
  }
}
