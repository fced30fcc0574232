/**
 * A judge model in the place of a source's rule, as PASR's authors train (arXiv 2508.12903, 2.3): for answers that are free text. Every answer
 * is graded once, however often it is written; what a judge replied is kept in the run, so that a run that goes on pays for nothing twice.
 */
import { createHash } from "node:crypto";
import path from "node:path";
import type { JsonObject } from "#files/json-lines.ts";
import { MidcourseError, messageOf, userError } from "#kernel/errors.ts";
import type { Grader, Item, Score } from "#kernel/item.ts";
import { addUsage, type Completion, noUsage } from "#kernel/model.ts";
import { counted } from "#kernel/numbers.ts";
import { type OptionSpecs, shortened } from "#kernel/options.ts";
import type { OpenModelOptions } from "#models/open-model.ts";
import { ResponseStore } from "#record/response-store.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { dollars as dollarText, whole } from "#text/numbers.ts";
import { type JudgeKind, judgeGrader, judgeKinds } from "#verifiers/judges/judge.ts";
import type { JudgeSpent, Source } from "../sources/source.ts";
import { asJudgeError, type OpenedJudges, openJudges } from "./judges.ts";

/** Everything may be left out; without `judge` there is none. */
export interface TrainingJudgeOptions {
  /** Names of models at a server or checkpoint folders, with commas between. */
  judge?: string | undefined;
  judgeBaseUrl?: string | undefined;
  /** Environment variable with the key of its server. */
  judgeApiKeyEnv?: string | undefined;
  /** `graded` when left out. */
  judgeKind?: JudgeKind | undefined;
  /** Verdicts of each judge on each answer; 1 when left out. */
  judgeSamples?: number | undefined;
  /** 0.2 when left out, as the paper's. */
  judgeTemperature?: number | undefined;
  /** New tokens of a verdict; 512 when left out. A reasoning model wants more. */
  judgeMaxTokens?: number | undefined;
  /** Most requests at once; 32 when left out. */
  judgeConcurrency?: number | undefined;
  /** Tries after a failed request; 5 when left out. */
  judgeRetries?: number | undefined;
  /** JSON object of fields sent with every request. */
  judgeExtraBody?: string | undefined;
}

/** Their ranges, the same for a program as by flag. */
export const judgeSettings = {
  judgeKind: { type: "choice", choices: judgeKinds, description: "how the judge grades" },
  judgeSamples: { type: "integer", minimum: 1, description: "verdicts of each judge on each answer" },
  judgeTemperature: { type: "number", description: "temperature of the judge's verdicts" },
  judgeMaxTokens: { type: "integer", minimum: 1, description: "new tokens of a verdict" },
  judgeConcurrency: { type: "integer", minimum: 1, description: "most requests to the judge at once" },
  judgeRetries: { type: "integer", description: "tries after a failed request to the judge" },
} as const satisfies OptionSpecs;

export interface TrainingJudge {
  /** What of it decides the result: models and where they are served, never a key. */
  record: JsonObject;
  /** The source with the judge in the place of its rule. */
  graded(source: Source): Source;
  /**
   * One question's own reference answer is graded before anything is trained: whoever gets no score for it would get none for any. Throws a
   * user error then; a low score is told, which says that judge and data do not go together. From now on the run's events name each answer
   * without a score.
   */
  begin(run: Pick<RunDirectory, "event">, item: Item, onNote: (text: string) => void): Promise<void>;
  spent(): JudgeSpent;
  close(): Promise<void>;
}

export interface JudgeSurroundings extends Pick<OpenModelOptions, "onProbe" | "signal"> {
  seed: number;
  /** The run directory, which keeps the judge's replies. */
  out: string;
  /** What is trained; only what learns from questions has answers to judge. */
  recipe?: { id: string; learnsFrom: "questions" | "files" };
}

