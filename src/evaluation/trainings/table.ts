/**
 * A table of trainings: rows are ways to make one base better, columns are domains, numbers are means over seeds and items with intervals
 * over both. Beside each row stands what the base reaches by voting over samples at the row's own tokens, and beside the order of the rows
 * a published one. Pure: records in, plain JSON out; `render.ts` writes it down.
 */
import { type Agreement, agreements } from "./agreement.ts";
import { type MissingCell, readCells } from "./cells.ts";
import { TableDraws } from "./draws.ts";
import { correctGains, type RowCost, type RowFigures, rowCosts, rowFigures } from "./figures.ts";
import type { TableDomain, TableInput, TableScope } from "./input.ts";
import { poolsOf, type ScopeCurve, scopeCurve } from "./pool.ts";

export interface RowResult {
  id: string;
  label: string;
  what: string;
  trained: boolean;
  oracle: boolean;
  paper?: { [column: string]: number };
  /** By scope; one is absent where any of its domains has no complete answers. */
  figures: RowFigures[];
  cost?: RowCost;
}

export interface TrainingTable {
  schema: 1;
  base: string;
  subject: string;
  /** Seeds that every trained row should have. */
  seeds: number[];
  scopes: TableScope[];
  /** Test items of each domain. */
  items: { [domain: string]: number };
  rows: RowResult[];
  /** The base resampled, by scope. */
  curves: ScopeCurve[];
  missing: MissingCell[];
  /** Domains without a resampling baseline, and why. */
  missingPools: { domain: string; reason: string }[];
  agreement: Agreement[];
  draws: number;
}

export function trainingTable(input: TableInput): TrainingTable {
  const { rows, base, subject } = input;
  const answers = readCells(input);
  const scopes = scopesOf(input.domains);
  const { pools, missing: missingPools } = poolsOf(input, answers);
  const draws = new TableDraws(answers, pools, { seed: input.seed, draws: input.draws ?? 10_000 });
  const context = { draws, pools, base, subject, seed: input.seed };
  const figures = new Map(rows.map(({ id }) => [id, scopes.flatMap((scope) => rowFigures(id, scope, context) ?? [])]));
  correctGains([...figures.values()].flat());
  const costs = rowCosts(input.costs);
  const results = rows.map(({ id, label, what, trained, usesOracle, paper }): RowResult => {
    const cost = trained ? costs.get(id) : undefined;
    return {
      id,
      label,
      what,
      trained,
      oracle: usesOracle === true,
      figures: figures.get(id)!,
      ...(paper ? { paper: { ...paper } } : {}),
      ...(cost ? { cost } : {}),
    };
  });
  const overall = scopes.at(-1)!;
  return {
    schema: 1,
    base,
    subject,
    seeds: [...answers.seeds],
    scopes,
    items: Object.fromEntries(answers.domains.map(({ domain, items }) => [domain, items.length])),
    rows: results,
    curves: scopes.flatMap((scope) => scopeCurve(scope, pools, draws) ?? []),
    missing: answers.missing,
    missingPools,
    agreement: agreements(rows, (row) => draws.row(row, overall.domains)),
    draws: draws.count,
  };
}

/** Each domain, then the means over the trained-on and over the held-out ones where those are several, then the mean over all. */
function scopesOf(domains: readonly TableDomain[]): TableScope[] {
  const mean = (kind: "in-domain" | "held-out", of: readonly TableDomain[]): TableScope[] =>
    of.length > 1 && of.length < domains.length
      ? [{ id: `mean:${kind}`, label: `mean of ${kind}`, kind, domains: of.map(({ id }) => id), heldOut: kind === "held-out" }]
      : [];
  return [
    ...domains.map(({ id, label, heldOut }): TableScope => ({ id, label, kind: "domain", domains: [id], heldOut })),
    ...mean(
      "in-domain",
      domains.filter(({ heldOut }) => !heldOut),
    ),
    ...mean(
      "held-out",
      domains.filter(({ heldOut }) => heldOut),
    ),
    { id: "mean:all", label: "mean of all", kind: "overall", domains: domains.map(({ id }) => id), heldOut: false },
  ];
}

/** The figures of a row over one scope, where they are known. */
export function figuresOf(row: RowResult, scope: string): RowFigures | undefined {
  return row.figures.find((figures) => figures.scope === scope);
}
