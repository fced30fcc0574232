/** What of evaluations travels inside the page: all figures, an index of all items, and all their traces, made piece by piece. */
import type { Item } from "#kernel/item.ts";
import { verdictReasons } from "#kernel/refine-grammar.ts";
import { struck } from "#kernel/secrets.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { getOrMake } from "#kernel/values.ts";
import { whole } from "#text/numbers.ts";
import { writtenOut, writtenOutPlaces } from "#text/signs.ts";
import { type EvaluationRecord, knownFields, recordKey } from "../records/evaluation-record.ts";
import { withSettledUsage } from "../records/settled-record.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { isRight } from "../statistics/transitions.ts";
import type { Results, TaskResult } from "../summary/results.ts";
import { resamplingMethod } from "../summary/summary.ts";
import { markSteps, spansOf } from "./answer-marks.ts";
import type { PageSection } from "./page-frame.ts";
import {
  answerFlags,
  type PageData,
  type PageEvent,
  type PageIndex,
  type PageItem,
  type PagePart,
  type PageTask,
  type PageTrace,
} from "./page-shape.ts";
import type { TrainingHistory } from "./training-history.ts";

/** One run. Without `readTraces` the page has no browser of items. */
export interface ReportData {
  results: Results;
  records: readonly SlimRecord[];
  /** Whole records by `recordKey`, in any order; those that are not there any more are left out. Asked for an item at a time, twice. */
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
  /** Behind the training's curves. */
  sections?: readonly PageSection[];
}

/** What travels in a page: the small part at once, the rest made piece by piece while the page is written. */
export interface PageContent {
  data: PageData;
  tasks: { index: PageIndex; parts: () => Iterable<PagePart> }[];
}

/** Characters of texts in one part: some ten milliseconds of unpacking. */
const partCharacters = 400_000;
/** Of a question, for the list. */
const beginning = 160;

/** Reads every trace once for the index, and once more while the parts are made; holds one item of them at a time. */
export function pageContent(runs: readonly ReportData[]): PageContent {
  const tasks = [...new Set(runs.flatMap(({ results }) => results.tasks.map(({ task }) => task)))];
  const readable = runs.some((run) => run.readTraces);
  const browsers = readable ? tasks.flatMap((task) => browserOf(task, runs)) : [];
  return {
    data: writtenOutAll({
      runs: runs.map(({ results, title }) => ({ label: title ?? results.run, tasks: results.tasks.map(drawnPart) })),
      browser: browsers.map(({ task }) => task),
      training: runs.flatMap(({ training = [] }) => training),
    }),
    tasks: browsers,
  };
}

/** What the figures are drawn from; tables are in the page already. */
function drawnPart(task: TaskResult): TaskResult {
  return { ...task, methods: task.methods.map(({ byGroup: _, verification: __, ...method }) => method) };
}

/** The same with every text and every name in it written out. */
function writtenOutAll<Value>(value: Value): Value {
  if (typeof value === "string") return writtenOut(value) as Value;
  if (Array.isArray(value)) return value.map(writtenOutAll) as Value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [writtenOut(name), writtenOutAll(inner)])) as Value;
}

/** Texts of one part by number, each kept once: a conversation that grows by a message an event is not written again and again. */
class Texts {
  readonly all: string[] = [];
  characters = 0;
  readonly #places = new Map<string, number>();
  #uses = new Set<number>();

  place(text: string): number {
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.all.push(writtenOut(text)) - 1;
      this.#places.set(text, place);
      this.characters += text.length;
    }
    this.#uses.add(place);
    return place;
  }

  /** Those placed since this was asked the last time. */
  takeUses(): number[] {
    const uses = [...this.#uses];
    this.#uses = new Set();
    return uses;
  }
}

/** All there is about one item. */
interface Found {
  id: string;
  question: string;
  item: Item | undefined;
  /** One for each set. */
  records: (EvaluationRecord | undefined)[];
}

function browserOf(
  task: string,
  runs: readonly ReportData[],
): { task: PageTask; index: PageIndex; parts: () => Iterable<PagePart> }[] {
  const keys = runs.map(({ records, results }) => {
    const own = records.filter(
      (record) => (record.task ?? results.tasks[0]?.task) === task && record.sample === 0 && record.method !== resamplingMethod,
    );
    return Map.groupBy(own, (record) => record.item);
  });
  const ids = [...new Set(keys.flatMap((byItem) => [...byItem.keys()]))].sort(inReadingOrder);
  const sets = runs.flatMap(({ results, methodNotes = {} }, run) =>
    (results.tasks.find((candidate) => candidate.task === task)?.methods ?? []).map(({ id, oracle }) => ({
      run,
      method: id,
      ...knownFields({ note: Object.hasOwn(methodNotes, id) ? methodNotes[id] : undefined }),
      oracle,
    })),
  );
  const find = (id: string): Found | undefined => {
    const read = runs.map(({ readTraces, results }, run) => {
      const wanted = (keys[run].get(id) ?? []).map((record) => recordKey(record));
      const settled = (record: EvaluationRecord) => withSettledUsage(record, results.reasoning?.convention);
      return new Map([...(readTraces?.(wanted) ?? [])].map((record) => [record.method, settled(record)]));
    });
    const item = runs.flatMap((run) => [...(run.itemsOf?.(task, [id]) ?? [])])[0];
    const question = item?.question ?? askedIn(read.flatMap((records) => [...records.values()]));
    return question === undefined
      ? undefined
      : { id, question, item, records: sets.map(({ run, method }) => read[run].get(method)) };
  };
  const { index, tagged } = indexOf(ids, find, sets.length);
  if (index.ids.length === 0) return [];
  const gone = ids.length - index.ids.length;
  const all = `${whole(ids.length)} ${ids.length === 1 ? "item" : "items"}`;
  const manySamples = runs.some(({ results }) => results.samples > 1);
  const note = [
    gone === 0 ? `All ${all}.` : `${whole(index.ids.length)} of ${all}: the traces of the others are gone.`,
    ...(manySamples ? ["Of several answers to an item the first one is shown."] : []),
  ];
  return [
    {
      task: { task, note: note.join(" "), sets, first: firstPair(runs, sets), tagged },
      index,
      parts: () => partsOf(ids, find),
    },
  ];
}

