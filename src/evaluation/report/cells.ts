/** Cells of the terminal table: shares in per cent, differences in points, a star where the corrected p is below 0.05. */
import { counted } from "#kernel/numbers.ts";
import { dash, dollars, percent, pointRange, points, tokenCount } from "#text/numbers.ts";
import type { EqualCost, MethodResult, PairedResult, TaskResult } from "../summary/results.ts";
import { clearP } from "./standing.ts";

export function name({ id, oracle }: { id: string; oracle: boolean }): string {
  return oracle ? `${id} †` : id;
}

export function names(methods: readonly { id: string }[]): string {
  return methods.map(({ id }) => id).join(", ");
}

/** Both ends, in whole per cent where room is short: an interval of few items is far from even on both sides. */
export function withEnds({ accuracy, interval: [low, high] }: { accuracy: number; interval: readonly [number, number] }): string {
  return `${percent(accuracy)} (${percent(low, 0)}–${percent(high, 0)})`;
}

export type Paired = Pick<PairedResult, "difference" | "interval" | "pHolm">;

export function difference(paired: Paired | undefined): string {
  if (!paired) return "";
  return `${marked(paired)} (${pointRange(paired.interval)})`;
}

export function costDifference(cost: EqualCost | undefined): string {
  return cost
    ? difference({ difference: cost.difference, interval: cost.differenceInterval, pHolm: cost.pHolm ?? cost.pValue })
    : dash;
}

export function marked(paired: { difference: number; pHolm?: number; pValue?: number } | undefined): string {
  if (!paired) return dash;
  return `${points(paired.difference)}${(paired.pHolm ?? paired.pValue ?? 1) < clearP ? "*" : ""}`;
}

export function baselineText(cost: EqualCost | undefined): string {
  if (!cost) return dash;
  return `${cost.outside === "above" ? "≥" : cost.outside === "below" ? "<" : ""}${percent(cost.accuracyAtSameTokens)}`;
}

export function tokens({
  tokensPerAnswer,
  allTokensPerAnswer,
}: {
  tokensPerAnswer?: number | undefined;
  allTokensPerAnswer?: number | undefined;
}): string {
  return tokensPerAnswer === undefined ? "unknown" : `${tokenCount(tokensPerAnswer)} / ${tokenCount(allTokensPerAnswer)}`;
}

export function poolTokens({ resamplingCurve, pool }: TaskResult, isShort: boolean): string {
  const point = pool!.rule === "single" ? resamplingCurve[0] : resamplingCurve.at(-1)!;
  return isShort ? tokenCount(point.generated) : `${tokenCount(point.generated)} / ${tokenCount(point.all)}`;
}

/** Where no answer is right there is nothing to divide by: the cost of a right one is not unknown, there is none. */
export const noneRight = "none right";

/** Dollars where prices are known, else tokens; what is not known is said so. */
export function costPerRight(
  { accuracy, costPerCorrect, tokensPerCorrect }: Pick<MethodResult, "accuracy" | "costPerCorrect" | "tokensPerCorrect">,
  unit = "tok.",
  count: (tokens: number) => string = tokenCount,
): string {
  if (costPerCorrect !== undefined) return dollars(costPerCorrect);
  if (tokensPerCorrect !== undefined) return `${count(tokensPerCorrect)} ${unit}`;
  return accuracy === 0 ? noneRight : "unknown";
}

export function share(method: MethodResult, value: number): string {
  return method.transitions ? percent(value) : dash;
}

/** The pool's single samples should be like the baseline's answers; where they are not, the comparison is of something else too. */
export function poolDoubt({ pool, baseline, methods, resamplingCurve }: TaskResult): string | undefined {
  const plain = methods.find(({ id }) => id === baseline);
  const cost = plain?.resampling?.generated;
  if (!pool || !plain || !cost || cost.samples > 1.5 || Math.abs(cost.difference) < 0.05) return undefined;
  const [low, high] = cost.differenceInterval;
  if (low <= 0 && high >= 0) return undefined;
  const single = percent(resamplingCurve[0].accuracy);
  return `doubtful: single samples of the resampling pool are right ${single} % of the time, ${baseline} ${percent(plain.accuracy)} %: look whether both were asked alike (prompt, temperature)`;
}

/** Answers that cost more than they were to cost at most; undefined where none did. */
export function overBudgetNote({ methods }: TaskResult): string | undefined {
  const over = methods.flatMap(({ id, answers, overBudget }) => {
    if (overBudget === undefined) return [];
    const { answers: count, byFirstCall } = overBudget;
    const first =
      byFirstCall === 0
        ? ""
        : byFirstCall === count
          ? ", by the first call alone"
          : `, ${byFirstCall} of them by the first call alone`;
    return [`${id} ${count} of ${counted(answers, "answer")}${first}`];
  });
  if (over.length === 0) return undefined;
  return `over the budget: ${over.join("; ")}. A budget is asked before each call: the one that goes over it is finished, graded and counted`;
}

/** The smallest difference that would usually be found, which differs from method to method; some items are too few for any. */
export function detectable(effects: readonly number[], from: string): string {
  if (effects.length === 0) return "";
  const [least, most] = [Math.min(...effects), Math.max(...effects)];
  if (least >= 1) return `These items are too few for a difference from ${from} to be found four times in five, however large.`;
  const [low, high] = [percent(least), percent(most)];
  const range = most >= 1 ? `${low} and more` : low === high ? low : `${low} to ${high}`;
  return `Differences from ${from} of ${range} points would be found four times in five.`;
}

/** How many of a method's answers failed, and how what they had by then is graded. */
export function failureCounts({ id, failures, failuresRight = 0, answers }: MethodResult): string {
  return `${id} ${failures} of ${counted(answers, "answer")} (${gradedWords(failures, failuresRight)})`;
}

/** Of failed answers: `3 graded wrong`, `2 graded right, 1 wrong`. */
export function gradedWords(failures: number, right: number): string {
  if (right === 0) return `${failures} graded wrong`;
  return right === failures ? `${right} graded right` : `${right} graded right, ${failures - right} wrong`;
}
