/**
 * The base resampled: votes over 1, 2, 3 … plain samples of the same items, or its greedy answer where that is better (cost-curve.ts says
 * why), read at a row's own sampled tokens.
 */

import { counted, mean } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { slimRecord } from "../records/slim-record.ts";
import type { Interval } from "../statistics/statistics.ts";
import { type CostCurve, costCurve, curveAt, withPlainFloor } from "../summary/cost-curve.ts";
import { reasoningOf, settledRecords } from "../summary/reasoning.ts";
import type { CurvePoint } from "../summary/results.ts";
import { cellKey, type DomainAnswers, lastOfEach, type TableAnswers } from "./cells.ts";
import { estimate, type TableDraws } from "./draws.ts";
import type { TableInput, TableScope } from "./input.ts";

export interface DomainPool {
  curve: CostCurve;
  /** `perItem[k − 1][i]`: expected accuracy of k samples of item i, in the domain's order. */
  perItem: number[][];
}

export interface ScopeCurve {
  scope: string;
  /** `generated` and `all`: mean tokens of an answer, sampled ones and with prompts. */
  points: { samples: number; generated: number; all: number; accuracy: number; interval: Interval }[];
}

export function poolsOf(
  { pool, base, seed }: TableInput,
  { domains }: TableAnswers,
): { pools: Map<string, DomainPool>; missing: { domain: string; reason: string }[] } {
  const pools = new Map<string, DomainPool>();
  const missing: { domain: string; reason: string }[] = [];
  for (const answers of domains) {
    const records = pool.flatMap(({ domain, records: own }) => (domain === answers.domain ? own : []));
    const made = poolOf(answers, [...lastOfEach(records).values()], base, deriveSeed(seed, "pool", answers.domain));
    if (typeof made === "string") missing.push({ domain: answers.domain, reason: made });
    else pools.set(answers.domain, made);
  }
  return { pools, missing };
}

function poolOf(
  { items, clusters, cells }: DomainAnswers,
  records: Parameters<typeof slimRecord>[0][],
  base: string,
  seed: number,
): DomainPool | string {
  if (items.length === 0) return "no answers to compare with";
  const clusterAt = new Map(items.map((item, index) => [item, clusters[index]]));
  const told = records.filter(({ item }) => clusterAt.has(item)).map((record) => slimRecord(record));
  const own = settledRecords(told, reasoningOf(told)?.convention);
  const clusterOf = (item: string) => clusterAt.get(item)!;
  const sampled = costCurve(own, { rule: "vote", seed, clusterOf });
  if ("missing" in sampled) return sampled.missing;
  // A baseline on other items would not be paired with the rows.
  if (sampled.items.length < items.length) return `whole samples of ${sampled.items.length} of ${counted(items.length, "item")}`;
  const greedy = cells.get(cellKey(base, undefined))?.values;
  const plain = new Map(greedy?.map((accuracy, index) => [items[index], accuracy]));
  const curve = withPlainFloor(sampled, plain, clusterOf, seed);
  const place = new Map(curve.items.map((item, index) => [item, index]));
  return { curve, perItem: curve.perItem.map((values) => items.map((item) => values[place.get(item)!])) };
}

/** How many samples a row's tokens pay for, in each domain; undefined where a domain has no pool or the tokens are not known. */
export function samplesAt(
  domains: readonly string[],
  tokens: readonly (number | undefined)[],
  pools: ReadonlyMap<string, DomainPool>,
): { samples: number[]; outside: ("below" | "above")[] } | undefined {
  const at = domains.flatMap((domain, index) => {
    const pool = pools.get(domain);
    const cost = tokens[index];
    return pool && cost !== undefined ? [curveAt(pool.curve, cost, (point: CurvePoint) => point.generated)] : [];
  });
  if (at.length < domains.length) return undefined;
  return { samples: at.map(({ samples }) => samples), outside: [...new Set(at.flatMap(({ outside }) => outside ?? []))] };
}

export function scopeCurve(scope: TableScope, pools: ReadonlyMap<string, DomainPool>, draws: TableDraws): ScopeCurve | undefined {
  const own = scope.domains.flatMap((domain) => pools.get(domain) ?? []);
  if (own.length === 0 || own.length < scope.domains.length) return undefined;
  const most = Math.min(...own.map(({ curve }) => curve.points.length));
  const points = Array.from({ length: most }, (_, index) => {
    const samples = index + 1;
    const { value, interval } = estimate(
      draws.samples(
        scope.domains,
        scope.domains.map(() => samples),
      ),
      0,
    );
    const tokens = (kind: "generated" | "all") => mean(own.map(({ curve }) => curve.points[index][kind]));
    return { samples, generated: tokens("generated"), all: tokens("all"), accuracy: value, interval };
  });
  return { scope: scope.id, points };
}
