import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crossEntropy, klK2, klK3, policyLoss, ppoClip, reinforce, type TokenLoss, tokenScales } from "./losses.ts";
import { groupAdvantages } from "./policy/advantages.ts";

const clip = { clipLow: 0.2, clipHigh: 0.28 };
const logprob = fc.double({ min: -6, max: -0.01, noNaN: true });
const advantage = fc.double({ min: -3, max: 3, noNaN: true });
const scale = fc.double({ min: 0, max: 1, noNaN: true });
const shift = fc.double({ min: -0.6, max: 0.6, noNaN: true });

interface Token {
  logprob: number;
  /** ℓ − q and ℓ − r. */
  old: number;
  reference: number;
  advantage: number;
  scale: number;
}
const tokens = fc.array(fc.record({ logprob, old: shift, reference: shift, advantage, scale }), { minLength: 1, maxLength: 12 });

function columns(rows: Token[]) {
  return {
    logprobs: rows.map((row) => row.logprob),
    oldLogprobs: rows.map((row) => row.logprob - row.old),
    referenceLogprobs: rows.map((row) => row.logprob - row.reference),
    advantages: rows.map((row) => row.advantage),
    scales: rows.map((row) => row.scale),
  };
}

/** Compares the weights with −∂loss/∂ℓ_t by central differences. */
function expectGradient(logprobs: number[], loss: (logprobs: number[]) => TokenLoss) {
  const { weights } = loss(logprobs);
  const nudge = 1e-5;
  for (let t = 0; t < logprobs.length; t++) {
    const moved = (by: number) => loss(logprobs.map((value, index) => (index === t ? value + by : value))).loss;
    const slope = (moved(nudge) - moved(-nudge)) / (2 * nudge);
    expect(Math.abs(weights[t] + slope)).toBeLessThan(1e-5 * (1 + Math.abs(slope)));
  }
}

/** Away from the corners of the clip, where the loss has no derivative. */
function isSmooth(row: Token): boolean {
  const ratio = Math.exp(row.old);
  return Math.abs(ratio - (1 + clip.clipHigh)) > 1e-3 && Math.abs(ratio - (1 - clip.clipLow)) > 1e-3;
}

describe("weights are minus the derivative of the loss", () => {
  test("cross-entropy and reinforce", () => {
    fc.assert(
      fc.property(tokens, (rows) => {
        const { logprobs, advantages, scales } = columns(rows);
        expectGradient(logprobs, (moved) => crossEntropy(moved, scales));
        expectGradient(logprobs, (moved) => reinforce(moved, advantages, scales));
      }),
    );
  });

  test("KL to the reference, k2 and k3", () => {
    fc.assert(
      fc.property(tokens, (rows) => {
        const { logprobs, referenceLogprobs, scales } = columns(rows);
        expectGradient(logprobs, (moved) => klK2(moved, referenceLogprobs, scales, 0.7));
        expectGradient(logprobs, (moved) => klK3(moved, referenceLogprobs, scales, 0.7));
      }),
    );
  });

  test("clipped surrogate alone and with KL", () => {
    fc.assert(
      fc.property(tokens, (rows) => {
        const { logprobs, ...rest } = columns(rows.filter(isSmooth));
        expectGradient(logprobs, (moved) => ppoClip(moved, rest.oldLogprobs, rest.advantages, rest.scales, clip));
        expectGradient(logprobs, (moved) => policyLoss(moved, rest, { ...clip, klCoefficient: 0.3 }));
      }),
    );
  });

  test("a whole batch under each normaliser, through group advantages", () => {
    const batch = fc.array(fc.record({ rows: tokens, reward: fc.integer({ min: -2, max: 3 }) }), { minLength: 2, maxLength: 5 });
    fc.assert(
      fc.property(batch, fc.constantFrom("sequence-mean", "token-mean", "token-sum" as const), (sequences, normaliser) => {
        const advantages = groupAdvantages(
          sequences.map((each) => each.reward),
          { epsilon: 1e-4, smallestRange: 1e-4, deviation: "sample" },
        );
        fc.pre(advantages !== undefined);
        const scales = tokenScales(
          sequences.map((each) => each.rows.map(() => 1)),
          normaliser as "sequence-mean",
        );
        sequences.forEach((each, index) => {
          const { logprobs, ...rest } = columns(each.rows.filter(isSmooth));
          const own = { ...rest, advantages: logprobs.map(() => advantages?.[index] ?? 0), scales: scales[index] };
          expectGradient(logprobs, (moved) => policyLoss(moved, own, { ...clip, klCoefficient: 0.04 }));
        });
      }),
    );
  });
});

