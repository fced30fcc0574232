/** The model's rounds of refinement before and after training, on the same problems. */
import { createHash } from "node:crypto";
import path from "node:path";
import { readQuestionAnswerFile } from "#data/files/question-answer.ts";
import { fileDigest } from "#data/files/rows.ts";
import { questionOf } from "#data/filters/filters.ts";
import { questionKey } from "#data/filters/split.ts";
import type { EvaluationProgress } from "#evaluation/records/evaluate.ts";
import { refineRequest, type TrainingConversation } from "#kernel/conversation.ts";
import type { Scorer } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import type { Grader, Item } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import { keepingAnswers } from "../shared/answers-file.ts";
import { answerVerifier } from "../sources/file-verifiers.ts";
import { worldSource } from "../sources/world-source.ts";
import { evaluateRounds, type RoundsResult, type RoundWords, wordsOfExamples } from "./evaluation.ts";
import { type Gain, type RoundFigures, roundGains } from "./round-figures.ts";

export interface RoundsOptions {
  rounds?: number | undefined;
  test?: string | undefined;
  items?: number | undefined;
  answerTokens?: number | undefined;
}

/** What is asked, of the model before as of the model after. */
export interface RoundsTask {
  rounds: number;
  /** Where the problems come from. */
  test: string;
  items: readonly Item[];
  verify: Grader;
  maxTokens: number;
  words: RoundWords;
  seed: number;
  /** Names the files of answers, so that answers to something else are never taken for these. */
  key: string;
  /** Problems that stand among the examples too. */
  trainedOn: number;
}

const defaultItems = 300;
const worldAnswerTokens = 192;
const fileAnswerTokens = 512;

/** Undefined where no rounds were asked for. The words around the answers are those of the examples. */
export async function roundsTask(
  options: RoundsOptions,
  examples: readonly TrainingConversation[],
  seed: number,
): Promise<RoundsTask | undefined> {
  const { rounds, test, items: count = defaultItems } = options;
  if (rounds === undefined) {
    const [stray] = (["test", "items", "answerTokens"] as const).filter((name) => options[name] !== undefined);
    if (stray === undefined) return undefined;
    const name = stray === "answerTokens" ? "answer-tokens" : stray;
    throw userError("rounds-missing", `--${name} says how rounds are measured`, "Give --rounds too, for example --rounds 3.");
  }
  const words = wordsOfExamples(examples);
  const maxTokens = options.answerTokens ?? (test === undefined ? worldAnswerTokens : fileAnswerTokens);
  const drawSeed = deriveSeed(seed, "test");
  const items = test === undefined ? worldSource.test(count, drawSeed) : await itemsOf(test, count, drawSeed);
  const trained = new Set(examples.map((example) => questionKey(questionOf(example))));
  const decides = { test: test === undefined ? "world" : await fileDigest(test), words, maxTokens, seed };
  return {
    rounds,
    test: test ?? worldSource.name,
    items,
    verify: test === undefined ? worldSource.verify : answerVerifier,
    maxTokens,
    words,
    seed,
    key: createHash("sha256").update(JSON.stringify(decides)).digest("hex").slice(0, 8),
    trainedOn: items.filter(({ question }) => trained.has(questionKey(question))).length,
  };
}

async function itemsOf(file: string, count: number, seed: number): Promise<Item[]> {
  const { items } = await readQuestionAnswerFile(file);
  return new Random(seed).shuffle(items).slice(0, count);
}

export interface RoundsMeasurement {
  engine: Scorer;
  tokenizer: Tokenizer;
  run: RunDirectory;
  signal?: AbortSignal | undefined;
  onProgress: (progress: EvaluationProgress) => void;
}

/** Answers are written down as they come; a later call asks only for those that are missing. */
export async function measureRounds(
  task: RoundsTask,
  name: "before" | "after",
  { engine, tokenizer, run, signal, onProgress }: RoundsMeasurement,
): Promise<RoundsResult> {
  const file = path.join(run.folder, `rounds-${task.key}-${name}.jsonl`);
  return keepingAnswers(file, (kept) =>
    evaluateRounds({
      model: new EmbeddedModel(engine, tokenizer),
      items: task.items,
      verify: task.verify,
      maxTokens: task.maxTokens,
      rounds: task.rounds,
      ...task.words,
      seed: task.seed,
      ...kept,
      onProgress,
      signal,
    }),
  );
}

export type RoundsReport = {
  rounds: number;
  test: string;
  items: number;
  trainedOn: number;
  maxTokens: number;
  instruction: string | null;
  request: string;
  before: { figures: RoundFigures[]; endedEarly: Record<string, number> };
  after: { figures: RoundFigures[]; endedEarly: Record<string, number> };
  /** After minus before, round by round. */
  gains: Gain[];
};

export function roundsReport(task: RoundsTask, before: RoundsResult, after: RoundsResult): RoundsReport {
  const { rounds, test, items, trainedOn, maxTokens, words, seed } = task;
  return {
    rounds,
    test,
    items: items.length,
    trainedOn,
    maxTokens,
    instruction: words.instruction ?? null,
    request: words.request ?? refineRequest,
    before: { figures: before.figures, endedEarly: before.endedEarly },
    after: { figures: after.figures, endedEarly: after.endedEarly },
    gains: roundGains(before.records, after.records, { rounds, seed }),
  };
}