/** Ids as one counts: item-2 before item-10. */
function inReadingOrder(first: string, second: string): number {
  return collator.compare(first, second) || (first < second ? -1 : 1);
}
const collator = new Intl.Collator("en", { numeric: true });

function indexOf(ids: readonly string[], find: (id: string) => Found | undefined, sets: number) {
  const index: PageIndex = {
    ids: [],
    questions: [],
    groups: [],
    sets: Array.from({ length: sets }, () => ({ flags: [], answers: [], tokens: [] })),
  };
  let tagged = false;
  for (const id of ids) {
    const found = find(id);
    if (found === undefined) continue;
    index.ids.push(writtenOut(id));
    index.questions.push(writtenOut(beginningOf(found.question, beginning)));
    const group = found.item?.group;
    index.groups.push(group === undefined ? null : writtenOut(group));
    const answers = new Map<string, number>();
    for (const [set, record] of found.records.entries()) {
      const isTagged = record !== undefined && spansOf(record.text).length > 0;
      tagged ||= isTagged;
      const answer = record === undefined ? "" : (record.extracted ?? record.answer).trim();
      index.sets[set].flags.push(record === undefined ? 0 : flagsOf(record, isTagged));
      index.sets[set].answers.push(getOrMake(answers, answer, () => answers.size));
      index.sets[set].tokens.push(record?.usage.outputTokens ?? null);
    }
  }
  return { index, tagged };
}

function flagsOf({ accuracy, error, refinements, verdict }: EvaluationRecord, isTagged: boolean): number {
  return (
    answerFlags.given +
    (isRight(accuracy) ? answerFlags.right : accuracy > 0 ? answerFlags.partly : 0) +
    (error === undefined ? 0 : answerFlags.failed) +
    (refinements > 0 ? answerFlags.refined : 0) +
    (isTagged && verdict !== "ok" ? answerFlags.malformed : 0)
  );
}

/** A part ends with the item that makes it large enough; one item is never cut in two. */
function* partsOf(ids: readonly string[], find: (id: string) => Found | undefined): Generator<PagePart> {
  let texts = new Texts();
  let items: PageItem[] = [];
  for (const id of ids) {
    const found = find(id);
    if (found === undefined) continue;
    const { question, item, records } = found;
    items.push({
      question: texts.place(question),
      ...knownFields({ answer: item?.answer === undefined ? undefined : writtenOut(item.answer) }),
      answers: records.map((record) => (record ? pageTrace(item, record, texts) : null)),
      uses: texts.takeUses(),
    });
    if (texts.characters < partCharacters) continue;
    yield { texts: texts.all, items };
    texts = new Texts();
    items = [];
  }
  if (items.length > 0) yield { texts: texts.all, items };
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
  const shown = writtenOut(text);
  // Steps are looked for in the text as it is, and stand elsewhere once what is unseen is written out.
  const place = shown === text ? (at: number) => at : writtenOutPlaces(text);
  const spans = spansOf(text).map((span) => ({ ...span, start: place(span.start), end: place(span.end) }));
  const marked = markSteps(item ?? {}, record);
  const marks = marked.marks.map((mark) => ({ ...mark, start: place(mark.start), end: place(mark.end) }));
  const { stepMissing } = marked;
  return {
    text: texts.place(text),
    answer: shorten(answer),
    accuracy,
    reason,
    calls: usage.calls,
    ...knownFields({
      extracted: extracted && shorten(extracted),
      strictAccuracy,
      status: status === undefined ? undefined : writtenOut(status),
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
      name: writtenOutName(event),
      attempt: "attempt" in event ? event.attempt : undefined,
      text: text === undefined ? undefined : texts.place(text),
      messages:
        "messages" in event
          ? event.messages.map(({ role, content }) => ({ role: writtenOut(role), text: texts.place(content) }))
          : undefined,
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

function writtenOutName(event: TraceEvent): string | undefined {
  const name = nameOf(event);
  return name === undefined ? undefined : writtenOut(name);
}

function nameOf(event: TraceEvent): string | undefined {
  if (event.type === "step-end") return event.role;
  if (event.type === "check-end") return event.by;
  if (event.type === "choice-end") return event.reason;
  return event.type === "inner" ? `${event.method}, branch ${event.branch + 1}` : undefined;
}

function shorten(text: string): string {
  return writtenOut(text.length <= 400 ? text : `${beginningOf(text, 400)} …`);
}

/** Not between the two halves of one character, nor in the middle of a secret. */
function beginningOf(text: string, length: number): string {
  return struck(text)
    .slice(0, length)
    .replace(/[\ud800-\udbff]$/, "");
}
