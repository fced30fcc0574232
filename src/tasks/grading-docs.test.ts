import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";
import { gradeRecords } from "./grading.ts";

const page = readFileSync(path.join(import.meta.dirname, "../../docs/grading.md"), "utf8");
const examples = [...page.matchAll(/```jsonl\n([\s\S]*?)```/g)]
  .flatMap(([, block]) => block.trim().split("\n"))
  .map((line) => JSON.parse(line) as { kind: string; expected: boolean });

test.each([...new Set(examples.map(({ kind }) => kind))])("what docs/grading.md says of kind %s is so", async (kind) => {
  const own = examples.filter((example) => example.kind === kind);
  async function* lines() {
    for (const [index, example] of own.entries()) yield { number: index + 1, text: JSON.stringify(example) };
  }
  const wrong: unknown[] = [];
  let place = 0;
  for await (const record of gradeRecords(lines(), { kind })) {
    const example = own[place++];
    if (!("equal" in record) || record.equal !== example.expected) wrong.push({ example, record });
  }
  expect(wrong).toEqual([]);
  expect(place).toBe(own.length);
});
