/** What of evaluations travels inside the page: all figures, and the traces of as many items as the page has room for. */
import type { Item } from "#kernel/item.ts";
import { verdictReasons } from "#kernel/refine-grammar.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { getOrMake } from "#kernel/values.ts";
import { type EvaluationRecord, knownFields, recordKey } from "../records/evaluation-record.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { isRight } from "../statistics/transitions.ts";
import type { Results, TaskResult } from "../summary/results.ts";
import { resamplingMethod } from "../summary/summary.ts";
import { markSteps, spansOf } from "./answer-marks.ts";
import type { PageData, PageEvent, PageTask, PageTrace } from "./page-shape.ts";
import type { TrainingHistory } from "./training-history.ts";

/** One run. Without `readTraces` the page has no browser of items. */
export interface ReportData {
  results: Results;
  records: readonly SlimRecord[];
  /** Whole records by `recordKey`, in any order; those that are not there any more are left out. Asked for a few at a time. */
  readTraces?: (keys: readonly string[]) => Iterable<EvaluationRecord>;
  /** Questions and reference answers of a task's items; without them the question is read off the traces, and there is no answer. */
  itemsOf?: (task: string, ids: readonly string[]) => Iterable<Item>;
  /** The page's title, and the run's name where several are compared; the run's own name when left out. */
  title?: string;
  /** Shown in the header, in order, in place of what the results say of model, settings and command. */
  facts?: readonly { label: string; value: string }[];
  /** What a method's id stands for, in a few words. */
  methodNotes?: Readonly<Record<string, string>>;
  /** The method that the report is about; without it the best one is. */
  subject?: string;
  /** Methods shown first, left and right; the baseline and the one after it when left out. */
  compare?: readonly [left: string, right: string];
  /** One entry for each training run. */
  training?: readonly TrainingHistory[];
  limits?: PageLimits;
}

export interface PageLimits {
  /** Items of each task that can be browsed; 120 when left out. */
  items?: number;
  /** Characters of traces in the page, all runs and tasks together; 12 million when left out. */
  characters?: number;
  /** Of one text; 20,000 when left out. */
  text?: number;
}

export function pageData(runs: readonly ReportData[]): PageData {
  const limits = runs[0]?.limits ?? {};
  const texts = new Texts(limits.text ?? 20_000);
  const tasks = [...new Set(runs.flatMap(({ results }) => results.tasks.map(({ task }) => task)))];
  const room = (limits.characters ?? 12_000_000) / Math.max(1, tasks.length);
  const readable = runs.some((run) => run.readTraces);
  return {
    runs: runs.map(({ results, title }) => ({ label: title ?? results.run, tasks: results.tasks.map(drawnPart) })),
    browser: readable ? tasks.flatMap((task) => browserOf(task, runs, texts, room, limits.items ?? 120)) : [],
    texts: texts.all,
    training: runs.flatMap(({ training = [] }) => training),
  };
}

/** What the figures are drawn from; tables are in the page already. */
function drawnPart(task: TaskResult): TaskResult {
  return { ...task, methods: task.methods.map(({ byGroup: _, verification: __, ...method }) => method) };
}

/** Texts by number, each kept once: a conversation that grows by a message an event is not written again and again. */
class Texts {
  readonly all: string[] = [];
  characters = 0;
  readonly #places = new Map<string, number>();
  readonly #longest: number;

  constructor(longest: number) {
    this.#longest = longest;
  }

  place(text: string): number {
    const kept =
      text.length <= this.#longest ? text : `${text.slice(0, this.#longest)}\n… (${text.length - this.#longest} more characters)`;
    const known = this.#places.get(kept);
    if (known !== undefined) return known;
    this.#places.set(kept, this.all.length);
    this.characters += kept.length;
    return this.all.push(kept) - 1;
  }
}

function browserOf(task: string, runs: readonly ReportData[], texts: Texts, room: number, most: number): PageTask[] {
  const own = runs.map(({ records, results }) =>
    records.filter(
      (record) => (record.task ?? results.tasks[0]?.task) === task && record.sample === 0 && record.method !== resamplingMethod,
    ),
  );
  const { order, kinds } = chooseItems(own.flat(), runs[0].results.seed, task);
  const sets = runs.flatMap(({ results, methodNotes = {} }, run) =>
    (results.tasks.find((candidate) => candidate.task === task)?.methods ?? []).map(({ id, oracle }) => ({
      run,
      method: id,
      ...knownFields({ note: methodNotes[id] }),
      oracle,
      answers: [] as (PageTrace | null)[],
    })),
  );
  const keys = own.map((records) => Map.groupBy(records, (record) => record.item));
  const items: PageTask["items"] = [];
  const before = texts.characters;
  for (const id of order.slice(0, most)) {
    if (texts.characters - before > room) break;
    const found = runs.map(({ readTraces }, run) => {
      const wanted = (keys[run].get(id) ?? []).map((record) => recordKey(record));
      return new Map([...(readTraces?.(wanted) ?? [])].map((record) => [record.method, record]));
    });
    const item = runs.flatMap((run) => [...(run.itemsOf?.(task, [id]) ?? [])])[0];
    const question = item?.question ?? askedIn(found.flatMap((records) => [...records.values()]));
    if (question === undefined) continue;
    items.push({ id, question: texts.place(question), ...knownFields({ answer: item?.answer, group: item?.group }) });
    for (const set of sets) {
      const record = found[set.run].get(set.method);
      set.answers.push(record ? pageTrace(item, record, texts) : null);
    }
  }
  if (items.length === 0) return [];
  const manySamples = runs.some(({ results }) => results.samples > 1);
  const note =
    items.length === order.length
      ? `All ${order.length} items.`
      : `${items.length} of ${order.length} items, drawn so that every kind of outcome (${kinds}) is among them; the rest stands in the run's records.jsonl.`;
  return [
    {
      task,
      note: `${note}${manySamples ? " Of several answers to an item the first one is shown." : ""}`,
      items,
      sets,
      first: firstPair(runs, sets),
    },
  ];
}

