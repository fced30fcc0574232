import fc from "fast-check";
import { expect, test } from "vitest";
import { brierScore, calibrationError, type Verdict, verifierMetrics } from "./verifier-metrics.ts";

const scored = [0.95, 0.9, 0.8, 0.7, 0.55, 0.3].map((score, index) => ({ score, right: [1, 1, 0, 1, 0, 0][index] === 1 }));

test("calibration error and Brier score of the known vectors", () => {
  expect(calibrationError(scored)).toBeCloseTo(0.35, 9);
  expect(brierScore(scored)).toBeCloseTo(0.189167, 6);
});

function verdicts(truePositive: number, falsePositive: number, falseNegative: number, trueNegative: number): Verdict[] {
  const make = (count: number, passed: boolean, right: boolean) => Array.from({ length: count }, () => ({ passed, right }));
  return [
    ...make(truePositive, true, true),
    ...make(falsePositive, true, false),
    ...make(falseNegative, false, true),
    ...make(trueNegative, false, false),
  ];
}

test("figures of a table of verdicts", () => {
  const metrics = verifierMetrics(verdicts(6, 2, 1, 3));
  expect(metrics).toMatchObject({ verdicts: 12, unreadable: 0, precision: 0.75, specificity: 0.6 });
  expect(metrics.baseRate).toBeCloseTo(7 / 12);
  expect(metrics.recall).toBeCloseTo(6 / 7);
  expect(metrics.f1).toBeCloseTo(12 / 15);
  expect(metrics.balancedAccuracy).toBeCloseTo((6 / 7 + 0.6) / 2);
  expect(metrics.mcc).toBeCloseTo((6 * 3 - 2 * 1) / Math.sqrt(8 * 7 * 5 * 4));
  expect(metrics.auroc).toBeUndefined();
});

test("what would divide by nothing is absent, and unreadable verdicts are counted apart", () => {
  expect(verifierMetrics([])).toEqual({ verdicts: 0, unreadable: 0 });
  const metrics = verifierMetrics([{ right: true }, { passed: true, right: true }]);
  expect(metrics).toMatchObject({ verdicts: 2, unreadable: 1, precision: 1, recall: 1 });
  expect("specificity" in metrics).toBe(false);
  expect("mcc" in metrics).toBe(false);
});

test("precision follows the base rate as Bayes says", () => {
  fc.assert(
    fc.property(fc.nat(20), fc.nat(20), fc.nat(20), fc.nat(20), (truePositive, falsePositive, falseNegative, trueNegative) => {
      const { precision, recall, specificity, baseRate } = verifierMetrics(
        verdicts(truePositive, falsePositive, falseNegative, trueNegative),
      );
      if (precision === undefined || recall === undefined || specificity === undefined || baseRate === undefined) return;
      const accepted = recall * baseRate + (1 - specificity) * (1 - baseRate);
      expect(precision).toBeCloseTo((recall * baseRate) / accepted, 9);
    }),
  );
});

test("AUROC is the share of pairs in order, ties half", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ score: fc.constantFrom(0, 0.25, 0.5, 0.75, 1), right: fc.boolean() }), { maxLength: 20 }),
      (entries) => {
        const right = entries.filter((entry) => entry.right);
        const wrong = entries.filter((entry) => !entry.right);
        const { auroc } = verifierMetrics(entries);
        if (right.length === 0 || wrong.length === 0) {
          expect(auroc).toBeUndefined();
          return;
        }
        const wins = right.flatMap(({ score }) => wrong.map((other) => (Math.sign(score - other.score) + 1) / 2));
        expect(auroc).toBeCloseTo(wins.reduce((sum, value) => sum + value, 0) / wins.length, 9);
      },
    ),
  );
});
