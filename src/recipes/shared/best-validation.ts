/**
 * Keeping the weights that answered validation problems best, in the place of the last. What was measured stands in evaluations.jsonl, and the
 * weights are saved before their line is written: a run that is killed anywhere and goes on makes the same choice.
 */
import path from "node:path";
import { replaceFolder } from "#files/durable.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import { isRecord } from "#kernel/values.ts";
import type { RunDirectory } from "#record/run-directory.ts";

/** Weights after `step` steps, 0 the ones that training began with. */
export type KeptByValidation = { step: number; accuracy: number };

/** Greedy accuracy under the refine prompt: of the small world's probe, or of any other source's. */
function accuracyOf(line: JsonObject): number | undefined {
  const found = isRecord(line.greedy) ? line.greedy.accuracy : line.refinedAccuracy;
  return typeof found === "number" && Number.isFinite(found) ? found : undefined;
}

function bestOf(lines: readonly JsonObject[]): KeptByValidation | undefined {
  return lines.reduce<KeptByValidation | undefined>((best, line) => {
    const accuracy = accuracyOf(line);
    if (accuracy === undefined || (best !== undefined && accuracy <= best.accuracy)) return best;
    return { step: line.step as number, accuracy };
  }, undefined);
}

const folderOf = (run: RunDirectory) => path.join(run.folder, "best-validation");

/** `look` measures; its figures go into the record as they are. Ties stay with the earlier weights. */
export function keepingBest(
  engine: Pick<Engine, "save">,
  run: RunDirectory,
  look: (step: number, signal: AbortSignal | undefined) => Promise<JsonObject>,
): (step: number, signal: AbortSignal | undefined) => Promise<JsonObject> {
  return async (step, signal) => {
    const figures = await look(step, signal);
    const before = bestOf(run.readLines("evaluations").filter((line) => (line.step as number) < step));
    const accuracy = accuracyOf(figures);
    if (accuracy !== undefined && (before === undefined || accuracy > before.accuracy))
      await replaceFolder(folderOf(run), (folder) => engine.save(folder));
    return figures;
  };
}

/** Loads the best weights of a run that came to its end. */
export async function restoreBest(engine: Pick<Engine, "restore">, run: RunDirectory): Promise<KeptByValidation> {
  const best = bestOf(run.readLines("evaluations"));
  if (best === undefined)
    throw userError("nothing-validated", `${run.folder} has no validation accuracy to choose by`, "Train with keep=last.");
  await engine.restore(folderOf(run));
  return best;
}
