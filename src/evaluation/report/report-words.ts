/** The report's findings in sentences, computed from the results: what changed, by how much, and whether the data can tell. */
import { formatP, percentTogether, points, whole } from "#text/numbers.ts";
import type { TrainingHistory } from "../report-data.ts";
import type { Comparison, MethodResult, Results } from "../results.ts";
import { mean } from "../statistics/statistics.ts";

/** The method a report is about: `pasr`, else the last row. */
export function focusOf(results: Results): MethodResult | undefined {
  return results.methods.find((method) => method.id === "pasr") ?? results.methods.at(-1);
}

/** One sentence for the header. */
export function headline(results: Results): string {
  const focus = focusOf(results);
  if (!focus) return "No method was evaluated.";
  const { id, accuracy, interval } = focus;
  const own = `${id} answers ${percentTogether(accuracy)} of ${results.items} problems right (95\u00a0% interval ${percentTogether(interval[0])} to ${percentTogether(interval[1])})`;
  const baseline = results.methods.find((method) => method.id === results.baseline);
  if (!baseline || baseline === focus) return `${own}.`;
  return `${own}; ${baseline.id} answers ${percentTogether(baseline.accuracy)}.`;
}

/** What the comparisons, the resampling baseline and the transitions say, a sentence each. */
export function findings(results: Results, training: readonly TrainingHistory[] = []): string[] {
  const focus = focusOf(results);
  if (!focus) return [];
  const byId = new Map(results.methods.map((method) => [method.id, method]));
  return [
    ...results.comparisons
      .filter((comparison) => comparison.a === focus.id)
      .map((comparison) => compared(comparison, focus, byId.get(comparison.b))),
    ...resampled(focus),
    ...changed(focus, results.baseline),
    ...learned(training),
  ];
}

function compared({ b, difference, interval, pHolm }: Comparison, focus: MethodResult, other: MethodResult | undefined): string {
  const [low, high] = interval;
  const evidence = `${points(difference)} points, 95\u00a0% interval ${points(low)} to ${points(high)}, corrected p ${formatP(pHolm)}`;
  const cost = tokensBeside(focus, other);
  if (low > 0) return `More accurate than ${b}: ${evidence}${cost}.`;
  if (high < 0) return `Less accurate than ${b}: ${evidence}${cost}.`;
  return `No clear difference from ${b}: ${evidence}${cost}.`;
}

function tokensBeside(focus: MethodResult, other: MethodResult | undefined): string {
  if (focus.tokensPerAnswer === undefined || other?.tokensPerAnswer === undefined) return "";
  const [own, others] = [whole(focus.tokensPerAnswer), whole(other.tokensPerAnswer)];
  return own === others ? `, at ${own} tokens an answer each` : `, at ${own} tokens an answer against ${others}`;
}

function resampled({ id, resampling }: MethodResult): string[] {
  if (!resampling) return [];
  const { samples, accuracyAtSameTokens, difference, differenceInterval, outside } = resampling.generated;
  const [low, high] = differenceInterval;
  const verdict = low > 0 ? "is ahead of" : high < 0 ? "is behind" : "is not clearly apart from";
  const paid = outside === "above" ? "more than the pool's" : outside === "below" ? "less than" : "";
  const amount = `${paid} ${samples.toFixed(samples % 1 === 0 ? 0 : 1)} plain ${samples === 1 ? "sample" : "samples"}`.trim();
  return [
    `At equal sampled tokens (they pay for ${amount}) voting over plain answers reaches ${percentTogether(accuracyAtSameTokens)}; ` +
      `${id} ${verdict} it (${points(difference)} points, ${points(low)} to ${points(high)}).`,
  ];
}

function changed(focus: MethodResult, baseline: string): string[] {
  if (focus.id === baseline) return [];
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
  { names: ["reward"], label: "the reward", format: (value) => value.toFixed(2) },
  { names: ["refinements", "refineSpans"], label: "refinements per answer", format: (value) => value.toFixed(2) },
  {
    names: ["needless", "evaluation.needless"],
    label: "needless refinements per answer",
    format: (value) => value.toFixed(2),
  },
];
