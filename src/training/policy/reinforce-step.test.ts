import { beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Scorer } from "#kernel/engine.ts";
import type { Item } from "#kernel/item.ts";
import type { TabularEngine } from "../../../test/support/tabular-engine.ts";
import { again, endId, items, makeTurnBase, tokenizer } from "../../../test/support/turn-world.ts";
import { type ReinforceOptions, type ReinforceSetup, reinforceStep } from "./reinforce-step.ts";
import { type ReinforceDatum, toReinforceDatums, toReinforceSequences } from "./reinforce-step-batch.ts";
import type { Conversation, GradedTurn, TurnQuestion } from "./turn-rollouts.ts";

let base: TabularEngine;
let engine: TabularEngine;
let reference: Scorer;
beforeAll(async () => {
  base = await makeTurnBase();
});
beforeEach(async () => {
  engine = (await base.freeze()) as TabularEngine;
  reference = await base.freeze();
});

const options: ReinforceOptions = {
  rollouts: { samples: 4, turns: 2, temperature: 1, topP: 1, topK: 0, maxTokens: 4, stopIds: [endId] },
  klCoefficients: [0, 0],
  klPlacement: "reward",
  credit: "own-turn",
  normaliser: "token-mean",
  maskTruncated: false,
  adamW: { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 },
};
const questions: TurnQuestion<Item>[] = items.map((subject, index) => ({ index, subject, prompt: [index] }));

function setupOf(changed: Partial<ReinforceOptions>, rewards: ReinforceSetup<Item>["rewards"]): ReinforceSetup<Item> {
  return {
    engine,
    reference,
    followUp: (_, { turns }) => (turns[0].ids.at(-1) === endId ? [again] : [endId, again]),
    grader: {
      grade(item, sample) {
        const text = tokenizer.decode(sample.ids);
        return { accuracy: text === item.answer ? 1 : 0, text, answer: text };
      },
    },
    rewards,
    options: { ...options, ...changed },
  };
}

/** Two conversations of one group by hand: two tokens, two fixed ones, three tokens. */
function datum(advantages: number[], referenceLogprobs?: number[][]): ReinforceDatum {
  const turn = (start: number, logprobs: number[], more: Partial<GradedTurn> = {}): GradedTurn => ({
    ids: logprobs.map((_, t) => start + t),
    logprobs: Float32Array.from(logprobs),
    stopReason: "stop",
    start,
    isOwn: true,
    accuracy: 1,
    text: "",
    answer: "",
    ...more,
  });
  const conversation: Conversation<GradedTurn> = {
    ids: [0, 1, 2, 3, 4, 5, 6, 7],
    turns: [turn(1, [-1, -2]), turn(5, [-1, -1, -3])],
  };
  return {
    conversation,
    rewards: [1, 1],
    advantages,
    ...(referenceLogprobs ? { referenceLogprobs: referenceLogprobs.map((each) => Float32Array.from(each)) } : {}),
  };
}

describe("weights of a conversation", () => {
  test("stand on sampled tokens, turn by turn, and are 0 on what stands between", () => {
    const [sequence] = toReinforceSequences([datum([2, -5])], { ...options, normaliser: "token-sum" });
    expect(sequence).toMatchObject({ start: 1, ids: [0, 1, 2, 3, 4, 5, 6, 7] });
    expect([...sequence.weights]).toEqual([2, 2, 0, 0, -5, -5, -5]);
    const [mean] = toReinforceSequences([datum([2, -5])], options);
    expect(mean.weights[0]).toBeCloseTo(2 / 5, 6);
  });

  test("KL with a coefficient on the first turn alone touches the first turn alone", () => {
    const shifts = [
      [-2, -2.5],
      [-4, 0, Number.NEGATIVE_INFINITY],
    ];
    for (const klPlacement of ["reward", "loss"] as const) {
      const chosen: ReinforceOptions = { ...options, normaliser: "token-sum", klPlacement, klCoefficients: [0.5, 0] };
      const [{ weights }] = toReinforceSequences([datum([0, 3], shifts)], chosen);
      // δ of the first turn: 1 and 0.5.
      expect([...weights]).toEqual([...(klPlacement === "reward" ? [-0.75, -0.25] : [-0.5, -0.25]), 0, 0, 3, 3, 3]);
      for (const credit of ["own-turn", "to-go"] as const) {
        const [again] = toReinforceSequences([datum([0, 3], shifts)], { ...chosen, credit });
        expect(again.weights).toEqual(weights);
      }
    }
  });

  test("turns cut at the largest length, or written by the reference, carry none, and are in no mean", () => {
    const cut = datum([2, -5]);
    const [first, second] = cut.conversation.turns;
    const turns = [
      { ...first, isOwn: false },
      { ...second, stopReason: "length" as const },
    ];
    const changed = { ...cut, conversation: { ...cut.conversation, turns } };
    const kept = toReinforceSequences([changed], options)[0].weights;
    expect([...kept].map((each) => Math.round(each * 1e5) / 1e5)).toEqual([0, 0, 0, 0, -1.66667, -1.66667, -1.66667]);
    expect([...toReinforceSequences([changed], { ...options, maskTruncated: true })[0].weights].every((each) => each === 0)).toBe(
      true,
    );
  });

  test("a group of one has no siblings and teaches nothing", () => {
    const { conversation } = datum([0, 0]);
    const group = { question: questions[0], conversations: [conversation] };
    expect(toReinforceDatums([group], (accuracies) => accuracies, "own-turn")).toEqual([]);
  });
});

