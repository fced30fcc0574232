/** Small file operations that survive a crash: whole files replaced at once, folders and directory entries flushed to disk. */
import { closeSync, fsyncSync, openSync, readdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { guarded } from "./file-failures.ts";

/** Replaces a file in one move: a reader, or a crash, sees the old content or the new, never a part. */
export function replaceFile(file: string, content: string | Uint8Array): void {
  guarded(`write ${file}`, () => {
    const partial = `${file}.partial`;
    try {
      const handle = openSync(partial, "w");
      try {
        writeFileSync(handle, content);
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

/** Flushes every file below a folder, then the folders' own entries. */
export function syncFolder(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const inside = path.join(folder, entry.name);
    if (entry.isDirectory()) syncFolder(inside);
    else if (entry.isFile()) flush(inside, "r+");
  }
  syncEntries(folder);
}

/** Flushes the names in a folder, so that a rename survives a power cut. Not every system can open a folder; there it is left out. */
export function syncEntries(folder: string): void {
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
