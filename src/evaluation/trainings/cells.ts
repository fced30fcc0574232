/** Cells of answers as columns of numbers over the same items. A cell that lacks an item is no cell: it is named, and never counted as 0. */

import { bugError } from "#kernel/errors.ts";
import { addCounts, type ReasoningCount } from "#kernel/model.ts";
import { counted } from "#kernel/numbers.ts";
import { type ReasoningConvention, reasoningConvention, settledUsage } from "#kernel/reasoning-count.ts";
import { allTokens, type EvaluationRecord } from "../records/evaluation-record.ts";
import type { TableInput } from "./input.ts";

export interface CellAnswers {
  /** Accuracy of each item, in the domain's order; 0 where the answer failed. */
  values: number[];
  failures: number;
  /** Tokens of each answer: sampled ones, and with prompts. */
  generated: (number | undefined)[];
  all: (number | undefined)[];
}

export interface DomainAnswers {
  domain: string;
  /** In ascending order of their ids. */
  items: string[];
  /** What each item goes together with; its own id where it stands alone. */
  clusters: string[];
  /** Complete cells by `cellKey`. */
  cells: Map<string, CellAnswers>;
}

export interface MissingCell {
  row: string;
  seed?: number;
  domain: string;
  reason: string;
}

export interface TableAnswers {
  domains: DomainAnswers[];
  /** Seeds that every trained row should have, ascending. */
  seeds: number[];
  missing: MissingCell[];
}

export function cellKey(row: string, seed: number | undefined): string {
  return JSON.stringify([row, seed ?? null]);
}

export function readCells(input: TableInput): TableAnswers {
  const rows = new Map(input.rows.map((row) => [row.id, row]));
  const own = input.cells.filter(({ row }) => rows.has(row));
  for (const { row, seed, domain } of own) {
    if (rows.get(row)!.trained !== (seed !== undefined))
      throw bugError("table-cell", `${row} on ${domain}: trained rows have a seed, untrained ones have none`);
  }
  const seeds = [...new Set(input.seeds ?? own.flatMap(({ seed }) => (seed === undefined ? [] : [seed])))].sort((a, b) => a - b);
  const missing: MissingCell[] = [];
  const convention = conventionOf(own.flatMap(({ records }) => records));
  const domains = input.domains.map(({ id: domain }): DomainAnswers => {
    const found = new Map<string, Map<string, EvaluationRecord>>();
    for (const { row, seed, domain: where, records } of own) {
      if (where !== domain) continue;
      const key = cellKey(row, seed);
      if (found.has(key)) throw bugError("table-cell", `${row} on ${domain} has two cells of ${seed ?? "no"} seed`);
      found.set(key, lastOfEach(records));
    }
    const clusterOf = new Map<string, string>();
    for (const records of found.values())
      for (const [item, { cluster }] of records) if (!clusterOf.has(item)) clusterOf.set(item, cluster ?? item);
    const items = [...clusterOf.keys()].sort();
    const cells = new Map<string, CellAnswers>();
    for (const { id: row, trained } of input.rows) {
      // A trained row is missed once even when no seed is known at all.
      for (const seed of trained && seeds.length > 0 ? seeds : [undefined]) {
        const records = found.get(cellKey(row, seed));
        if (records && records.size === items.length && items.length > 0)
          cells.set(cellKey(row, seed), answersOf(records, items, convention));
        else {
          const reason = records?.size ? `${records.size} of ${counted(items.length, "answer")}` : "no answers";
          missing.push({ row, ...(seed === undefined ? {} : { seed }), domain, reason });
        }
      }
    }
    return { domain, items, clusters: items.map((item) => clusterOf.get(item)!), cells };
  });
  return { domains, seeds, missing };
}

/** A later answer to an item is a failed one tried again. */
export function lastOfEach(records: readonly EvaluationRecord[]): Map<string, EvaluationRecord> {
  return new Map(records.map((record) => [record.item, record]));
}

/** One way of counting reasoning for all cells, as the table of an evaluation has it. */
function conventionOf(records: readonly EvaluationRecord[]): ReasoningConvention | undefined {
  const count = records.reduce<ReasoningCount | undefined>((sum, { usage }) => addCounts(sum, usage.reasoningCount), undefined);
  return count && reasoningConvention(count);
}

function answersOf(
  records: ReadonlyMap<string, EvaluationRecord>,
  items: readonly string[],
  convention: ReasoningConvention | undefined,
): CellAnswers {
  const ordered = items.map((item) => records.get(item)!);
  const usages = ordered.map(({ usage }) => settledUsage(usage, convention));
  const failed = ordered.map(({ error, accuracy }) => error !== undefined || !Number.isFinite(accuracy));
  return {
    values: ordered.map(({ accuracy }, index) => (failed[index] ? 0 : accuracy)),
    failures: failed.filter(Boolean).length,
    generated: usages.map(({ outputTokens }) => outputTokens),
    all: usages.map(allTokens),
  };
}
