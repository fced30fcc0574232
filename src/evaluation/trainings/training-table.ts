/**
 * A table of trainings: rows are ways to make one base better, columns are domains, numbers are means over seeds and items with intervals
 * over both. Beside each row stands what the base reaches by voting over samples at the row's own tokens, and beside the order of the rows
 * a published one. Pure: records in, plain JSON out; `training-table-markdown.ts` and `training-table-html.ts` write it down.
 */
import type { EvaluationRecord } from "../records/evaluation-record.ts";
import { type Agreement, agreements } from "./training-table-agreement.ts";
import { type MissingCell, readCells } from "./training-table-cells.ts";
import { type RowCost, rowCosts } from "./training-table-costs.ts";
import { TableDraws } from "./training-table-draws.ts";
import { correctGains, type RowFigures, rowFigures } from "./training-table-figures.ts";
import { poolsOf, type ScopeCurve, scopeCurve } from "./training-table-pool.ts";

export interface TableRow {
  id: string;
  label: string;
  /** What it is and how it answers, one line. */
  what: string;
  trained: boolean;
  usesOracle?: boolean;
  /** Published averages in per cent, by column; `training-table-paper.ts` has those of PASR. */
  paper?: { [column: string]: number };
}

export interface TableDomain {
  id: string;
  label: string;
  /** Nothing was trained on it. */
  heldOut: boolean;
}

/**
 * Greedy answers of one row to one domain's test items. Untrained rows have one cell per domain with the seed undefined; trained ones one
 * per seed. Items are the same for all rows and seeds; where an item was answered twice, the later answer counts.
 */
export interface TableCell {
  row: string;
  seed?: number;
  domain: string;
  records: readonly EvaluationRecord[];
}

/** What a training cost, as measured; what is not known is absent. */
export interface TrainingCost {
  row: string;
  seed: number;
  sampledTokens?: number;
  trainedTokens?: number;
  steps?: number;
  minutes?: number;
}

export interface TableInput {
  rows: readonly TableRow[];
  domains: readonly TableDomain[];
  /** Those of other rows or domains are passed over, so that one list serves several tables. */
  cells: readonly TableCell[];
  /** Sampled plain answers of the base model, one voting method's records per domain (attempts are the samples). */
  pool: readonly { domain: string; records: readonly EvaluationRecord[] }[];
  costs: readonly TrainingCost[];
  /** Row ids: where everybody starts from, and whom the table is about. */
  base: string;
  subject: string;
  /** Of the bootstrap. */
  seed: number;
  /** Seeds that every trained row should have; those that any row has when left out. */
  seeds?: readonly number[];
  /** Draws of the bootstrap; 10,000 when left out. */
  draws?: number;
}

/** What a number is a mean over: one domain, the held-out ones, all; each domain weighs the same. */
export interface TableScope {
  id: string;
  label: string;
  kind: "domain" | "in-domain" | "held-out" | "overall";
  domains: string[];
  /** Domain ids are the only scopes without a mean over domains; they are held out or not. */
  heldOut: boolean;
}

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
