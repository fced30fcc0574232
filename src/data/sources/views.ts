/**
 * Views: what of a trace is shown and what of it is learned. A view is a pure function from a record to training conversations, or to the
 * reason why there is none. Wrong attempts are never learned by any of them: ISC, S²R, SPOC and PTR agree that learning them undoes the rest.
 *
 * - `final-only`: the conversation in which the final answer was written, the answer alone learned (PTR).
 * - `all-but-wrong`: the same conversation; right attempts and useful feedback are learned as well (ISC's partial answer masking, S²R).
 * - `last-turn`: the last call of the method, whatever it was, as it was made.
 * - `right-turns`: one example for each right attempt with the turns before it as context (RISE learns the last turn of each prefix).
 * - `direct`: the bare question and the final answer: what refining found, to be said at once; whatever hint helped is gone (STaR, SELF).
 * - `in-process`: attempts and refinements rewritten as one completion `<think>…<refine>…</refine></think><answer>…</answer>`.
 */
import type { CharacterRange, TrainingConversation, TrainingMessage } from "#kernel/conversation.ts";
import type { Message } from "#kernel/model.ts";
import { renderRefine, type ThinkPart } from "#kernel/refine-render.ts";
import { withoutTags } from "#kernel/refine-tags.ts";
import { type Dropped, isDropped } from "../training-files/data-card.ts";
import { answered, shown } from "../training-files/datum.ts";
import { finalTurn, type TraceRecord, type TraceTurn, traceId, turnsOf } from "./trace-record.ts";

export interface ViewOptions {
  /** Least accuracy of the final answer; 1 when left out, 0 keeps all. */
  minimumAccuracy?: number | undefined;
  /** An attempt of this accuracy is right; 1 when left out. */
  rightFrom?: number;
  /** Attempts that were not graded are `masked` unless told otherwise. */
  ungraded?: "masked" | "trained" | undefined;
  /** Use records of methods that looked at the reference answer. `direct` alone shows nothing of what they saw. */
  oracle?: boolean | undefined;
  /** The conversation that asks the question and nothing else; needed by `direct`, and by `in-process` where the first call asked otherwise. */
  question?: readonly Message[] | undefined;
  /** Literal texts that carry weight 0 wherever a learned message holds them, such as fixed markers. */
  neverTrain?: readonly string[];
}

export type View = (record: TraceRecord, options?: ViewOptions) => TrainingConversation | Dropped;

interface Usable {
  turns: TraceTurn[];
  final: TraceTurn;
}

export const finalOnly: View = (record, options = {}) => {
  const usable = usableTrace(record, options);
  return isDropped(usable) ? usable : learnLast(traceId(record), usable.final, options);
};

export const lastTurn: View = (record, options = {}) => {
  const usable = usableTrace(record, options);
  if (isDropped(usable)) return usable;
  const { turns, final } = usable;
  const last = turns.at(-1)!;
  // A vote may end with a sample that lost it.
  const mayLearn = last === final || last.kind === "step" || learnedTexts(turns, options).get(last.text) === true;
  return mayLearn ? learnLast(traceId(record), last, options) : { dropped: "wrong-last-turn" };
};

export const allButWrong: View = (record, options = {}) => {
  const usable = usableTrace(record, options);
  if (isDropped(usable)) return usable;
  const learned = learnedTexts(usable.turns, options);
  const before = usable.final.messages.map((message) =>
    message.role === "assistant" && learned.get(message.content) === true ? trained(message, options) : shown(message),
  );
  return { id: traceId(record), messages: [...before, trained(answered(usable.final.text), options)] };
};

export const direct: View = (record, options = {}) => {
  const unusable = unusableFor(record, options);
  if (unusable) return unusable;
  const { question } = options;
  if (question === undefined || question.length === 0) return { dropped: "question-unknown" };
  return { id: traceId(record), messages: [...question.map(shown), trained(answered(record.text), options)] };
};

export const inProcess: View = (record, options = {}) => {
  const usable = usableTrace(record, options);
  if (isDropped(usable)) return usable;
  const { turns, final } = usable;
  const first = turns[0];
  const question = options.question ?? (first.kind === "attempt" ? first.messages : undefined);
  if (question === undefined) return { dropped: "question-unknown" };
  const learned = learnedTexts(turns, options);
  const spoken = turns.slice(0, turns.indexOf(final) + 1).filter(({ kind }) => kind !== "step");
  const { think, masked } = thinking(spoken, (turn) => turn === final || learned.get(turn.text) === true);
  let text: string;
  try {
    text = renderRefine({ think, answer: withoutTags(record.answer).trim() });
  } catch {
    return { dropped: "not-representable" };
  }
  const message = trained(answered(text), options);
  return { id: traceId(record), messages: [...question.map(shown), withMasked(message, masked)] };
};

/** Context ends with the attempt before; the first attempt is learned too where it is right and `first` is asked for. */
export function rightTurns(
  record: TraceRecord,
  options: ViewOptions & { first?: boolean } = {},
): TrainingConversation[] | Dropped {
  const usable = usableTrace(record, { ...options, minimumAccuracy: 0 });
  if (isDropped(usable)) return usable;
  const attempts = usable.turns.filter(({ kind }) => kind === "attempt");
  const right = attempts.filter((turn, index) => isRight(turn, options) === true && (index > 0 || options.first === true));
  if (right.length === 0) return { dropped: "no-right-turn" };
  return right.map((turn) => learnLast(`${traceId(record)}/${turn.attempt}`, turn, options));
}