/** Undefined where none is named. Throws user errors: for a server that cannot be asked, and for settings of a judge that is not there. */
export async function openTrainingJudge(
  options: TrainingJudgeOptions,
  { seed, out, recipe, signal, onProbe }: JudgeSurroundings,
): Promise<TrainingJudge | undefined> {
  const { judge, judgeBaseUrl, judgeApiKeyEnv, judgeConcurrency, judgeRetries, judgeExtraBody } = options;
  const stray = judge === undefined ? strayOption(options) : undefined;
  if (stray !== undefined) throw userError("judge-missing", `${stray} without --judge`, "Name the judge too: --judge MODEL.");
  if (judge === undefined) return undefined;
  if (recipe?.learnsFrom === "files") {
    const what = `${recipe.id} learns from files as they are, so there is nothing to judge`;
    throw userError("judge-unused", what, "Leave --judge out.");
  }
  const judges = judge
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  if (judges.length === 0)
    throw userError("judge-missing", "--judge names no model", "For example --judge qwen2.5-32b-instruct.");
  const opened = await openJudges(
    { judges, judgeBaseUrl, judgeApiKeyEnv },
    {
      concurrency: judgeConcurrency,
      retries: judgeRetries,
      extraBody: judgeExtraBody,
      cache: path.join(out, "answers"),
      seed,
      signal,
      onProbe,
    },
  );
  return judgeOf(opened, options, seed, signal);
}

