/** Short tables of answers and of what they are to be graded as. */
import { expect } from "vitest";
import { gradeRecords } from "#tasks/grading.ts";

/** An answer, the reference it is right for (null: none), and references it is wrong for. */
export type ReadAs = readonly [answer: string, right: string | null, ...wrong: string[]];

interface Line {
  kind: string;
  gold?: string | readonly (readonly string[])[];
  choices?: readonly string[];
  item?: unknown;
  answer: string;
  expected: boolean;
}

/** Every line as expected, and no wrong one right by the strict reading. */
export async function expectGrades(lines: readonly Line[]): Promise<void> {
  const kind = lines[0].kind;
  async function* numbered() {
    for (const [index, line] of lines.entries()) yield { number: index + 1, text: JSON.stringify(line) };
  }
  const wrong: string[] = [];
  let place = 0;
  for await (const record of gradeRecords(numbered(), { kind })) {
    const line = lines[place++];
    const found = "error" in record ? record.error : "equal" in record ? record.equal : record.correct;
    if (found === line.expected && !("error" in record) && !(record.strict && !line.expected)) continue;
    const strict = "error" in record ? "" : record.strict ? " STRICT" : "";
    const read = "error" in record ? "" : JSON.stringify(record.extracted ?? ("status" in record ? record.status : ""));
    const gold = line.item === undefined ? JSON.stringify(line.gold) : "";
    wrong.push(`${found}${strict}, expected ${line.expected}: gold ${gold} answer ${JSON.stringify(line.answer)} read ${read}`);
  }
  expect(wrong).toEqual([]);
  expect(place).toBe(lines.length);
}

/** The lines of a table. */
export function linesOf(kind: string, table: readonly ReadAs[]): Line[] {
  return table.flatMap(([answer, right, ...wrong]) => [
    ...(right === null ? [] : [{ kind, gold: right, answer, expected: true }]),
    ...wrong.map((gold) => ({ kind, gold, answer, expected: false })),
  ]);
}

export const expectReadings = (kind: string, table: readonly ReadAs[]): Promise<void> => expectGrades(linesOf(kind, table));

/** The lines of a table of answers to one question with options. */
export function expectChoices(choices: readonly string[], table: readonly ReadAs[]): Promise<void> {
  return expectGrades(linesOf("choice", table).map((line) => ({ ...line, choices })));
}
