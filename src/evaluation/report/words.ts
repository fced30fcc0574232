/** An evaluation in sentences: who is ahead, of what, at which cost, and what cannot be said. */
import { counted, mean } from "#kernel/numbers.ts";
import { fixed, formatP, percentTogether, pointRange, points, whole } from "#text/numbers.ts";
import type { Comparison, MethodResult, OverallDifference, OverallResult, Results, TaskResult } from "../summary/results.ts";
import { failureCounts } from "./cells.ts";
import { runNotes } from "./run-notes.ts";
import { clearP, fewerItems, isClear, leadersOf, listed, overallStanding } from "./standing.ts";
import type { TrainingHistory } from "./training-history.ts";

/** One sentence for the header. */
export function headline(results: Results, subject?: string): string {
  const { overall, tasks } = results;
  const focus = overall.find((row) => row.id === subject);
  if (focus && tasks.length === 1) return aboutSubject(results, focus);
  if (tasks.length === 0) return "No answers were given.";
  const where = tasks.length === 1 ? `on ${tasks[0].title ?? tasks[0].task}` : `over ${tasks.length} tasks`;
  return overallStanding(results, { where, intervals: true }) || "No method has answers of every task.";
}

/** One task, and the method the report is about. */
function aboutSubject({ overall, tasks: [task] }: Results, { id, macro, versusBaseline }: OverallResult): string {
  const [low, high] = macro.interval;
  const own = `${id} answers ${percentTogether(macro.accuracy)} of ${counted(task.items, "problem")} right (95\u00a0% interval ${percentTogether(low)} to ${percentTogether(high)})`;
  const baseline = overall.find((row) => row.id === task.baseline);
  if (!baseline || baseline.id === id) return `${own}.`;
  if (leadersOf([macro, baseline.macro]).length > 1) return `${own}; ${baseline.id} answers as many: a tie.`;
  const doubt =
    versusBaseline === undefined || isClear(versusBaseline)
      ? ""
      : `, no clear difference (corrected p ${formatP(versusBaseline.pHolm)})`;
  return `${own}; ${baseline.id} answers ${percentTogether(baseline.macro.accuracy)}${doubt}.`;
}

/** What is said of more than the results. */
export interface FindingsOf {
  /** The method the report is about: it comes first, with all that it was compared with. */
  subject?: string | undefined;
  training?: readonly TrainingHistory[] | undefined;
}

/** The comparisons in a sentence each: with resampling at equal cost, with plain answers, and what was not possible. */
export function findings(results: Results, { subject, training = [] }: FindingsOf = {}): string[] {
  const { overall, tasks } = results;
  const honest = overall.filter((row) => !row.oracle);
  const oracles = overall.filter((row) => row.oracle);
  const missing = Map.groupBy(
    tasks.flatMap((task) =>
      task.methods
        .filter((method) => method.notComparable !== undefined && method.id !== task.pool?.method)
        .map((method) => ({ task: task.task, method: method.id, reason: method.notComparable! })),
    ),
    ({ reason }) => reason,
  );
  const withResampling = sorted(honest, (row) => row.versusResampling, "resampling at equal tokens", tasks.length);
  return [
    ...tasks.flatMap((task) => ofSubject(task, subject)),
    ...learned(training),
    ...withResampling,
    ...(withResampling.length > 0 ? [meaningOfResampling(results)] : []),
    ...sorted(honest, (row) => row.versusBaseline, `${tasks[0]?.baseline ?? "plain answers"} at any cost`, tasks.length),
    ...(oracles.length > 0
      ? [`${listed(oracles.map(({ id }) => id))}: an upper bound, not a method: it looks at the reference answer.`]
      : []),
    ...[...missing].map(
      ([reason, cases]) =>
        `Not comparable with resampling: ${listed([...new Set(cases.map(({ method }) => method))])} on ${listed([...new Set(cases.map(({ task }) => task))])}: ${reason}.`,
    ),
    ...failedAnswers(results),
    ...runNotes(results),
    ...tasks.flatMap((task) => {
      const fewer = fewerItems(task);
      return fewer.length === 0
        ? []
        : [`Not everything was answered on ${task.task}: ${listed(fewer)}. Accuracies over other items are not compared.`];
    }),
  ];
}

/** Failures may be all there is to a difference, so it is said how they were graded. */
function failedAnswers({ tasks }: Results): string[] {
  const failed = tasks.flatMap(({ task, methods }) =>
    methods.filter(({ failures }) => failures > 0).map((method) => `${failureCounts(method)} on ${task}`),
  );
  return failed.length === 0
    ? []
    : [`Some answers failed on their way: ${listed(failed)}. The same command as before tries them again.`];
}

/** What plain samples were made into, said once and not in every comparison. */
function meaningOfResampling({ tasks }: Results): string {
  const rules = new Set(tasks.flatMap((task) => task.pool?.rule ?? []));
  const samples = !rules.has("vote")
    ? "a single plain sample, as these answers cannot be voted on"
    : rules.size > 1
      ? "the vote of as many plain samples as the method's sampled tokens pay for, or a single one where answers cannot be voted on"
      : "the vote of as many plain samples as the method's sampled tokens pay for";
  const floor = tasks.some((task) => task.pool?.floor) ? "; where the greedy plain answer is better, it counts instead" : "";
  return `Resampling: ${samples}${floor}.`;
}

