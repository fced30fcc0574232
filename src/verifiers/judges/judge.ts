/**
 * A model as judge (PASR, arXiv 2508.12903: Qwen2.5-32B-Instruct at temperature 0.2), one or several, each asked once or several times. A reply
 * without a readable score is asked for again a few times and then counted apart; it is never read as 0 or 1.
 */
import { failedCallUsage } from "#kernel/call.ts";
import { MidcourseError, messageOf } from "#kernel/errors.ts";
import type { Grader, Item, Score } from "#kernel/item.ts";
import { addUsage, type Message, type Model, noUsage, type Usage } from "#kernel/model.ts";
import { mean } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { type JudgeKind, judgeMessages, readJudgeScore } from "./judge-prompts.ts";

export interface JudgeOptions {
  /** Several judge independently; their means are averaged. */
  model: Model | readonly Model[];
  kind: JudgeKind;
  /** Verdicts of each judge; 1 when left out. */
  samples?: number;
  /** 0.2 when left out. */
  temperature?: number;
  /** 512 when left out; a reasoning model wants more. */
  maxTokens?: number;
  /** Further calls for verdicts that could not be read; 2 when left out. */
  retries?: number;
  seed?: number;
}

/** One judge's verdicts on one answer. */
interface Verdicts {
  scores: number[];
  unread: number;
  usage: Usage;
  /** Why the last call failed, where it did. */
  failure?: string;
}

/**
 * `accuracy` is the mean of the judges' means. `measures`: `judgeN` (mean of the N-th judge, from 1; absent when none of its verdicts could be
 * read), `judgeVerdicts` and `judgeUnread` (how many were and were not), `judgeAgreement` (share of pairs of verdicts that fall on the same side
 * of one half; absent below two). `status`: `judged`, `judge-unparsable` when no verdict at all could be read, `judge-failed` when
 * no call went through, both with accuracy 0, or `no-answer`, which costs no call. Rejects when aborted and for what the user has to fix.
 */
export function judgeGrader(options: JudgeOptions): Grader {
  const judges = Array.isArray(options.model) ? (options.model as readonly Model[]) : [options.model as Model];
  return async (item, answer, completion, signal) => {
    const text = answer.trim() === "" ? completion : answer;
    if (text.trim() === "") return { accuracy: 0, extracted: undefined, status: "no-answer" };
    const asked = await Promise.all(judges.map((judge, index) => ask(judge, index, item, text, options, signal)));
    return toScore(asked, text);
  };
}

async function ask(
  judge: Model,
  index: number,
  item: Item,
  text: string,
  options: JudgeOptions,
  signal: AbortSignal | undefined,
): Promise<Verdicts> {
  const { kind, samples = 1, temperature = 0.2, maxTokens = 512, retries = 2, seed = 0 } = options;
  const messages: Message[] = judgeMessages(kind, item, text, seed);
  const verdicts: Verdicts = { scores: [], unread: samples, usage: noUsage };
  for (let round = 0; round <= retries && verdicts.unread > 0; round++) {
    signal?.throwIfAborted();
    try {
      const completions = await judge.generate(messages, {
        n: verdicts.unread,
        temperature,
        maxTokens,
        seed: deriveSeed(seed, "judge", item.id, index, round),
        signal,
      });
      for (const completion of completions) {
        verdicts.usage = addUsage(verdicts.usage, completion.usage);
        const score = completion.finishReason === "error" ? undefined : readJudgeScore(kind, completion.text);
        if (score === undefined || verdicts.unread === 0) continue;
        verdicts.scores.push(score);
        verdicts.unread -= 1;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (MidcourseError.isInstance(error) && error.family !== "remote") throw error;
      verdicts.usage = addUsage(verdicts.usage, failedCallUsage(error));
      verdicts.failure = messageOf(error);
    }
  }
  return verdicts;
}

function toScore(asked: readonly Verdicts[], text: string): Score {
  const usage = asked.reduce((sum, each) => addUsage(sum, each.usage), noUsage);
  const heard = asked.filter((each) => each.scores.length > 0);
  const all = heard.flatMap((each) => each.scores);
  const agreement = pairwiseAgreement(all);
  const measures: Record<string, number> = {
    judgeVerdicts: all.length,
    judgeUnread: asked.reduce((sum, each) => sum + each.unread, 0),
    ...(agreement === undefined ? {} : { judgeAgreement: agreement }),
  };
  asked.forEach((each, index) => {
    if (each.scores.length > 0) measures[`judge${index + 1}`] = mean(each.scores);
  });
  if (heard.length === 0) {
    const status = asked.every((each) => each.failure !== undefined) ? "judge-failed" : "judge-unparsable";
    return { accuracy: 0, extracted: text, status, usage, measures };
  }
  return { accuracy: mean(heard.map((each) => mean(each.scores))), extracted: text, status: "judged", usage, measures };
}

function pairwiseAgreement(scores: readonly number[]): number | undefined {
  if (scores.length < 2) return undefined;
  const yes = scores.filter((score) => score >= 0.5).length;
  const no = scores.length - yes;
  return (yes * (yes - 1) + no * (no - 1)) / (scores.length * (scores.length - 1));
}
