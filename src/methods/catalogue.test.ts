import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { bindMethod, methodCards, parseMethods } from "./catalogue.ts";

const ids = (text: string) => parseMethods(text).map(({ method }) => method.id);

function refusal(text: string): string {
  try {
    parseMethods(text);
  } catch (error) {
    if (MidcourseError.isInstance(error) && error.family === "user") return error.message;
    throw error;
  }
  return "accepted";
}

describe("methods as text", () => {
  test.each([
    ["vanilla", ["vanilla"]],
    [" vanilla , self-refine ", ["vanilla", "self-refine"]],
    ["self-refine(rounds=2)", ["self-refine(rounds=2)"]],
    ["self-refine( choose = last , rounds = 2 )", ["self-refine(rounds=2,choose=last)"]],
    ["self-refine(rounds=3)", ["self-refine"]],
    ["self-refine()", ["self-refine"]],
    ["self-refine:rounds=2", ["self-refine(rounds=2)"]],
    ["self-refine:rounds=2:choose=last,vanilla", ["self-refine(rounds=2,choose=last)", "vanilla"]],
    ["best-of-n(self-refine(rounds=1),n=8)", ["best-of-n(self-refine(rounds=1),n=8)"]],
    ["best-of-n(n=8,over=self-refine:rounds=1)", ["best-of-n(self-refine(rounds=1),n=8)"]],
    ["best-of-n(vanilla)", ["best-of-n(vanilla)"]],
    ["best-of-n:over=vanilla:n=2", ["best-of-n(vanilla,n=2)"]],
    ["mine=best-of-n(n=2),vanilla", ["mine", "vanilla"]],
    ["self-consistency(temperature=.5)", ["self-consistency(temperature=0.5)"]],
    ["self-refine(stop=no)", ["self-refine(stop=false)"]],
    ['vanilla(instruction="Be brief, \\"please\\".\\n")', ['vanilla(instruction="Be brief, \\"please\\".\\n")']],
    ["vanilla(instruction='Sei kurz.')", ['vanilla(instruction="Sei kurz.")']],
    ["vanilla(instruction=kurz)", ["vanilla(instruction=kurz)"]],
  ])("%s", (text, expected) => {
    expect(ids(text)).toEqual(expected);
    // A name in results says how to build the method again.
    for (const id of ids(text)) if (id !== "mine") expect(ids(id)).toEqual([id]);
  });

  test.each([
    ["", "expected the name of a method, found the end"],
    ["vanilla,", "found the end"],
    ["vanilla vanilla", "expected a comma or the end, found “vanilla” (character 9)"],
    ["self-refine(rounds=2", "expected a comma or )"],
    ["self-refine(rounds=)", "expected a value, found “)”"],
    ["self-refine:rounds", "expected =, found the end → Write self-refine:rounds=VALUE."],
    ['vanilla(instruction="x', 'has no closing "'],
    ["self-refin", "there is no method “self-refin” → Did you mean self-refine?"],
    ["cot", "Did you mean chain-of-thought?"],
    ["bon", "Did you mean best-of-n?"],
    ["something", "→ There are: vanilla,"],
    ["self-refine(round=2)", "self-refine has no option “round” → Did you mean rounds? It has: rounds, variant"],
    ["self-refine(2)", "→ Options have names, such as self-refine(rounds=2)."],
    ["self-refine(rounds=two)", "rounds=two is not a whole number from 0 to 100"],
    ["self-refine(rounds=1.5)", "is not a whole number"],
    ["self-refine(rounds=-1)", "is not a whole number from 0 to 100"],
    ["self-refine(rounds=1,rounds=2)", "rounds is given twice"],
    ["self-refine(choose=best)", "is not one of best-scored, last, vote"],
    ["self-refine(stop=maybe)", "is not true or false"],
    ["self-refine(rounds=vanilla(instruction=x))", "rounds=vanilla(…) is not a whole number"],
    ["best-of-n(n=0)", "n=0 is not a whole number from 1"],
    ["best-of-n(over=4)", "there is no method “4”"],
    ["best-of-n(vanilla,vanilla)", "over is given twice"],
    ["best-of-n(best-of-n(n=1000),n=1000)", "may make 1,002,000 calls for one answer"],
    ["vanilla,vanilla", "vanilla is named twice"],
    ["upper=self-refine-oracle", 'Put "oracle" into the name'],
    ["constructor", "there is no method"],
    ["vanilla(__proto__=1)", "vanilla has no option"],
    [`${"best-of-n(".repeat(20)}vanilla${")".repeat(20)}`, "more than 8 deep"],
    ["x".repeat(30_000), "is 30000 characters long"],
  ])("%s is refused", (text, message) => expect(refusal(text)).toContain(message));

  test("never throws anything but a user error, and a name in results is read back as the same method", () => {
    const names = methodCards.flatMap((card) => [card.id, ...Object.keys(card.options)]);
    const piece = fc.constantFrom(
      ...names,
      "(",
      ")",
      ",",
      "=",
      ":",
      '"',
      "'",
      "\\",
      "2",
      "0.5",
      "last",
      "true",
      " ",
      "😀",
      "\uD800",
    );
    const text = fc.oneof(
      fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 14 }).map((parts) => parts.join("")),
      fc.string(),
    );
    fc.assert(
      fc.property(text, (written) => {
        if (refusal(written) !== "accepted") return;
        for (const { method, maxCalls } of parseMethods(written)) {
          expect(Number.isSafeInteger(maxCalls) && maxCalls >= 1).toBe(true);
          if (!written.includes("=")) expect(ids(method.id)).toEqual([method.id]);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

describe("needs and oracles", () => {
  test("travel from the inner method to the outer one", () => {
    expect(parseMethods("best-of-n(select=verifier)")[0].needs).toEqual(["scorer"]);
    const [outer] = parseMethods("best-of-n(self-refine-oracle,select=verifier)");
    expect(outer!.needs).toEqual(["scorer", "oracle"]);
    expect(outer!.method.usesOracle).toBe(true);
    expect(parseMethods("best-of-n")[0]).toMatchObject({ needs: [], method: { usesOracle: false } });
  });
});

test("a program binds a card with values of the options' own types", () => {
  const card = methodCards.find(({ id }) => id === "best-of-n")!;
  const [over] = parseMethods("self-refine(rounds=1)");
  expect(bindMethod(card, { over, n: 2 })).toMatchObject({
    method: { id: "best-of-n(self-refine(rounds=1),n=2)" },
    maxCalls: 10,
  });
  expect(bindMethod(card, {}, "mine").method.id).toBe("mine");
  expect(() => bindMethod(card, { n: "2" })).toThrow('n="2" (a text) is not a whole number');
  expect(() => bindMethod(card, { n: Number.NaN })).toThrow("n=NaN is not");
  expect(() => bindMethod(card, { many: 2 })).toThrow("has no option");
});
