/** Rows of data that a training does not use: each is named in the run's record, their count is printed, and a strict run stops instead. */
import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import { getOrMake } from "#kernel/values.ts";
import type { RunDirectory } from "#record/run-directory.ts";

export interface LeftOutRow {
  file: string;
  /** One-based; absent where only its id is known. */
  line?: number | undefined;
  id?: string | undefined;
  /** What it would have been used for. */
  use: "training" | "validation" | "measuring";
  /** Completes “because …”; what stands in brackets at its end is of this row alone. */
  because: string;
}

/** In the run directory, a row a line. */
const fileName = "left-out.jsonl";

/** One sentence for each file, use and reason. */
export function leftOutNotes(rows: readonly LeftOutRow[]): string[] {
  const groups = new Map<string, LeftOutRow[]>();
  for (const row of rows) getOrMake(groups, [row.file, row.use, kindOf(row)].join("\n"), () => []).push(row);
  return [...groups.values()].map((group) => {
    const { file, use } = group[0];
    const are = counted(group.length, "row is", "rows are");
    return `${file}: ${are} left out of ${use}, because ${kindOf(group[0])} (${placesOf(group)})`;
  });
}

function kindOf({ because }: LeftOutRow): string {
  return because.replace(/ \([^()]*\)$/, "");
}

function placesOf(rows: readonly LeftOutRow[]): string {
  const lines = rows.flatMap(({ line }) => line ?? []);
  const shown = (lines.length === rows.length ? lines : rows.map(({ id, line }) => id ?? line ?? "?")).slice(0, 5).join(", ");
  const name = lines.length < rows.length ? "" : rows.length === 1 ? "line " : "lines ";
  return `${name}${shown}${rows.length > 5 ? ` and ${rows.length - 5} more` : ""}`;
}

/** Told of rows as they are found, before anything is trained. */
export type LeaveOut = (rows: readonly LeftOutRow[], told?: { isSaid?: boolean }) => void;

/** `isSaid`: their sentences were printed already. */
export function leavingOut(
  run: Pick<RunDirectory, "writeFile" | "event">,
  { strict = false, onNote }: { strict?: boolean | undefined; onNote: (text: string) => void },
): LeaveOut {
  const all: LeftOutRow[] = [];
  return (rows, { isSaid = false } = {}) => {
    if (rows.length === 0) return;
    all.push(...rows);
    const file = run.writeFile(fileName, all.map((row) => `${JSON.stringify(row)}\n`).join(""));
    run.event("note", { leftOut: rows.length, leftOutInAll: all.length, file: fileName });
    if (strict) throw strictly(rows, file);
    if (!isSaid) leftOutNotes(rows).forEach(onNote);
    onNote(`${counted(all.length, "row")} left out in all; ${file} names each`);
  };
}

function strictly(rows: readonly LeftOutRow[], file: string) {
  return userError(
    "rows-left-out",
    `${counted(rows.length, "row")} would be left out: ${leftOutNotes(rows).slice(0, 3).join("; ")}`,
    `Mend or remove them (${file} names each), or leave --strict out.`,
  );
}