/** Where nothing was asked for: plain answers left, and right the method after them or the same one of the second run. */
function firstPair(runs: readonly ReportData[], sets: PageTask["sets"]): PageTask["first"] {
  const wanted = runs[0].compare?.map((id) => sets.findIndex(({ method }) => method === id)) ?? [];
  const same = sets.findIndex((set) => set.run > 0 && set.method === sets[0].method);
  const [left = -1, right = -1] = wanted;
  return [Math.max(0, left), right >= 0 ? right : same > 0 ? same : Math.min(1, sets.length - 1)];
}

/** What the first call of some method was asked, where the items themselves are not at hand. */
function askedIn(records: readonly EvaluationRecord[]): string | undefined {
  const prompts = records.flatMap(({ events = [] }) => events.flatMap((event) => ("messages" in event ? [event.messages] : [])));
  return prompts[0]?.findLast((message) => message.role === "user")?.content;
}

/** All items, in an order in which every kind of outcome comes early: they are drawn from the kinds in turn. */
function chooseItems(records: readonly SlimRecord[], seed: number, task: string): { order: string[]; kinds: string } {
  const kinds = new Map<string, string[]>();
  for (const [item, own] of Map.groupBy(records, (record) => record.item)) {
    getOrMake(kinds, kindOf(own), () => []).push(item);
  }
  const random = new Random(deriveSeed(seed, "page", task));
  const named = [...kinds]
    .sort(([first], [second]) => (first < second ? -1 : 1))
    .map(([kind, items]) => [kind, random.shuffle(items.sort())] as const);
  const order: string[] = [];
  for (let turn = 0; named.some(([, items]) => turn < items.length); turn++) {
    for (const [, items] of named) if (turn < items.length) order.push(items[turn]);
  }
  return { order, kinds: named.map(([kind, items]) => `${kind} ${items.length}`).join(", ") };
}

function kindOf(records: readonly SlimRecord[]): string {
  if (records.some((record) => record.failed)) return "some failed";
  const right = records.filter((record) => isRight(record.accuracy)).length;
  return right === 0 ? "all wrong" : right === records.length ? "all right" : "methods disagree";
}

function pageTrace(item: Item | undefined, record: EvaluationRecord, texts: Texts): PageTrace {
  const {
    text,
    answer,
    extracted,
    accuracy,
    strictAccuracy,
    status,
    reason,
    error,
    usage,
    seconds,
    attempts,
    refinements,
    verdict,
    events = [],
  } = record;
  const kept = texts.place(text);
  // Marks point into the text as it is, so that a shortened one has none.
  const isWhole = texts.all[kept] === text;
  const spans = isWhole ? spansOf(text) : [];
  const { marks, stepMissing } = isWhole ? markSteps(item ?? {}, record) : { marks: [] };
  return {
    text: kept,
    answer: shorten(answer),
    accuracy,
    reason,
    calls: usage.calls,
    ...knownFields({
      extracted: extracted && shorten(extracted),
      strictAccuracy,
      status,
      error: error && shorten(error),
      seconds,
    }),
    ...knownFields({ inputTokens: usage.inputTokens, outputTokens: usage.outputTokens }),
    refinements,
    verdict,
    ...knownFields({
      verdictReason: spans.length > 0 && verdict !== "ok" ? verdictReasons[verdict] : undefined,
      spans: spans.length > 0 ? spans : undefined,
      marks: marks.length > 0 ? marks : undefined,
      stepMissing,
    }),
    events: events.map((event) => pageEvent(event, texts, (attempt) => attempts?.[attempt]?.accuracy)),
  };
}

function pageEvent(event: TraceEvent, texts: Texts, gradeOf: (attempt: number) => number | undefined): PageEvent {
  const usage = "usage" in event ? event.usage : undefined;
  const text = event.type === "error" ? event.message : "text" in event ? event.text : undefined;
  return {
    type: event.type,
    ...knownFields({
      name: nameOf(event),
      attempt: "attempt" in event ? event.attempt : undefined,
      text: text === undefined ? undefined : texts.place(text),
      messages:
        "messages" in event ? event.messages.map(({ role, content }) => ({ role, text: texts.place(content) })) : undefined,
      inputTokens: usage?.inputTokens,
      outputTokens: usage?.outputTokens,
      passed: event.type === "check-end" ? event.passed : undefined,
      score: event.type === "check-end" ? event.score : undefined,
      accuracy: event.type === "attempt-end" ? gradeOf(event.attempt) : undefined,
      // An inner attempt is numbered by the inner method, and was never graded.
      inner: event.type === "inner" ? pageEvent(event.event, texts, () => undefined) : undefined,
    }),
  };
}

function nameOf(event: TraceEvent): string | undefined {
  if (event.type === "step-end") return event.role;
  if (event.type === "check-end") return event.by;
  if (event.type === "choice-end") return event.reason;
  return event.type === "inner" ? `${event.method}, branch ${event.branch + 1}` : undefined;
}

function shorten(text: string): string {
  return text.length <= 400 ? text : `${text.slice(0, 400)} …`;
}
