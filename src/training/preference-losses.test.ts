import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { confidence, dpo, ipo, type PairLoss, type PreferenceTokens, rewardWeighted } from "./preference-losses.ts";

const logprob = fc.double({ min: -5, max: -0.01, noNaN: true });
const token = fc.record({ logprob, reference: logprob, mask: fc.constantFrom(0, 0.5, 1) });
const answer = fc.array(token, { minLength: 1, maxLength: 6 });
const coefficient = fc.double({ min: 0.05, max: 0.5, noNaN: true });

function tokens(rows: readonly { logprob: number; reference: number; mask: number }[]): PreferenceTokens {
  return {
    logprobs: rows.map((row) => row.logprob),
    referenceLogprobs: rows.map((row) => row.reference),
    mask: rows.map((row) => row.mask),
  };
}

/** −∂loss/∂logprobs by central differences. */
function numericalWeights(logprobs: number[], loss: (logprobs: number[]) => number): number[] {
  const step = 1e-5;
  return logprobs.map((_, t) => {
    const moved = (by: number) => loss(logprobs.map((value, index) => (index === t ? value + by : value)));
    return -(moved(step) - moved(-step)) / (2 * step);
  });
}

function expectClose(weights: Float32Array, expected: number[]): void {
  for (const [t, weight] of weights.entries()) expect(weight).toBeCloseTo(expected[t], 4);
}

describe.each<[string, (chosen: PreferenceTokens, rejected: PreferenceTokens, coefficient: number) => PairLoss]>([
  ["DPO", (chosen, rejected, beta) => dpo(chosen, rejected, { coefficient: beta })],
  ["DPO with smoothed labels", (chosen, rejected, beta) => dpo(chosen, rejected, { coefficient: beta, labelSmoothing: 0.2 })],
  ["DPO with a margin", (chosen, rejected, beta) => dpo(chosen, rejected, { coefficient: beta, margin: 0.7 })],
  ["IPO", (chosen, rejected, beta) => ipo(chosen, rejected, { coefficient: beta, margin: 0.3 })],
])("%s", (_, loss) => {
  test("has the weights of finite differences, on both answers", () => {
    fc.assert(
      fc.property(answer, answer, coefficient, (first, second, beta) => {
        const [chosen, rejected] = [tokens(first), tokens(second)];
        const result = loss(chosen, rejected, beta);
        const ofChosen = (logprobs: number[]) => loss({ ...chosen, logprobs }, rejected, beta).loss;
        const ofRejected = (logprobs: number[]) => loss(chosen, { ...rejected, logprobs }, beta).loss;
        expectClose(result.chosen, numericalWeights(chosen.logprobs as number[], ofChosen));
        expectClose(result.rejected, numericalWeights(rejected.logprobs as number[], ofRejected));
      }),
    );
  });

  test("does not look at masked tokens", () => {
    const rows = [
      { logprob: -1, reference: -2, mask: 1 },
      { logprob: Number.NEGATIVE_INFINITY, reference: -1, mask: 0 },
    ];
    const other = tokens([{ logprob: -1, reference: -1, mask: 1 }]);
    const result = loss(tokens(rows), other, 0.1);
    expect(result.loss).toBe(loss(tokens(rows.slice(0, 1)), other, 0.1).loss);
    expect(Math.abs(result.chosen[1])).toBe(0);
  });
});

test("DPO at the reference is log 2 and pulls with half its coefficient", () => {
  const same = tokens([{ logprob: -1, reference: -1, mask: 1 }]);
  const { loss, margin, chosen, rejected } = dpo(same, same, { coefficient: 0.1 });
  expect(loss).toBeCloseTo(Math.LN2, 12);
  expect(margin).toBe(0);
  expect(chosen[0]).toBeCloseTo(0.05, 7);
  expect(rejected[0]).toBeCloseTo(-0.05, 7);
});

test("DPO stays finite however far the policy has moved", () => {
  const near = tokens([{ logprob: -0.1, reference: -9000, mask: 1 }]);
  const far = tokens([{ logprob: -9000, reference: -0.1, mask: 1 }]);
  expect(dpo(near, far, { coefficient: 1 }).loss).toBe(0);
  expect(dpo(far, near, { coefficient: 1 }).loss).toBeCloseTo(17999.8, 6);
  expect(dpo(far, near, { coefficient: 1 }).chosen[0]).toBeCloseTo(1, 7);
});

test("IPO rests where the gap is half the inverse of its coefficient", () => {
  const chosen = tokens([{ logprob: -1, reference: -6, mask: 1 }]);
  const rejected = tokens([{ logprob: -2, reference: -2, mask: 1 }]);
  const { loss, chosen: weights } = ipo(chosen, rejected, { coefficient: 0.1 });
  expect([loss, weights[0]]).toEqual([0, -0]);
});

test("reward-weighted regression at RISE's temperature weighs success 12.2 times as much", () => {
  const weights = (reward: number) => rewardWeighted([-1, -2], [0.5, 0], reward, 0.4);
  expect(weights(1).weights[0] / weights(0).weights[0]).toBeCloseTo(12.18, 2);
  expect(weights(0)).toEqual({ loss: 0.5, weights: Float32Array.of(0.5, 0) });
});

test("reward-weighted regression and confidence have the weights of finite differences", () => {
  const scale = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(fc.array(fc.tuple(logprob, scale), { minLength: 1, maxLength: 8 }), (rows) => {
      const logprobs = rows.map(([value]) => value);
      const scales = rows.map(([, value]) => value);
      const regression = (values: number[]) => rewardWeighted(values, scales, 1, 0.8);
      expectClose(
        regression(logprobs).weights,
        numericalWeights(logprobs, (values) => regression(values).loss),
      );
      const sure = (values: number[]) => confidence(values, scales);
      expectClose(
        sure(logprobs).weights,
        numericalWeights(logprobs, (values) => sure(values).loss),
      );
    }),
  );
});
