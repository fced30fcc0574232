/** A row's figures over one scope: by itself, against the base, against the subject, and against the base resampled at equal tokens. */
import { mean } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { knownFields } from "../records/evaluation-record.ts";
import { holm, type Interval, meanKnown } from "../statistics/statistics.ts";
import { clusterShares, comparePaired, flipP } from "../summary/paired-columns.ts";
import { type Drawn, difference, estimate, type TableDraws } from "./draws.ts";
import type { TableScope, TrainingCost } from "./input.ts";
import { type DomainPool, samplesAt } from "./pool.ts";

/**
 * A paired difference of accuracies, its interval over items and seeds, and a two-sided p. Between single runs p is over the items: exact
 * McNemar on one domain, sign flips otherwise. Where a row has several seeds, sign flips of the items' means over them would take these very
 * trainings for granted, so that p is the bootstrap's, over items and seeds. Of few items that differ the bootstrap is too sure; then p is
 * the larger of the two.
 */
export interface Gain {
  difference: number;
  interval: Interval;
  pValue: number;
  /** Corrected by Holm over the rows of the same scope and kind of gain. */
  pHolm: number;
  /** Which of them. */
  test: "mcnemar" | "sign-flip" | "bootstrap";
}

export interface RowFigures {
  scope: string;
  accuracy: number;
  interval: Interval;
  /** Empty for an untrained row. */
  perSeed: { seed: number; accuracy: number }[];
  /** Answers of all seeds and domains of the scope; those that failed count as wrong. */
  answers: number;
  failures: number;
  /** Mean tokens of an answer, sampled ones and with prompts, each domain weighing the same; absent where more than a tenth is unknown. */
  generated?: number;
  all?: number;
  /** This row − the base. Absent for the base. */
  overBase?: Gain;
  /** The subject − this row. Absent for the subject. */
  subjectGain?: Gain;
  /** The base resampled at this row's sampled tokens. */
  resampling?: {
    accuracy: number;
    interval: Interval;
    /** Mean over the domains; `outside`: somewhere the tokens pay for less than a sample, or for more than the pool has. */
    samples: number;
    outside: ("below" | "above")[];
    /** This row − resampling. */
    difference: number;
    differenceInterval: Interval;
  };
}

export interface FiguresContext {
  draws: TableDraws;
  pools: ReadonlyMap<string, DomainPool>;
  base: string;
  subject: string;
  seed: number;
}

/** Undefined where the row has no seed that is complete in all of the scope's domains. */
export function rowFigures(row: string, scope: TableScope, context: FiguresContext): RowFigures | undefined {
  const { draws, base, subject, seed: runSeed } = context;
  const { domains } = scope;
  const own = draws.row(row, domains);
  if (!own) return undefined;
  const seeds = draws.seedsOf(row, domains);
  const bySeed = seeds.map((seed) => draws.cells(row, seed, domains));
  const cells = bySeed.flat();
  const { value: accuracy, interval } = estimate(own, 0);
  const tokens = (kind: "generated" | "all") => domains.map((_, at) => meanKnown(bySeed.flatMap((seed) => seed[at][kind])));
  const generated = tokens("generated");
  const gainOf = (name: string, first: Drawn | undefined, second: Drawn | undefined, of = row) =>
    first && second ? gain(first, second, deriveSeed(runSeed, "gain", scope.id, name, of)) : undefined;
  const overBase = row === base ? undefined : gainOf("base", own, draws.row(base, domains));
  // Subject against base is one test, whichever row it stands in.
  const subjectGain =
    row === subject
      ? undefined
      : row === base
        ? gainOf("base", draws.row(subject, domains), own, subject)
        : gainOf("subject", draws.row(subject, domains), own);
  const resampling = resamplingBeside(own, generated, scope, context);
  return {
    scope: scope.id,
    accuracy,
    interval,
    perSeed: seeds.flatMap((seed, index) =>
      seed === undefined ? [] : [{ seed, accuracy: mean(bySeed[index].map(({ values }) => mean(values))) }],
    ),
    answers: cells.reduce((sum, { values }) => sum + values.length, 0),
    failures: cells.reduce((sum, { failures }) => sum + failures, 0),
    ...knownFields({ generated: meanOfAll(generated), all: meanOfAll(tokens("all")), overBase, subjectGain, resampling }),
  };
}

