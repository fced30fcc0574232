/** What a table of trainings is made from: rows, domains, cells of answers, and what the trainings cost. */
import type { EvaluationRecord } from "../records/evaluation-record.ts";

export interface TableRow {
  id: string;
  label: string;
  /** What it is and how it answers, one line. */
  what: string;
  trained: boolean;
  usesOracle?: boolean;
  /** Published averages in per cent, by column; `agreement.ts` has those of PASR. */
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
  sampledTokens?: number | undefined;
  trainedTokens?: number | undefined;
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
