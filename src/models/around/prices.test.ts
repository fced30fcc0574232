import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeModel } from "../fake.ts";
import { defaultPrices, dollarsOf, findPrice, mergePrices, PricedModel, parsePrices } from "./prices.ts";

const usage = { calls: 1, inputTokens: 1_000_000, outputTokens: 500_000, milliseconds: 0 };

test("dollars by input, cached input and output", () => {
  expect(dollarsOf(usage, { input: 2, output: 8 })).toBeCloseTo(6);
  expect(dollarsOf({ ...usage, cachedInputTokens: 400_000 }, { input: 2, cachedInput: 0.5, output: 8 })).toBeCloseTo(5.4);
  expect(dollarsOf(usage, { input: 0, output: 0 })).toBe(0);
});

test("a count that has a price and is unknown makes the cost unknown, never 0", () => {
  expect(dollarsOf({ ...usage, inputTokens: undefined }, { input: 0, output: 0 })).toBeUndefined();
  expect(dollarsOf({ ...usage, outputTokens: undefined }, { input: 2, output: 8 })).toBeUndefined();
  expect(dollarsOf(usage, { input: 2, cachedInput: 0.5, output: 8 })).toBeUndefined();
});

test("the nearest row counts: the model's, its undated name's, any model's, any host's", () => {
  const row = (input: number) => ({ input, output: input });
  const table = { a: { m: row(1), "*": row(2) }, "*": { m: row(3), n: row(4) } };
  expect(findPrice(table, "a", "m")?.input).toBe(1);
  expect(findPrice(table, "a", "m-2024-07-18")?.input).toBe(1);
  expect(findPrice(table, "a", "other")?.input).toBe(2);
  expect(findPrice(table, "b", "n")?.input).toBe(4);
  expect(findPrice(table, "b", "other")).toBeUndefined();
  expect(findPrice(table, "b", "constructor")).toBeUndefined();
  expect(findPrice(defaultPrices, "api.openai.com", "gpt-4o-mini-2024-07-18")).toEqual(
    defaultPrices["api.openai.com"]["gpt-4o-mini"],
  );
  expect(findPrice(defaultPrices, "127.0.0.1:8000", "gpt-4o-mini")).toBeUndefined();
});

test("the user's table goes over the built-in one, row by row", () => {
  const own = parsePrices(
    '{"api.openai.com":{"gpt-4o-mini":{"input":9,"output":9}},"localhost:1":{"*":{"input":0,"output":0}}}',
    "own.json",
  );
  const merged = mergePrices(defaultPrices, own);
  expect(findPrice(merged, "api.openai.com", "gpt-4o-mini")?.input).toBe(9);
  expect(findPrice(merged, "api.openai.com", "gpt-4o")).toEqual(defaultPrices["api.openai.com"]["gpt-4o"]);
  expect(findPrice(merged, "localhost:1", "anything")?.output).toBe(0);
});

test.each([
  "",
  "[]",
  '{"a":{"m":{"input":"2","output":1}}}',
  '{"a":{"m":{"input":-1,"output":1}}}',
  '{"a":{"m":{"input":1,"outptu":1}}}',
  '{"a":3}',
])("a table like %s is refused with the file and the place", (text) =>
  expect(() => parsePrices(text, "own.json")).toThrow(/own\.json/),
);

test("usage gets dollars where it has none; the server's own stay", async () => {
  const own = { calls: 1, inputTokens: 5, outputTokens: 1, milliseconds: 0, dollars: 0.5 };
  const unknown = { calls: 1, inputTokens: undefined, outputTokens: undefined, milliseconds: 0 };
  const model = new PricedModel(new FakeModel([{ text: "a b" }, { text: "a", usage: own }, { text: "a", usage: unknown }]), {
    input: 1,
    output: 10,
  });
  const completions = await model.generate([{ role: "user", content: "one" }], { n: 3, temperature: 0, maxTokens: 5, seed: 0 });
  expect(completions.map(({ usage: { dollars } }) => dollars)).toEqual([(1 + 20) / 1e6, 0.5, undefined]);
});

test("dollars grow with every count", () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(), fc.nat(), (input, cached, output) => {
      const price = { input: 2, cachedInput: 1, output: 3 };
      const dollars = dollarsOf(
        { calls: 1, inputTokens: input, cachedInputTokens: cached, outputTokens: output, milliseconds: 0 },
        price,
      )!;
      expect(dollars).toBeGreaterThanOrEqual((input + 3 * output) / 1e6 - 1e-9);
      expect(dollars).toBeLessThanOrEqual((2 * input + 3 * output) / 1e6 + 1e-9);
    }),
  );
});