function strayOption(options: TrainingJudgeOptions): string | undefined {
  const given = Object.entries(options).find(([name, value]) => /^judge[A-Z]/.test(name) && value !== undefined)?.[0];
  return given?.replace(/^judge/, "--judge").replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/** So many answers in a row without a score: one odd question has fewer, a judge that has gone or changed has more. */
const hopelessAfter = 32;

/** Failures of one answer that say nothing about the next. */
const ownFailures = new Set(["context-exceeded", "request-too-large"]);

type Verdict = Omit<Score, "extracted">;

function judgeOf(
  opened: OpenedJudges,
  { judge = "", judgeKind: kind = "graded", judgeSamples: samples = 1, judgeTemperature, judgeMaxTokens }: TrainingJudgeOptions,
  seed: number,
  signal: AbortSignal | undefined,
): TrainingJudge {
  const [temperature, maxTokens] = [judgeTemperature ?? 0.2, judgeMaxTokens ?? 512];
  let lastFailure = "";
  const onUnread = (why: string) => {
    lastFailure = why;
  };
  const ask = judgeGrader({ model: opened.models, kind, samples, temperature, maxTokens, seed, onUnread });
  /** By what was asked; hashes, because a long run grades a million answers. */
  const verdicts = new Map<string, Promise<Verdict>>();
  let usage = noUsage;
  let answers = 0;
  let withoutScore = 0;
  let inARow = 0;
  let tell: ((item: Item, why: string) => void) | undefined;

  const graded = async (item: Item, text: string): Promise<Verdict> => {
    const { extracted: _, ...verdict } = await askedOnce(item, text);
    usage = addUsage(usage, verdict.usage ?? noUsage);
    answers += 1;
    const isGraded = !hasNoScore(verdict);
    inARow = isGraded ? 0 : inARow + 1;
    if (!isGraded) {
      withoutScore += 1;
      tell?.(item, lastFailure);
    }
    if (inARow >= hopelessAfter) throw gone(judge, lastFailure);
    return verdict;
  };
  const askedOnce = async (item: Item, text: string): Promise<Score> => {
    try {
      return await ask(item, text, text, signal);
    } catch (error) {
      if (!MidcourseError.isInstance(error) || !ownFailures.has(error.code)) throw asJudgeError(error);
      onUnread(messageOf(error));
      return { accuracy: 0, extracted: undefined, status: "judge-failed" };
    }
  };
  const verify: Grader = async (item, answer, completion) => {
    const text = answer.trim() === "" ? completion : answer;
    if (text.trim() === "") return { accuracy: 0, extracted: undefined, status: "no-answer" };
    const key = createHash("sha256")
      .update(JSON.stringify([item.id, item.question, item.answer, text]))
      .digest("base64url");
    const before = verdicts.get(key);
    const verdict = before ?? graded(item, text);
    if (before === undefined) verdicts.set(key, verdict);
    try {
      const given = await verdict;
      // What got none may get one later.
      if (hasNoScore(given)) verdicts.delete(key);
      // Whoever asked first bears the cost.
      return { ...given, usage: before === undefined ? given.usage : undefined, extracted: text };
    } catch (error) {
      verdicts.delete(key);
      throw error;
    }
  };
  const spent = (): JudgeSpent => ({
    answers,
    withoutScore,
    calls: usage.calls,
    inputTokens: usage.inputTokens,
    outputTokens: usage.outputTokens,
    dollars: usage.dollars,
  });

  return {
    record: { models: opened.describe(), kind, samples, temperature, maxTokens },
    graded: (source) => ({ ...source, verify, judge: { spent } }),
    async begin(run, item, onNote) {
      const score = await verify(item, item.answer, item.answer);
      if (hasNoScore(score)) throw unreadable(judge, lastFailure);
      if (score.accuracy < 0.5)
        onNote(
          `The judge gives the reference answer to “${shortened(item.question)}” itself a score of ${score.accuracy}: look at the data and at --judge-kind ${kind}.`,
        );
      tell = withoutScoreNotes(run, onNote);
    },
    spent,
    close: opened.close,
  };
}

function hasNoScore({ status }: Pick<Score, "status">): boolean {
  return status === "judge-failed" || status === "judge-unparsable";
}

function unreadable(judge: string, why: string): MidcourseError {
  return userError(
    "judge-without-score",
    `the judge ${judge} gave no score to the first answer it was shown, a question's own reference: ${why}`,
    "Name another model with --judge, or give a reasoning model room with --judge-max-tokens 4000.",
  );
}

function gone(judge: string, why: string): MidcourseError {
  return userError(
    "judge-gone",
    `the judge ${judge} gave no score to ${hopelessAfter} answers in a row; the last: ${why}`,
    "Nothing was trained on them. When it answers again, the same command goes on.",
  );
}

/** Writes each answer without a score into the run's events, and says the first on the screen: what it belongs to is left out of training. */
function withoutScoreNotes(run: Pick<RunDirectory, "event">, onNote: (text: string) => void) {
  let isSaid = false;
  return ({ id }: Item, why: string) => {
    const message = `the judge gave no score to an answer to ${id}: ${why}`;
    run.event("note", { item: id, message });
    if (isSaid) return;
    isSaid = true;
    onNote(`T${message.slice(1)}. What was not graded is not trained; events.jsonl names all such answers.`);
  };
}

export type JudgeCost = Pick<JudgeSpent, "calls" | "inputTokens" | "outputTokens" | "dollars">;

export function judgeLines(cost: JudgeCost | undefined): string[] {
  if (cost === undefined) return [];
  const paid = cost.dollars === undefined ? "" : `, ${dollarText(cost.dollars)}`;
  return [
    `judge    ${counted(cost.calls, "call")}, ${whole(cost.inputTokens)} tokens read and ${whole(cost.outputTokens)} written${paid}`,
  ];
}

/** What the judge of a run has cost so far, for its results: everything that is kept, whichever process asked for it. */
export function judgeResults(run: Pick<RunDirectory, "folder">, { judge }: Source): JudgeCost | undefined {
  if (judge === undefined) return undefined;
  const store = new ResponseStore<Completion>(path.join(run.folder, "answers", "judge"));
  try {
    let usage = noUsage;
    for (const completion of store.values()) usage = addUsage(usage, completion.usage);
    const { calls, inputTokens, outputTokens, dollars } = usage;
    return { calls, inputTokens, outputTokens, dollars };
  } finally {
    store.close();
  }
}
