import { expect, test } from "vitest";
import { bootstrapColumns, bootstrapDraws } from "./bootstrap.ts";
import { wilsonInterval } from "./statistics.ts";

const bits = (text: string) => [...text].map(Number);
const alone = (count: number) => Array.from({ length: count }, (_, index) => `item ${index}`);
const spread = (draws: Float64Array) => {
  const centre = draws.reduce((sum, value) => sum + value, 0) / draws.length;
  return Math.sqrt(draws.reduce((sum, value) => sum + (value - centre) ** 2, 0) / draws.length);
};

test("the known vector: a difference of 0.2 has a bootstrap error of about 0.189 and the interval −0.2 to 0.6", () => {
  const [first, second] = [bits("1110101101"), bits("1010001110")];
  const difference = first.map((score, index) => score - second[index]);
  const [one, other, paired] = bootstrapColumns([first, second, difference], alone(10), { seed: 1 });
  expect(spread(paired!.draws)).toBeCloseTo(0.189, 2);
  expect(paired!.interval[0]).toBeCloseTo(-0.2, 1);
  expect(paired!.interval[1]).toBeCloseTo(0.6, 1);
  // One draw of items serves every column.
  for (const draw of [0, 17, 999]) expect(one!.draws[draw] - other!.draws[draw]).toBeCloseTo(paired!.draws[draw], 12);
});

test("clusters are drawn whole: items that move together leave more doubt", () => {
  const values = bits("1111000011110000");
  const clusters = alone(16).map((_, index) => `cluster ${Math.floor(index / 4)}`);
  const together = bootstrapColumns([values], clusters, { seed: 1 })[0];
  const apart = bootstrapColumns([values], alone(16), { seed: 1 })[0];
  expect(spread(together.draws)).toBeCloseTo(0.25, 1);
  expect(spread(apart.draws)).toBeCloseTo(0.125, 1);
});

test("items that are all alike are no certainty: Wilson's interval for shares, and room on both sides for differences", () => {
  const alike = (value: number, lowest: number, count = 5) =>
    bootstrapColumns([Array.from({ length: count }, () => value)], alone(count), { seed: 1, lowest: [lowest] })[0].interval;
  for (const value of [0, 1]) {
    for (const [bound, expected] of wilsonInterval(value * 5, 5).entries())
      expect(alike(value, 0)[bound]).toBeCloseTo(expected, 12);
  }
  const [low, high] = alike(0, -1);
  expect(low).toBeCloseTo(-wilsonInterval(0, 5)[1], 12);
  expect(high).toBeCloseTo(wilsonInterval(0, 5)[1], 12);
  expect(alike(-1, -1)[0]).toBe(-1);
  expect(alike(0, -1, 500)[1]).toBeLessThan(0.01);
});

test("is the same for the same seed; draws are fewer for very many items", () => {
  const values = bits("1110101101");
  expect(bootstrapColumns([values], alone(10), { seed: 4 })).toEqual(bootstrapColumns([values], alone(10), { seed: 4 }));
  expect(bootstrapDraws(164)).toBe(10_000);
  expect(bootstrapDraws(14_042)).toBe(2_000);
});
