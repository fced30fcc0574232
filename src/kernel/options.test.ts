import fc from "fast-check";
import { describe, expect, expectTypeOf, test } from "vitest";
import { MidcourseError } from "./errors.ts";
import { allowed, checkOptions, type OptionSpecs, readOption } from "./options.ts";

const specs = {
  rounds: { type: "integer", default: 3, maximum: 100, description: "most rounds" },
  rate: { type: "number", above: 0, maximum: 1, description: "learning rate" },
  stop: { type: "boolean", default: true, description: "stop early" },
  choose: { type: "choice", default: "last", choices: ["last", "vote"], description: "which one" },
  words: { type: "text", default: undefined, description: "what is said" },
} as const satisfies OptionSpecs;

const circle: Record<string, unknown> = {};
circle.circle = circle;

const refusal = (given: Record<string, unknown>): string => {
  try {
    checkOptions("it", "pair" in given ? { pair: { type: "numbers", length: 2, description: "two" } } : specs, given);
  } catch (error) {
    if (MidcourseError.isInstance(error) && error.family === "user") return error.message;
    throw error;
  }
  return "accepted";
};

test("values have the types of their specs, and what is not given its default", () => {
  const values = checkOptions("it", specs, { rounds: 0, stop: undefined, rate: 1 });
  expect(values).toEqual({ rounds: 0, rate: 1, stop: true, choose: "last", words: undefined });
  expectTypeOf(values).toEqualTypeOf<{
    rounds: number;
    rate: number | undefined;
    stop: boolean;
    choose: "last" | "vote";
    words: string | undefined;
  }>();
});

describe("refuses, and says what is allowed", () => {
  test.each<[Record<string, unknown>, string]>([
    [{ round: 2 }, "it has no option “round” → Did you mean rounds? It has: rounds, rate, stop, choose, words."],
    [{ rounds: -1 }, "it: rounds=-1 is not a whole number from 0 to 100 → rounds: most rounds."],
    [{ rounds: 1.5 }, "rounds=1.5 is not a whole number"],
    [{ rounds: Number.NaN }, "rounds=NaN is not"],
    [{ rounds: 2n }, "rounds=2 is not"],
    [{ rounds: "2" }, 'rounds="2" (a text) is not a whole number'],
    [{ rounds: [2] }, "rounds=[2] (a list) is not a whole number"],
    [{ rounds: { two: 2 } }, 'rounds={"two":2} (an object) is not'],
    [{ rounds: { toString: 1, valueOf: 2 } }, 'rounds={"toString":1,"valueOf":2} (an object) is not'],
    [{ rounds: { method: 1, maxCalls: 1 } }, "rounds=undefined is not"],
    [{ rounds: circle }, "rounds=an object is not"],
    [{ pair: new Array(2) }, "pair=[null,null] (a list) is not 2 numbers"],
    [{ pair: [1, Number.NaN] }, 'pair=[1,"NaN"] (a list) is not 2 numbers'],
    [{ rate: 0 }, "rate=0 is not a number above 0 and at most 1"],
    [{ rate: Number.POSITIVE_INFINITY }, "rate=Infinity is not"],
    [{ stop: 1 }, "stop=1 is not true or false"],
    [{ choose: "first" }, "choose=first is not one of last, vote"],
    [{ words: "" }, "words= is not a text"],
    [{ constructor: 1 }, "it has no option “constructor”"],
  ])("%o", (given, message) => expect(refusal(given)).toContain(message));

  test("a method that has to be there", () => {
    const composed = { over: { type: "method", default: "vanilla", description: "solves it" } } as const;
    expect(() => checkOptions("it", composed, {})).toThrow("it: over is not given");
    expect(() => checkOptions("it", composed, { over: { id: "vanilla" } })).toThrow("is not a method");
  });
});

test("text is read by type, and what it is read as passes the check", () => {
  expect(readOption("it", "rounds", specs.rounds, "1e1")).toBe(10);
  expect(readOption("it", "stop", specs.stop, "No")).toBe(false);
  expect(readOption("it", "words", specs.words, "2")).toBe("2");
  expect(() => readOption("it", "rounds", specs.rounds, "0x2")).toThrow("rounds=0x2 is not a whole number");
  fc.assert(
    fc.property(fc.constantFrom(...Object.keys(specs)), fc.string(), (name, text) => {
      try {
        const value = readOption("it", name, specs[name as keyof typeof specs], text);
        expect(refusal({ [name]: value })).toBe("accepted");
      } catch (error) {
        if (!MidcourseError.isInstance(error)) throw error;
      }
    }),
  );
});

test("ranges in words", () => {
  expect(allowed({ type: "number", description: "" })).toBe("a number from 0");
  expect(allowed({ type: "number", above: 0, description: "" })).toBe("a number above 0");
  expect(allowed({ type: "integer", minimum: 1, maximum: 9, description: "" })).toBe("a whole number from 1 to 9");
});

describe("lists, data, empty texts and no bound", () => {
  const more = {
    window: { type: "numbers", length: 2, maximum: 1, default: undefined, description: "from and to" },
    turns: { type: "numbers", default: [1, 16], minimum: 1, description: "samples of each turn" },
    most: { type: "integer", default: Number.POSITIVE_INFINITY, maximum: Number.POSITIVE_INFINITY, description: "most steps" },
    words: { type: "text", default: "", mayBeEmpty: true, description: "in front" },
    opening: {
      type: "data",
      default: [],
      is: (value: unknown): value is string[] => Array.isArray(value),
      needs: "a list",
      description: "shown",
    },
  } as const satisfies OptionSpecs;

  test("have their types and defaults", () => {
    const values = checkOptions("it", more, {});
    expect(values).toEqual({ window: undefined, turns: [1, 16], most: Number.POSITIVE_INFINITY, words: "", opening: [] });
    expectTypeOf(values.window).toEqualTypeOf<readonly [number, number] | undefined>();
    expectTypeOf(values.opening).toEqualTypeOf<string[]>();
  });

  test.each<[keyof typeof more, string, unknown]>([
    ["window", "0, 0.9", [0, 0.9]],
    ["turns", "3", [3]],
    ["most", "Infinity", Number.POSITIVE_INFINITY],
    ["words", "", ""],
    ["opening", '["a"]', ["a"]],
  ])("%s is read from “%s”", (name, text, value) => expect(readOption("it", name, more[name], text)).toEqual(value));

  test.each<[keyof typeof more, string, string]>([
    ["window", "1", "window=1 is not 2 numbers"],
    ["window", "0,2", "window=0,2 is not 2 numbers"],
    ["turns", "", "turns= is not"],
    ["turns", "1,x", "turns=1,x is not some numbers"],
    ["most", "-Infinity", "is not a whole number from 0, or Infinity"],
    ["opening", "a", "opening=a is not a list"],
  ])("%s refuses “%s”", (name, text, message) => expect(() => readOption("it", name, more[name], text)).toThrow(message));
});