describe("clipped surrogate", () => {
  test("on the sampling policy it is reinforce", () => {
    fc.assert(
      fc.property(tokens, (rows) => {
        const { logprobs, advantages, scales } = columns(rows);
        const surrogate = ppoClip(logprobs, logprobs, advantages, scales, clip);
        const plain = reinforce(logprobs, advantages, scales);
        for (const [t, weight] of surrogate.weights.entries()) expect(weight === plain.weights[t]).toBe(true);
      }),
    );
  });

  test("beyond the bounds nothing pushes further, and everything pulls back", () => {
    const far = fc.double({ min: 0.3, max: 20, noNaN: true });
    const positive = fc.double({ min: 0.01, max: 3, noNaN: true });
    fc.assert(
      fc.property(far, positive, (distance, size) => {
        const weight = (offset: number, sign: number) => ppoClip([-1], [-1 - offset], [sign * size], [1], clip).weights[0];
        expect(weight(distance, 1)).toBe(0);
        expect(weight(-distance, -1)).toBe(0);
        expect(weight(distance, -1)).toBeLessThan(0);
        expect(weight(-distance, 1)).toBeGreaterThan(0);
      }),
    );
  });

  test("an overflowing ratio with a zero advantage or mask stays zero", () => {
    expect(ppoClip([-1, -1], [-1000, -1000], [0, -1], [1, 0], clip)).toEqual({ loss: 0, weights: new Float32Array(2) });
  });
});

describe("KL", () => {
  test("k3 is never negative, zero at the reference, and pulls towards it", () => {
    fc.assert(
      fc.property(tokens, (rows) => {
        const { logprobs, referenceLogprobs, scales } = columns(rows);
        expect(klK3(logprobs, referenceLogprobs, scales, 1).loss).toBeGreaterThanOrEqual(0);
        const at = klK3(logprobs, logprobs, scales, 1);
        expect(at.loss).toBe(0);
        expect(at.weights.every((weight) => weight === 0)).toBe(true);
        const { weights } = klK3(logprobs, referenceLogprobs, scales, 1);
        for (const [t, row] of rows.entries()) expect(weights[t] * row.reference).toBeLessThanOrEqual(0);
      }),
    );
  });

  test("left out when the coefficient is 0 or there is no reference", () => {
    const common = { oldLogprobs: [-1], advantages: [1], scales: [1] };
    const alone = ppoClip([-1.1], [-1], [1], [1], clip);
    expect(policyLoss([-1.1], { ...common, referenceLogprobs: [-3] }, { ...clip, klCoefficient: 0 })).toEqual(alone);
    expect(policyLoss([-1.1], common, { ...clip, klCoefficient: 1 })).toEqual(alone);
  });
});

describe("normaliser", () => {
  const masks = [[1, 1, 0, 1], [1], [0, 0]];
  test("sequence mean: every sequence with tokens counts alike", () => {
    const third = Math.fround(1 / 6);
    expect(tokenScales(masks, "sequence-mean").map((scales) => [...scales])).toEqual([[third, third, 0, third], [0.5], [0, 0]]);
  });
  test("token mean: every token counts alike", () => {
    expect(tokenScales(masks, "token-mean").map((scales) => [...scales])).toEqual([[0.25, 0.25, 0, 0.25], [0.25], [0, 0]]);
  });
  test("token sum divides by nothing", () => {
    expect(tokenScales(masks, "token-sum").map((scales) => [...scales])).toEqual(masks);
  });
  test("a batch without tokens is all zero", () => {
    expect([...tokenScales([[0]], "token-mean")[0]]).toEqual([0]);
  });
});
