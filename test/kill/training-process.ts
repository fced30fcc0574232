/**
 * A whole training run in a process of its own, to be killed: PASR on the small refine world, through the real loop and record.
 * Arguments: engine kind, folder of the base model, run folder, and optionally after how many file operations the process kills itself.
 */
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { Engine } from "#kernel/engine.ts";
import { type PasrOptions, paperPasrOptions } from "#recipes/pasr/options.ts";
import { trainPasr } from "#recipes/pasr/recipe.ts";
import { openRun } from "#record/run-directory.ts";
import { items, makeEngine, prompts, tokenizer, verifier } from "../support/refine-world.ts";

const [kind, baseFolder, runFolder, killAfter] = process.argv.slice(2);

/** Kills the process at the n-th file operation that changes something: before it, after it, or with half of it written. */
function killAtOperation(n: number): void {
  let left = n;
  const die = () => process.kill(process.pid, "SIGKILL");
  const names = [
    "writeSync",
    "writeFileSync",
    "fsyncSync",
    "renameSync",
    "rmSync",
    "mkdirSync",
    "truncateSync",
    "linkSync",
  ] as const;
  const table = fs as unknown as Record<string, (...given: unknown[]) => unknown>;
  for (const name of names) {
    const original = table[name];
    table[name] = (...given) => {
      left -= 1;
      if (left > 0) return original(...given);
      if (n % 3 === 0) die();
      const data = given[1];
      if (n % 3 === 1 && (name === "writeSync" || name === "writeFileSync") && data !== undefined) {
        const bytes = typeof data === "string" ? Buffer.from(data) : (data as Uint8Array);
        const half = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength >> 1);
        original(given[0], half);
      } else original(...given);
      return die();
    };
  }
  syncBuiltinESMExports();
}

const options: PasrOptions = {
  ...paperPasrOptions,
  prompts,
  refinedSamples: 4,
  plainSamples: 4,
  maxTokens: 14,
  questionsPerStep: 4,
  steps: 14,
  learningRate: kind === "table" ? 0.05 : 0.002,
  samplerRefresh: 3,
  miniBatches: 2,
};

if (killAfter !== undefined) killAtOperation(Number(killAfter));
const engine: Engine = kind === "table" ? makeEngine() : await EmbeddedEngine.open({ folder: baseFolder, threads: 1 });
if (kind === "table") await engine.restore(baseFolder);

const run = openRun(runFolder, { command: "train pasr", options: { kind } }, { keepCheckpoints: 2 });
process.stdout.write("ready\n");
const result = await trainPasr({
  engine,
  tokenizer,
  items: (index) => items[index % items.length],
  judge: verifier,
  options,
  seed: 5,
  run,
  checkpointEvery: 4,
  rolloutsEvery: 2,
  evaluate: async (stepsDone) => ({ square: stepsDone ** 2 }),
  evaluateEvery: 4,
});
process.stdout.write(result.finished ? "finished\n" : "stopped\n");
await engine.close();
run.close();
