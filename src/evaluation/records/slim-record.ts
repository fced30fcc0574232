/**
 * What the statistics need of a record and nothing else: no texts, no traces. A run of a hundred thousand answers is summarised from
 * these, a few hundred bytes each, while the records themselves stay on the disk.
 */
import { createHash } from "node:crypto";
import { groupAnswers, normaliseAnswer } from "#kernel/answer-form.ts";
import { type CallSpecs, callback, checkCall } from "#kernel/call-options.ts";
import { addCounts, type NotHonoured, type ReasoningCount, type Usage } from "#kernel/model.ts";
import type { EndReason, TraceEvent } from "#kernel/trace.ts";
import { getOrMake } from "#kernel/values.ts";
import { isRight } from "../statistics/transitions.ts";
import { allTokens, type EvaluationRecord, knownFields } from "./evaluation-record.ts";
import type { UnreadReasoning } from "./watched-model.ts";

export interface SlimAttempt {
  /** Attempts with equal keys give the same answer; empty where there is none. Comparable within one record only. */
  vote: string;
  accuracy: number;
  /** Of this attempt's own call. */
  outputTokens?: number;
  inputTokens?: number;
  /** Sampled tokens of everything up to this attempt's end, feedback and failed tries between included. */
  spentTokens?: number;
  /** How the server counts the reasoning among them. */
  spentCount?: ReasoningCount;
  /** A scorer's verdict on it, in [0, 1], and the tokens that asking cost. */
  score?: number;
  scoreTokens?: { generated: number; all: number };
}

/** A verdict on one attempt, beside how it was graded. */
export interface SlimCheck {
  by: string;
  passed?: boolean;
  score?: number;
  right: boolean;
}

export interface SlimRecord {
  task?: string;
  item: string;
  method: string;
  sample: number;
  accuracy: number;
  strictAccuracy?: number;
  /** An answer was found in the text. */
  extracted: boolean;
  status?: string;
  group?: string;
  cluster?: string;
  /** Something failed on the way. */
  failed: boolean;
  /** It failed before anything was sampled: there is nothing whose cost could be meant. */
  nothingSampled?: true;
  reason: EndReason;
  /** The text keeps the refine grammar. */
  wellFormed: boolean;
  refinements: number;
  notHonoured?: readonly NotHonoured[];
  unreadReasoning?: UnreadReasoning;
  usage: Pick<Usage, "calls" | "inputTokens" | "outputTokens" | "dollars" | "reasoningCount">;
  seconds?: number;
  usesOracle?: boolean;
  promptVersion?: string;
  /** Further figures of the grader. */
  measures?: Readonly<Record<string, number>>;
  /** What grading cost, prompts and sampled tokens of a judge; absent where nobody was asked or it is unknown. */
  gradingTokens?: number;
  attempts?: SlimAttempt[];
  checks?: SlimCheck[];
}

export interface SlimOptions {
  /** Whether two extracted answers are the same one, where that takes more than comparing their normal forms. */
  sameAnswer?: ((first: string, second: string) => boolean) | undefined;
}

const slimSpecs: CallSpecs<SlimOptions> = { sameAnswer: callback("whether two extracted answers are the same one") };

export function slimRecord(record: EvaluationRecord, options: SlimOptions = {}): SlimRecord {
  checkCall("slimRecord", slimSpecs, options);
  const { item, method, sample, accuracy, reason, refinements, usage, attempts, events } = record;
  const spent = events && spending(events, usage);
  const checks = events ? checksOf(record, events) : [];
  const scores = new Map(events?.flatMap((event) => (event.type === "check-end" ? [[event.attempt, event] as const] : [])));
  const votes = voteKeys(attempts ?? [], options.sameAnswer);
  // What every record has comes first, so that records share one hidden class.
  return {
    item,
    method,
    sample,
    accuracy,
    extracted: record.extracted !== undefined,
    failed: record.error !== undefined,
    reason,
    wellFormed: record.verdict === "ok",
    refinements,
    usage: {
      calls: usage.calls,
      inputTokens: usage.inputTokens,
      outputTokens: usage.outputTokens,
      ...knownFields({ dollars: usage.dollars, reasoningCount: usage.reasoningCount }),
    },
    ...knownFields({
      task: record.task,
      strictAccuracy: record.strictAccuracy,
      status: record.status,
      group: record.group,
      cluster: record.cluster,
      seconds: record.seconds,
      usesOracle: record.usesOracle,
      promptVersion: record.promptVersion,
      measures: record.measures,
      gradingTokens: gradingTokens(record),
      notHonoured: record.notHonoured && sharedList(record.notHonoured),
      unreadReasoning: record.unreadReasoning,
      nothingSampled: isNothingSampled(record) ? true : undefined,
    }),
    ...(attempts
      ? {
          attempts: attempts.map((attempt, index) => ({
            vote: votes[index],
            accuracy: attempt.accuracy,
            ...knownFields({
              outputTokens: attempt.outputTokens,
              inputTokens: attempt.inputTokens,
              spentTokens: spent?.[index]?.tokens,
              spentCount: spent?.[index]?.count,
              score: scores.get(index)?.score,
              scoreTokens: scoreTokens(scores.get(index)?.usage),
            }),
          })),
        }
      : {}),
    ...(checks.length > 0 ? { checks } : {}),
  };
}

