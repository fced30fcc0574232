/** The shipped model on a handful of small problems, for conformance runs of recipes that train on their own answers. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { Engine } from "#kernel/engine.ts";
import { worldItems } from "#tasks/world/items.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { delegate } from "./tabular-engine.ts";

export const baseFolder = path.resolve(import.meta.dirname, "../../models/base");

export const shortItems = worldItems(10, { split: "train", seed: 7, minSteps: 1, maxSteps: 2, storyShare: 0 });

export interface SelfTrainingWorld {
  root: string;
  tokenizer: Tokenizer;
  open(): Promise<{
    engine: Engine /** Weights when each training began, by a fresh optimiser or not. */;
    startsOf(): Promise<string[]>;
    close(): Promise<void>;
  }>;
  weightsIn(folder: string): string;
  close(): void;
}

export async function selfTrainingWorld(): Promise<SelfTrainingWorld> {
  const root = mkdtempSync(path.join(tmpdir(), "self-training-"));
  const tokenizer = await Tokenizer.load(baseFolder);
  const weightsIn = (folder: string) => readFileSync(path.join(folder, "model.safetensors")).toString("base64");
  let opened = 0;
  return {
    root,
    tokenizer,
    weightsIn,
    async open() {
      const own = ++opened;
      const real = await EmbeddedEngine.open({ folder: baseFolder, threads: 1 });
      const folders: string[] = [];
      let isMoved = true;
      const engine = delegate(real, {
        restore: async (folder) => {
          await real.restore(folder);
          isMoved = false;
        },
        accumulate: async (...given) => {
          if (!isMoved) {
            const folder = path.join(root, `start-${own}-${folders.length}`);
            await real.save(folder, { optimizer: true });
            folders.push(folder);
          }
          isMoved = true;
          return real.accumulate(...given);
        },
      });
      return { engine, startsOf: async () => folders, close: () => real.close() };
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Runs a method to its end. */
export async function drain<Event, Result>(events: AsyncGenerator<Event, Result>): Promise<Result> {
  for (;;) {
    const next = await events.next();
    if (next.done) return next.value;
  }
}
