import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { reinforce } from "../losses.ts";
import { klK2Turns, klToGo, type TurnTokens } from "./reinforce-step-batch.ts";

const logprob = fc.double({ min: -6, max: -0.01, noNaN: true });
const row = fc.record({ logprob, reference: logprob, scale: fc.double({ min: 0, max: 1, noNaN: true }) });
const turnRows = fc.array(row, { maxLength: 6 });
const coefficient = fc.double({ min: 0, max: 0.5, noNaN: true });

type Row = { logprob: number; reference: number; scale: number };
const tokensOf = (rows: readonly Row[]): TurnTokens => ({
  logprobs: rows.map((each) => each.logprob),
  referenceLogprobs: rows.map((each) => each.reference),
});
const scalesOf = (rows: readonly Row[]) => rows.map((each) => each.scale);

describe("KL in the loss", () => {
  test("has the weights of finite differences in every turn, each under its own coefficient", () => {
    fc.assert(
      fc.property(turnRows, turnRows, coefficient, coefficient, (first, second, b1, b2) => {
        const rows = [first, second];
        const lossOf = (changed: Row[][]) =>
          klK2Turns(changed.map(tokensOf), changed.map(scalesOf), [b1, b2]).reduce((sum, each) => sum + each.loss, 0);
        const parts = klK2Turns(rows.map(tokensOf), rows.map(scalesOf), [b1, b2]);
        const nudge = 1e-5;
        for (const [turn, part] of parts.entries()) {
          for (const [t, weight] of part.weights.entries()) {
            const moved = (by: number) =>
              lossOf(
                rows.map((each, i) =>
                  i === turn ? each.map((r, k) => (k === t ? { ...r, logprob: r.logprob + by } : r)) : each,
                ),
              );
            const slope = (moved(nudge) - moved(-nudge)) / (2 * nudge);
            expect(Math.abs(weight + slope)).toBeLessThan(1e-5 * (1 + Math.abs(slope)));
          }
        }
      }),
    );
  });
});

describe("KL in the reward", () => {
  test("is the sum over the rest of the turn, and over later turns when those are to be answered for", () => {
    const turns = [
      { logprobs: [-1, -2], referenceLogprobs: [-2, -2.5] },
      { logprobs: [-1, -1, -1], referenceLogprobs: [-2, -1, -4] },
    ];
    const own = klToGo(turns, [1, 0.5], "own-turn").map((each) => [...each]);
    expect(own).toEqual([
      [1.5, 0.5],
      [2, 1.5, 1.5],
    ]);
    expect(klToGo(turns, [1, 0.5], "to-go").map((each) => [...each])).toEqual([[3.5, 2.5], own[1]]);
    expect(klToGo([], [], "to-go")).toEqual([]);
  });

  test("a turn without a coefficient is not looked at, whatever its log-probs are", () => {
    const odd = { logprobs: [-1, Number.NEGATIVE_INFINITY], referenceLogprobs: [Number.NaN, Number.NEGATIVE_INFINITY] };
    const first = { logprobs: [-1], referenceLogprobs: [-3] };
    for (const credit of ["own-turn", "to-go"] as const) {
      expect(klToGo([first, odd], [0.5, 0], credit).map((each) => [...each])).toEqual([[1], [0, 0]]);
    }
    expect(klK2Turns([odd], [[1, 1]], [0])).toEqual([{ loss: 0, weights: new Float32Array(2) }]);
  });

  test("is a number to the gradient: the loss is REINFORCE with it as a cost, and FD agree", () => {
    fc.assert(
      fc.property(fc.array(row, { minLength: 1, maxLength: 6 }), coefficient, (rows, beta) => {
        const [cost] = klToGo([tokensOf(rows)], [beta], "own-turn");
        const advantages = cost.map((each) => 0.7 - each);
        const { weights } = reinforce(
          rows.map((each) => each.logprob),
          advantages,
          scalesOf(rows),
        );
        const nudge = 1e-5;
        for (const [t, weight] of weights.entries()) {
          const moved = (by: number) =>
            reinforce(
              rows.map((each, k) => each.logprob + (k === t ? by : 0)),
              advantages,
              scalesOf(rows),
            ).loss;
          const slope = (moved(nudge) - moved(-nudge)) / (2 * nudge);
          expect(Math.abs(weight + slope)).toBeLessThan(1e-4 * (1 + Math.abs(slope)));
        }
      }),
    );
  });

  test("in expectation it is the gradient of the whole turn's KL, found by listing every answer", () => {
    // Two tokens from a vocabulary of three: one row of logits for the first token, one for the second after each first.
    const policy = [0.3, -0.2, 0.5, 0.1, 0.9, -0.4, -0.7, 0.2, 0.6, 0.4, -0.1, 0.8];
    const reference = [-0.1, 0.4, 0.2, 0.5, -0.3, 0.7, 0.1, 0.1, -0.2, 0.9, 0.3, -0.6];
    const rowOf = (prefix: number[]) => (prefix.length === 0 ? 0 : 1 + prefix[0]);
    const logSoftmax = (logits: number[], at: number) => {
      const values = logits.slice(3 * at, 3 * at + 3);
      const total = Math.log(values.reduce((sum, value) => sum + Math.exp(value), 0));
      return values.map((value) => value - total);
    };
    const answers = [0, 1, 2].flatMap((a) => [0, 1, 2].map((b) => [a, b]));
    const scoreOf = (logits: number[], answer: number[]) =>
      answer.map((id, t) => logSoftmax(logits, rowOf(answer.slice(0, t)))[id]);
    const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0);
    const kl = (logits: number[]) =>
      total(
        answers.map((answer) => {
          const own = total(scoreOf(logits, answer));
          return Math.exp(own) * (own - total(scoreOf(reference, answer)));
        }),
      );
    const beta = 0.3;
    const expected = policy.map(() => 0);
    for (const answer of answers) {
      const logprobs = scoreOf(policy, answer);
      const [cost] = klToGo([{ logprobs, referenceLogprobs: scoreOf(reference, answer) }], [beta], "own-turn");
      for (const [t, id] of answer.entries()) {
        const at = rowOf(answer.slice(0, t));
        logSoftmax(policy, at).forEach((other, v) => {
          expected[3 * at + v] += Math.exp(total(logprobs)) * cost[t] * ((v === id ? 1 : 0) - Math.exp(other));
        });
      }
    }
    for (const [index, slope] of expected.entries()) {
      const moved = (by: number) => beta * kl(policy.map((value, i) => (i === index ? value + by : value)));
      expect((moved(1e-5) - moved(-1e-5)) / 2e-5).toBeCloseTo(slope, 6);
    }
  });
});
