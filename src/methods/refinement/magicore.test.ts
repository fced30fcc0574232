import { describe, expect, test } from "vitest";
import { noUsage } from "#kernel/model.ts";
import type { MethodRequest, MethodTools } from "#kernel/trace.ts";
import { FakeModel } from "#models/fake.ts";
import { dialogue, keepsItsPromises, outline, play } from "../../../test/methods/promises.ts";
import { magicore } from "./magicore.ts";

type Options = NonNullable<Parameters<typeof magicore>[0]>;

/** No answer can be read, so that the question stays hard. */
const unreadable: MethodTools = {
  readAnswer: () => undefined,
  scoreCompletion: async () => ({ score: 0.5, stepScores: [0.9, 0.4], usage: noUsage }),
};

const options = (more: Options) => ({ chains: 2, iterations: 2, judge: "self" as const, ...more });

describe.each([
  options({ chains: 1 }),
  options({ chains: 1, iterations: 0 }),
  options({ chains: 1, judge: "verifier", iterations: 3 }),
])("%j", (values) => {
  const method = magicore.card.create({ ...values, confidence: 0.5 }, "magicore");
  const calls = magicore.card.maxCalls({ ...values });
  keepsItsPromises({ method, calls, worst: (_call, index) => `say ${index}\nScore: ${index % 10}`, tools: unreadable });
});

describe.each([
  [options({ chains: 3, iterations: 2 }), 1 + 3 + 18],
  [options({ chains: 4, iterations: 1, judge: "verifier" }), 1 + 8],
])("%j with different answers", (values, calls) => {
  const method = magicore(values);
  const solve = async (more: Partial<MethodRequest> = {}, failsAt = -1) => {
    const model = new FakeModel((_call, sample, index) =>
      index === failsAt ? new Error("boom") : `say ${index}.${sample}\nScore: 5`,
    );
    const messages = [{ role: "user" as const, content: "What is 6 times 7?" }];
    const all = method.run({ model, messages, temperature: 1, maxTokens: 9, seed: 3, tools: unreadable, ...more });
    for (;;) {
      const next = await all.next();
      if (next.done) return { outcome: next.value, model };
    }
  };

  test(`costs ${calls} calls, each from its own seed`, async () => {
    const { model, outcome } = await solve();
    expect(magicore.card.maxCalls({ ...values })).toBe(calls);
    expect(outcome).toMatchObject({ reason: "done", usage: { calls } });
    expect(new Set(model.calls.map((call) => call.options.seed)).size).toBe(calls);
  });

  test("ends with an answer wherever the budget is spent or a call fails", async () => {
    for (let good = 1; good < calls; good++) {
      const short = await solve({ mayCall: (spent) => spent.calls < good });
      expect(short.outcome).toMatchObject({
        text: expect.stringContaining("say"),
        reason: "budget-exhausted",
        usage: { calls: good },
      });
      expect((await solve({}, good)).outcome).toMatchObject({ text: expect.stringContaining("say"), reason: "error" });
    }
  });
});

const answers = (...texts: (string | number)[]) => texts.map((text, way) => `way ${way}\n<answer>${text}</answer>`);
const scores = (...given: number[]) => given.map((score) => `Steps: ${score} ${score}\nScore: ${score}`);
const run = (more: Options, script: string[], request: Partial<Omit<MethodRequest, "model">> = {}) =>
  play(magicore(options({ chains: 4, iterations: 1, ...more })), script, request);

test("an easy question is put to the vote at once, weighted by quality", async () => {
  const { model, events, outcome } = await run({ chains: 3 }, [...answers(41, 41, 42), ...scores(2, 2, 9)]);
  expect(outline(events)).toEqual([
    "attempt 0",
    "attempt 1",
    "attempt 2",
    "check 0 by the model itself: 0.2",
    "check 1 by the model itself: 0.2",
    "check 2 by the model itself: 0.9",
    "chose 2",
  ]);
  expect(outcome).toMatchObject({ answer: "42", reason: "done", usage: { calls: 4 } });
  // Quality: (0.2 + 0.2²) / 2 = 0.12 twice, and (0.9 + 0.9²) / 2 = 0.855. By the whole, 42 has 0.9 of 1.3: entropy 0.617.
  expect(events.at(-1)).toMatchObject({
    reason: "weighted vote: 0.85 of 1.09; the answers agree well enough (confidence 0.70)",
  });
  expect(model.calls[0].options).toMatchObject({ n: 3, temperature: 0.5 });
  expect(model.calls[1].options.temperature).toBe(0);
});

