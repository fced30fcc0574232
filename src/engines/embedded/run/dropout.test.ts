import { expect, test } from "vitest";
import { keptInputs } from "./dropout.ts";

const dropout = (rate: number, width = 50) => ({ rate, seed: 7, inputs: new Map([["a", width]]) });

test.each([0.01, 0.05, 0.5, 0.95])(
  "leaves out a share of %d, in rows and columns alike, and one next to another as often",
  (rate) => {
    const [rows, width] = [4000, 50];
    const kept = keptInputs(dropout(rate, width), rows, 3, 0).get("a")!;
    expect(kept).toHaveLength(rows * width);
    const left = (of: (index: number) => boolean) => {
      let [all, out] = [0, 0];
      for (let index = 0; index < kept.length; index++) {
        if (!of(index)) continue;
        all++;
        out += 1 - kept[index];
      }
      return { share: out / all, error: Math.sqrt((rate * (1 - rate)) / all) };
    };
    const parts: ((index: number) => boolean)[] = [
      () => true,
      (index) => index % width === 0,
      (index) => index % width === width - 1,
      (index) => index < 40 * width,
      (index) => index > 0 && kept[index - 1] === 0,
      (index) => index >= width && kept[index - width] === 0,
    ];
    for (const part of parts) {
      const { share, error } = left(part);
      expect(Math.abs(share - rate)).toBeLessThan(4 * error);
    }
  },
);

test("another step, pass, seed or module leaves out others; the same leaves out the same", () => {
  const both = { rate: 0.5, seed: 7, inputs: new Map(["a", "b"].map((module) => [module, 8])) };
  const of = (steps: number, pass: number, setup = both) => keptInputs(setup, 20, steps, pass);
  expect(of(1, 2)).toEqual(of(1, 2));
  const masks = [of(1, 2), of(2, 1), of(1, 3), of(1, 2, { ...both, seed: 8 })].flatMap((each) => [...each.values()]);
  expect(new Set(masks.map((mask) => mask.join(""))).size).toBe(8);
});
