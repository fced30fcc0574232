/** What a table of trainings says, as tables and sentences of plain text: Markdown and the page write down the same ones. */
import { counted } from "#kernel/numbers.ts";
import {
  dash,
  fixed,
  formatP,
  percent,
  percentRange,
  percentTogether,
  pointRange,
  points,
  pointsWithin,
  signed,
  whole,
} from "#text/numbers.ts";
import { isClear, standingOut } from "../report/standing.ts";
import type { Gain } from "./figures.ts";
import type { TableScope } from "./input.ts";
import { figuresOf, type RowResult, type TrainingTable } from "./table.ts";

export interface WordCell {
  text: string;
  /** Said beside it, more quietly. */
  small?: string;
  strong?: boolean;
}

export interface WordTable {
  title: string;
  note?: string;
  head: string[];
  /** First cell names the row. */
  rows: WordCell[][];
}

/** All tables in their order; those with nothing to say are left out. */
export function tablesOf(table: TrainingTable): WordTable[] {
  const { subject, base } = table;
  const [subjectName, baseName] = [labelOf(table, subject), labelOf(table, base)];
  const gain = (title: string, note: string, of: "overBase" | "subjectGain", left: string) =>
    scopeTable(table, title, note, (row, scope) => {
      const found = figuresOf(row, scope)?.[of];
      return row.id === left || !found ? { text: dash } : gainCell(found);
    });
  const p =
    "Intervals and p are over items and, where a row has several, seeds; p is corrected over the rows of a column (Holm).";
  return [
    accuracyTable(table),
    gain(`Gain over ${baseName}`, `Row − ${baseName} on the same items, in points. ${p}`, "overBase", base),
    gain(`${subjectName} against each row`, `${subjectName} − row on the same items, in points. ${p}`, "subjectGain", subject),
    resamplingTable(table, baseName),
    seedTable(table),
    costTable(table),
    ...agreementTables(table),
  ].filter(({ rows }) => rows.length > 0);
}

function accuracyTable(table: TrainingTable): WordTable {
  const best = new Map(
    table.scopes.map(({ id }) => {
      const own = table.rows.flatMap((row) => {
        const accuracy = row.oracle ? undefined : figuresOf(row, id)?.accuracy;
        return accuracy === undefined ? [] : [{ id: row.id, accuracy }];
      });
      return [id, new Set(standingOut(own).map((row) => row.id))];
    }),
  );
  const overall = table.scopes.at(-1)!.id;
  const oracle = table.rows.some((row) => row.oracle)
    ? " Rows with an oracle look at the reference answer and do not compete."
    : "";
  return {
    title: "Accuracy",
    note:
      `Per cent, greedy answers, 95 % interval ${intervalWords(table)}; the best of each column is bold.${oracle} Tokens: sampled ones of an answer, ` +
      "mean of the domains; with prompts below. Resampled: what votes over samples of the base reach at as many sampled tokens, and the row's lead.",
    head: ["row", ...table.scopes.map(scopeName), "tokens", "resampled", "seeds"],
    rows: table.rows.map((row) => {
      const { generated, all, resampling } = figuresOf(row, overall) ?? {};
      const cells = table.scopes.map(({ id }): WordCell => {
        const figures = figuresOf(row, id);
        if (!figures) return { text: dash };
        const strong = best.get(id)!.has(row.id);
        return { text: percent(figures.accuracy), small: percentRange(figures.interval), strong };
      });
      const tokens = generated === undefined ? { text: dash } : { text: whole(generated), small: `${whole(all)} with prompts` };
      const resampled = resampling
        ? {
            text: percent(resampling.accuracy),
            small: pointsWithin(resampling.difference, resampling.differenceInterval),
          }
        : { text: dash };
      return [{ text: rowName(row) }, ...cells, tokens, resampled, { text: seedsOf(table, row), ...failuresOf(table, row) }];
    }),
  };
}

