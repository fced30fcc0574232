/**
 * PTR, phase 2: “Think Thrice Before You Act: Progressive Thought Refinement in Large Language Models”, Chengyu Du, Jinyi Han, Yizhou Ying,
 * Aili Chen, Qianyu He, Haokun Zhao, Sirui Xia, Haoran Guo, Jiaqing Liang, Zulong Chen, Liangyue Li, Yanghua Xiao; arXiv 2410.13413, 2024;
 * ICLR 2025. Phase 1, which makes the data, is ptr-data.ts.
 *
 * Claims: a model that is trained to improve on attempts, and never to make them, gets better over rounds of refinement without a
 * verifier: Qwen2-7B 49.6 → 53.5 and Llama3-8B 55.8 → 58.6 on average over ten tasks, round 1 of the base against round 3 of PTR. With the
 * attempts learned as well: 47.2 in place of 53.0.
 *
 * Algorithm (weighted thought-mask fine-tuning):
 *   1. Each example is question → attempt → fixed request to refine → … → final answer.
 *   2. Question, attempts and requests carry weight 0; the final answer and its end token carry the loss.
 *   3. L = λ1·(−log p of the answer) + λ2·(inconsistency of answers in a row) + λ3·Σ β_t·(1 − p_t), β_t = β_0·t/n (eq. 3.4).
 *   4. At test, rounds 1 … R in one chat with the whole history and the same request (methods/ptr-rounds.ts; here `evaluateRounds`).
 *
 * Where this differs from the paper or from the authors' release, on purpose:
 *   - λ2: similarity of embeddings of fixed texts has no gradient, so it is a filter on the data (`midcourse data ptr --agreement`).
 *   - λ3: the paper leaves open whether t counts tokens or rounds. Here it counts the tokens of the answer (`rising`); with rounds, of which
 *     the mask leaves the last alone, β is β_0 throughout (`flat`). It is off unless asked for, because the released trainer has no such
 *     term and the paper's gain from it is small (63.0 → 64.3 on five tasks, λ1 ≈ 0.8).
 *   - The release joins several examples into one row, where each sees those before it; here every example stays a sequence of its own.
 *     Its loss is a mean over a row's answers, then over rows; rows of 4096 tokens are nearly alike, so here it is a mean over tokens, and
 *     normaliser=sequence-mean for examples that are rows of their own (mergeable ones of the full length are left out there).
 *   - Its save steps count passes, ten to an optimiser step; here optimiser steps.
 *   - Its evaluation leaves answers that cannot be read out of HellaSwag's and WinoGrande's denominator; here they are wrong. It takes the
 *     first capital letter that stands by itself for the choice, and any right number in the text for GSM8K's; here the answer that is given.
 *   - The request to refine is in our own words and the same in data and test.
 */

import { namedFile } from "#data/files/rows.ts";
import { dataCard, dropReasons, renderCard } from "#data/training-files/data-card.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { modelIdentity } from "#files/model-content.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import { ptrRounds } from "#methods/refinement/ptr-rounds.ts";
import { fixed } from "#text/numbers.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import { isLearnable, type WeightedExample } from "#training/supervised/supervised.ts";
import { trainWeighted, type WeightedResult, type WeightedTraining } from "#training/supervised/weighted-supervised-run.ts";
import { defineRecipe } from "../recipe-card.ts";
import { checkedOptions, defaultsOf, type RecipeValues, recipeOptions, valuesOf, withDefaults } from "../recipe-options.ts";
import { type LeaveOut, type LeftOutRow, leavingOut } from "../shared/left-out.ts";
import { rerunWeighted, smallWeighted, weightedOptions } from "../shared/option-groups.ts";
import { refusalOf } from "../sources/fitting.ts";
import { type Examples, placeOf, readExamples, validationOf } from "./examples.ts";
import { measureRounds, type RoundsTask, roundsReport, roundsTask } from "./rounds.ts";
import { renderRounds } from "./rounds-text.ts";

/**
 * The defaults are what the authors released (train.py, deepspeed_config.json), per GPU: AdamW (0.98, 0.999, 1e-9), 800 steps of warm-up to
 * 1e-5 and constant from there, 4096 tokens × 10 to a step, 3 epochs. Checkpoints every 1000 steps are ours.
 */
export const ptrOptions = recipeOptions({
  ...withDefaults(weightedOptions, {
    tokensPerStep: 40_960,
    schedule: "constant",
    warmup: 800,
    warmupShape: "logarithmic",
    saveEvery: 1000,
    evaluateEvery: 1000,
    adamW: { beta1: 0.98, epsilon: 1e-9, maxGradientNorm: Number.POSITIVE_INFINITY },
  }),
  learnThoughts: { type: "boolean", default: false, description: "learn the attempts too: the paper's ablation without mask" },
});

