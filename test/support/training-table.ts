/** Made-up cells of a table of trainings: forty items of each of three domains, right at a given rate. */
import type { TableCell, TableInput, TableRow } from "#evaluation/trainings/input.ts";
import { figuresOf, type TrainingTable } from "#evaluation/trainings/table.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { answerRecord } from "./records.ts";

export const domains = [
  { id: "sums", label: "sums", heldOut: false },
  { id: "programs", label: "programs", heldOut: true },
  { id: "choices", label: "choices", heldOut: true },
];
export const row = (id: string, trained: boolean, more: Partial<TableRow> = {}): TableRow => ({
  id,
  label: id,
  what: "?",
  trained,
  ...more,
});

/** Right where a draw of (item, noise) is below the share; the same noise gives the same answers. */
export function cell(
  name: string,
  domain: string,
  share: number,
  seed?: number,
  noise: number = seed ?? 0,
  items = 40,
): TableCell {
  const records = Array.from({ length: items }, (_, index) => {
    const random = new Random(deriveSeed(noise, domain, index));
    return answerRecord(`${domain}-${index}`, random.chance(share) ? 1 : 0);
  });
  return { row: name, domain, records, ...(seed === undefined ? {} : { seed }) };
}

export function pool(domain: string, share: number, items = 40) {
  const records = Array.from({ length: items }, (_, index) => {
    const random = new Random(deriveSeed(99, domain, index));
    const attempts = Array.from({ length: 8 }, () => {
      const isRight = random.chance(share);
      const answer = isRight ? "right" : `wrong ${random.integer(0, 2)}`;
      return { answer, extracted: answer, accuracy: isRight ? 1 : 0, outputTokens: 20 };
    });
    const usage = { calls: 1, inputTokens: 10, outputTokens: 160, milliseconds: 1 };
    return answerRecord(`${domain}-${index}`, 0, { attempts, usage });
  });
  return { domain, records };
}

export const everywhere = (name: string, share: number, seed?: number, noise?: number) =>
  domains.map(({ id }) => cell(name, id, share, seed, noise));

export function input(rows: TableRow[], cells: TableCell[], more: Partial<TableInput> = {}): TableInput {
  return { rows, domains, cells, pool: [], costs: [], base: "base", subject: "pasr", seed: 1, draws: 2000, ...more };
}

export function overall(table: TrainingTable, id: string) {
  return figuresOf(table.rows.find((own) => own.id === id)!, "mean:all")!;
}

export const two = [row("base", false), row("pasr", true)];
export const three = [1, 2, 3];