describe("a step", () => {
  const both = (accuracies: readonly number[]) => accuracies;

  test("follows the gradient of the expected reward: averaged over many conversations it is what listing the answers gives", async () => {
    // Reward of the second turn alone; enumerated exactly for question 0 over answers "1" and "2" of the first turn.
    const setup = setupOf(
      { rollouts: { ...options.rollouts, samples: 3000 }, normaliser: "token-sum", credit: "to-go" },
      ([, b]) => [0, b],
    );
    const { datums } = await reinforceStep(setup, [questions[0]], 0, { seed: 3, step: 0 });
    const sequences = toReinforceSequences(datums, setup.options);
    // The gradient on the logits of the first token: Σ over conversations of weight·(1[v] − p_v), divided by their number.
    const [first] = await base.sample([[0]], { ...options.rollouts, n: 1, temperature: 0, seed: 1 });
    expect(first[0].ids[0]).toBeGreaterThanOrEqual(5);
    const probability = async (ids: number[], start: number) => Math.exp((await base.logprobs([{ ids, start }]))[0][0]);
    const [one, two] = [await probability([0, 5], 1), await probability([0, 6], 1)];
    const successAfter = async (id: number) => probability([0, id, endId, again, 5], 4);
    const [afterOne, afterTwo] = [await successAfter(5), await successAfter(6)];
    const expected = one * (afterOne - (one * afterOne + two * afterTwo));
    const estimate =
      sequences.reduce((sum, { ids, weights }) => sum + weights[0] * ((ids[1] === 5 ? 1 : 0) - one), 0) / sequences.length;
    expect(Math.abs(expected)).toBeGreaterThan(0.05);
    expect(Math.abs(estimate - expected)).toBeLessThan(0.2 * Math.abs(expected));
  });

  test("raises the accuracy it pays for", async () => {
    const setup = setupOf({}, both);
    let last = await reinforceStep(setup, questions, 0.05, { seed: 1, step: 0 });
    const before = last.metrics;
    for (let step = 1; step < 60; step++) last = await reinforceStep(setup, questions, 0.05, { seed: 1, step });
    expect(before.accuracyFirst).toBeLessThan(0.85);
    expect(last.metrics.accuracyFirst).toBeGreaterThan(0.9);
    expect(last.metrics.accuracyLast).toBeGreaterThan(0.9);
  });

  test("reports both turns, the change between them, and that it was on-policy", async () => {
    const { metrics, groups } = await reinforceStep(setupOf({ klCoefficients: [0.1, 0.1] }, both), questions, 0.05, {
      seed: 1,
      step: 0,
    });
    const pairs = groups.flatMap((group) => group.conversations.map(({ turns }) => [turns[0].accuracy, turns[1].accuracy]));
    const share = (of: (pair: number[]) => boolean) => pairs.filter(of).length / pairs.length;
    expect(metrics.wrongToRight).toBeCloseTo(
      share(([a, b]) => a < b),
      12,
    );
    expect(metrics.rightToWrong).toBeCloseTo(
      share(([a, b]) => a > b),
      12,
    );
    expect(metrics.accuracyGain).toBeCloseTo((metrics.wrongToRight as number) - (metrics.rightToWrong as number), 12);
    expect(metrics.accuracyLast).toBeCloseTo((metrics.accuracyFirst as number) + (metrics.accuracyGain as number), 12);
    expect(metrics.samplerGap).toBeLessThan(1e-6);
    expect(metrics.turns.turn1).toMatchObject({ kl: 0, klMean: 0, truncatedShare: expect.any(Number) });
    expect(metrics).toMatchObject({ questions: 4, conversations: 16, updates: 1, skippedUpdates: 0, droppedShare: 0 });
  });

  test("without anything to learn leaves weights and optimiser alone", async () => {
    const setup = setupOf({}, () => [1, 1]);
    await reinforceStep(setupOf({}, both), questions, 0.05, { seed: 1, step: 0 });
    const before = engine.weights;
    const { metrics } = await reinforceStep(setup, questions, 0.05, { seed: 1, step: 1 });
    expect(engine.weights).toEqual(before);
    expect(metrics).toMatchObject({ updates: 0, equalRewardsShare: 1 });
    expect(metrics.gradientNorm).toBeUndefined();
  });

  test.each(["reward", "loss"] as const)(
    "KL in the %s alone pulls a policy that has moved back to its reference",
    async (klPlacement) => {
      const distance = async () => {
        const probe = items.flatMap((_, index) => [5, 6].map((id) => ({ ids: [index, id], start: 1 })));
        const [own, first] = [await engine.logprobs(probe), await reference.logprobs(probe)];
        return Math.max(...own.map((each, index) => Math.abs(each[0] - first[index][0])));
      };
      for (let step = 0; step < 12; step++) await reinforceStep(setupOf({}, both), questions, 0.05, { seed: 1, step });
      const before = await distance();
      expect(before).toBeGreaterThan(0.3);
      const setup = setupOf({ klPlacement, klCoefficients: [1, 1] }, () => [0, 0]);
      for (let step = 12; step < 60; step++) await reinforceStep(setup, questions, 0.03, { seed: 1, step });
      expect(await distance()).toBeLessThan(0.6 * before);
    },
  );

  test("a KL coefficient without a reference is our own mistake", async () => {
    const setup = { ...setupOf({ klCoefficients: [1, 0] }, both), reference: undefined };
    await expect(reinforceStep(setup, questions, 0.05, { seed: 1, step: 0 })).rejects.toMatchObject({
      code: "reference-missing",
    });
  });
});