function intervalWords({ seeds, rows }: TrainingTable): string {
  const most = Math.max(0, ...rows.flatMap(({ figures }) => figures.map(({ perSeed }) => perSeed.length)));
  if (most > 1)
    return `over items and, where a row has several, over seeds (${counted(seeds.length, "training")} a row at most: a rough figure)`;
  return most === 1 ? "over items only, as no row has more than one seed" : "over items";
}

function resamplingTable(table: TrainingTable, baseName: string): WordTable {
  const own = scopeTable(
    table,
    `${baseName} resampled at each row's tokens`,
    `Vote over samples of ${baseName}, or its greedy answer where that is better, at the row's own sampled tokens; below it the row's lead in points. ` +
      "Outside of the samples drawn the nearest end stands in: < one sample, ≥ all samples.",
    (row, scope) => {
      const found = figuresOf(row, scope)?.resampling;
      if (!found) return { text: dash };
      const mark = found.outside.includes("above") ? "≥ " : found.outside.includes("below") ? "< " : "";
      return {
        text: percent(found.accuracy),
        small: `${pointsWithin(found.difference, found.differenceInterval)}, ${mark}${fixed(found.samples, 1)} samples`,
      };
    },
  );
  return table.curves.length > 0 ? own : { ...own, rows: [] };
}

function seedTable(table: TrainingTable): WordTable {
  const own = scopeTable(table, "Seed by seed", `Per cent, seeds ${table.seeds.join(", ")} in this order.`, (row, scope) => {
    const perSeed = new Map(figuresOf(row, scope)?.perSeed.map(({ seed, accuracy }) => [seed, accuracy]));
    const values = table.seeds.map((seed) => (perSeed.has(seed) ? percent(perSeed.get(seed)!) : dash));
    return { text: values.join(" · ") };
  });
  return { ...own, rows: own.rows.filter((_, index) => table.rows[index].trained && table.seeds.length > 0) };
}

function costTable({ rows, seeds }: TrainingTable): WordTable {
  return {
    title: "What the trainings cost",
    note: "Mean of a training, as measured; a dash where it is not known.",
    head: ["row", "steps", "sampled tokens", "trained tokens", "minutes"],
    rows: rows
      .filter(({ trained }) => trained)
      .map((row) => [
        { text: rowName(row) },
        ...(["steps", "sampledTokens", "trainedTokens", "minutes"] as const).map((amount): WordCell => {
          const value = row.cost?.[amount];
          if (value === undefined) return { text: dash };
          const runs = row.cost!.runs[amount];
          const text = amount === "minutes" && value < 100 ? fixed(value, 1) : whole(value);
          return { text, ...(runs < seeds.length ? { small: `known of ${runs} of ${counted(seeds.length, "seed")}` } : {}) };
        }),
      ]),
  };
}

function agreementTables(table: TrainingTable): WordTable[] {
  const agreement = table.agreement.filter(({ rows }) => rows.length > 1);
  if (agreement.length === 0) return [];
  const columns = agreement.map(({ column }) => column);
  const overall = table.scopes.at(-1)!.id;
  const published = table.rows.map((row): WordCell[] => [
    { text: rowName(row) },
    { text: figuresOf(row, overall) ? percent(figuresOf(row, overall)!.accuracy) : dash },
    ...columns.map((column) => ({ text: fixed(row.paper?.[column], 1, "not known here") })),
  ]);
  const names = new Map<string, WordCell[]>();
  for (const { pairs, column } of agreement)
    for (const { first, second, difference, interval, verdict, published: gap } of pairs) {
      const key = JSON.stringify([first, second]);
      const start = [
        { text: `${labelOf(table, first)} − ${labelOf(table, second)}` },
        { text: points(difference), small: pointRange(interval) },
        ...columns.map(() => ({ text: dash })),
      ];
      const cells = names.get(key) ?? start;
      cells[2 + columns.indexOf(column)] = { text: verdict, small: points(gap / 100) };
      names.set(key, cells);
    }
  return [
    {
      title: "Beside the published averages",
      note: `Ours: ${table.scopes.at(-1)!.label}, in per cent.`,
      head: ["row", "ours", ...columns],
      rows: published,
    },
    {
      title: "Agreement of the order",
      note: "Pairs of rows with a published average: does our order say the same? Not separable: the interval of our difference holds 0.",
      head: ["published", "agree", "disagree", "not separable", "Kendall's tau", "rows"],
      rows: agreement.map(({ column, counts, tau, rows }) => [
        { text: column },
        { text: String(counts.agree) },
        { text: String(counts.disagree) },
        { text: String(counts["not separable"]) },
        { text: signed(tau, 2) },
        { text: String(rows.length) },
      ]),
    },
    { title: "Pair by pair", note: "Points, first − second.", head: ["pair", "ours", ...columns], rows: [...names.values()] },
  ];
}

