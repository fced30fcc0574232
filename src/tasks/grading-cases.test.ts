/**
 * Answers on which graders elsewhere were found wrong, in a file beside the checkout: lines as `midcourse grade` takes them, each with its kind and
 * the verdict that is expected. No wrong answer is right by the strict reading, and at least 98 % of each kind are as expected.
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { gradeRecords } from "./grading.ts";

interface Case {
  id: string;
  kind: string;
  expected: boolean;
}

const file = path.join(import.meta.dirname, "../../../shared/faults/grading-cases.jsonl");
const isThere = existsSync(file);
if (!isThere) console.log(`The cases are skipped: ${file} is not there.`);

/** Whoever mends a kind adds it here. */
const kinds = ["math", "number", "integer", "choice", "drop", "humaneval"];
const leastAsExpected = 0.98;

describe.skipIf(!isThere)("cases of public reports", () => {
  const cases = isThere
    ? readFileSync(file, "utf8")
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line) as Case)
    : [];

  test.each(kinds)("%s", { timeout: 240_000 }, async (kind) => {
    const own = cases.filter((each) => each.kind === kind);
    async function* lines() {
      for (const [index, each] of own.entries()) yield { number: index + 1, text: JSON.stringify(each) };
    }
    const strictlyWrong: unknown[] = [];
    const others: unknown[] = [];
    let place = 0;
    for await (const record of gradeRecords(lines(), { kind })) {
      const each = own[place++];
      const isRight = "equal" in record ? record.equal : "correct" in record && record.correct;
      if (!("error" in record) && isRight === each.expected) continue;
      others.push({ case: each, record });
      if (!each.expected && !("error" in record) && record.strict) strictlyWrong.push({ case: each, record });
    }
    expect(place).toBe(own.length);
    expect(strictlyWrong).toEqual([]);
    expect(others.length, JSON.stringify(others, undefined, 1)).toBeLessThanOrEqual(own.length * (1 - leastAsExpected));
  });
});
