import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { extractMath } from "./extract.ts";

describe("the box", () => {
  test.each([
    [String.raw`so \boxed{\frac{1}{2}} it is`, String.raw`\frac{1}{2}`],
    [String.raw`\boxed{1} no, \boxed{2}.`, "2"],
    [String.raw`\boxed{1} and \boxed{2}`, "1, 2"],
    [String.raw`\boxed{1}\boxed{2}`, "1, 2"],
    [String.raw`$\boxed{(2, 2)} \quad \text{and} \quad \boxed{(6, 2)}$`, "(2, 2), (6, 2)"],
    [String.raw`first \boxed{840}. Then, after much more, \boxed{840}`, "840"],
    [String.raw`$\fbox{7}$`, "7"],
    [String.raw`\boxed 5`, "5"],
    [String.raw`\boxed{3} then \boxed{\frac{1}{2}`, "3"],
    [String.raw`\boxed{5} oops \boxed{}`, "5"],
    [String.raw`\boxed{\text{a \{b\} c}}`, String.raw`\text{a \{b\} c}`],
    [String.raw`<think>\boxed{3}</think> it is \boxed{4}`, "4"],
    [String.raw`<think>a</think><answer>\boxed{7}</answer>`, "7"],
    ["<think>a</think><answer>7</answer>", "7"],
  ])("%s", (completion, answer) => {
    expect(extractMath(completion)).toEqual({ strict: answer, flexible: answer });
  });

  test("a final answer stated after a box on the way is the flexible one", () => {
    const completion = String.raw`Interest is \boxed{255}. Final Answer: The final answer is $10,455$. I hope it is correct.`;
    expect(extractMath(completion)).toEqual({ strict: "255", flexible: "10,455" });
  });
});

describe("other statements", () => {
  test.each([
    ["42", "42"],
    ["The answer is 42.", "42"],
    [String.raw`Final Answer: The final answer is $28 \%$. I hope it is correct.`, String.raw`28 \%`],
    ["Final Answer: The largest $n$ is 34.", "34"],
    [String.raw`**Answer:** \(\frac{3}{4}\)`, String.raw`\frac{3}{4}`],
    [String.raw`Answer \[ 9 \]`, "9"],
    ["The answer is 3. Wait, the answer is 4.", "4"],
    ["The answer is $1$ and $2$.", "1, 2"],
    ["Thus $x=3$ or $x=4$.", "x=3, x=4"],
    ["We get 5.\n\n7", "7"],
    ["#### 18", "18"],
    ["so the number is 10 which is 1,000.99€", "1,000.99"],
    ["Since $d=5$ divides it, we go on. Therefore there are 12 of them.", "12"],
    ["answer: x = 5", "x = 5"],
    [String.raw`\frac{2}{3}`, String.raw`\frac{2}{3}`],
  ])("%s", (completion, answer) => {
    expect(extractMath(completion)).toEqual({ flexible: answer });
  });

  test.each([[""], ["<think>it is 5"], [String.raw`<think>\boxed{5}`], ["we do not know what to do about this because of that"]])(
    "%s: no answer",
    (completion) => {
      expect(extractMath(completion)).toEqual({});
    },
  );
});

test("hostile texts of 100 kB come back at once, and none throws", () => {
  const pieces = [
    String.raw`\boxed{`,
    "$",
    "{",
    "}",
    String.raw`\[`,
    String.raw`\(`,
    "answer is ",
    "1,",
    "<think>",
    " ",
    "*",
    "\n",
    String.raw`\boxed{1},`,
    "Final answer: ",
  ];
  for (const piece of pieces) extractMath(piece.repeat(Math.ceil(100_000 / piece.length)));
  const text = fc.array(fc.oneof(fc.constantFrom(...pieces), fc.string({ maxLength: 4 })), { maxLength: 60 });
  fc.assert(
    fc.property(text, (parts) => {
      const { strict, flexible } = extractMath(parts.join(""));
      expect(strict === undefined || flexible !== undefined).toBe(true);
      expect(strict).not.toBe("");
      expect(flexible).not.toBe("");
    }),
    { numRuns: 1000, seed: 3 },
  );
});
