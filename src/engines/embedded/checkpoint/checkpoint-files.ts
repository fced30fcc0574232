/** Writing files and folders so that a kill at any moment leaves the old content or the new, never half; and naming what went wrong on disk. */
import type { FileHandle } from "node:fs/promises";
import { cp, mkdir, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { userError } from "#kernel/errors.ts";

/** Where something is built before it takes its place. The name is fixed, so what a killed process left is overwritten by the next. */
export function partialOf(path: string): string {
  return `${path}.partial`;
}

/** Writes `path` through a file beside it that is synced to disk and renamed over it. One writer at a time. */
export async function writeAtomically(path: string, write: (handle: FileHandle) => Promise<void>): Promise<void> {
  const temporary = partialOf(path);
  try {
    const handle = await open(temporary, "w");
    try {
      await write(handle);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw diskError(error, path, "write");
  }
}

export async function writeTextAtomically(path: string, text: string): Promise<void> {
  await writeAtomically(path, (handle) => handle.writeFile(text, "utf8"));
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
 * Builds a folder beside its final place and renames it, so a kill leaves the old folder or the new one. An old one first steps aside
 * as `folder.previous`, which `recoverFolder` puts back if the process died between the two renames. One writer at a time.
 *
 * @throws userError when the disk is full, the place cannot be written, or it holds something of another kind
 */
export async function replaceFolder(
  folder: string,
  kind: FolderKind,
  build: (temporary: string) => Promise<void>,
): Promise<void> {
  folder = resolve(folder);
  const temporary = partialOf(folder);
  const previous = previousOf(folder);
  try {
    await recoverFolder(folder);
    const kept = await keptFiles(folder, kind);
    await mkdir(dirname(folder), { recursive: true });
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary);
    for (const name of kept ?? []) await cp(join(folder, name), join(temporary, name), { recursive: true });
    await build(temporary);
    await syncFolder(temporary);
    if (kept !== undefined) {
      await rm(previous, { recursive: true, force: true });
      await rename(folder, previous);
    }
    await rename(temporary, folder);
    await syncFolder(dirname(folder));
    await rm(previous, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw diskError(error, folder, "write");
  }
}

/** What is in the folder that is about to be replaced and would otherwise be lost; undefined when there is no folder. */
async function keptFiles(folder: string, kind: FolderKind): Promise<string[] | undefined> {
  if (!(await exists(folder))) return undefined;
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
  if (!(await exists(folder)) && (await exists(previousOf(folder)))) await rename(previousOf(folder), folder);
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

export async function syncFolder(folder: string): Promise<void> {
  // Windows cannot open folders; there the rename alone has to do.
  const handle = await open(folder, "r").catch(() => undefined);
  if (handle === undefined) return;
  try {
    await handle.sync().catch(() => undefined);
  } finally {
    await handle.close();
  }
}

const causes: Record<string, { what: string; advice: string }> = {
  ENOSPC: { what: "the disk is full", advice: "Free some space or choose another folder, then run the command again." },
  EDQUOT: { what: "the disk quota is used up", advice: "Free some space or choose another folder, then run the command again." },
  EFBIG: { what: "the file would be larger than this file system or account allows", advice: "Choose another folder." },
  EACCES: { what: "permission was denied", advice: "Choose a folder you may use, or change its permissions." },
  EPERM: { what: "permission was denied", advice: "Choose a folder you may use, or change its permissions." },
  EROFS: { what: "the file system is read-only", advice: "Choose a folder on a writable disk." },
  ENOENT: { what: "it does not exist", advice: "Check the path." },
  ENOTDIR: { what: "a part of the path is a file, not a folder", advice: "Check the path." },
  EEXIST: { what: "a file is in the place of a folder", advice: "Check the path." },
  EISDIR: { what: "it is a folder, not a file", advice: "Check the path." },
  EIO: { what: "the disk reported an input/output error", advice: "Check the disk, or choose another one." },
};

/** A failed file operation as an error that the user can act on; anything that is not one is returned as it is. */
export function diskError(error: unknown, path: string, action: "read" | "write"): unknown {
  const code = (error as NodeJS.ErrnoException | undefined)?.code;
  const cause = code === undefined ? undefined : causes[code];
  if (cause === undefined) return error;
  return userError(`disk-${code?.toLowerCase()}`, `Cannot ${action} ${path}: ${cause.what}.`, cause.advice, error);
}

function previousOf(folder: string): string {
  return `${folder}.previous`;
}
