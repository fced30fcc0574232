/** A benchmark run in sentences: who is ahead, of what, at which cost, and what cannot be said. */
import { formatP, percentTogether, points } from "#text/numbers.ts";
import type { BenchmarkResults, OverallDifference, OverallResult } from "../summary/benchmark-results.ts";

/** One sentence for the header. */
export function benchmarkHeadline(results: BenchmarkResults): string {
  const { overall, tasks } = results;
  const complete = overall.filter((row) => !row.oracle && row.tasks === tasks.length);
  const [best] = [...complete].sort((first, second) => second.macro.accuracy - first.macro.accuracy);
  if (!best) return "No method has answers of every task.";
  const baseline = overall.find((row) => row.id === tasks[0]?.baseline);
  const where = tasks.length === 1 ? `on ${tasks[0].title ?? tasks[0].task}` : `over ${tasks.length} tasks`;
  const own = `${best.id} is the most accurate of ${complete.length} ${complete.length === 1 ? "method" : "methods"} ${where}: ${accuracyText(best)}`;
  return baseline && baseline !== best ? `${own}; ${baseline.id} has ${accuracyText(baseline)}.` : `${own}.`;
}

function accuracyText({ macro }: OverallResult): string {
  return `${percentTogether(macro.accuracy)} (95\u00a0% interval ${percentTogether(macro.interval[0])} to ${percentTogether(macro.interval[1])})`;
}

/** The comparisons in a sentence each: with resampling at equal cost, with plain answers, and what was not possible. */
export function benchmarkFindings(results: BenchmarkResults): string[] {
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
    ...withResampling,
    ...(withResampling.length > 0 ? [meaningOfResampling(results)] : []),
    ...sorted(honest, (row) => row.versusBaseline, `${tasks[0]?.baseline ?? "plain answers"} at any cost`, tasks.length),
    ...(oracles.length > 0
      ? [`${list(oracles.map(({ id }) => id))}: an upper bound, not a method: it looks at the reference answer.`]
      : []),
    ...[...missing].map(
      ([reason, cases]) =>
        `Not comparable with resampling: ${list([...new Set(cases.map(({ method }) => method))])} on ${list([...new Set(cases.map(({ task }) => task))])}: ${reason}.`,
    ),
    ...failedAnswers(results),
  ];
}

/** Failures count as wrong, so that they may be all there is to a difference. */
function failedAnswers({ tasks }: BenchmarkResults): string[] {
  const failed = tasks.flatMap(({ task, methods }) =>
    methods.flatMap(({ id, failures, answers }) => (failures > 0 ? [`${id} ${failures} of ${answers} on ${task}`] : [])),
  );
  return failed.length === 0
    ? []
    : [`Some answers failed and count as wrong: ${list(failed)}. The same command as before tries them again.`];
}

/** What plain samples were made into, said once and not in every comparison. */
function meaningOfResampling({ tasks }: BenchmarkResults): string {
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
    return [`${beginning} ${than}: ${list(names)} points (corrected p ${bound}).`];
  };
  const clear = known.filter(({ pHolm }) => pHolm < 0.05);
  const unclear = known.filter(({ pHolm }) => pHolm >= 0.05);
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

function list(names: readonly string[]): string {
  return names.length < 2 ? names.join("") : `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
