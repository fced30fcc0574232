/** What a folder of the table holds, finished or not: cells of answers, costs of trainings, rounds of PTR, refinements. */
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import type { TableCell, TableDomain, TableInput } from "#evaluation/trainings/input.ts";
import { worldDomains } from "#tasks/world/domains.ts";
import { ablationRows, described, type TableOneRow, tableOneRows } from "./rows.ts";
import { longRounds, readAnswers, unitNames } from "./table-one.ts";
import { isDone, readDone } from "./units.ts";

export const tableDomains: TableDomain[] = worldDomains.map(({ id, label, heldOut }) => ({ id, label, heldOut }));

/** Rows of the second table: the paper's ablations of the reward, between the base and PASR. */
const ablationTable: readonly TableOneRow[] = [
  ...tableOneRows.filter(({ id }) => ["base", "pasr-prompt", "pasr"].includes(id)),
  ...ablationRows,
];

export interface TableOneInputs {
  table: TableInput;
  ablation: TableInput;
  /** Answers of PTR's model and of the base's to the sums, round by round; one list for each seed. */
  rounds: { row: string; records: EvaluationRecord[][] }[];
  /** Every row's answers by seed, for looking at refinements and transitions. */
  answers: { row: TableOneRow; records: EvaluationRecord[] }[];
}

export function readTableOne(folder: string, seeds: number): TableOneInputs {
  const input = (rows: readonly TableOneRow[]): TableInput => ({
    rows: rows.map(described),
    domains: tableDomains,
    cells: rows.flatMap((row) => cellsOf(folder, row, seeds)),
    pool: worldDomains.map(({ id }) => ({ domain: id, records: readAnswers(folder, unitNames.pool, id) })),
    costs: rows.flatMap((row) => costsOf(folder, row, seeds)),
    base: "base",
    subject: "pasr",
    seed: 1,
  });
  const seedsOf = ({ trained }: TableOneRow) => (trained ? Array.from({ length: seeds }, (_, index) => index + 1) : [0]);
  const answersOf = (row: TableOneRow, name: string) =>
    seedsOf(row)
      .map((seed) => readAnswers(folder, unitNames.row(row, seed), name))
      .filter((records) => records.length > 0);
  const rounds = tableOneRows
    .filter(({ id }) => id === "base" || id === "ptr")
    .map((row) => ({ row: row.label, records: answersOf(row, longRounds) }));
  const answers = [...tableOneRows, ...ablationRows].map((row) => ({
    row,
    records: worldDomains.flatMap(({ id }) => answersOf(row, id).flat()),
  }));
  return { table: input(tableOneRows), ablation: input(ablationTable), rounds, answers };
}

/** Only what is finished counts: half of the answers would be other problems than the rest's. */
function cellsOf(folder: string, row: TableOneRow, seeds: number): TableCell[] {
  const of = (seed: number): TableCell[] => {
    const unit = unitNames.row(row, seed);
    if (!isDone(folder, unit)) return [];
    return worldDomains.map(({ id }) => ({
      row: row.id,
      domain: id,
      records: readAnswers(folder, unit, id),
      ...(row.trained ? { seed } : {}),
    }));
  };
  return row.trained ? Array.from({ length: seeds }, (_, index) => of(index + 1)).flat() : of(0);
}

function costsOf(folder: string, row: TableOneRow, seeds: number): TableInput["costs"] {
  if (!row.trained) return [];
  return Array.from({ length: seeds }, (_, index) => index + 1).flatMap((seed) => {
    const unit = unitNames.row(row, seed);
    if (!isDone(folder, unit)) return [];
    const { sampledTokens, trainedTokens, steps, minutes } = readDone(folder, unit) as Record<string, number | undefined>;
    // Where a training was interrupted, what it cost is not known.
    if (steps === undefined || minutes === undefined) return [];
    return [{ row: row.id, seed, sampledTokens, trainedTokens, steps, minutes }];
  });
}