export type PtrOptions = RecipeValues<typeof ptrOptions>;

export const paperPtrOptions: PtrOptions = defaultsOf(ptrOptions);

/** How the authors of PASR trained it again as a baseline. */
export const rerunPtrOptions: PtrOptions = { ...rerunWeighted, learnThoughts: false };

export const smallPtrOptions: PtrOptions = { ...smallWeighted, learnThoughts: false };

export const ptrPresets = { small: smallPtrOptions, paper: paperPtrOptions, rerun: rerunPtrOptions };

export interface PtrTraining extends Omit<WeightedTraining, "examples" | "validation" | "options"> {
  tokenizer: Pick<Tokenizer, "encodeTraining">;
  /** Question, attempts, requests, one learned answer; plain instruction data may stand among them. */
  examples: readonly TrainingConversation[];
  /** Decide which weights are kept. */
  validation?: readonly TrainingConversation[];
  options: PtrOptions;
  /** Told of examples that are left out; the run's record alone when left out. */
  leaveOut?: LeaveOut | undefined;
}

/** The model that is kept lies under `model` in the run directory. */
export async function trainPtr(training: PtrTraining): Promise<WeightedResult> {
  const { tokenizer, examples, validation = [], run } = training;
  const options = checkedOptions("ptr", ptrOptions, training.options);
  const leftOut: LeftOutRow[] = [];
  const { examplesPerStep, tokensPerStep, maxTokens } = options;
  const most = examplesPerStep === undefined ? Math.min(maxTokens, tokensPerStep) : maxTokens;
  const encoded = (conversations: readonly TrainingConversation[], use: "training" | "validation", longest: number) =>
    conversations.flatMap((conversation): WeightedExample[] => {
      let example: WeightedExample | undefined;
      // What is to be learned of validation is the answer, also where thoughts are learned beside it.
      const how = use === "training" ? options : { learnThoughts: false };
      const refused = refusalOf(() => {
        example = ptrExample(tokenizer, conversation, how);
      });
      const because = refused === undefined ? faultOf(example!, longest) : `the chat template refuses it (${refused})`;
      if (because !== undefined) leftOut.push({ ...placeOf(conversation), use, because });
      return because === undefined ? [example!] : [];
    });
  const fitting = { examples: encoded(examples, "training", most), validation: encoded(validation, "validation", maxTokens) };
  const held = leftOut.filter(({ use }) => use === "validation").length;
  if (held > 0) run.event("note", { validationTooLong: held });
  (training.leaveOut ?? leavingOut(run, { onNote: () => {} }))(leftOut);
  if (fitting.examples.length > 0 || leftOut.length === 0) return trainWeighted({ ...training, options, ...fitting });
  const { file, line, because } = leftOut[0];
  throw userError(
    "nothing-to-learn",
    `none of ${counted(examples.length, "example")} is left to train on: ${file}, line ${line ?? "?"}: ${because}`,
    "Raise maxTokens, or look at the data.",
  );
}

/** A model cannot read what is longer than its context. */
function faultOf(example: WeightedExample, most: number): string | undefined {
  if (example.ids.length > most) return `it has more tokens than are taken (${example.ids.length}, of at most ${most})`;
  if (!isLearnable(example)) return dropReasons["nothing-trained"];
  return (example.weight ?? 1) > 0 ? undefined : dropReasons["weight-zero"];
}

/** Ids with the thought mask: 1 where the conversation is learned, 0 on questions, attempts and requests. */
export function ptrExample(
  tokenizer: Pick<Tokenizer, "encodeTraining">,
  { messages, weight }: TrainingConversation,
  { learnThoughts }: Pick<PtrOptions, "learnThoughts">,
): WeightedExample {
  const example = tokenizer.encodeTraining(messages, {
    trainable: ({ role }, index) => messages[index].trainable || (learnThoughts && role === "assistant"),
    unlearned: (_message, index) => (messages[index].masked ?? []).map(([start, end]) => ({ start, end })),
  });
  return weight === undefined ? example : { ...example, weight };
}

const files = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === "string" && each !== "");

/** Examples in the place of files, where they are at hand; what was dropped of them, and rounds to measure, where there are any. */
export interface PtrMaterial extends Pick<Examples, "train" | "validation"> {
  leftOut?: Examples["leftOut"];
  tally?: Examples["tally"];
  task?: RoundsTask | undefined;
}

