/** What `midcourse train star | isc | rise | pasr-ift` make of their options: the recipe, its plan, and how its model is measured. */
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { readLines } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method } from "#kernel/trace.ts";
import { pasrFormat } from "#methods/plain/pasr-format.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import { iscMethod, paperIscOptions, smallIscOptions, trainIsc } from "#recipes/isc/recipe.ts";
import { smallWorldPasrOptions } from "#recipes/pasr/options.ts";
import {
  drawPasrGroups,
  goodPaths,
  groupsOfRun,
  paperIftOptions,
  smallIftOptions,
  trainPasrIft,
} from "#recipes/pasr-ift/recipe.ts";
import { paperRiseOptions, smallRiseOptions, trainRise } from "#recipes/rise/recipe.ts";
import { riseTurns } from "#recipes/rise/turns.ts";
import type { Source } from "#recipes/sources/source.ts";
import { paperStarOptions, smallStarOptions, trainStar } from "#recipes/star/recipe.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import type { WorldItem } from "#tasks/world/items.ts";
import { writePlain } from "#tasks/world/solutions.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import type { Progress as Steps } from "#training/loop.ts";
import type { EpochMetrics } from "#training/supervised/weighted-supervised-run.ts";
import type { AdapterOptions } from "../../options/adapter-options.ts";
import type { MetricOptions } from "../../options/metric-options.ts";
import type { SourceOptions } from "../../options/source-options.ts";
import type { Baseline } from "./train-baselines-command.ts";

export interface TrainBaselineOptions extends SourceOptions, MetricOptions, AdapterOptions {
  out: string;
  model?: string;
  preset: "small" | "paper";
  questions: number;
  learningRate?: number;
  epochs?: number;
  items: number;
  threads?: number;
  json?: boolean;
  rounds?: number;
  rationalise?: boolean;
  samples?: number;
  learnWrong?: boolean;
  keep?: "all" | "better" | "best" | "success";
  trained?: string;
  fromRun?: string;
}

export interface Work {
  options: TrainBaselineOptions;
  source: Source;
  engine: EmbeddedEngine;
  tokenizer: Tokenizer;
  run: RunDirectory;
  signal: AbortSignal;
  /** Rounds count from 1, and the steps of each from 1 again. */
  onSteps: (label: string, round: number, steps: Steps<EpochMetrics>) => void;
}

/** How the model is measured, and its training; `plan` is everything that decides the result. */
export interface Recipe {
  methods: Method[];
  plan: object;
  /** The folder of the kept model; undefined when it was stopped. */
  train: (work: Work) => Promise<string | undefined>;
}

