import fc from "fast-check";
import { expect, test } from "vitest";
import { countTransitions, isRight, transitionShares } from "./transitions.ts";

test("counts the four ways", () => {
  const counts = countTransitions([
    [1, 1],
    [1, 0.99],
    [0.5, 1],
    [0, 0],
    [0, 1],
  ]);
  expect(counts).toEqual({ rightToRight: 1, rightToWrong: 1, wrongToRight: 2, wrongToWrong: 1 });
  expect(transitionShares(counts)).toEqual({ rightToRight: 0.2, rightToWrong: 0.2, wrongToRight: 0.4, wrongToWrong: 0.2 });
  expect(transitionShares(countTransitions([]))).toEqual({ rightToRight: 0, rightToWrong: 0, wrongToRight: 0, wrongToWrong: 0 });
});

test("the accuracy after is the accuracy before, plus the corrected, minus the damaged", () => {
  const score = fc.constantFrom(0, 0.4, 1);
  fc.assert(
    fc.property(fc.array(fc.tuple(score, score), { minLength: 1 }), (pairs) => {
      const counts = countTransitions(pairs);
      const before = pairs.filter(([value]) => isRight(value)).length;
      const after = pairs.filter(([, value]) => isRight(value)).length;
      expect(after).toBe(before + counts.wrongToRight - counts.rightToWrong);
      expect(counts.rightToRight + counts.rightToWrong).toBe(before);
    }),
  );
});