/** Steps alone mean as many epochs as they need. */
const stepsAlone = (steps: unknown) => ({ maxSteps: steps as number, epochs: Number.POSITIVE_INFINITY });
const wholeNumber = { type: "integer", minimum: 1, description: "" } as const;

export const ptr = defineRecipe({
  id: "ptr",
  name: "PTR",
  paper: {
    title: "Think Thrice Before You Act: Progressive Thought Refinement in Large Language Models",
    arxiv: "2410.13413",
    year: 2024,
  },
  status: "stable",
  summary: "learn to improve on attempts, which are shown and not learned",
  options: {
    data: {
      type: "data",
      default: [],
      is: files,
      needs: "a list of files",
      description: "examples of `midcourse data ptr`, {question, output1, output2}, or any other format of training data",
    },
    from: { type: "text", default: undefined, description: "their format; told by the columns when left out" },
    validation: {
      type: "text",
      default: "0.1",
      description: "examples that decide which weights are kept: a file, or the share of the questions",
    },
    minimumCharacters: {
      type: "integer",
      default: undefined,
      minimum: 1,
      description: "layout {question, output1, …}: leave out shorter final answers",
    },
    keepRepeats: {
      type: "boolean",
      default: false,
      description: "layout {question, output1, …}: keep final answers that repeat an attempt word for word",
    },
    loadCheckpoint: {
      type: "text",
      default: undefined,
      description: "weights, and the optimiser's state where it is there, to begin a new run with",
    },
    ...ptrOptions,
    rounds: {
      type: "integer",
      default: undefined,
      minimum: 1,
      maximum: 100,
      description: "measure rounds 1 to so many of refinement in one chat, before training and after",
    },
    test: {
      type: "text",
      default: undefined,
      description: "question–answer file to measure them on; the small world when left out",
    },
    items: { type: "integer", default: undefined, minimum: 1, description: "problems of it (default: 300)" },
    answerTokens: {
      type: "integer",
      default: undefined,
      minimum: 1,
      description: "new tokens of one answer there (default: 192, of a file 512)",
    },
  },
  presets: { small: smallPtrOptions, paper: {}, rerun: rerunPtrOptions },
  flags: {
    "--data <file...>": { option: "data" },
    "--from <format>": { option: "from" },
    "--load-checkpoint <folder>": { option: "loadCheckpoint" },
    "--max-steps <number>": { description: "most optimiser steps", spec: wholeNumber, changes: stepsAlone },
    "--epochs <number>": { option: "epochs" },
    "--save-every <steps>": { option: "saveEvery" },
    "--learning-rate <number>": { option: "learningRate" },
    "--schedule <shape>": { option: "schedule" },
    "--warmup <number>": { option: "warmup" },
    "--weight-decay <number>": { option: "adamW.weightDecay" },
    "--max-length <tokens>": { option: "maxTokens" },
    "--batch-tokens <number>": {
      description: "tokens of one forward and backward pass; a step keeps its number of passes",
      spec: wholeNumber,
      changes: (tokens, { tokensPerStep, tokensPerCall }) => ({
        examplesPerStep: undefined,
        tokensPerCall: tokens as number,
        tokensPerStep: Math.round((tokens as number) * (tokensPerStep / tokensPerCall)),
      }),
    },
    "--gradient-accumulation <number>": {
      description: "such passes to an optimiser step",
      spec: wholeNumber,
      changes: (passes, { tokensPerCall }) => ({
        examplesPerStep: undefined,
        tokensPerStep: Math.round(tokensPerCall * (passes as number)),
      }),
    },
    "--validation <file or share>": { option: "validation" },
    "--evaluate-every <steps>": { option: "evaluateEvery" },
    "--early-stop <patience>": { option: "patience" },
    "--likelihood-weight <number>": { option: "likelihood", description: "λ1: weight of the final answer's −log p" },
    "--confidence-weight <number>": {
      option: "confidence",
      description: "λ3: weight of its confidence term; costs a second pass",
    },
    "--confidence-scale <number>": { option: "confidenceScale" },
    "--confidence-ramp <shape>": { option: "confidenceRamp" },
    "--learn-thoughts": { option: "learnThoughts", value: true },
    "--minimum-characters <number>": { option: "minimumCharacters" },
    "--keep-repeats": { option: "keepRepeats", value: true },
    "--rounds <number>": { option: "rounds" },
    "--test <file>": { option: "test" },
    "--items <number>": { option: "items" },
    "--answer-tokens <number>": { option: "answerTokens" },
  },
  learnsFrom: "files",
  async read(options, seed): Promise<PtrMaterial> {
    const { data, from: format, minimumCharacters, keepRepeats } = options;
    if (data.length === 0)
      throw userError("data-missing", "ptr learns from files of examples", "Name them: --data examples.jsonl.");
    const limits = { minimumAnswerCharacters: minimumCharacters, keepRepeats };
    const examples = await readExamples({ data, format, limits, validation: validationOf(options.validation) });
    return { ...examples, task: await roundsTask(options, examples.train, seed) };
  },
  // How rounds are measured changes nothing of the training.
  async decides({ data, from, validation: text, loadCheckpoint, minimumCharacters, keepRepeats, ...others }) {
    const { rounds: _rounds, test: _test, items: _items, answerTokens: _answerTokens, ...training } = others;
    const validation = validationOf(text);
    const files = await Promise.all(data.map(namedFile));
    return {
      data: Object.fromEntries(files.map((file, index) => [String(index + 1), file])),
      from: from ?? null,
      validation: "file" in validation ? await namedFile(validation.file) : validation,
      loadCheckpoint: loadCheckpoint === undefined ? null : modelIdentity(loadCheckpoint),
      minimumCharacters: minimumCharacters ?? null,
      keepRepeats,
      ptr: training as unknown as JsonObject,
    };
  },
  methods: ({ rounds = 3 }) => [ptrRounds({ rounds })],
  async train({ options, material, engine, tokenizer, run, seed, signal, onSteps, onEvaluation, onNote, leaveOut }) {
    const { train: examples, validation, tally, task, leftOut = [] } = material;
    leaveOut?.(leftOut);
    const isNew = run.newestCheckpoint === undefined;
    if (isNew && tally) {
      const card = dataCard({ title: "Training examples", examples: examples.length }, tally);
      onNote(`${renderCard(card)}${counted(validation.length, "example")} for validation`);
    }
    // A run that goes on gets its own weights back when training does; what was to be measured before needs those it began with.
    if (options.loadCheckpoint !== undefined && (task || isNew)) await engine.restore(options.loadCheckpoint);
    const measure = (name: "before" | "after") =>
      task &&
      measureRounds(task, name, {
        engine,
        tokenizer,
        run,
        signal,
        onProgress: (each) => onEvaluation(`Rounds ${name} training`, each),
      });
    const before = await measure("before");
    const result = await trainPtr({
      engine,
      tokenizer,
      examples,
      validation,
      options: { ...valuesOf(ptrOptions, options), maxTokens: Math.min(options.maxTokens, engine.info.maxContextTokens) },
      seed,
      run,
      leaveOut,
      signal,
      onProgress: (progress) => {
        const { loss, epoch, timing } = progress.metrics;
        onSteps(progress, {
          figures: { loss: fixed(loss, 4), epoch: fixed(epoch, 2), "tokens/s": fixed(timing.tokensPerSecond, 0) },
        });
      },
    });
    if (!result.finished) return { model: undefined };
    // The engine holds the last weights; what is measured are those that were kept.
    await engine.restore(result.model);
    const after = await measure("after");
    const rounds = task && before && after ? roundsReport(task, before, after) : undefined;
    const first = run.readLines("evaluations")[0]?.validationLoss ?? null;
    return {
      model: result.model,
      report: () => ({
        results: { ...result, firstValidationLoss: first, model: "model", rounds },
        lines: (screen) => [
          ...(rounds ? ["", renderRounds(rounds, screen), ""] : []),
          `training ${result.stoppedEarly ? `ended early after ${counted(result.stepsDone, "step")}` : counted(result.stepsDone, "step")}`,
          `kept     ${result.best ? `step ${result.best.step}, validation loss ${fixed(result.best.validationLoss, 4)}` : "the last step"}${
            typeof first === "number" ? ` (before training ${fixed(first, 4)})` : ""
          }`,
        ],
      }),
    };
  },
  costs: ({ maxSteps }) => ({ answers: 0, steps: Number.isFinite(maxSteps) ? maxSteps : undefined }),
  examples: [
    "midcourse train ptr --data runs/ptr-data/examples.jsonl --out runs/ptr",
    "midcourse train ptr --data PTR_thought_dataset_sampled.jsonl --minimum-characters 8 --lora 8 --early-stop 3",
    "midcourse train ptr --data runs/ptr-data/examples.jsonl --rounds 10          each round's accuracy and tokens, before and after",
    "midcourse eval --model runs/ptr/model --methods vanilla,ptr-rounds --tasks world",
  ],
});
