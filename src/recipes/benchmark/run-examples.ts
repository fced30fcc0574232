/** Training data from the records of an evaluation run: views of traces, or preference pairs between the answers to one question. */
import path from "node:path";
import { type ExampleFilter, notAskedIn, withoutDuplicates } from "#data/filters/filters.ts";
import type { NearDuplicateFilter } from "#data/filters/near-duplicates.ts";
import { type Candidate, type CandidateGroup, flipPair, type PairKind, pairsOf } from "#data/sources/pairs.ts";
import { questionKeysOf } from "#data/sources/ptr-queries.ts";
import { type TraceRecord, traceId, turnsOf } from "#data/sources/trace-record.ts";
import { applyView, type ViewName, type ViewOptions } from "#data/sources/views.ts";
import {
  type DataCard,
  type Dropped,
  DropTally,
  dataCard,
  isDropped,
  joinDrops,
  writeCard,
} from "#data/training-files/data-card.ts";
import type { Datum } from "#data/training-files/datum.ts";
import { formatNamed, rowsLayout, writeRows } from "#data/training-files/formats.ts";
import { prepareRows, type WrittenCard } from "#data/training-files/written-file.ts";
import { type EvaluationRecord, recordKey } from "#evaluation/records/evaluation-record.ts";
import { resamplingMethod } from "#evaluation/summary/summary.ts";
import { streamLines } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import type { Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { recordsFile } from "./store.ts";

export interface RunExamplesOptions {
  /** How examples are made: a view of each trace, or pairs. */
  make: { view: ViewName } | { pairs: PairKind | "flip" };
  /** Methods whose records are used; all when left out. */
  methods?: readonly string[] | undefined;
  tasks?: readonly string[] | undefined;
  minimumAccuracy?: number | undefined;
  /** Attempts that nobody graded are learned too. */
  learnUngraded?: boolean | undefined;
  oracle?: boolean | undefined;
  /** In place of the system message of the question, in views that show the question alone. */
  system?: string | undefined;
  /** Examples that must not be made, beside duplicates; of pairs, those whose prompt it leaves out. */
  filter?: ExampleFilter | undefined;
  /** Most pairs of one question. */
  most?: number | undefined;
  longestRatio?: number | undefined;
  seed: number;
}

export interface RunExamples {
  data: Datum[];
  card: DataCard;
}

export interface RunFileWanted {
  out: string;
  /** Name of the format; our own for the kind of data when left out. */
  to?: string | undefined;
  /** Files whose questions must not be trained on. */
  leaveOut: readonly string[];
  nearDuplicates?: NearDuplicateFilter | undefined;
  command?: string | undefined;
}

/** `examplesFromRun` as a file with its card. */
export async function writeExamplesFromRun(
  folder: string,
  options: Omit<RunExamplesOptions, "filter">,
  { out, leaveOut, nearDuplicates, command, ...wanted }: RunFileWanted,
): Promise<WrittenCard> {
  rowsLayout(out);
  const isPairs = "pairs" in options.make;
  const to = formatNamed(wanted.to ?? (isPairs ? "midcourse-pairs" : "midcourse"));
  const filter = notAskedIn(await questionKeysOf(leaveOut));
  const { data: made, card } = examplesFromRun(folder, { ...options, filter });
  const { rows, tally, data, repeats, figures } = prepareRows(made, { to, nearDuplicates });
  writeRows(out, rows);
  const whole: DataCard = {
    ...card,
    command,
    // Of pairs a record may make several, or several records one; of views every example is counted by itself.
    kept: isPairs ? card.kept : rows.length,
    examples: rows.length,
    figures: {
      ...card.figures,
      ...figures,
      format: { name: to.name, "examples it cannot hold": data.length - rows.length },
    },
    dropped: joinDrops(card.dropped, repeats.dropped, tally.dropped),
  };
  return { card: whole, cardFile: writeCard(out, whole) };
}

/** Methods whose first call asks the question and nothing else. */
const plainMethods = ["vanilla", resamplingMethod, "self-consistency"];

/** Reads records.jsonl of a run, one record at a time; of an answer that was given twice the later one counts. */
export function examplesFromRun(folder: string, options: RunExamplesOptions): RunExamples {
  const file = path.join(folder, recordsFile);
  const latest = new Map<string, number>();
  const questions = new Map<string, Message[]>();
  for (const { line, start } of streamLines<EvaluationRecord>(file)) {
    latest.set(recordKey(line), start);
    const plain = plainQuestion(line);
    if (plain && !questions.has(itemKey(line))) questions.set(itemKey(line), plain);
  }
  if (latest.size === 0) {
    throw userError("no-records", `${folder} holds no answers (${recordsFile})`, "Give the folder of a run of `midcourse eval`.");
  }
  function* records(): Generator<TraceRecord> {
    for (const { line, start } of streamLines<EvaluationRecord>(file)) {
      if (latest.get(recordKey(line)) === start && isWanted(line, options)) yield line;
    }
  }
  const tally = new DropTally();
  const { make } = options;
  const data =
    "view" in make
      ? viewed(records(), make.view, questions, options, tally)
      : paired(records(), make.pairs, questions, options, tally);
  const tasks = [...new Set(Array.from(latest.keys(), (key) => (JSON.parse(key) as string[])[3]))].filter(
    (task) => task !== undefined,
  );
  const card = dataCard(
    {
      title: `Training data from the run ${path.basename(path.resolve(folder))}`,
      examples: data.length,
      figures: { made: { ["view" in make ? "view" : "pairs"]: "view" in make ? make.view : make.pairs, seed: options.seed } },
      notes: [
        `These are questions of ${tasks.join(", ") || "an evaluation"}: a model that is trained on them must not be measured on them again.`,
        ...(data.length === 0 ? ["Nothing is left to train on."] : []),
        ...(options.oracle ? ["Methods that look at the reference answer are among the sources."] : []),
      ],
    },
    tally,
  );
  return { data, card };
}

function viewed(
  records: Iterable<TraceRecord>,
  view: ViewName,
  questions: ReadonlyMap<string, Message[]>,
  options: RunExamplesOptions,
  tally: DropTally,
): Datum[] {
  const repeats = withoutDuplicates();
  const data: Datum[] = [];
  for (const record of records) {
    const made = applyView(view, record, viewOptions(options, questions.get(itemKey(record))));
    const id = traceId(record);
    if (isDropped(made)) {
      tally.drop(id, made);
      continue;
    }
    for (const conversation of made) {
      const dropped = options.filter?.(conversation) ?? repeats(conversation);
      if (dropped) tally.drop(conversation.id, dropped);
      else {
        tally.keep();
        data.push({ kind: "conversation", conversation });
      }
    }
  }
  return data;
}

function viewOptions(
  { minimumAccuracy, learnUngraded, oracle, system }: RunExamplesOptions,
  question: Message[] | undefined,
): ViewOptions {
  return {
    minimumAccuracy,
    ungraded: learnUngraded ? "trained" : undefined,
    oracle,
    question: question && withSystem(question, system),
  };
}

function paired(
  records: Iterable<TraceRecord>,
  kind: PairKind | "flip",
  questions: ReadonlyMap<string, Message[]>,
  options: RunExamplesOptions,
  tally: DropTally,
): Datum[] {
  const { most, longestRatio, seed } = options;
  const data: Datum[] = [];
  const groups = new Map<string, CandidateGroup & { candidates: Candidate[] }>();
  for (const record of records) {
    if (record.usesOracle && !options.oracle) {
      tally.drop(traceId(record), { dropped: "uses-oracle" });
    } else if (kind === "flip") {
      const made = flipPair(record);
      const pair = tally.take(traceId(record), isDropped(made) ? made : (filtered(made.prompt, options) ?? made));
      if (pair) data.push({ kind: "pair", pair });
    } else {
      const prompt = questions.get(itemKey(record));
      if (prompt === undefined) {
        tally.drop(traceId(record), { dropped: "question-unknown" });
        continue;
      }
      const id = record.task === undefined ? record.item : `${record.task}/${record.item}`;
      const group = groups.get(itemKey(record)) ?? { id, prompt: withSystem(prompt, options.system), candidates: [] };
      groups.set(itemKey(record), group);
      group.candidates.push(...candidatesOf(record, prompt));
    }
  }
  for (const group of groups.values()) {
    const pairs = tally.take(
      group.id,
      filtered(group.prompt, options) ??
        pairsOf(kind as PairKind, group, { most, longestRatio, seed: deriveSeed(seed, "pairs", group.id) }),
    );
    for (const pair of pairs ?? []) data.push({ kind: "pair", pair });
  }
  return data;
}

function filtered(prompt: readonly Message[], { filter }: RunExamplesOptions): Dropped | undefined {
  return filter?.({ id: "", messages: prompt.map((message) => ({ ...message, trainable: false })) });
}

/**
 * Answers to the bare question: graded attempts of any method that were asked for with it alone, with the score a verifier gave them on the
 * way, and the final answers of all methods.
 */
function candidatesOf(record: TraceRecord, question: readonly Message[]): Candidate[] {
  const asked = plainKey(question);
  const scores = new Map<number, number>();
  for (const event of record.events ?? []) {
    if (event.type === "check-end" && event.score !== undefined) scores.set(event.attempt, event.score);
  }
  const scored = (candidate: Candidate, attempt: number | undefined): Candidate => {
    const score = attempt === undefined ? undefined : scores.get(attempt);
    return score === undefined ? candidate : { ...candidate, score };
  };
  const attempts = turnsOf(record).filter(({ kind }) => kind === "attempt");
  const candidates = attempts.flatMap(({ messages, text, accuracy, attempt }) =>
    accuracy !== undefined && plainKey(messages) === asked ? [scored({ text, accuracy }, attempt)] : [],
  );
  if (record.reason !== "done" || record.error !== undefined) return candidates;
  const final = attempts.findLast(({ text }) => text === record.text)?.attempt;
  return [...candidates, scored({ text: record.text, accuracy: record.accuracy }, final)];
}

function plainKey(messages: readonly Message[]): string {
  return JSON.stringify(messages.map(({ role, content }) => [role, content]));
}

function plainQuestion({ method, events }: EvaluationRecord): Message[] | undefined {
  if (!plainMethods.some((id) => method.startsWith(id))) return undefined;
  const [first] = events ?? [];
  return first?.type === "attempt-end" ? [...first.messages] : undefined;
}

function withSystem(question: readonly Message[], system: string | undefined): Message[] {
  if (system === undefined) return [...question];
  return [{ role: "system", content: system }, ...question.filter(({ role }) => role !== "system")];
}

function isWanted({ method, task }: EvaluationRecord, { methods, tasks }: RunExamplesOptions): boolean {
  return (methods === undefined || methods.includes(method)) && (tasks === undefined || tasks.includes(task ?? ""));
}

function itemKey({ task, item }: Pick<TraceRecord, "task" | "item">): string {
  return JSON.stringify([task ?? null, item]);
}
