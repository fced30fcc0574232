import { expect, test } from "vitest";
import { generatedStream, shuffledStream } from "./stream.ts";

test("a shuffled stream passes over everything once a pass, each pass in another order, and can be read anywhere", () => {
  const values = Array.from({ length: 20 }, (_, index) => index);
  const stream = shuffledStream(values, 3);
  const passes = [0, 1, 2].map((pass) => values.map((index) => stream(pass * 20 + index)));
  for (const pass of passes) expect([...pass].sort((a, b) => a - b)).toEqual(values);
  expect(passes[0]).not.toEqual(passes[1]);
  expect(stream(25)).toBe(passes[1][5]);
  expect(shuffledStream(values, 3)(45)).toBe(passes[2][5]);
  expect(shuffledStream(values, 4)(45) === passes[2][5] && shuffledStream(values, 4)(46) === passes[2][6]).toBe(false);
});

test("a generator as a stream gives the same values forwards, backwards and far on", () => {
  let opened = 0;
  const stream = generatedStream(function* () {
    opened += 1;
    for (let value = 0; ; value++) yield value * value;
  });
  for (const index of [0, 1, 5, 3, 9000, 8999, 2, 10_000]) expect(stream(index)).toBe(index * index);
  expect(opened).toBe(2);
});

test("a generator that ends is a mistake of ours, said where it is met", () => {
  expect(() => generatedStream(() => [1, 2].values())(2)).toThrow("ended before value 2");
});