export const baselineRecipes: Record<Baseline, (options: TrainBaselineOptions, source: Source) => Recipe> = {
  star(options, { prompts, maxTokens }) {
    const preset = options.preset === "paper" ? paperStarOptions : smallStarOptions;
    const plan = {
      ...preset,
      instruction: prompts.plain,
      maxTokens,
      loops: options.rounds ?? preset.loops,
      rationalise: options.rationalise ?? preset.rationalise,
      training: { ...preset.training, learningRate: options.learningRate ?? preset.training.learningRate },
    };
    return {
      methods: [vanilla({ id: "star", instruction: prompts.plain })],
      plan,
      async train({ source, onSteps, ...work }) {
        const validation = source.validation(validationItems, deriveSeed(options.seed, "validation"));
        const training = { ...work, ...questionsOf(options, source), validation, options: plan, seed: options.seed };
        return (await trainStar({ ...training, onProgress: (round, steps) => onSteps(`STaR, loop ${round}`, round, steps) }))
          .model;
      },
    };
  },

  isc(options, { prompts, maxTokens }) {
    const preset = options.preset === "paper" ? paperIscOptions : smallIscOptions;
    const plan = {
      ...preset,
      askInstruction: prompts.plain,
      maxTokens,
      samples: options.samples ?? preset.samples,
      maskWrongAnswer: options.learnWrong !== true,
      training: trainingOf(preset.training, options),
    };
    return {
      methods: [iscMethod(plan)],
      plan,
      async train({ source, onSteps, ...work }) {
        const training = { ...work, ...questionsOf(options, source), solutionOf, options: plan, seed: options.seed };
        return (await trainIsc({ ...training, onProgress: (round, steps) => onSteps("ISC", round, steps) })).model;
      },
    };
  },

  rise(options, { prompts, maxTokens }) {
    const preset = options.preset === "paper" ? paperRiseOptions : smallRiseOptions;
    const plan = {
      ...preset,
      opening: [{ role: "system" as const, content: prompts.plain }],
      maxTokens,
      iterations: options.rounds ?? preset.iterations,
      samplesPerTurn: [...preset.samplesPerTurn.slice(0, -1), options.samples ?? preset.samplesPerTurn.at(-1)!],
      keep: options.keep ?? preset.keep,
      training: trainingOf(preset.training, options),
    };
    return {
      methods: [riseTurns({ ...plan, turns: 1 }), riseTurns({ ...plan, turns: 5 })],
      plan,
      async train({ source, onSteps, ...work }) {
        const training = { ...work, ...questionsOf(options, source), options: plan, seed: options.seed };
        return (await trainRise({ ...training, onProgress: (round, steps) => onSteps(`RISE, iteration ${round}`, round, steps) }))
          .model;
      },
    };
  },

  "pasr-ift"(options, { prompts, maxTokens }) {
    if ((options.trained === undefined) === (options.fromRun === undefined)) {
      throw userError(
        "pasr-ift-source",
        "the good refinements come from one of two places",
        "Give --trained with a model's folder, or --from-run.",
      );
    }
    const { tolerance, refineReward, temperature, refinedSamples } = smallWorldPasrOptions;
    const samples = options.samples ?? refinedSamples;
    const draws = { tolerance, refineReward, refinedSamples: samples, plainSamples: samples, prompts };
    const paths = { instruction: prompts.refine, minimumAccuracy: 1, most: 1 };
    const training = trainingOf(options.preset === "paper" ? paperIftOptions : smallIftOptions, options);
    return {
      methods: [pasrFormat({ id: "pasr-ift", instruction: prompts.refine })],
      plan: { draws, temperature, paths, training, trained: options.trained ?? null, fromRun: options.fromRun ?? null },
      async train({ source, engine, tokenizer, run, signal, onSteps }) {
        const groups =
          options.fromRun === undefined
            ? await drawnGroups(options, source, draws, { temperature, maxTokens, signal })
            : groupsOfRun({
                folder: options.fromRun,
                readLines: (name) => readLines(path.join(options.fromRun!, `${name}.jsonl`)),
              });
        const { examples, counts } = goodPaths(groups, paths);
        run.writeFile("paths.json", `${JSON.stringify({ counts, examples }, null, 2)}\n`);
        if (examples.length === 0) throw noGoodPath(counts);
        const { seed } = options;
        const onProgress = (steps: Steps<EpochMetrics>) => onSteps("PASR+IFT", 1, steps);
        const result = await trainPasrIft({
          engine,
          tokenizer,
          paths: examples,
          options: training,
          seed,
          run,
          signal,
          onProgress,
        });
        return result.finished ? result.model : undefined;
      },
    };
  },
};

function noGoodPath(counts: object) {
  return userError(
    "nothing-kept",
    `none of the refined answers is a good path: ${JSON.stringify(counts)}`,
    "Ask more questions, draw more samples, or take a model that refines to use.",
  );
}

/** Held-out questions that decide which loop of STaR is kept. */
const validationItems = 100;

/** The first questions of the source, none twice. */
function questionsOf({ questions, seed }: TrainBaselineOptions, source: Source): { items: Item[]; verify: Source["verify"] } {
  const stream = source.problems(deriveSeed(seed, "problems"));
  // A file's questions come again in every pass.
  const items = new Map(Array.from({ length: questions }, (_, index) => [stream(index).id, stream(index)]));
  return { items: [...items.values()], verify: source.verify };
}

function trainingOf<T extends { learningRate: number; epochs: number }>(preset: T, options: TrainBaselineOptions): T {
  return { ...preset, learningRate: options.learningRate ?? preset.learningRate, epochs: options.epochs ?? preset.epochs };
}

/** The small world knows how its problems are solved; a file's solutions are in no model's words. */
function solutionOf(item: Item): string | undefined {
  return "chain" in item ? writePlain((item as WorldItem).chain) : undefined;
}

async function drawnGroups(
  options: TrainBaselineOptions,
  source: Source,
  draws: Parameters<typeof drawPasrGroups>[2],
  sampling: { temperature: number; maxTokens: number; signal: AbortSignal },
) {
  const folder = options.trained!;
  const trained = await EmbeddedEngine.open({ folder, ...(options.threads ? { threads: options.threads } : {}) });
  try {
    const model = new EmbeddedModel(trained, await Tokenizer.load(folder));
    const { items, verify } = questionsOf(options, source);
    return await drawPasrGroups(items, { ...sampling, model, verify }, draws, deriveSeed(options.seed, "paths"));
  } finally {
    await trained.close();
  }
}
