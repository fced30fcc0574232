import { describe, expect, test } from "vitest";
import type { Item, Verifier } from "#kernel/item.ts";
import { FakeModel } from "#models/fake.ts";
import { type Asked, gradedSamples } from "./graded-samples.ts";

const item = (answer: string): Item => ({ id: `i${answer}`, question: `q${answer}`, answer });
const asked: Asked[] = ["1", "2", "3"].map((answer) => ({
  item: item(answer),
  messages: [{ role: "user", content: `q${answer}` }],
  n: Number(answer),
  seed: 10 + Number(answer),
}));
const verify: Verifier = (of, answer) => ({
  accuracy: answer === of.answer ? 1 : answer === "half" ? 0.5 : 0,
  extracted: answer,
});
const draw = { temperature: 0.7, maxTokens: 9 };

describe("answers to many questions", () => {
  test("come in the order asked, each call with its own seed and number of samples", async () => {
    const model = new FakeModel(({ messages }, sample) => (messages[0].content === "q2" && sample === 1 ? "2" : "0"));
    const graded = await gradedSamples({ model, verify, ...draw, topP: 0.9, topK: 20, concurrency: 2 }, asked);
    expect(graded.map((samples) => samples.map(({ isRight }) => isRight))).toEqual([
      [false],
      [false, true],
      [false, false, false],
    ]);
    expect(model.calls.map(({ options }) => options)).toEqual(
      [1, 2, 3].map((n) => ({ n, seed: 10 + n, temperature: 0.7, maxTokens: 9, topP: 0.9, topK: 20 })),
    );
  });

  test("are graded by what is read out of them, right only when wholly right, and known when they were cut", async () => {
    const replies = ["<think>5</think><answer>1</answer>", { text: "<answer>1", finishReason: "length" as const }, "half"];
    const model = new FakeModel((_, sample) => replies[sample]);
    const [samples] = await gradedSamples({ model, verify, ...draw }, [{ ...asked[0], n: 3 }]);
    expect(samples!.map(({ accuracy, isRight, isCut }) => [accuracy, isRight, isCut])).toEqual([
      [1, true, false],
      [1, true, true],
      [0.5, false, false],
    ]);
  });

  test("no more questions are under way than was said", async () => {
    let [now, most] = [0, 0];
    const inner = new FakeModel(() => "0");
    const model = {
      id: "slow",
      generate: async (...given: Parameters<typeof inner.generate>) => {
        most = Math.max(most, ++now);
        await new Promise((resolve) => setImmediate(resolve));
        now--;
        return inner.generate(...given);
      },
    };
    const many = Array.from({ length: 20 }, () => asked[0]);
    await gradedSamples({ model, verify, ...draw, concurrency: 3 }, many);
    expect([most, inner.calls.length]).toEqual([3, 20]);
  });
});

describe("what fails", () => {
  test("one question, in its call or in its grading, has no samples; the others keep theirs", async () => {
    const model = new FakeModel(({ messages }) => (messages[0].content === "q1" ? new Error("503") : "2"));
    const failing: Verifier = (of, answer, ...rest) => {
      if (of.id === "i3") throw new Error("no judge");
      return verify(of, answer, ...rest);
    };
    const graded = await gradedSamples({ model, verify: failing, ...draw }, asked);
    expect(graded.map((samples) => samples.length)).toEqual([0, 2, 0]);
  });

  test("all questions: the first reason is told; none asked is no failure", async () => {
    const model = new FakeModel(() => new Error("connection refused"));
    await expect(gradedSamples({ model, verify, ...draw }, asked)).rejects.toMatchObject({
      code: "sampling-failed",
      message: expect.stringContaining("none of 3 questions could be answered; the first failure: connection refused"),
    });
    expect(await gradedSamples({ model, verify, ...draw }, [])).toEqual([]);
  });

  test("an abort ends it, and what failed before is not the reason", async () => {
    const abort = new AbortController();
    const model = new FakeModel(({ messages }) => {
      if (messages[0].content === "q2") abort.abort(new Error("enough"));
      return "0";
    });
    const sampling = { model, verify, ...draw, concurrency: 1, signal: abort.signal };
    await expect(gradedSamples(sampling, asked)).rejects.toThrow("enough");
    expect(model.calls).toHaveLength(2);
  });
});