/** Clear gains, clear losses, and the rest, by the corrected p. */
function sorted(
  rows: readonly OverallResult[],
  of: (row: OverallResult) => OverallDifference | undefined,
  than: string,
  allTasks: number,
): string[] {
  const known = rows.flatMap((row) => {
    const difference = of(row);
    return difference ? [{ id: row.id, ...difference }] : [];
  });
  const sentence = (beginning: string, group: typeof known, extreme: (...values: number[]) => number, rest: string) => {
    if (group.length === 0) return [];
    const names = group.map(
      ({ id, difference, tasks }) => `${id} ${points(difference)}${tasks < allTasks ? ` (${tasks} of ${allTasks} tasks)` : ""}`,
    );
    const limit = formatP(extreme(...group.map(({ pHolm }) => pHolm)));
    const bound = group.every(({ pHolm }) => formatP(pHolm) === limit) ? limit : `${limit} or ${rest}`;
    return [`${beginning} ${than}: ${listed(names)} points (corrected p ${bound}).`];
  };
  const clear = known.filter(({ pHolm }) => pHolm < clearP);
  const unclear = known.filter(({ pHolm }) => pHolm >= clearP);
  return [
    ...sentence(
      "Better than",
      clear.filter(({ difference }) => difference > 0),
      Math.max,
      "less",
    ),
    ...sentence(
      "Worse than",
      clear.filter(({ difference }) => difference < 0),
      Math.max,
      "less",
    ),
    ...sentence("No clear difference from", unclear, Math.min, "more"),
  ];
}

/** What the subject was compared with, a sentence each, and what became of the baseline's answers. */
function ofSubject({ methods, comparisons = [], baseline }: TaskResult, subject: string | undefined): string[] {
  const byId = new Map(methods.map((method) => [method.id, method]));
  const focus = byId.get(subject ?? "");
  if (!focus) return [];
  return [
    ...comparisons.filter(({ a }) => a === focus.id).map((comparison) => compared(comparison, focus, byId.get(comparison.b))),
    ...resampled(focus),
    ...changed(focus, baseline),
  ];
}

function compared({ b, difference, interval, pHolm }: Comparison, focus: MethodResult, other: MethodResult | undefined): string {
  const evidence = `${points(difference)} points, 95\u00a0% interval ${pointRange(interval)}, corrected p ${formatP(pHolm)}`;
  const cost = tokensBeside(focus, other);
  if (pHolm >= clearP) return `No clear difference between ${focus.id} and ${b}: ${evidence}${cost}.`;
  return difference > 0
    ? `${focus.id} is more accurate than ${b}: ${evidence}${cost}.`
    : `${focus.id} is less accurate than ${b}: ${evidence}${cost}.`;
}

function tokensBeside(focus: MethodResult, other: MethodResult | undefined): string {
  if (focus.tokensPerAnswer === undefined || other?.tokensPerAnswer === undefined) return "";
  const [own, others] = [whole(focus.tokensPerAnswer), whole(other.tokensPerAnswer)];
  return own === others ? `, at ${own} tokens an answer each` : `, at ${own} tokens an answer against ${others}`;
}

function resampled({ id, resampling }: MethodResult): string[] {
  const cost = resampling?.generated;
  if (!cost) return [];
  const { samples, accuracyAtSameTokens, difference, differenceInterval, outside } = cost;
  const verdict =
    (cost.pHolm ?? cost.pValue) >= clearP ? "is not clearly apart from" : difference > 0 ? "is ahead of" : "is behind";
  const paid = outside === "above" ? "more than the pool's " : outside === "below" ? "less than " : "";
  const amount = `${paid}${fixed(samples, samples % 1 === 0 ? 0 : 1)} plain ${samples === 1 ? "sample" : "samples"}`;
  return [
    `At equal sampled tokens (they pay for ${amount}) resampling reaches ${percentTogether(accuracyAtSameTokens)}; ` +
      `${id} ${verdict} it (${points(difference)} points, ${pointRange(differenceInterval)}).`,
  ];
}

function changed(focus: MethodResult, baseline: string): string[] {
  if (!focus.transitions) return [];
  const { wrongToRight, rightToWrong } = focus;
  return [
    `Of all answers, ${percentTogether(wrongToRight)} went from wrong to right and ${percentTogether(rightToWrong)} from right to wrong, compared with ${baseline}.`,
  ];
}

/** How the watched metrics moved in training: mean of the first and of the last fifth of the steps, over the runs of the first group. */
function learned(training: readonly TrainingHistory[]): string[] {
  const group = training[0]?.group;
  const runs = training.filter((history) => history.group === group);
  return watched.flatMap(({ names, label, format }) => {
    const moves = runs.flatMap(({ metrics }) => {
      const known = (names.map((name) => metrics[name]).find((series) => series !== undefined) ?? []).filter(
        (value) => value !== null,
      );
      const fifth = Math.ceil(known.length / 5);
      return known.length < 2 ? [] : [[mean(known.slice(0, fifth)), mean(known.slice(-fifth))] as const];
    });
    if (moves.length === 0) return [];
    const [before, after] = [mean(moves.map(([first]) => first)), mean(moves.map(([, last]) => last))];
    const verb = after > before * 1.02 ? "rose" : after < before * 0.98 ? "fell" : "stayed";
    const change = verb === "stayed" ? `stayed at about ${format(after)}` : `${verb} from ${format(before)} to ${format(after)}`;
    return [`In training, ${label} ${change}${moves.length > 1 ? ` (mean of ${moves.length} runs)` : ""}.`];
  });
}

const watched: { names: string[]; label: string; format: (value: number) => string }[] = [
  { names: ["reward"], label: "the reward", format: (value) => fixed(value, 2) },
  { names: ["refinements", "refineSpans"], label: "refinements per answer", format: (value) => fixed(value, 2) },
  {
    names: ["needless", "evaluation.needless"],
    label: "needless refinements per answer",
    format: (value) => fixed(value, 2),
  },
];
