/** What a report is made from, and what of it travels inside the page. */
import type { Item } from "#kernel/item.ts";
import { parseRefine, type TagKind, type Verdict, verdictReasons } from "#kernel/refine-grammar.ts";
import { gradeSteps } from "#verifiers/answers/steps.ts";
import type { EvaluationRecord } from "./records/evaluation-record.ts";
import type { Results } from "./results.ts";
import { isRight } from "./statistics/transitions.ts";

/** Everything `renderReport` takes. Only `run` and `results` are needed; sections without data are left out. */
export interface ReportData {
  /** Name of the run; the page's title unless `title` is given. */
  run: string;
  title?: string;
  /** Shown in the header, in order: model, parameters, seeds, steps, machine, command. */
  facts?: readonly { label: string; value: string }[];
  results: Results;
  /** What a method's id stands for, in a few words; the usual ids have theirs already. */
  methodNotes?: Readonly<Record<string, string>>;
  /** One entry for each training run; runs of one `group` (seeds of one recipe) are drawn together with their mean. */
  training?: readonly TrainingHistory[];
  /** Items of the answers below. */
  items?: readonly Item[];
  /** Answers by set: one for each model, method and temperature. Records of the same items stand side by side. */
  answers?: readonly AnswerSet[];
  /** Ids of the sets shown first, left and right; the first and the last set when left out. */
  compare?: readonly [left: string, right: string];
}

export interface TrainingHistory {
  /** Such as `seed 1`. */
  label: string;
  /** Such as the recipe's name; runs of one group are drawn alike. */
  group?: string;
  steps: readonly number[];
  /** One value for each step under each name; null where a step has none. Any names; `trainingPlots` says which are drawn, and where. */
  metrics: Readonly<Record<string, readonly (number | null)[]>>;
}

export interface AnswerSet {
  id: string;
  /** Such as `trained, PASR, greedy`. */
  label: string;
  records: readonly EvaluationRecord[];
}

/**
 * Metric lines (one object a step, with `step` among its numbers) as a history. Numbers inside of objects get dotted names, such as
 * `rewardTerms.format`; what is no number is left out, and so are the names in `ignored`.
 */
export function historyFromLines(
  label: string,
  lines: readonly object[],
  options: { group?: string; ignored?: readonly string[] } = {},
): TrainingHistory {
  const { group, ignored = ["v"] } = options;
  const steps = lines.map((line) => new Map(numbersIn(line))).filter((numbers) => numbers.has("step"));
  const names = new Set(steps.flatMap((numbers) => [...numbers.keys()]));
  for (const name of ["step", ...ignored]) names.delete(name);
  return {
    label,
    ...(group === undefined ? {} : { group }),
    steps: steps.map((numbers) => numbers.get("step")!),
    metrics: Object.fromEntries([...names].map((name) => [name, steps.map((numbers) => numbers.get(name) ?? null)])),
  };
}

function numbersIn(line: object, prefix = ""): [name: string, value: number][] {
  return Object.entries(line).flatMap(([name, value]): [string, number][] => {
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return numbersIn(value, `${prefix}${name}.`);
    return Number.isFinite(value) ? [[prefix + name, value]] : [];
  });
}

/** The part of the data that the page's own script draws from. */
export interface PageData {
  results: Results;
  training: readonly TrainingHistory[];
  items: { id: string; question: string; answer: string; group?: string }[];
  sets: PageSet[];
  /** Indices of the sets shown first. */
  compare: [left: number, right: number];
}

export interface PageSet {
  label: string;
  /** By item, in the items' order. */
  answers: (PageAnswer | null)[];
}

export interface PageSpan {
  kind: TagKind;
  start: number;
  end: number;
}

/** A stretch of the text a reader should see: the first wrong step, a slip that a refinement corrected, a right step it spoiled. */
export interface PageMark {
  kind: "wrong" | "corrected" | "spoiled";
  start: number;
  end: number;
}

export interface PageAnswer {
  text: string;
  spans: PageSpan[];
  marks: PageMark[];
  /** The first wrong step is not in the text at all. */
  stepMissing?: number;
  verdict: Verdict;
  /** The verdict in a sentence. */
  verdictReason: string;
  answer: string;
  accuracy: number;
  refinements: number;
  tokens?: number;
  error?: string;
}

export function pageData(data: ReportData): PageData {
  const items = data.items ?? [];
  const sets = data.answers ?? [];
  const position = (id: string | undefined, otherwise: number) => {
    const index = sets.findIndex((set) => set.id === id);
    return index < 0 ? otherwise : index;
  };
  return {
    results: data.results,
    training: data.training ?? [],
    items: items.map(({ id, question, answer, group }) => ({ id, question, answer, ...(group === undefined ? {} : { group }) })),
    sets: sets.map(({ label, records }) => {
      const first = new Map(records.filter((record) => record.sample === 0).map((record) => [record.item, record]));
      return {
        label,
        answers: items.map((item) => {
          const record = first.get(item.id);
          return record ? pageAnswer(item, record) : null;
        }),
      };
    }),
    compare: [position(data.compare?.[0], 0), position(data.compare?.[1], Math.max(0, sets.length - 1))],
  };
}

function pageAnswer(item: Item, record: EvaluationRecord): PageAnswer {
  const { text, verdict, answer, accuracy, refinements, usage, error } = record;
  const parsed = parseRefine(text);
  const spans: PageSpan[] = [
    ...parsed.spans.map(({ kind, start, end }) => ({ kind, start, end })),
    // A span that was never closed is coloured to the end.
    ...parsed.open.map(({ kind, start }) => ({ kind, start, end: text.length })),
  ].sort((first, second) => first.start - second.start || second.end - first.end);
  return {
    text,
    spans,
    ...markSteps(item, record),
    verdict,
    verdictReason: verdictReasons[verdict],
    answer,
    accuracy,
    refinements,
    ...(usage.outputTokens === undefined ? {} : { tokens: usage.outputTokens }),
    ...(error === undefined ? {} : { error }),
  };
}

/** Where the steps a reader looks for stand in the text: by the item's reference steps, else by lines. */
function markSteps(item: Item, record: EvaluationRecord): Pick<PageAnswer, "marks" | "stepMissing"> {
  const { text, firstWrongStep } = record;
  if (item.steps === undefined || item.steps.length === 0) {
    const line = firstWrongStep === undefined ? undefined : nonEmptyLines(text)[firstWrongStep];
    return { marks: line ? [{ kind: "wrong", ...line }] : [] };
  }
  const { steps, firstWrongStep: first } = gradeSteps(text, item.steps);
  // A right answer by other steps than the reference's has no wrong step, unless its own arithmetic is wrong somewhere.
  const otherWay = isRight(record.accuracy);
  const marks = steps.flatMap(({ start, end, refined, needed, right }, index): PageMark[] => {
    if (index === first && !(otherWay && right)) return [{ kind: "wrong", start, end }];
    if (refined && needed && right) return [{ kind: "corrected", start, end }];
    return refined && !needed && !right ? [{ kind: "spoiled", start, end }] : [];
  });
  return { marks, ...(first !== undefined && first >= steps.length && !otherWay ? { stepMissing: first } : {}) };
}

function nonEmptyLines(text: string): { start: number; end: number }[] {
  return [...text.matchAll(/[^\n]*\S[^\n]*/g)].map((match) => ({ start: match.index, end: match.index + match[0].length }));
}
