/**
 * Files and folders that survive a crash: replaced in one move, so that a reader, or a kill at any moment, finds the old content or the new,
 * never a part; and flushed to disk. What is new is built beside its place under a fixed name, so that what a killed process left is
 * overwritten by the next: one writer at a time.
 */
import {
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { cp, type FileHandle, mkdir, open, readdir, rename, rm } from "node:fs/promises";
import path from "node:path";
import { userError } from "#kernel/errors.ts";
import { struckFile, struckPieces } from "#kernel/secrets.ts";
import { fileFailure, guarded } from "./file-failures.ts";

/** Not through a symbolic link: whoever may write to the folder could lead us to any file. What stands at the place itself is replaced. */
const created = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | (constants.O_NOFOLLOW ?? 0);

/** Takes a symbolic link away that stands where a file is to be written; what it leads to stays as it is. */
export function replaceLink(file: string): void {
  if (lstatSync(file, { throwIfNoEntry: false })?.isSymbolicLink()) rmSync(file);
}

const partialOf = (place: string) => `${place}.partial`;

/**
 * Makes a folder and those above it that are missing. Node's own way goes round for ever where a folder cannot be made and its parent is
 * there, as under /proc. `doing` completes “cannot …”.
 */
export function makeFolder(folder: string, doing = `create ${folder}`): void {
  guarded(doing, () => {
    const place = path.resolve(folder);
    for (const missing of [...missingFolders(path.dirname(place)), place]) {
      try {
        mkdirSync(missing);
      } catch (error) {
        // It may stand already, or another process has made it meanwhile.
        if (!statSync(missing, { throwIfNoEntry: false })?.isDirectory()) throw error;
      }
    }
  });
}

/** The outermost first, the folder itself last. */
function missingFolders(folder: string): string[] {
  return existsSync(folder) ? [] : [...missingFolders(path.dirname(folder)), folder];
}

/** What a file is to hold; in pieces where it may be larger than the memory should be. */
export type FileContent = string | Uint8Array | Iterable<string>;

/**
 * A text loses what is secret in it; bytes stay what they are.
 *
 * @param content or a function that writes it to the open file
 */
export function replaceFile(file: string, content: FileContent | ((handle: number) => void)): void {
  guarded(`write ${file}`, () => {
    const partial = partialOf(file);
    try {
      replaceLink(partial);
      const handle = openSync(partial, created);
      try {
        if (typeof content === "function") content(handle);
        else if (typeof content === "string") writeFileSync(handle, struckFile(content));
        else if (content instanceof Uint8Array) writeFileSync(handle, content);
        else for (const piece of struckPieces(content)) writeFileSync(handle, piece);
        fsyncSync(handle);
      } finally {
        closeSync(handle);
      }
      renameSync(partial, file);
    } catch (error) {
      rmSync(partial, { force: true });
      throw error;
    }
    syncEntries(path.dirname(file));
  });
}

/** The same for content that is too large to be written in one go. */
export async function replaceLargeFile(file: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const partial = partialOf(file);
  try {
    replaceLink(partial);
    const handle = await open(partial, created);
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(partial, file);
    syncEntries(path.dirname(file));
  } catch (error) {
    await rm(partial, { force: true }).catch(() => undefined);
    throw fileFailure(error, `write ${file}`);
  }
}

/** What a folder of our own making holds, to tell it from others and to know which files a new version replaces. */
export interface FolderKind {
  /** As in "holds no checkpoint". */
  name: string;
  /** A file that every such folder has. */
  marker: string;
  /** Files that the next version replaces or drops; others, such as a model card, are kept. */
  owned: RegExp;
}

/**
 * Replaces a folder by one that `build` fills. The old one first steps aside as `folder.previous`, which `recoverFolder` puts back if the
 * process died between the two renames.
 *
 * @param kind what an old one may be, and which of its files go; all of it goes, whatever it is, when left out
 * @throws userError when the disk is full, the place cannot be written, or it holds something of another kind
 */
export async function replaceFolder(
  folder: string,
  build: (temporary: string) => Promise<void>,
  kind?: FolderKind,
): Promise<void> {
  folder = path.resolve(folder);
  const temporary = partialOf(folder);
  const previous = previousOf(folder);
  try {
    await recoverFolder(folder);
    const kept = await keptFiles(folder, kind);
    makeFolder(path.dirname(folder));
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary);
    for (const name of kept ?? []) await cp(path.join(folder, name), path.join(temporary, name), { recursive: true });
    await build(temporary);
    syncFolder(temporary);
    if (kept !== undefined) {
      await rm(previous, { recursive: true, force: true });
      await rename(folder, previous);
    }
    await rename(temporary, folder);
    syncEntries(path.dirname(folder));
    await rm(previous, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw fileFailure(error, `write ${folder}`);
  }
}

/** What is in the folder that is about to be replaced and would otherwise be lost; undefined when there is no folder. */
async function keptFiles(folder: string, kind: FolderKind | undefined): Promise<string[] | undefined> {
  if (!existsSync(folder)) return undefined;
  if (kind === undefined) return [];
  const names = await readdir(folder);
  if (names.length > 0 && !names.includes(kind.marker)) {
    throw userError(
      "folder-occupied",
      `${folder} is not empty and holds no ${kind.name}, so none was written over it.`,
      "Choose another folder, or empty this one.",
    );
  }
  return names.filter((name) => !kind.owned.test(name));
}

/** Puts back a folder that a killed process had moved aside and not yet replaced. */
export async function recoverFolder(folder: string): Promise<void> {
  if (!existsSync(folder) && existsSync(previousOf(folder))) await rename(previousOf(folder), folder);
}

function previousOf(folder: string): string {
  return `${folder}.previous`;
}

/** Flushes every file below a folder, then the folders' own entries. */
function syncFolder(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const inside = path.join(folder, entry.name);
    if (entry.isDirectory()) syncFolder(inside);
    else if (entry.isFile()) flush(inside, "r+");
  }
  syncEntries(folder);
}

/** Flushes the names in a folder, so that a rename survives a power cut. Not every system can open a folder; there it is left out. */
function syncEntries(folder: string): void {
  try {
    flush(folder, "r");
  } catch (error) {
    if (!["EISDIR", "EPERM", "EACCES", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  }
}

function flush(file: string, flags: "r" | "r+"): void {
  const handle = openSync(file, flags);
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
