/** A folder of weights that is replaced whole: a reader, or a crash, finds the old model or the new one. */
import { renameSync, rmSync } from "node:fs";
import path from "node:path";
import { syncEntries, syncFolder } from "#files/durable.ts";
import { guarded } from "#files/file-failures.ts";
import type { Engine } from "#kernel/engine.ts";

export async function saveModel(engine: Engine, folder: string): Promise<void> {
  const partial = `${folder}.partial`;
  guarded(`write ${folder}`, () => rmSync(partial, { recursive: true, force: true }));
  await engine.save(partial);
  guarded(`write ${folder}`, () => {
    syncFolder(partial);
    rmSync(folder, { recursive: true, force: true });
    renameSync(partial, folder);
    syncEntries(path.dirname(folder));
  });
}