const lists = new Map<string, readonly NotHonoured[]>();
const mostLists = 1000;

/** Most answers of a run have the same one, which is kept once. */
function sharedList(list: readonly NotHonoured[]): readonly NotHonoured[] {
  if (lists.size > mostLists) lists.clear();
  return getOrMake(lists, JSON.stringify(list), () => list);
}

/** A failed call whose cost is unknown and that gave nothing counts here too: what it may have cost is no part of any answer. */
function isNothingSampled({ error, text, attempts, usage, events = [] }: EvaluationRecord): boolean {
  if (error === undefined || text !== "" || attempts !== undefined || (usage.outputTokens ?? 0) > 0) return false;
  return events.every((event) => event.type === "error");
}

function gradingTokens({ gradingUsage }: EvaluationRecord): number | undefined {
  return gradingUsage && allTokens(gradingUsage);
}

/** A key for each attempt, which does not depend on their order; long texts (programs, summaries) by their digest. */
function voteKeys(
  attempts: readonly { answer: string; extracted?: string | undefined }[],
  same: ((first: string, second: string) => boolean) | undefined,
): string[] {
  // Where answers are read out of texts, a text without one has no vote.
  const areRead = attempts.some(({ extracted }) => extracted !== undefined);
  const texts = attempts.map(({ answer, extracted }) => extracted ?? (areRead ? "" : answer));
  const forms = texts.map(normaliseAnswer);
  const formOf = new Map(texts.map((text, index) => [text, forms[index]]));
  const isSame = (first: string, second: string) => formOf.get(first) === formOf.get(second) || same?.(first, second) === true;
  const groups = groupAnswers(
    texts.map((text, index) => (forms[index] === "" ? undefined : text)),
    isSame,
  );
  const keys = new Array<string>(attempts.length).fill("");
  for (const group of groups) {
    const form = group.map((index) => forms[index]).reduce((least, next) => (next < least ? next : least));
    const key = form.length <= 64 ? form : createHash("sha256").update(form).digest("base64").slice(0, 22);
    for (const index of group) keys[index] = key;
  }
  return keys;
}

interface Spent {
  tokens: number;
  count: ReasoningCount | undefined;
}

/** Sampled up to the end of each attempt; undefined where the parts are unknown or do not fit the whole. */
function spending(events: readonly TraceEvent[], usage: SlimRecord["usage"]): Spent[] | undefined {
  return runningSum(events, usage.outputTokens, true) ?? runningSum(events, usage.outputTokens, false);
}

/** Methods composed of others may count an inner call twice, inside and outside: then the sum exceeds what was metered. */
function runningSum(events: readonly TraceEvent[], metered: number | undefined, withInner: boolean): Spent[] | undefined {
  if (metered === undefined) return undefined;
  let sum: Spent = { tokens: 0, count: undefined };
  const marks: Spent[] = [];
  for (const event of events) {
    const usage = usageOf(event, withInner);
    if (usage.outputTokens === undefined) return undefined;
    sum = { tokens: sum.tokens + usage.outputTokens, count: addCounts(sum.count, usage.reasoningCount) };
    if (event.type === "attempt-end") marks.push(sum);
  }
  return sum.tokens > metered ? undefined : marks;
}

function usageOf(event: TraceEvent, withInner: boolean): Pick<Usage, "outputTokens" | "reasoningCount"> {
  if (event.type === "inner") return withInner ? usageOf(event.event, withInner) : { outputTokens: 0 };
  return "usage" in event ? event.usage : { outputTokens: 0 };
}

/** Verdicts on attempts whose grade is known. */
function checksOf({ attempts, accuracy }: EvaluationRecord, events: readonly TraceEvent[]): SlimCheck[] {
  const count = events.filter((event) => event.type === "attempt-end").length;
  return events.flatMap((event): SlimCheck[] => {
    if (event.type !== "check-end") return [];
    const grade = attempts ? attempts[event.attempt]?.accuracy : count === 1 && event.attempt === 0 ? accuracy : undefined;
    if (grade === undefined) return [];
    return [{ by: event.by, ...knownFields({ passed: event.passed, score: event.score }), right: isRight(grade) }];
  });
}

function scoreTokens(usage: Usage | undefined): SlimAttempt["scoreTokens"] {
  if (usage?.inputTokens === undefined || usage.outputTokens === undefined) return undefined;
  return { generated: usage.outputTokens, all: usage.inputTokens + usage.outputTokens };
}
