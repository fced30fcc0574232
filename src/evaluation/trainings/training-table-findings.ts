/** What a table of trainings shows, in sentences computed from it, and what it lacks. */
import { percentRange, percentTogether, pointRange, points, whole } from "#text/numbers.ts";
import { figuresOf, type RowResult, type TrainingTable } from "./training-table.ts";
import { labelOf, rowName } from "./training-table-words.ts";

/** A sentence each; nothing is claimed where an interval holds 0. */
export function tableFindings(table: TrainingTable): string[] {
  const subject = table.rows.find(({ id }) => id === table.subject);
  const scopes = table.scopes.filter(({ kind }) => kind !== "domain");
  if (!subject) return [];
  const name = rowName(subject);
  return scopes.flatMap((scope) => {
    const own = figuresOf(subject, scope.id);
    if (!own) return [];
    const { overBase, resampling } = own;
    const start = `${name}, ${scope.label}: ${percentTogether(own.accuracy)} (${percentRange(own.interval)})`;
    const base = overBase
      ? `, ${points(overBase.difference)} points over ${labelOf(table, table.base)} (${pointRange(overBase.interval)})`
      : "";
    const equal = resampling
      ? ` At the same sampled tokens resampling reaches ${percentTogether(resampling.accuracy)}: ${points(resampling.difference)} points (${pointRange(resampling.differenceInterval)}).`
      : "";
    const others = table.rows.filter(({ id, oracle }) => id !== table.subject && !oracle);
    const sides: { [side in "ahead" | "behind" | "level"]: RowResult[] } = { ahead: [], behind: [], level: [] };
    for (const row of others) {
      const gain = figuresOf(row, scope.id)?.subjectGain;
      if (gain) sides[gain.interval[0] > 0 ? "ahead" : gain.interval[1] < 0 ? "behind" : "level"].push(row);
    }
    const side = (words: string, rows: readonly RowResult[]) =>
      rows.length > 0 ? ` ${words} ${rows.map(rowName).join("; ")}.` : "";
    const placed = `${side("Ahead of", sides.ahead)}${side("Behind", sides.behind)}${side("Not separable from", sides.level)}`;
    return [`${start}${base}.${equal}${placed}`];
  });
}

/** Everything that should be there and is not, a line each. */
export function missingLines(table: TrainingTable): string[] {
  const byRow = Map.groupBy(table.missing, ({ row, seed, reason }) => JSON.stringify([row, seed ?? null, reason]));
  const domainName = new Map(table.scopes.map(({ id, label }) => [id, label]));
  const name = (domain: string) => domainName.get(domain) ?? domain;
  return [
    ...[...byRow.values()].map((cells) => {
      const { row, seed, reason } = cells[0];
      const where = cells.map(({ domain }) => name(domain)).join(", ");
      return `${labelOf(table, row)}${seed === undefined ? "" : `, seed ${seed}`}, ${where}: ${reason}`;
    }),
    ...table.missingPools.map(({ domain, reason }) => `resampling baseline, ${name(domain)}: ${reason}`),
  ];
}

/** Beside every table: how failed answers and seeds count. */
export function tableNotes(table: TrainingTable): string[] {
  const items = table.scopes.flatMap(({ kind, id, label }) => (kind === "domain" ? [`${table.items[id] ?? 0} ${label}`] : []));
  const multiple = table.seeds.length > 1;
  return [
    `Test items: ${items.join(", ")}; the same for all rows and seeds, so that every difference is paired.`,
    `Intervals: percentiles of ${whole(table.draws)} bootstrap draws, each of items${multiple ? " and then of seeds" : " (a single seed says nothing about other seeds)"}.`,
    "A failed answer counts as wrong. A row that is not finished, or lacks a seed, is a dash and never a zero; means over domains are only of rows with all of them.",
  ];
}