function scopeTable(
  table: TrainingTable,
  title: string,
  note: string,
  cell: (row: RowResult, scope: string) => WordCell,
): WordTable {
  return {
    title,
    note,
    head: ["row", ...table.scopes.map(scopeName)],
    rows: table.rows.map((row) => [{ text: rowName(row) }, ...table.scopes.map(({ id }) => cell(row, id))]),
  };
}

function gainCell({ difference, interval, pHolm }: Gain): WordCell {
  return { text: points(difference), small: `${pointRange(interval)}, p ${formatP(pHolm)}` };
}

export function scopeName({ label, kind, heldOut }: TableScope): string {
  return kind === "domain" && heldOut ? `${label} (held out)` : label;
}

/** Whoever looks at the reference answer says so in every table. */
export function rowName({ label, oracle }: Pick<RowResult, "label" | "oracle">): string {
  return oracle && !/oracle/i.test(label) ? `${label} (oracle)` : label;
}

export function labelOf(table: TrainingTable, id: string): string {
  const row = table.rows.find((candidate) => candidate.id === id);
  return row ? rowName(row) : id;
}

/** Seeds complete in all domains. */
function seedsOf({ seeds, scopes }: TrainingTable, row: RowResult): string {
  if (!row.trained) return "untrained";
  const own = figuresOf(row, scopes.at(-1)!.id)?.perSeed.length ?? 0;
  return own < seeds.length ? `${own} of ${seeds.length}` : String(own);
}

function failuresOf({ scopes }: TrainingTable, row: RowResult): { small?: string } {
  const own = scopes.flatMap(({ kind, id }) => (kind === "domain" ? (figuresOf(row, id) ?? []) : []));
  const sum = (of: (figures: (typeof own)[number]) => number) => own.reduce((total, figures) => total + of(figures), 0);
  const failures = sum((figures) => figures.failures);
  return failures > 0
    ? {
        small: `${whole(failures)} of ${whole(sum((figures) => figures.answers))} ${sum((figures) => figures.answers) === 1 ? "answer" : "answers"} failed`,
      }
    : {};
}

/** Nothing is claimed where the interval holds 0 or the corrected p is not below 0.05. */
function sideOf({ difference, interval: [low, high], pHolm }: Gain): "ahead" | "behind" | "tied" | "level" {
  if (Math.abs(difference) < 1e-9) return "tied";
  if (!isClear({ pHolm })) return "level";
  return low > 0 ? "ahead" : high < 0 ? "behind" : "level";
}

/** A sentence each. */
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
    const sides: { [side in "ahead" | "behind" | "tied" | "level"]: RowResult[] } = {
      ahead: [],
      behind: [],
      tied: [],
      level: [],
    };
    for (const row of others) {
      const gain = figuresOf(row, scope.id)?.subjectGain;
      if (gain) sides[sideOf(gain)].push(row);
    }
    const side = (words: string, rows: readonly RowResult[]) =>
      rows.length > 0 ? ` ${words} ${rows.map(rowName).join("; ")}.` : "";
    const placed = `${side("Ahead of", sides.ahead)}${side("Behind", sides.behind)}${side("Tied with", sides.tied)}${side("Not separable from", sides.level)}`;
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
