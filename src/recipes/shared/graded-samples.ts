/** Answers of a model to many questions, each graded: what training on a model's own answers begins with. */

import { isRight } from "#evaluation/statistics/transitions.ts";
import {
  type CallSpecs,
  callback,
  checkCall,
  figure,
  maxTokensOption,
  modelOption,
  needed,
  signalOption,
  temperatureOption,
  whole,
} from "#kernel/call-options.ts";
import { MidcourseError, messageOf, remoteError, userError } from "#kernel/errors.ts";
import { inParallel } from "#kernel/in-parallel.ts";
import type { Grader, Item, Score } from "#kernel/item.ts";
import type { Message, Model } from "#kernel/model.ts";
import { counted } from "#kernel/numbers.ts";
import { type ParsedAnswer, parseRefine } from "#kernel/refine-grammar.ts";

/** (item, answer, completion) → score, at once for a rule, later for a judge model. A `Verifier` fits. */
export type Judge = (item: Item, answer: string, completion: string) => Score | Promise<Score>;

/**
 * The answer of a refined completion: the text of its one complete answer span. Without one, or with several, there is no answer and the
 * accuracy is 0, so that listing guesses or leaving the tags out never pays. Other faults of format cost the format term alone.
 */
export function strictAnswer(parsed: ParsedAnswer): string | undefined {
  return parsed.spans.filter((span) => span.kind === "answer").length === 1 ? parsed.answer : undefined;
}

/** What a person has to mend about a judge, which would fail for every other answer as well. */
function isJudgeFailure(error: unknown): boolean {
  return MidcourseError.isInstance(error) && error.family === "user" && error.code.startsWith("judge-");
}

/** The score itself. Throws where a judge gave none, so that what was not graded is not trained as if it were wrong. */
export function judged(score: Score): Score {
  const { status } = score;
  if (status !== "judge-failed" && status !== "judge-unparsable") return score;
  const why = status === "judge-failed" ? "no call of the judge went through" : "no reply of the judge was a score";
  throw remoteError("judge-without-score", why, {}, { advice: "Look at the judge's model and address, or give it more tokens." });
}

export interface Sampling {
  model: Model;
  /** Grades against the reference answer, which no model sees unless its question says so. */
  verify: Grader;
  temperature: number;
  maxTokens: number;
  topP?: number | undefined;
  topK?: number | undefined;
  /** Questions asked at once; 64 when left out, enough to fill an engine's batches. */
  concurrency?: number;
  signal?: AbortSignal | undefined;
}

const specs: CallSpecs<Sampling> = {
  model: needed(modelOption),
  verify: needed(callback("grades against the reference answer")),
  temperature: needed(temperatureOption),
  maxTokens: needed(maxTokensOption),
  topP: figure("share of the likeliest tokens that are sampled from", { above: 0, maximum: 1 }),
  topK: whole("so many of the likeliest tokens that are sampled from; all for 0", 0),
  concurrency: whole("questions asked at once", 1),
  signal: signalOption,
};

export interface Asked {
  item: Item;
  messages: readonly Message[];
  /** Samples wanted. */
  n: number;
  seed: number;
}

/** The question, under a system message where there is one. */
export function asking(system: string | undefined, question: string): Message[] {
  const asked: Message = { role: "user", content: question };
  return system === undefined ? [asked] : [{ role: "system", content: system }, asked];
}

export interface GradedSample {
  text: string;
  /** In [0, 1]. */
  accuracy: number;
  isRight: boolean;
  /** An answer could be read from it. */
  isReadable: boolean;
  /** It was cut at its largest length, so it has no end to learn. */
  isCut: boolean;
}

/** In the order asked. A question whose call or grading failed has no samples; if all failed, the first reason is thrown. */
export async function gradedSamples(sampling: Sampling, asked: readonly Asked[]): Promise<GradedSample[][]> {
  checkCall("gradedSamples", specs, sampling);
  const { signal, concurrency = 64 } = sampling;
  const failures: unknown[] = [];
  const results = await inParallel(asked, concurrency, async (each) => {
    signal?.throwIfAborted();
    try {
      return await samplesOf(sampling, each);
    } catch (error) {
      if (signal?.aborted || isJudgeFailure(error)) throw error;
      failures.push(error);
      return [];
    }
  });
  if (asked.length === 0 || failures.length < asked.length) return results;
  const [first] = failures;
  throw userError(
    "sampling-failed",
    `none of ${counted(asked.length, "question")} could be answered; the first failure: ${messageOf(first)}`,
    "Look at the model, and at the prompts' length.",
    first,
  );
}

async function samplesOf(sampling: Sampling, { item, messages, n, seed }: Asked): Promise<GradedSample[]> {
  const { model, verify, temperature, maxTokens, topP, topK, signal } = sampling;
  const completions = await model.generate(messages, {
    n,
    seed,
    temperature,
    maxTokens,
    topP,
    topK,
    signal,
  });
  return Promise.all(
    completions.map(async ({ text, finishReason }) => {
      const { accuracy, extracted } = judged(await verify(item, parseRefine(text).answerText, text, signal));
      return {
        text,
        accuracy,
        isRight: isRight(accuracy),
        isReadable: extracted !== undefined,
        isCut: finishReason === "length",
      };
    }),
  );
}
