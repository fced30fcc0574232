/** What became of a set of training data: how much came in, what was kept, what was dropped and why. Nothing is dropped uncounted. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { replaceFile } from "#files/durable.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { userError } from "#kernel/errors.ts";
import type { Usage } from "#kernel/model.ts";
import { counted, sum } from "#kernel/numbers.ts";
import { getOrMake } from "#kernel/values.ts";

/** Every reason for leaving something out, and what it means to a reader of the card. */
export const dropReasons = {
  "question-empty": "there is no question",
  "question-too-long": "the question is longer than was allowed",
  "attempt-empty": "no attempt holds any text",
  "attempt-failed": "the weak model's call failed",
  "answer-empty": "the final answer is empty",
  "answer-failed": "the strong model's call failed",
  "answer-too-short": "the final answer has fewer characters than was asked for",
  "answer-too-long": "the final answer is longer than was allowed",
  "answer-truncated": "the final answer was cut at its largest length, so it has no end to learn",
  "answer-repeats-attempt": "the final answer is one of the attempts, word for word",
  inconsistent: "samples of the final answer agree with each other less than was asked for",
  "agreement-failed": "the agreement of the samples could not be measured",
  "wrong-final": "the final answer is not right enough",
  "no-trace": "the record holds no trace",
  "no-attempt": "the trace holds no attempt",
  "final-not-in-trace": "no call of the trace wrote the final answer",
  "question-unknown": "nothing shows how the question alone was asked",
  "uses-oracle": "the method looked at the reference answer",
  unfinished: "the method was stopped, or failed",
  "wrong-last-turn": "the last call wrote an attempt that is not right, or feedback that led to none",
  "no-right-turn": "no attempt after the first is right",
  duplicate: "the same question and answer stand earlier in the data",
  "near-duplicate": "another example of the data has nearly the same words, and is kept",
  "asked-elsewhere": "the question stands in data that must not be trained on",
  "too-long": "it has more tokens than was allowed",
  "pass-rate": "too many or too few of the answers to this question are right",
  "nothing-trained": "no message of it carries loss",
  "weight-zero": "its weight is 0, so that nothing of it is learned",
  weighted: "its weight is not 1, and the other format holds no weights",
  "no-pair": "its answers hold no two that one may be preferred to the other",
  "no-rejected-answer": "it holds no answer that the final one is preferred to",
  "not-representable": "the other format cannot say which tokens carry loss, or holds no place for a part of it",
  malformed: "the row is not of this format",
} as const;

export type DropReason = keyof typeof dropReasons;

/** The outcome of a view, a filter or a reader that leaves something out. */
export interface Dropped {
  dropped: DropReason;
  /** What exactly, where that helps to find it. */
  detail?: string | undefined;
}

export function isDropped(value: object): value is Dropped {
  return "dropped" in value && typeof value.dropped === "string";
}

export interface DropCount {
  reason: DropReason;
  meaning: string;
  count: number;
  /** The first few, in the order they came. */
  examples: string[];
}

/** Cost without wall time, which no second run would repeat. A field that is absent is not known. */
export type CardUsage = Pick<Usage, "calls"> & Partial<Pick<Usage, "inputTokens" | "outputTokens" | "dollars">>;

export interface DataCard {
  v: 1;
  title: string;
  /** The command that makes the data again. */
  command?: string | undefined;
  /** Rows, records or queries looked at. */
  read: number;
  kept: number;
  dropped: DropCount[];
  /** Examples written, where that is not what was kept: mixed-in data, several examples of one record. */
  examples: number;
  /** Where the examples come from. */
  sources: { name: string; examples: number }[];
  /** Numbers and settings a reader needs, by group. */
  figures: Record<string, Record<string, string | number | boolean | null>>;
  usage: Record<string, CardUsage>;
  /** What to know before using the data, one sentence each. */
  notes: string[];
}

const examplesShown = 5;

/** Counts while data goes by. */
export class DropTally {
  read = 0;
  kept = 0;
  /** Everything that was left out, in the order it came. */
  readonly all: (Dropped & { id: string })[] = [];
  readonly #drops = new Map<DropReason, DropCount>();

  keep(): void {
    this.read++;
    this.kept++;
  }

  drop(id: string, { dropped, detail }: Dropped): void {
    this.read++;
    this.all.push({ id, dropped, detail });
    const entry = this.#entry(dropped);
    entry.count++;
    if (entry.examples.length < examplesShown) entry.examples.push(detail === undefined ? id : `${id}: ${detail}`);
  }

  /** Leaves out what an earlier step kept. */
  dropKept(id: string, dropped: Dropped): void {
    this.read--;
    this.kept--;
    this.drop(id, dropped);
  }

  /** Counts the outcome, and gives it back where it is something. */
  take<T extends object>(id: string, outcome: T | Dropped): T | undefined {
    if (isDropped(outcome)) {
      this.drop(id, outcome);
      return undefined;
    }
    this.keep();
    return outcome as T;
  }

