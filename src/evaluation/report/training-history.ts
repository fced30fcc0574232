/** A training run as curves, for the report. */
import { leavesOf } from "#kernel/values.ts";

/** Runs of one `group` (seeds of one recipe) are drawn together with their mean. */
export interface TrainingHistory {
  /** Such as `seed 1`. */
  label: string;
  /** Such as the recipe's name; runs of one group are drawn alike. */
  group?: string | undefined;
  steps: readonly number[];
  /** One value for each step under each name; null where a step has none. Any names; `trainingPlots` says which are drawn, and where. */
  metrics: Readonly<Record<string, readonly (number | null)[]>>;
}

/**
 * Metric lines (one object a step, with `step` among its numbers) as a history. Numbers inside of objects get dotted names, such as
 * `rewardTerms.format`; what is no number is left out, and so are the names in `ignored`.
 */
export function historyFromLines(
  label: string,
  lines: readonly object[],
  options: { group?: string | undefined; ignored?: readonly string[] } = {},
): TrainingHistory {
  const { group, ignored = ["v"] } = options;
  const isNumber = (entry: [string, unknown]): entry is [string, number] => Number.isFinite(entry[1]);
  const steps = lines.map((line) => new Map(leavesOf(line).filter(isNumber))).filter((numbers) => numbers.has("step"));
  const names = new Set(steps.flatMap((numbers) => [...numbers.keys()]));
  for (const name of ["step", ...ignored]) names.delete(name);
  return {
    label,
    group,
    steps: steps.map((numbers) => numbers.get("step")!),
    metrics: Object.fromEntries([...names].map((name) => [name, steps.map((numbers) => numbers.get(name) ?? null)])),
  };
}
