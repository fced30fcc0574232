/**
 * Preference pairs: a conversation with an answer that is to become likelier and one that is to become less likely. Builders are pure
 * functions from the graded answers to one question to pairs.
 *
 * - `best-worst`: the highest and the lowest score, where they differ by the margin.
 * - `correct-wrong`: right answers against wrong ones.
 * - `hard-negative`: right answers against the wrong ones that a scorer likes best (RewardRanker).
 * - `flip`: the first attempt against the final answer, whichever of the two is right (SCL's cells −+ and +−).
 * - `stop-continue`: after the same first attempt, stopping against trying again (ReVISE).
 */
import type { CharacterRange } from "#kernel/conversation.ts";
import type { Message } from "#kernel/model.ts";
import { Random } from "#kernel/seed.ts";
import { type Dropped, isDropped } from "../training-files/data-card.ts";
import { finalTurn, type TraceRecord, type TraceTurn, traceId, turnsOf } from "./trace-record.ts";

export interface PreferencePair {
  id: string;
  /** The conversation both answers continue. */
  prompt: readonly Message[];
  chosen: string;
  rejected: string;
  /** Stretches that carry no weight in either sense: ascending, disjoint. */
  chosenMasked?: readonly CharacterRange[];
  rejectedMasked?: readonly CharacterRange[];
}

/** One answer to a question. */
export interface Candidate {
  text: string;
  /** In [0, 1]. */
  accuracy: number;
  /** What a scorer thinks of it; larger is better. */
  score?: number;
}

/** Answers to one conversation. */
export interface CandidateGroup {
  id: string;
  prompt: readonly Message[];
  candidates: readonly Candidate[];
}

export interface PairOptions {
  seed: number;
  /** Most pairs of one question; 1 when left out. */
  most?: number | undefined;
  /** Least difference of accuracy (`best-worst`: of score where all have one); above 0 always. */
  margin?: number;
  /** An answer of this accuracy is right; 1 when left out. */
  rightFrom?: number;
  /** The chosen answer may have at most this many times the characters of the rejected one, against learning length. */
  longestRatio?: number | undefined;
  /** Mask what both answers begin with: its weights would cancel, and masking it saves the rounding. */
  maskSharedPrefix?: boolean;
}

export const pairKinds = ["best-worst", "correct-wrong", "hard-negative"] as const;
export type PairKind = (typeof pairKinds)[number];

/** Pairs of one question, or why there are none. Equal texts are one candidate; the same seed gives the same pairs. */
export function pairsOf(kind: PairKind, group: CandidateGroup, options: PairOptions): PreferencePair[] | Dropped {
  const { most = 1, longestRatio = Number.POSITIVE_INFINITY } = options;
  const candidates = distinct(group.candidates).filter(({ text }) => text.trim() !== "");
  const matches = orders[kind](candidates, options).filter(
    ([chosen, rejected]) => chosen.text !== rejected.text && chosen.text.length <= longestRatio * rejected.text.length,
  );
  if (matches.length === 0) return { dropped: "no-pair" };
  return matches
    .slice(0, most)
    .map(([chosen, rejected], index) => pair(`${group.id}/${index}`, group.prompt, chosen.text, rejected.text, options));
}

type Match = [chosen: Candidate, rejected: Candidate];

const orders: Record<PairKind, (candidates: readonly Candidate[], options: PairOptions) => Match[]> = {
  "best-worst": (candidates, { margin = 0 }) => {
    const scored = candidates.every(({ score }) => score !== undefined);
    const worth = (candidate: Candidate) => (scored ? candidate.score! : candidate.accuracy);
    const sorted = [...candidates].sort((first, second) => worth(second) - worth(first));
    const matches = sorted.slice(0, Math.floor(sorted.length / 2)).map((best, index): Match => [best, sorted.at(-1 - index)!]);
    return matches.filter(([best, worst]) => worth(best) > worth(worst) && worth(best) - worth(worst) >= margin);
  },
  "correct-wrong": (candidates, options) => {
    const random = new Random(options.seed);
    const { right, wrong } = split(candidates, options);
    return meet(random.shuffle(right), random.shuffle(wrong), options);
  },
  "hard-negative": (candidates, options) => {
    const random = new Random(options.seed);
    const { right, wrong } = split(candidates, options);
    const tempting = wrong.filter(({ score }) => score !== undefined).sort((first, second) => second.score! - first.score!);
    return meet(random.shuffle(right), tempting, options);
  },
};

function split(candidates: readonly Candidate[], { rightFrom = 1 }: PairOptions) {
  return {
    right: candidates.filter(({ accuracy }) => accuracy >= rightFrom),
    wrong: candidates.filter(({ accuracy }) => accuracy < rightFrom),
  };
}