  /** Adds what an earlier step left out; what that step kept is counted by this one. */
  addDropsOf(earlier: DropTally): void {
    for (const each of earlier.all) this.all.push(each);
    for (const { reason, count, examples } of earlier.dropped) {
      const entry = this.#entry(reason);
      entry.count += count;
      entry.examples = [...entry.examples, ...examples].slice(0, examplesShown);
      this.read += count;
    }
  }

  get dropped(): DropCount[] {
    return [...this.#drops.values()];
  }

  #entry(reason: DropReason): DropCount {
    return getOrMake(this.#drops, reason, () => ({ reason, meaning: dropReasons[reason], count: 0, examples: [] }));
  }
}

export function dataCard(card: Partial<DataCard> & Pick<DataCard, "title">, tally: DropTally): DataCard {
  const { read, kept, dropped } = tally;
  return { v: 1, read, kept, dropped, examples: kept, sources: [], figures: {}, usage: {}, notes: [], ...card };
}

/** Of examples that have a weight of their own; nothing where none has. */
export function weightFigures(conversations: readonly TrainingConversation[]): DataCard["figures"] {
  const given = conversations.filter(({ weight }) => weight !== undefined).length;
  if (given === 0) return {};
  const weights = conversations.map(({ weight = 1 }) => weight);
  const extreme = (choose: (first: number, second: number) => number) => weights.reduce((first, second) => choose(first, second));
  return {
    weights: {
      "examples that have one": given,
      "sum, 1 where there is none": sum(weights),
      smallest: extreme(Math.min),
      largest: extreme(Math.max),
      "zero, so not trained on": weights.filter((weight) => weight === 0).length,
    },
  };
}

/** One entry for each reason. */
export function joinDrops(...lists: readonly (readonly DropCount[])[]): DropCount[] {
  const joined = new Map<DropReason, DropCount>();
  for (const entry of lists.flat()) {
    const known = joined.get(entry.reason);
    const examples = [...(known?.examples ?? []), ...entry.examples].slice(0, examplesShown);
    joined.set(entry.reason, { ...entry, count: (known?.count ?? 0) + entry.count, examples });
  }
  return [...joined.values()];
}

export function cardUsage({ calls, inputTokens, outputTokens, dollars }: Usage): CardUsage {
  return { calls, inputTokens, outputTokens, dollars };
}

/** Writes it beside its data: `train.jsonl` has its card in `train.card.json`. */
export function writeCard(file: string, card: DataCard): string {
  const target = `${file.replace(/\.[^./\\]+$/, "")}.card.json`;
  replaceFile(target, `${JSON.stringify(card, null, 2)}\n`);
  return target;
}

/** A card that was written, by its file or by the run directory it stands in; undefined where the file is something else. */
export function readCard(file: string): DataCard | undefined {
  const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
  const place = isFolder ? path.join(file, "card.json") : file;
  if (!isFolder && !place.endsWith(".json")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(place, "utf8"));
  } catch (cause) {
    if (!isFolder) return undefined;
    throw userError(
      "no-card",
      `${place} cannot be read: ${(cause as Error).message}`,
      "Give a folder whose data is complete, or a file.",
      cause,
    );
  }
  const { title, dropped, figures, notes } = Object(value) as Partial<DataCard>;
  const isCard = typeof title === "string" && Array.isArray(dropped) && Array.isArray(notes) && typeof figures === "object";
  if (isCard) return value as DataCard;
  if (!isFolder) return undefined;
  throw userError("no-card", `${place} is no data card`, "Give a run directory of `midcourse data ptr`.");
}

/** The card as lines for a terminal. */
export function renderCard(card: DataCard): string {
  const lines = [card.title];
  if (card.command !== undefined) lines.push(`made by: ${card.command}`);
  lines.push("", `${card.read} read, ${card.kept} kept, ${card.read - card.kept} dropped; ${counted(card.examples, "example")}`);
  const width = Math.max(0, ...card.dropped.map(({ reason }) => reason.length));
  for (const { reason, count, meaning, examples } of card.dropped) {
    lines.push(`  ${reason.padEnd(width)}  ${String(count).padStart(6)}  ${meaning} (${examples.join("; ")})`);
  }
  if (card.sources.length > 0) {
    lines.push("", "sources", ...card.sources.map(({ name, examples }) => `  ${name}: ${examples}`));
  }
  for (const [group, figures] of Object.entries(card.figures)) {
    lines.push("", group, ...Object.entries(figures).map(([name, value]) => `  ${name}: ${value === null ? "unknown" : value}`));
  }
  if (Object.keys(card.usage).length > 0) lines.push("", "cost", ...Object.entries(card.usage).map(usageLine));
  if (card.notes.length > 0) lines.push("", "notes", ...card.notes.map((note) => `  ${note}`));
  return `${lines.join("\n")}\n`;
}

function usageLine([name, { calls, inputTokens, outputTokens, dollars }]: [string, CardUsage]): string {
  const tokens = `${inputTokens ?? "unknown"} input and ${outputTokens ?? "unknown"} output tokens`;
  return `  ${name}: ${counted(calls, "call")}, ${tokens}${dollars === undefined ? "" : `, $${dollars.toFixed(4)}`}`;
}
