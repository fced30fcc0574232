/** What a dataset's repository holds: which of its files are a table, and how they are checked. */
import { createHash } from "node:crypto";
import path from "node:path";

/** A table of a dataset. */
export interface HubTable {
  dataset: string;
  config?: string;
  split: string;
  /** A commit, or a branch that is resolved at the first fetch. */
  revision: string;
  /** Its files, where they are known; found by config and split otherwise. */
  files?: readonly string[];
}

/** One entry of the hub's list of a repository's files. */
export interface ListedFile {
  path: string;
  size?: number;
  /** Git's name of the content. */
  oid?: string;
  lfs?: { oid?: string; size?: number };
}

/** The name of a state of a repository. */
export const aCommit = /^[0-9a-f]{40}$/;

/** Stays inside of the folder it is kept in. */
export function isSafe(name: unknown): name is string {
  return (
    typeof name === "string" && name !== "" && !path.isAbsolute(name) && !name.split(/[/\\]/).some((part) => /^\.*$/.test(part))
  );
}

/** How the content is checked: by its SHA-256, or by the name Git has for it. */
export function checksum({ lfs, oid }: ListedFile, size: number | undefined) {
  if (lfs?.oid !== undefined && /^[0-9a-f]{64}$/.test(lfs.oid)) return { hash: createHash("sha256"), expected: lfs.oid };
  if (lfs === undefined && oid !== undefined && aCommit.test(oid) && size !== undefined) {
    // Small files stand in Git itself, which names them by this.
    return { hash: createHash("sha1").update(`blob ${size}\0`), expected: oid };
  }
  return { hash: undefined, expected: "" };
}

const tableKinds = [".parquet", ".jsonl", ".json", ".csv"];

/** The files of a split by the hub's habits: in a folder of the config, or named after it; Parquet before other kinds. */
export function chooseFiles(listed: readonly ListedFile[], { config, split }: HubTable): string[] {
  const isSplit = new RegExp(`(?:^|[-_./])${escaped(split)}(?:[-_./]|$)`, "i");
  const isConfig =
    config === undefined || config === "default" ? undefined : new RegExp(`(?:^|[-_./])${escaped(config)}(?:[-_./]|$)`, "i");
  for (const kind of tableKinds) {
    const ofKind = listed.map((file) => file.path).filter((name) => name.toLowerCase().endsWith(kind) && isSplit.test(name));
    const ofConfig = isConfig ? ofKind.filter((name) => isConfig.test(name)) : ofKind;
    if (ofConfig.length > 0) return ofConfig.sort();
  }
  return [];
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