/** Every right answer with every wrong one, in an order in which each of both is used before any is used again. */
function meet(right: readonly Candidate[], wrong: readonly Candidate[], { margin = 0 }: PairOptions): Match[] {
  const matches: Match[] = [];
  const rightIsLonger = right.length >= wrong.length;
  const [longer, shorter] = rightIsLonger ? [right, wrong] : [wrong, right];
  for (let offset = 0; offset < shorter.length; offset++) {
    for (const [index, long] of longer.entries()) {
      const short = shorter[(index + offset) % shorter.length];
      matches.push(rightIsLonger ? [long, short] : [short, long]);
    }
  }
  return matches.filter(([chosen, rejected]) => chosen.accuracy - rejected.accuracy >= margin);
}

/** The first attempt against the final answer of one refinement. */
export function flipPair(record: TraceRecord, options: Omit<PairOptions, "seed"> = {}): PreferencePair | Dropped {
  const ends = firstAndFinal(record, options);
  if (isDropped(ends)) return ends;
  const { first, finalText, firstRight, finalRight } = ends;
  if (firstRight === finalRight) return { dropped: "no-pair" };
  const [chosen, rejected] = finalRight ? [finalText, first.text] : [first.text, finalText];
  return pair(traceId(record), first.messages, chosen, rejected, options);
}

export interface StopContinueOptions extends Omit<PairOptions, "seed" | "maskSharedPrefix"> {
  /** What the model writes when its attempt is its answer, and what it writes before it tries again. */
  stop: string;
  again: string;
}

/**
 * A right first attempt prefers to stop, a wrong one to try again where trying again ended right. The attempt is masked: only the decision
 * and what follows it are compared.
 */
export function stopContinuePair(record: TraceRecord, options: StopContinueOptions): PreferencePair | Dropped {
  const ends = firstAndFinal(record, options);
  if (isDropped(ends)) return ends;
  const { first, finalText, firstRight, finalRight } = ends;
  if (!firstRight && !finalRight) return { dropped: "no-pair" };
  const stopped = first.text + options.stop;
  const continued = first.text + options.again + finalText;
  const masked: CharacterRange[] = first.text === "" ? [] : [[0, first.text.length]];
  return {
    id: traceId(record),
    prompt: first.messages,
    chosen: firstRight ? stopped : continued,
    rejected: firstRight ? continued : stopped,
    ...(masked.length > 0 ? { chosenMasked: masked, rejectedMasked: masked } : {}),
  };
}

interface Ends {
  first: TraceTurn;
  finalText: string;
  firstRight: boolean;
  finalRight: boolean;
}

function firstAndFinal(record: TraceRecord, { rightFrom = 1 }: Pick<PairOptions, "rightFrom">): Ends | Dropped {
  if (record.events === undefined) return { dropped: "no-trace" };
  if (record.reason !== "done" || record.error !== undefined) return { dropped: "unfinished" };
  const turns = turnsOf(record);
  const attempts = turns.filter(({ kind }) => kind === "attempt");
  const first = attempts[0];
  const final = finalTurn(record, turns);
  if (first === undefined) return { dropped: "no-attempt" };
  if (final === undefined) return { dropped: "final-not-in-trace" };
  if (first.accuracy === undefined || attempts.length < 2 || first.text === final.text) return { dropped: "no-pair" };
  return { first, finalText: final.text, firstRight: first.accuracy >= rightFrom, finalRight: record.accuracy >= rightFrom };
}

function pair(
  id: string,
  prompt: readonly Message[],
  chosen: string,
  rejected: string,
  { maskSharedPrefix }: Pick<PairOptions, "maskSharedPrefix">,
): PreferencePair {
  const shared = maskSharedPrefix ? sharedPrefix(chosen, rejected) : 0;
  if (shared === 0) return { id, prompt, chosen, rejected };
  return { id, prompt, chosen, rejected, chosenMasked: [[0, shared]], rejectedMasked: [[0, shared]] };
}

/** Length of the common beginning, never through the middle of a character. */
export function sharedPrefix(first: string, second: string): number {
  const limit = Math.min(first.length, second.length);
  let length = 0;
  while (length < limit && first.charCodeAt(length) === second.charCodeAt(length)) length++;
  const last = first.charCodeAt(length - 1);
  return length > 0 && last >= 0xd800 && last < 0xdc00 ? length - 1 : length;
}

function distinct(candidates: readonly Candidate[]): Candidate[] {
  return [...new Map(candidates.toReversed().map((candidate) => [candidate.text, candidate])).values()].toReversed();
}
