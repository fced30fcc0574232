/** config.json: what a run directory was made for, and whether a later command asks for the same. */
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { replaceFile } from "#files/durable.ts";
import { guarded } from "#files/file-failures.ts";
import { type JsonObject, type JsonValue, schemaVersion } from "#files/json-lines.ts";
import { type MidcourseError, userError } from "#kernel/errors.ts";
import { shortened } from "#kernel/options.ts";
import { struckValue } from "#kernel/secrets.ts";
import { leavesOf } from "#kernel/values.ts";

export interface RunConfiguration {
  /** The command as typed, without its options: `train pasr`. */
  command: string;
  /** Everything that decides the result: seeds, sizes, data, model. What only changes how it is shown stays out. */
  options: JsonObject;
}

export interface StoredConfiguration extends RunConfiguration {
  v: number;
  /** SHA-256 over command and options, for telling runs apart at a glance. */
  hash: string;
  /** ISO time of the first opening. */
  created: string;
}

const fileName = "config.json";

/** Writes config.json, or checks that the one that is there asks for the same. Another password or key makes no other run: neither is kept. */
export function openConfiguration(folder: string, wanted: RunConfiguration): StoredConfiguration {
  const { command, options } = struckValue(plain(wanted));
  const stored = struckValue(readConfiguration(folder));
  if (stored !== undefined) {
    const differences = listDifferences({ command: stored.command, ...stored.options }, { command, ...options });
    if (differences.length > 0) throw otherConfiguration(folder, differences);
    return stored;
  }
  const hash = createHash("sha256").update(canonical({ command, options })).digest("hex");
  const fresh = { v: schemaVersion, command, options, hash, created: new Date().toISOString() };
  replaceFile(path.join(folder, fileName), `${JSON.stringify(fresh, null, 2)}\n`);
  return fresh;
}

/** Undefined when the folder has no config.json. */
export function readConfiguration(folder: string): StoredConfiguration | undefined {
  const file = path.join(folder, fileName);
  if (!existsSync(file)) return undefined;
  const text = guarded(`read ${file}`, () => readFileSync(file, "utf8"));
  let stored: StoredConfiguration;
  try {
    stored = JSON.parse(text) as StoredConfiguration;
    if (typeof stored.v !== "number" || typeof stored.command !== "string" || typeof stored.options !== "object")
      throw new Error();
  } catch (error) {
    throw userError(
      "record-damaged",
      `${file} is not the configuration of a run`,
      "Restore it, or choose a new run folder.",
      error,
    );
  }
  if (stored.v > schemaVersion) {
    throw userError(
      "record-too-new",
      `${folder} was written by a newer version (record schema ${stored.v}, this program knows ${schemaVersion})`,
      "Use that version, or choose a new run folder.",
    );
  }
  return stored;
}

export interface Difference {
  /** Dotted path: `options` are named as they were given. */
  key: string;
  stored: JsonValue | undefined;
  wanted: JsonValue | undefined;
}

/**
 * Every leaf in which two configurations differ, in order of the keys. Of what is kept as {name, content}, a file or a model, the content alone
 * decides: the same under another name, from another folder, is the same. Where the content differs both are listed.
 */
export function listDifferences(stored: JsonObject, wanted: JsonObject): Difference[] {
  const before = new Map(leavesOf(stored) as [string, JsonValue | undefined][]);
  const after = new Map(leavesOf(wanted) as [string, JsonValue | undefined][]);
  const isSame = (key: string) => JSON.stringify(before.get(key)) === JSON.stringify(after.get(key));
  const isNameOfSame = (key: string) => {
    const content = key.replace(/(^|\.)name$/, "$1content");
    return content !== key && before.has(content) && isSame(content);
  };
  return [...new Set([...before.keys(), ...after.keys()])]
    .sort()
    .filter((key) => !isSame(key) && !isNameOfSame(key))
    .map((key) => ({ key, stored: before.get(key), wanted: after.get(key) }));
}

function otherConfiguration(folder: string, differences: Difference[]): MidcourseError {
  const shown = differences.slice(0, 8).map((each) => `${each.key} (${show(each.stored)} there, ${show(each.wanted)} now)`);
  const more = differences.length > shown.length ? ` and ${differences.length - shown.length} more` : "";
  return userError(
    "run-of-other-configuration",
    `${folder} holds a run of another configuration: ${shown.join(", ")}${more}`,
    "Give the same options to go on with it, or choose another run folder.",
  );
}

function show(value: JsonValue | undefined): string {
  return shortened(value === undefined ? "absent" : JSON.stringify(value));
}

/** As JSON keeps it: without undefined, and with null for what JSON has no number for. */
function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

function canonical(value: JsonValue | undefined): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const keys = Object.keys(value).sort();
  return `{${keys.map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}
