import fc from "fast-check";
import { expect, test } from "vitest";
import { Random } from "#kernel/seed.ts";
import { expectedVotes } from "./votes.ts";

test("what putting samples to the vote is worth does not depend on the order in which they came", () => {
  const sample = fc.record({ vote: fc.constantFrom("", "1", "2", "3"), accuracy: fc.constantFrom(0, 0.25, 1) });
  fc.assert(
    fc.property(fc.array(fc.record({ sample, rank: fc.nat() }), { minLength: 1, maxLength: 8 }), (drawn) => {
      const worth = (list: typeof drawn) =>
        expectedVotes(
          list.map((one) => one.sample),
          list.length,
          20,
          new Random(3),
        );
      expect(worth(drawn.toSorted((first, second) => first.rank - second.rank))).toEqual(worth(drawn));
    }),
    { numRuns: 200, seed: 4 },
  );
});

test("two right samples of three, and the credit of a tie is split", () => {
  const samples = [
    { vote: "7", accuracy: 1 },
    { vote: "7", accuracy: 1 },
    { vote: "8", accuracy: 0 },
  ];
  const [one, two, three] = expectedVotes(samples, 3, 3000, new Random(1));
  expect(one).toBeCloseTo(2 / 3, 1);
  expect(two).toBeCloseTo(2 / 3, 1);
  expect(three).toBe(1);
});