test("a hard question is reviewed with its steps' scores, refined, and then easy", async () => {
  const first = [...answers(1, 2, 3, 4), ...scores(3, 4, 4, 4)];
  const rounds = [0, 1, 2, 3].flatMap((chain) => [`review ${chain}`, `better ${chain}\n<answer>7</answer>`, ...scores(9)]);
  const { model, events, outcome } = await run({ iterations: 3 }, [...first, ...rounds]);
  expect(outcome).toMatchObject({ answer: "7", usage: { calls: 17 } });
  expect(events.at(-1)).toMatchObject({
    attempt: 4,
    reason: expect.stringMatching(/^weighted vote: 3\.42 of 3\.42 after 1 round of refinement; the judge trusts the majority$/),
  });
  const reviewing = dialogue(model.calls[5])[0];
  expect(reviewing).toContain("[step 1, 3/10] way 0\n[step 2, 3/10] <answer>1</answer>");
  expect(reviewing).toContain("What is 6 times 7?");
  const refining = model.calls[6].messages;
  expect(refining.slice(0, 2).map(({ content }) => content)).toEqual(["What is 6 times 7?", "way 0\n<answer>1</answer>"]);
  expect(refining[2].content).toContain("review 0");
});

test("what refinement makes worse is not kept, and the rounds are bounded", async () => {
  const first = [...answers(1, 2, 3, 4), ...scores(3, 6, 5, 5)];
  const worse = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((chain) => [`review`, `worse ${chain}\n<answer>9</answer>`, ...scores(1)]);
  const { events, outcome } = await run({ iterations: 2 }, [...first, ...worse]);
  expect(outcome).toMatchObject({ answer: "2", usage: { calls: 1 + 4 + 3 * 4 * 2 } });
  expect(events.at(-1)).toMatchObject({
    attempt: 1,
    reason: expect.stringContaining("after 2 rounds of refinement; the judge does not trust the majority"),
  });
});

test("scores that cannot be read never count as trust: heads are counted instead", async () => {
  const silent = Array(5).fill("I would rather not say.");
  const agreed = await run({ chains: 5 }, [...answers(1, 2, 2, 2, 3), ...silent]);
  expect(agreed.outcome.answer).toBe("2");
  expect(agreed.events.at(-1)).toMatchObject({ reason: expect.stringContaining("vote: 3 of 5; the answers agree") });
  const unscored = [0, 1, 2, 3].flatMap((chain) => ["review", `other ${chain}`, "no score"]);
  const spread = await run({}, [...answers(1, 2, 3, 4), ...silent.slice(1), ...unscored]);
  expect(spread.outcome).toMatchObject({ answer: "1", usage: { calls: 17 } });
});

test("before every answer was judged heads are counted", async () => {
  const mayCall = ({ calls }: { calls: number }) => calls < 3;
  const { events, outcome } = await run({ chains: 3 }, [...answers(1, 2, 2), ...scores(9, 1)], { mayCall });
  expect(outcome).toMatchObject({ answer: "2", reason: "budget-exhausted" });
  expect(events.at(-1)).toMatchObject({ reason: expect.stringContaining("vote: 2 of 3; before every answer was judged") });
});

test("a verifier's scores are used as they are, its cost counts, and what is no number is no score", async () => {
  const usage = { calls: 1, inputTokens: 5, outputTokens: 1, milliseconds: 2 };
  const given = [
    { score: 0.2, usage },
    { score: Number.NaN, usage },
    { score: 0.9, stepScores: [0.5, Number.NaN], usage },
  ];
  const tools: MethodTools = { scoreCompletion: async () => given.shift()! };
  const { events, outcome } = await run({ chains: 3, judge: "verifier" }, answers(1, 2, 3), { tools });
  expect(outcome).toMatchObject({ answer: "3", usage: { calls: 4 } });
  expect(outline(events).slice(3, 6)).toEqual(["check 0 by verifier: 0.2", "check 1 by verifier:", "check 2 by verifier: 0.9"]);
});

test("a verifier that fails ends it with the vote", async () => {
  const tools: MethodTools = {
    scoreCompletion: async () => {
      throw new Error("no memory");
    },
  };
  const { events, outcome } = await run({ chains: 3, judge: "verifier" }, answers(1, 2, 2), { tools });
  expect(outcome).toMatchObject({ answer: "2", reason: "error" });
  expect(events).toContainEqual({ type: "error", message: "verifier: no memory" });
});

test("without the verifier that it was told to ask it says so before any call", async () => {
  const asked: number[] = [];
  const script = (_call: unknown, index: number) => {
    asked.push(index);
    return "";
  };
  const method = magicore(options({ judge: "verifier" }));
  await expect(play(method, script)).rejects.toMatchObject({ family: "user", code: "no-scorer" });
  expect(asked).toEqual([]);
  expect(magicore.card.needsWith!({ judge: "verifier" })).toEqual(["scorer"]);
  expect(magicore.card.needsWith!({ judge: "self" })).toEqual([]);
});

test("greedy requests draw warm; top-p is sent when it is given", async () => {
  const { model } = await run({ chains: 2, topP: 0.95 }, [...answers(1, 1), ...scores(5, 5)], { temperature: 0 });
  expect(model.calls[0].options).toMatchObject({ temperature: 0.7, topP: 0.95, n: 2 });
});

test("the same text is judged once", async () => {
  const same = "<answer>B</answer>";
  const { outcome } = await run({ chains: 4 }, [same, same, same, "<answer>C</answer>", ...scores(6, 7)]);
  expect(outcome).toMatchObject({ answer: "B", usage: { calls: 3 } });
});
