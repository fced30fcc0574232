import { expect, test } from "vitest";
import { userError } from "#kernel/errors.ts";
import { FakeModel } from "../fake.ts";
import { MeteredModel } from "./meter.ts";

const options = { n: 1, temperature: 0, maxTokens: 8, seed: 0 };
const messages = [{ role: "user" as const, content: "two words" }];

test("sums over calls and samples", async () => {
  const meter = new MeteredModel(new FakeModel(["one", "one two", "one two three"]));
  await meter.generate(messages, { ...options, n: 2 });
  await meter.generate(messages, options);
  expect(meter.usage).toEqual({ calls: 2, inputTokens: 4, outputTokens: 6, milliseconds: 0 });
  expect(meter.id).toBe("fake");
});

test("a call that failed on its way makes the tokens unknown, one that was never sent does not", async () => {
  const meter = new MeteredModel(
    new FakeModel(["fine", userError("context-exceeded", "too long"), new Error("connection lost")]),
  );
  await meter.generate(messages, options);
  await expect(meter.generate(messages, options)).rejects.toThrow("too long");
  expect(meter.usage).toEqual({ calls: 2, inputTokens: 2, outputTokens: 1, milliseconds: 0 });
  await expect(meter.generate(messages, options)).rejects.toThrow("connection lost");
  expect(meter.usage).toEqual({ calls: 3, inputTokens: undefined, outputTokens: undefined, milliseconds: 0 });
  expect(meter.failedCalls).toBe(2);
});

test("the fake says when its script is at its end", async () => {
  const fake = new FakeModel(["only"]);
  await fake.generate(messages, options);
  await expect(fake.generate(messages, options)).rejects.toThrow("1 replies");
  expect(fake.calls).toHaveLength(2);
});
