/**
 * What a recipe says of itself, as methods have their card: who wrote it, what can be set, how its model is asked and how it is trained.
 * Everything that runs recipes, the command line, the table of PASR, the first run and programs, knows no more of one than this.
 */
import path from "node:path";
import type { EvaluationProgress } from "#evaluation/records/evaluate.ts";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { replaceFolder } from "#files/durable.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine } from "#kernel/engine.ts";
import type { OptionSpec } from "#kernel/options.ts";
import type { Method } from "#kernel/trace.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import type { Progress } from "#training/loop.ts";
import type { RecipeChanges, RecipeOptions, RecipeValues } from "./recipe-options.ts";
import type { LeaveOut } from "./shared/left-out.ts";
import type { Source } from "./sources/source.ts";

export interface RecipeCard<Options extends RecipeOptions = RecipeOptions, Material = unknown> {
  /** Name on the command line. */
  id: string;
  /** As people write it. */
  name: string;
  /** Absent for what is no paper's. */
  paper?: { title: string; arxiv: string; year: number };
  /** `experimental`: options and results may change. */
  status: "stable" | "experimental";
  /** What it does, in one line. */
  summary: string;
  options: Options;
  /** Values in the place of the options' defaults, by the preset's name; the first is taken where none is named. */
  presets: Readonly<Record<string, RecipeChanges<Options> | ((source: Source) => RecipeChanges<Options>)>>;
  /** Flags of the command that set an option, or change several, beside `--set`. In this order, after everything else. */
  flags?: Readonly<Record<string, RecipeFlag<Options>>>;
  /** Throws a user error for options that each may be as they are, and together cannot train. */
  check?(options: RecipeValues<Options>): void;
  /**
   * `questions`: a source of questions with answers, on which its model is measured before and after. `files`: what `read` makes of files
   * that its options name; it measures for itself.
   */
  learnsFrom: "questions" | "files";
  /** Before anything is written, what else it learns from. */
  read?(options: RecipeValues<Options>, seed: number): Promise<Material>;
  /** What decides the result, for the record; all options when left out. */
  decides?(options: RecipeValues<Options>): Promise<JsonObject>;
  /** Folder of the checkpoint to start from where none is named; the shipped model when left out. */
  newModel?(options: RecipeValues<Options>, source: Source, run: RunDirectory, seed: number): Promise<string>;
  /** Tokens of the longest example it makes of a row; absent where rows are asked, and examples are made of the answers. */
  longestExample?(options: RecipeValues<Options>): number;
  /** How the trained model is asked; the last is what the recipe is for. */
  methods(options: RecipeValues<Options>, source: Source): Method[];
  /** How the model is asked that it starts from; the same ways when left out. */
  baseMethods?(options: RecipeValues<Options>, source: Source): Method[];
  /** Goes on with the run where it stopped. The kept weights are in the engine at the end, and in the run directory under `model`. */
  train(work: RecipeWork<RecipeValues<Options>, Material>): Promise<Trained>;
  /** At most, from the options: answers it draws of a model while it trains, and optimiser steps where they do not depend on the data. */
  costs(options: RecipeValues<Options>): { answers: number; steps?: number | undefined };
  /** Command lines worth showing, and what they do. */
  examples?: readonly string[];
}

/** The value follows from `option`'s spec, or from `spec` where several options change with it. */
export type RecipeFlag<Options extends RecipeOptions = RecipeOptions> = { description?: string } & (
  | { option: string; value?: unknown }
  | { spec: OptionSpec; changes(value: unknown, options: RecipeValues<Options>): RecipeChanges<Options> }
);

export interface RecipeWork<Values = object, Material = unknown> {
  options: Values;
  /** Holds the weights to start from. */
  engine: Engine;
  tokenizer: Tokenizer;
  run: RunDirectory;
  seed: number;
  source: Source;
  material: Material;
  /** Another checkpoint beside the one that is trained, such as a teacher's. The caller of it closes it. */
  openEngine: (folder: string) => Promise<Engine>;
  signal?: AbortSignal | undefined;
  /** After each optimiser step. */
  onSteps: (progress: Progress<object>, shown?: ShownSteps) => void;
  onEvaluation: (label: string, progress: EvaluationProgress) => void;
  /** Something a person should read. */
  onNote: (text: string) => void;
  /** Told of rows of data that are not used, before anything is trained; throws where the run is a strict one. */
  leaveOut?: LeaveOut | undefined;
}

export interface ShownSteps {
  /** `Train with NAME` when left out. */
  label?: string;
  /** Rounds count from 1, and the steps of each from 1 again. */
  round?: number;
  /** The few numbers worth watching. */
  figures?: Record<string, string>;
}

export interface Trained {
  /** Undefined when the signal stopped it. */
  model: string | undefined;
  /** What stands in the results beside the table. */
  report?: (measured: { base: readonly EvaluationRecord[]; trained: readonly EvaluationRecord[] }) => RecipeReport;
}

export interface RecipeReport {
  results: object;
  /** Lines for a terminal. */
  lines?: (screen: { width: number; styled: boolean }) => string[];
}

/** Saves the weights that the engine holds as the run's model; nothing, and undefined, where the training was stopped. */
export async function modelWhenFinished(
  { finished }: { finished: boolean },
  engine: Engine,
  run: Pick<RunDirectory, "folder">,
): Promise<string | undefined> {
  if (!finished) return undefined;
  const model = path.join(run.folder, "model");
  await replaceFolder(model, (folder) => engine.save(folder));
  return model;
}

/** The card itself; the types of its options' values follow from its options. */
export function defineRecipe<const Options extends RecipeOptions, Material = undefined>(
  card: RecipeCard<Options, Material>,
): RecipeCard<Options, Material> {
  return card;
}
