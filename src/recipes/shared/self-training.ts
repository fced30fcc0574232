/**
 * Rounds of training on what the model itself wrote: collect examples with the newest model, train on them, measure, and again. Whether
 * each round starts from the base or from the round before, and whether it sees the data of earlier rounds, are named choices, because
 * papers differ in them. Every round is a run directory of its own below the run's, so a run that was stopped goes on inside its round.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { replaceFolder } from "#files/durable.ts";
import type { JsonObject } from "#files/json-lines.ts";
import {
  type CallSpecs,
  callback,
  checkCall,
  choice,
  needed,
  seedOption,
  signalOption,
  thing,
  whole,
} from "#kernel/call-options.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Engine } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import type { Grader, Item } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { type ConversationTokenizer, EmbeddedModel } from "#models/embedded.ts";
import { readCheckpoints } from "#record/checkpoints.ts";
import { type RunDirectory, withRun } from "#record/run-directory.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import type { Progress } from "#training/loop.ts";
import { type EpochMetrics, trainWeighted, type WeightedRunOptions } from "#training/supervised/weighted-supervised-run.ts";
import { toExample } from "../sources/source.ts";

export interface Collected {
  examples: TrainingConversation[];
  /** What was asked, kept and dropped, for the record. */
  figures: JsonObject;
}

export interface SelfTraining {
  engine: Engine;
  tokenizer: ConversationTokenizer & Pick<Tokenizer, "encodeTraining">;
  run: RunDirectory;
  rounds: number;
  /** What each round's weights start from, always with a fresh optimiser. */
  start: "base" | "previous";
  /** `replace`: a round learns its own data; `accumulate`: that of earlier rounds as well. */
  data: "replace" | "accumulate";
  /** `model` holds the weights of the round before. Rounds count from 1. */
  collect: (round: number, model: Model, signal: AbortSignal | undefined) => Promise<Collected>;
  options: (round: number) => WeightedRunOptions;
  /** A figure of the round's model on questions never trained on; higher is better. Decides which round's model is kept. */
  measure?: ((model: Model, signal: AbortSignal | undefined) => Promise<number>) | undefined;
  /** End after so many rounds without a better figure. */
  patience?: number;
  seed: number;
  signal?: AbortSignal | undefined;
  onProgress?: ((round: number, progress: Progress<EpochMetrics>) => void) | undefined;
}

const specs: CallSpecs<SelfTraining> = {
  engine: needed(thing("holds the weights")),
  tokenizer: needed(thing("the engine's tokenizer")),
  run: needed(thing("a run directory, as openRun gives")),
  rounds: needed(whole("rounds of training")),
  start: needed(choice("what each round's weights start from", ["base", "previous"])),
  data: needed(choice("what a round learns", ["replace", "accumulate"])),
  collect: needed(callback("gathers a round's examples")),
  options: needed(callback("a round's options")),
  measure: callback("a figure of the round's model"),
  patience: whole("end after so many rounds without a better figure", 1),
  seed: needed(seedOption),
  signal: signalOption,
  onProgress: callback("told of each step"),
};

/** What a paper's training on a model's own answers is called with. */
export interface OwnAnswersTraining<Options>
  extends Pick<SelfTraining, "engine" | "tokenizer" | "run" | "seed" | "signal" | "onProgress"> {
  /** Training questions; all are asked in every round. */
  items: readonly Item[];
  verify: Grader;
  options: Options;
}

/** What of it every round has alike. */
export function sharedByRounds({
  engine,
  tokenizer,
  run,
  seed,
  signal,
  onProgress,
}: OwnAnswersTraining<unknown>): Pick<SelfTraining, "engine" | "tokenizer" | "run" | "seed" | "signal" | "onProgress"> {
  return { engine, tokenizer, run, seed, signal, onProgress };
}

export type RoundRecord = {
  round: number;
  examples: number;
  steps: number;
  figures: JsonObject;
  /** Absent where nothing is measured. */
  measured?: number | undefined;
};

export interface SelfTrained {
  /** False when the signal stopped it; the same call goes on from there. */
  finished: boolean;
  rounds: RoundRecord[];
  /** The round whose model is kept; 0 is the base. */
  best: number;
  /** Folder of the kept model; undefined while the run is not finished. */
  model: string | undefined;
}

export async function selfTrain(training: SelfTraining): Promise<SelfTrained> {
  checkCall("selfTrain", specs, training);
  const { engine, run, signal } = training;
  const folders = foldersOf(run.folder);
  if (!existsSync(folders.base)) await replaceFolder(folders.base, (folder) => engine.save(folder));
  let base: number | undefined;
  const records: RoundRecord[] = [];
  try {
    base = await baseFigure(training, folders);
    for (let round = 1; round <= training.rounds && !isEnough(records, base, training.patience); round++) {
      const record = await runRound(training, round, folders);
      if (record === undefined) return stopped(records, base);
      records.push(record);
    }
  } catch (error) {
    if (!signal?.aborted) throw error;
    return stopped(records, base);
  }
  const best = bestRound(records, base);
  await engine.restore(best === 0 ? folders.base : folders.model(best));
  const model = path.join(run.folder, "model");
  await replaceFolder(model, (folder) => engine.save(folder));
  run.writeFile("rounds.json", `${JSON.stringify({ base: base ?? null, best, rounds: records }, null, 2)}\n`);
  return { finished: true, rounds: records, best, model };
}

