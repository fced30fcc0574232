/** A benchmark run in sentences: who is ahead, of what, at which cost, and what cannot be said. */
import type { BenchmarkResults, OverallDifference, OverallResult } from "./benchmark-results.ts";
import { formatP, percent, points } from "./report-words.ts";

/** One sentence for the header. */
export function benchmarkHeadline(results: BenchmarkResults): string {
  const { overall, tasks } = results;
  const complete = overall.filter((row) => !row.oracle && row.tasks === tasks.length);
  const [best] = [...complete].sort((first, second) => second.macro.accuracy - first.macro.accuracy);
  if (!best) return "No method has answers of every task.";
  const baseline = overall.find((row) => row.id === tasks[0]?.baseline);
  const where = tasks.length === 1 ? `on ${tasks[0]!.title ?? tasks[0]!.task}` : `over ${tasks.length} tasks`;
  const own = `${best.id} is the most accurate of ${complete.length} ${complete.length === 1 ? "method" : "methods"} ${where}: ${accuracyText(best)}`;
  return baseline && baseline !== best ? `${own}; ${baseline.id} has ${accuracyText(baseline)}.` : `${own}.`;
}

function accuracyText({ macro }: OverallResult): string {
  return `${percent(macro.accuracy)} (95\u00a0% interval ${percent(macro.interval[0])} to ${percent(macro.interval[1])})`;
}

/** The comparisons in a sentence each: with resampling at equal cost, with plain answers, and what was not possible. */
export function benchmarkFindings(results: BenchmarkResults): string[] {
  const { overall, tasks } = results;
  const honest = overall.filter((row) => !row.oracle);
  const oracles = overall.filter((row) => row.oracle);
  const pools = [...new Set(tasks.flatMap((task) => task.pool?.rule ?? []))];
  const hasFloor = tasks.some((task) => task.pool?.floor);
  const rule = hasFloor
    ? "resampling (the greedy plain answer, or the vote of plain samples where that is better)"
    : pools.includes("vote")
      ? pools.length > 1
        ? "resampling (a vote where answers can be voted on)"
        : "voting over plain samples"
      : "plain samples";
  const missing = Map.groupBy(
    tasks.flatMap((task) =>
      task.methods
        .filter((method) => method.notComparable !== undefined && method.id !== task.pool?.method)
        .map((method) => ({ task: task.task, method: method.id, reason: method.notComparable! })),
    ),
    ({ reason }) => reason,
  );
  return [
    ...sorted(honest, (row) => row.versusResampling, `${rule} at the same sampled tokens`),
    ...sorted(honest, (row) => row.versusBaseline, `${tasks[0]?.baseline ?? "plain answers"}, whatever the cost`),
    ...(oracles.length > 0
      ? [`${list(oracles.map(({ id }) => id))}: an upper bound, not a method: it looks at the reference answer.`]
      : []),
    ...[...missing].map(
      ([reason, cases]) =>
        `Not comparable with resampling: ${list([...new Set(cases.map(({ method }) => method))])} on ${list([...new Set(cases.map(({ task }) => task))])}: ${reason}.`,
    ),
  ];
}

/** Clear gains, clear losses, and the rest, by intervals; stars are for what also survives the correction. */
function sorted(
  rows: readonly OverallResult[],
  of: (row: OverallResult) => OverallDifference | undefined,
  than: string,
): string[] {
  const known = rows.flatMap((row) => {
    const difference = of(row);
    return difference ? [{ id: row.id, ...difference }] : [];
  });
  const describe = ({ id, difference, pHolm }: (typeof known)[number]) =>
    `${id} (${points(difference)} points, corrected p ${formatP(pHolm)})`;
  const ahead = known.filter(({ pHolm, difference }) => pHolm < 0.05 && difference > 0);
  const behind = known.filter(({ pHolm, difference }) => pHolm < 0.05 && difference < 0);
  const unclear = known.filter(({ pHolm }) => pHolm >= 0.05);
  return [
    ...(ahead.length > 0 ? [`Ahead of ${than}: ${list(ahead.map(describe))}.`] : []),
    ...(behind.length > 0 ? [`Behind ${than}: ${list(behind.map(describe))}.`] : []),
    ...(unclear.length > 0 ? [`Not clearly apart from ${than}: ${list(unclear.map(describe))}.`] : []),
  ];
}

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