/** Fills in the corrected p of all gains of one scope and kind. */
export function correctGains(figures: readonly RowFigures[]): void {
  for (const own of Map.groupBy(figures, ({ scope }) => scope).values()) {
    for (const kind of ["overBase", "subjectGain"] as const) {
      const gains = own.flatMap((row) => row[kind] ?? []);
      for (const [gained, corrected] of holm(gains.map((gained) => [gained, gained.pValue]))) gained.pHolm = corrected;
    }
    // The base has no gain over itself, nor the subject one of its own: their comparison stands in both columns, with the larger p of the two.
    const shared = [own.find((row) => !row.subjectGain)?.overBase, own.find((row) => !row.overBase)?.subjectGain];
    const [first, second] = shared;
    if (first && second) first.pHolm = second.pHolm = Math.max(first.pHolm, second.pHolm);
  }
}

function gain(first: Drawn, second: Drawn, seed: number): Gain {
  const both = difference(first, second);
  const { value, interval } = estimate(both, -1);
  const { pValue, test } = testOf(first, second, both, seed);
  return { difference: value, interval, pValue, pHolm: pValue, test };
}

/** With fewer items that differ, sign flips are asked too. */
const enoughDiffering = 30;

function testOf(first: Drawn, second: Drawn, both: Drawn, seed: number): Pick<Gain, "pValue" | "test"> {
  if (both.seeds < 2) return itemTest(first, second, seed);
  const drawn = { pValue: drawnP(both.draws), test: "bootstrap" as const };
  const differing = both.parts.flatMap(({ values }) => values.filter((value) => Math.abs(value) > 1e-12)).length;
  if (differing >= enoughDiffering) return drawn;
  const items = itemTest(first, second, seed);
  return drawn.pValue > items.pValue ? drawn : items;
}

function itemTest(first: Drawn, second: Drawn, seed: number): Pick<Gain, "pValue" | "test"> {
  const parts = difference(first, second).parts;
  const [only, ...others] = parts;
  if (only && others.length === 0) return comparePaired(first.parts[0].values, second.parts[0].values, only.clusters, seed);
  const shares = parts.flatMap(({ values, clusters }) => clusterShares(values, clusters).map((share) => share / parts.length));
  return { pValue: flipP(shares, seed), test: "sign-flip" };
}

/** Twice the share of draws on the other side of 0, the observed difference being one of the draws. */
function drawnP(draws: Float64Array): number {
  let below = 0;
  let above = 0;
  for (const value of draws) {
    if (value <= 1e-12) below++;
    if (value >= -1e-12) above++;
  }
  return Math.min(1, (2 * (1 + Math.min(below, above))) / (draws.length + 1));
}

function resamplingBeside(
  own: Drawn,
  tokens: readonly (number | undefined)[],
  { domains }: TableScope,
  { pools, draws }: FiguresContext,
): RowFigures["resampling"] {
  const at = samplesAt(domains, tokens, pools);
  if (!at) return undefined;
  const resampled = draws.samples(domains, at.samples);
  const { value: accuracy, interval } = estimate(resampled, 0);
  const { value, interval: differenceInterval } = estimate(difference(own, resampled), -1);
  return { accuracy, interval, samples: mean(at.samples), outside: at.outside, difference: value, differenceInterval };
}

function meanOfAll(values: readonly (number | undefined)[]): number | undefined {
  return values.every((value) => value !== undefined) ? mean(values) : undefined;
}

type Amount = "steps" | "minutes" | "sampledTokens" | "trainedTokens";

/** Means; one is absent where no run's is known. `runs[amount]` says how many runs are in it. */
export type RowCost = { [amount in Amount]?: number } & { runs: { [amount in Amount]: number } };

const amounts: readonly Amount[] = ["steps", "minutes", "sampledTokens", "trainedTokens"];

export function rowCosts(costs: readonly TrainingCost[]): Map<string, RowCost> {
  return new Map(
    [...Map.groupBy(costs, ({ row }) => row)].map(([row, own]) => {
      const known = amounts.map((amount) => {
        const values = own.flatMap((cost) => (Number.isFinite(cost[amount]) ? [cost[amount]!] : []));
        return [amount, values] as const;
      });
      const runs = Object.fromEntries(known.map(([amount, values]) => [amount, values.length])) as RowCost["runs"];
      const means = Object.fromEntries(known.flatMap(([amount, values]) => (values.length > 0 ? [[amount, mean(values)]] : [])));
      return [row, { ...means, runs }];
    }),
  );
}
