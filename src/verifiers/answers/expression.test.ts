import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { evaluateExpression, expressionVerifier } from "./expression.ts";
import { toNumber } from "./rational.ts";

const value = (text: string, form?: "infix" | "prefix") => {
  const result = evaluateExpression(text, form);
  return result && toNumber(result);
};

type Tree = number | { operator: string; left: Tree; right: Tree };
const trees = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc.integer({ min: 0, max: 999 }),
    fc.record({ operator: fc.constantFrom("+", "-", "*", "/"), left: tie("tree"), right: tie("tree") }),
  ),
})).tree;
const infix = (tree: Tree): string =>
  typeof tree === "number" ? `${tree}` : `(${infix(tree.left)} ${tree.operator} ${infix(tree.right)})`;
const prefix = (tree: Tree): string =>
  typeof tree === "number" ? `${tree}` : `${tree.operator} ${prefix(tree.left)} ${prefix(tree.right)}`;
const compute = (tree: Tree): number => {
  if (typeof tree === "number") return tree;
  const [left, right] = [compute(tree.left), compute(tree.right)];
  if (tree.operator === "+") return left + right;
  if (tree.operator === "-") return left - right;
  return tree.operator === "*" ? left * right : left / right;
};

describe("expression", () => {
  it.each([
    ["2 + 3 * 4", 14],
    ["(2+3)*4", 20],
    ["10 - 4 - 3", 3],
    ["12 / 4 / 3", 1],
    ["-3 + 5", 2],
    ["0.1 + 0.2", 0.3],
    ["+ 3 * 4 - 2 1", 7],
    ["- 10 18", -8],
    ["- + 3 4 5", 2],
    ["6 × 7 ÷ 2 − 1", 20],
    ["- 5", -5],
  ])("%s = %d", (text, wanted) => {
    expect(value(text)).toBe(wanted);
  });

  it.each(["", "1 +", "1 / 0", "(1", "1)", "1 2", "+ 1", "process.exit()", "2 ** 3", "1,5", "+ 1 2 3", "/ 1 0"])(
    "refuses %j",
    (text) => {
      expect(value(text, text === "+ 1" ? "prefix" : undefined)).toBeUndefined();
    },
  );

  it("agrees with ordinary arithmetic on random trees, in infix and in prefix form", () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const wanted = compute(tree);
        const [first, second] = [value(infix(tree), "infix"), value(prefix(tree), "prefix")];
        expect(first).toBe(second);
        if (first !== undefined && Number.isFinite(wanted))
          expect(Math.abs(first - wanted)).toBeLessThanOrEqual(1e-6 * (1 + Math.abs(wanted)));
      }),
    );
  });

  it("bounds its work: endless products and deep brackets end at once without a value", () => {
    expect(value(Array(200).fill("9999").join("*"))).toBeUndefined();
    expect(value(`${"(".repeat(5000)}1${")".repeat(5000)}`)).toBeUndefined();
    expect(value(`${"(".repeat(400)}1${")".repeat(400)}`)).toBe(1);
  });

  it("never throws", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(..."0123456789.+-*/() x") }), (text) => void evaluateExpression(text)),
    );
  });

  it("grades an expression by its value", () => {
    const item = { id: "1", question: "?", answer: "-8.0" };
    expect(expressionVerifier()(item, "- 10 18", "").accuracy).toBe(1);
    expect(expressionVerifier()(item, "18 - 10", "").accuracy).toBe(0);
    expect(expressionVerifier({ tolerance: "0.01" })({ ...item, answer: "0.33" }, "/ 1 3", "").accuracy).toBe(1);
  });
});