export const viewNames = ["final-only", "all-but-wrong", "last-turn", "right-turns", "direct", "in-process"] as const;
export type ViewName = (typeof viewNames)[number];

/** Any view by its name, as a list: `right-turns` may give several examples of one record. */
export function applyView(name: ViewName, record: TraceRecord, options: ViewOptions = {}): TrainingConversation[] | Dropped {
  if (name === "right-turns") return rightTurns(record, options);
  const view: Record<Exclude<ViewName, "right-turns">, View> = {
    "final-only": finalOnly,
    "all-but-wrong": allButWrong,
    "last-turn": lastTurn,
    direct,
    "in-process": inProcess,
  };
  const made = view[name](record, options);
  return isDropped(made) ? made : [made];
}

function unusableFor(record: TraceRecord, options: ViewOptions): Dropped | undefined {
  if (record.usesOracle && !options.oracle) return { dropped: "uses-oracle" };
  if (record.reason !== "done" || record.error !== undefined) return { dropped: "unfinished" };
  if (record.text.trim() === "") return { dropped: "answer-empty" };
  return record.accuracy >= (options.minimumAccuracy ?? 1) ? undefined : { dropped: "wrong-final" };
}

function usableTrace(record: TraceRecord, options: ViewOptions): Usable | Dropped {
  const unusable = unusableFor(record, options);
  if (unusable) return unusable;
  if (record.events === undefined) return { dropped: "no-trace" };
  const turns = turnsOf(record);
  if (!turns.some(({ kind }) => kind === "attempt")) return { dropped: "no-attempt" };
  const final = finalTurn(record, turns);
  return final === undefined ? { dropped: "final-not-in-trace" } : { turns, final };
}

function learnLast(id: string, turn: TraceTurn, options: ViewOptions): TrainingConversation {
  return { id, messages: [...turn.messages.map(shown), trained(answered(turn.text), options)] };
}

/** Whether a text that the method's model wrote may be learned. A text that was ever wrong or useless is not. */
function learnedTexts(turns: readonly TraceTurn[], options: ViewOptions): Map<string, boolean> {
  const learned = new Map<string, boolean>();
  const note = (text: string, may: boolean) => learned.set(text, may && learned.get(text) !== false);
  for (const [index, turn] of turns.entries()) {
    if (turn.kind === "attempt") note(turn.text, isRight(turn, options) ?? options.ungraded === "trained");
    else if (turn.kind === "feedback") note(turn.text, isUseful(turns, index, options));
    else note(turn.text, false);
  }
  return learned;
}

/** Feedback is worth learning where the attempt after it is right; where none follows, when what it let stand is right. */
function isUseful(turns: readonly TraceTurn[], index: number, options: ViewOptions): boolean {
  const next = turns.slice(index + 1).find(({ kind }) => kind === "attempt");
  const judged = next ?? turns.findLast(({ kind, attempt }) => kind === "attempt" && attempt === turns[index].attempt);
  return (judged && isRight(judged, options)) ?? options.ungraded === "trained";
}

function isRight({ accuracy }: TraceTurn, { rightFrom = 1 }: ViewOptions): boolean | undefined {
  return accuracy === undefined ? undefined : accuracy >= rightFrom;
}

/** The first attempt as thought; each later attempt, with the feedback that led to it, as one refinement. */
function thinking(turns: readonly TraceTurn[], isLearned: (turn: TraceTurn) => boolean) {
  const think: ThinkPart[] = [];
  const masked: CharacterRange[] = [];
  let offset = "<think>".length;
  let open = "";
  let attempts = 0;
  const hide = (start: number, length: number) => {
    if (length > 0) masked.push([start, start + length]);
  };
  for (const turn of turns) {
    const text = withoutTags(turn.text).trim();
    const seam = open === "" ? "" : "\n";
    const inside = attempts === 0 ? 0 : "<refine>".length;
    if (!isLearned(turn)) hide(offset + inside + open.length + seam.length, text.length);
    open += seam + text;
    if (turn.kind !== "attempt") continue;
    think.push(attempts === 0 ? open : { refine: open });
    offset += open.length + (attempts === 0 ? 0 : "<refine></refine>".length);
    open = "";
    attempts++;
  }
  return { think, masked };
}

function trained(message: Message, { neverTrain = [] }: ViewOptions): TrainingMessage {
  const masked = neverTrain.flatMap((text) => occurrences(message.content, text));
  return withMasked({ ...message, trainable: true }, masked);
}

function withMasked(message: TrainingMessage, more: readonly CharacterRange[]): TrainingMessage {
  const masked = joined([...(message.masked ?? []), ...more]);
  return masked.length === 0 ? message : { ...message, masked };
}

function occurrences(content: string, text: string): CharacterRange[] {
  const ranges: CharacterRange[] = [];
  if (text === "") return ranges;
  for (let at = content.indexOf(text); at >= 0; at = content.indexOf(text, at + text.length)) ranges.push([at, at + text.length]);
  return ranges;
}

/** Ascending and disjoint. */
function joined(ranges: readonly CharacterRange[]): CharacterRange[] {
  const result: [number, number][] = [];
  for (const [start, end] of [...ranges].sort((first, second) => first[0] - second[0])) {
    const last = result.at(-1);
    if (last && start <= last[1]) last[1] = Math.max(last[1], end);
    else result.push([start, end]);
  }
  return result;
}
