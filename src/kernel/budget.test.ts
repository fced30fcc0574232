import { expect, test } from "vitest";
import { withinBudget } from "./budget.ts";
import { noUsage } from "./model.ts";

const spent = { calls: 2, inputTokens: 60, outputTokens: 40, milliseconds: 5 };

test.each([
  [{}, true],
  [{ tokens: 101 }, true],
  [{ tokens: 100 }, false],
  [{ outputTokens: 41 }, true],
  [{ outputTokens: 40 }, false],
  [{ calls: 3 }, true],
  [{ calls: 2 }, false],
  [{ calls: 3, tokens: 5 }, false],
])("two calls with 100 tokens under %j: another call is %j", (budget, allowed) => {
  expect(withinBudget(budget)(spent)).toBe(allowed);
});

test("nothing spent is below every cap but 0", () => {
  expect(withinBudget({ tokens: 1, calls: 1, dollars: 0.01, seconds: 1 })(noUsage)).toBe(true);
  expect(withinBudget({ dollars: 0 })(noUsage)).toBe(false);
});

test("what is not known cannot be shown to be within its cap", () => {
  expect(withinBudget({ dollars: 1 })(spent)).toBe(false);
  expect(withinBudget({ tokens: 1e9 })({ ...spent, inputTokens: undefined })).toBe(false);
  expect(withinBudget({ outputTokens: 1e9 })({ ...spent, inputTokens: undefined })).toBe(true);
});

test("the clock starts when the budget is made", () => {
  let now = 1000;
  const mayCall = withinBudget({ seconds: 2 }, () => now);
  expect(mayCall(noUsage)).toBe(true);
  now += 2000;
  expect(mayCall(noUsage)).toBe(false);
});

test("a slip is no cap, and is refused", () => {
  const slip = (budget: object) => () => withinBudget(budget);
  expect(slip({ token: 4000 })).toThrow("budget has no option “token”");
  expect(slip({ tokens: -1 })).toThrow("budget: tokens=-1 is not a number from 0");
  expect(slip({ tokens: Number.NaN })).toThrow("tokens=NaN is not");
  expect(slip({ calls: "2" })).toThrow('calls="2" (a text) is not');
  expect(slip({ tokens: Number.POSITIVE_INFINITY, calls: undefined, dollars: 0.5 })).not.toThrow();
});
