/** The safetensors header, checked strictly: eight bytes of length, a JSON object of tensors, and bytes that they cover exactly once. */
import { userError } from "#kernel/errors.ts";
import { isRecord } from "#kernel/values.ts";

export interface TensorEntry {
  /** As the file says: F32, BF16, F16, I64, … */
  dtype: string;
  shape: number[];
  /** Bytes from the start of the file. */
  begin: number;
  end: number;
}

export interface SafetensorsHeader {
  tensors: Map<string, TensorEntry>;
  metadata: Map<string, string>;
}

/** The reference implementation's limit; a longer header is damage, not data. */
export const maxHeaderBytes = 100_000_000;

const bytesPerElement: Record<string, number> = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  F8_E4M3: 1,
  F8_E5M2: 1,
  F8_E8M0: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
  C64: 8,
};

export function malformed(file: string, what: string, cause?: unknown) {
  return userError(
    "safetensors-malformed",
    `${file}: ${what}.`,
    "The file is damaged or incomplete: download or copy it again, or use an earlier checkpoint.",
    cause,
  );
}

/**
 * @param text the header's JSON
 * @param dataStart where tensor bytes begin in the file
 * @param fileSize bytes in the whole file; the tensors must end exactly there
 * @throws userError naming file and tensor
 */
export function parseHeader(text: string, dataStart: number, fileSize: number, file: string): SafetensorsHeader {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw malformed(file, "the header is not JSON", cause);
  }
  if (!isRecord(json)) throw malformed(file, "the header is not a JSON object");
  const repeated = repeatedKey(text);
  if (repeated !== undefined) throw malformed(file, `tensor ${repeated} appears twice in the header`);

  const header: SafetensorsHeader = { tensors: new Map(), metadata: new Map() };
  for (const [name, value] of Object.entries(json)) {
    if (name === "__metadata__") header.metadata = readMetadata(value, file);
    else header.tensors.set(name, readEntry(name, value, dataStart, fileSize, file));
  }
  checkCoverage(header.tensors, dataStart, fileSize, file);
  return header;
}

function readMetadata(value: unknown, file: string): Map<string, string> {
  if (!isRecord(value)) throw malformed(file, "__metadata__ is not an object");
  for (const [key, text] of Object.entries(value)) {
    if (typeof text !== "string") throw malformed(file, `__metadata__ entry ${key} is not text`);
  }
  return new Map(Object.entries(value as Record<string, string>));
}

function readEntry(name: string, value: unknown, dataStart: number, fileSize: number, file: string): TensorEntry {
  const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
  if (typeof dtype !== "string" || !Object.hasOwn(bytesPerElement, dtype)) {
    throw malformed(file, `tensor ${name} has the unknown dtype ${JSON.stringify(dtype)}`);
  }
  if (!isCountList(shape)) throw malformed(file, `tensor ${name} has no valid shape, found ${JSON.stringify(shape)}`);
  if (!isCountList(offsets) || offsets.length !== 2) {
    throw malformed(file, `tensor ${name} has no valid data_offsets, found ${JSON.stringify(offsets)}`);
  }
  const begin = dataStart + offsets[0];
  const end = dataStart + offsets[1];
  if (begin > end) throw malformed(file, `tensor ${name} ends before it begins (data_offsets ${offsets.join(", ")})`);
  if (end > fileSize) {
    throw malformed(file, `tensor ${name} needs bytes up to ${end}, but the file ends at ${fileSize}: it is truncated`);
  }
  const bytes = shape.reduce((product, size) => product * size, bytesPerElement[dtype]);
  if (bytes !== end - begin) {
    const found = end - begin;
    throw malformed(
      file,
      `tensor ${name} of shape [${shape.join(", ")}] and dtype ${dtype} needs ${bytes} bytes but has ${found}`,
    );
  }
  return { dtype, shape, begin, end };
}

function isCountList(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((entry) => Number.isSafeInteger(entry) && entry >= 0);
}

/** No byte belongs to two tensors, none to no tensor. */
function checkCoverage(tensors: Map<string, TensorEntry>, dataStart: number, fileSize: number, file: string): void {
  const ordered = [...tensors].sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  let position = dataStart;
  let before = "the header";
  for (const [name, entry] of ordered) {
    if (entry.begin < position) throw malformed(file, `tensor ${name} overlaps ${before}`);
    if (entry.begin > position) throw malformed(file, `there is a gap between ${before} and tensor ${name}`);
    position = entry.end;
    before = `tensor ${name}`;
  }
  if (position !== fileSize) throw malformed(file, `${fileSize - position} bytes follow ${before} and belong to no tensor`);
}

/** JSON.parse keeps the last of two equal keys in silence; this finds the first key of the outermost object that comes again. */
function repeatedKey(text: string): string | undefined {
  const seen = new Set<string>();
  let depth = 0;
  for (const match of text.matchAll(/"(?:[^"\\]|\\.)*"(\s*:)?|[{}[\]]/g)) {
    const token = match[0];
    if (token === "{" || token === "[") depth++;
    else if (token === "}" || token === "]") depth--;
    else if (depth === 1 && match[1] !== undefined) {
      const key = JSON.parse(token.slice(0, token.length - match[1].length)) as string;
      if (seen.has(key)) return key;
      seen.add(key);
    }
  }
  return undefined;
}