function stopped(records: RoundRecord[], base: number | undefined): SelfTrained {
  return { finished: false, rounds: records, best: bestRound(records, base), model: undefined };
}

/** Undefined when it was stopped half-way. */
async function runRound(training: SelfTraining, round: number, folders: Folders): Promise<RoundRecord | undefined> {
  const { engine, tokenizer, signal, seed } = training;
  return withRun(folders.round(round), { command: "self-training round", options: { round, seed } }, async (own) => {
    const done = path.join(own.folder, "round.json");
    if (existsSync(done)) return JSON.parse(readFileSync(done, "utf8")) as RoundRecord;

    const { examples, figures } = await collected(training, round, own, folders);
    const earlier =
      training.data === "replace" ? [] : Array.from({ length: round - 1 }, (_, index) => readExamples(folders.round(index + 1)));
    const all = [...earlier.flatMap((each) => each.examples), ...examples];
    if (all.length === 0) throw nothingKept(round, figures);

    await engine.restore(training.start === "base" || round === 1 ? folders.base : folders.model(round - 1));
    const result = await trainWeighted({
      engine,
      examples: all.map((each) => toExample(tokenizer, each)),
      options: training.options(round),
      seed: deriveSeed(seed, "round", round),
      run: own,
      signal,
      onProgress: (progress) => training.onProgress?.(round, progress),
    });
    if (!result.finished) return undefined;
    const measured = await training.measure?.(modelOf(training), signal);
    const record = {
      round,
      examples: all.length,
      steps: result.stepsDone,
      figures,
      measured,
    };
    own.writeFile("round.json", `${JSON.stringify(record, null, 2)}\n`);
    return record;
  });
}

/** The round's examples: from its file where they were all written before, else asked of the model of the round before. */
async function collected(training: SelfTraining, round: number, own: RunDirectory, folders: Folders): Promise<Collected> {
  if (existsSync(path.join(own.folder, "examples.json"))) return readExamples(own.folder);
  const { engine, signal } = training;
  await engine.restore(round === 1 ? folders.base : folders.model(round - 1));
  const made = await training.collect(round, modelOf(training), signal);
  signal?.throwIfAborted();
  own.writeFile("examples.json", `${JSON.stringify(made)}\n`);
  return made;
}

function readExamples(folder: string): Collected {
  return JSON.parse(readFileSync(path.join(folder, "examples.json"), "utf8")) as Collected;
}

/** The base's own figure, measured once. */
async function baseFigure(training: SelfTraining, folders: Folders): Promise<number | undefined> {
  if (training.measure === undefined) return undefined;
  const file = path.join(training.run.folder, "base.json");
  if (existsSync(file)) return (JSON.parse(readFileSync(file, "utf8")) as { measured: number }).measured;
  await training.engine.restore(folders.base);
  const measured = await training.measure(modelOf(training), training.signal);
  training.run.writeFile("base.json", `${JSON.stringify({ measured })}\n`);
  return measured;
}

function modelOf({ engine, tokenizer }: SelfTraining): Model {
  return new EmbeddedModel(engine, tokenizer);
}

/** Without a figure the last round's. */
function bestRound(records: readonly RoundRecord[], base: number | undefined): number {
  let best = { round: 0, measured: base ?? Number.NEGATIVE_INFINITY };
  for (const { round, measured } of records) {
    if (measured === undefined || measured > best.measured) best = { round, measured: measured ?? best.measured };
  }
  return best.round;
}

function isEnough(records: readonly RoundRecord[], base: number | undefined, patience = Number.POSITIVE_INFINITY): boolean {
  return base !== undefined && records.length - bestRound(records, base) >= patience;
}

type Folders = ReturnType<typeof foldersOf>;

function foldersOf(root: string) {
  const round = (number: number) => path.join(root, `round-${number}`);
  return { base: path.join(root, "base"), round, model: (number: number) => path.join(round(number), "model") };
}

/** The run directories of the rounds that were begun, in order. */
export function roundFolders(root: string): string[] {
  const { round } = foldersOf(root);
  const folders: string[] = [];
  while (existsSync(round(folders.length + 1))) folders.push(round(folders.length + 1));
  return folders;
}

/** Optimiser steps that the rounds of a run have checkpoints of; with `before`, those of earlier rounds than that one. */
export function stepsOfRounds(root: string, before = Number.POSITIVE_INFINITY): number {
  const earlier = roundFolders(root).slice(0, Math.max(0, before - 1));
  return earlier.reduce((steps, folder) => steps + (readCheckpoints(folder).at(-1)?.step ?? 0), 0);
}

function nothingKept(round: number, figures: JsonObject) {
  return userError(
    "nothing-kept",
    `round ${round} kept no example to learn from: ${JSON.stringify(figures)}`,
    "Ask more questions, or easier ones, or begin with a model that gets some of them right.",
  );
}
