import { describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { again, endId, idOf, items, makeTurnBase, tokenizer } from "../../../test/support/turn-world.ts";
import { type FollowUp, gradeTurns, sampleTurns, type TurnQuestion, type TurnRolloutOptions } from "./turn-rollouts.ts";

const base = await makeTurnBase();
const options: TurnRolloutOptions = {
  samples: 3,
  turns: 2,
  temperature: 1,
  topP: 1,
  topK: 0,
  maxTokens: 4,
  stopIds: [endId],
};
const draw = { seed: 5, step: 2 };
const questions: TurnQuestion<Item>[] = items.map((subject, index) => ({ index, subject, prompt: [index] }));
const followUp: FollowUp<Item> = (_, { turns }) => (turns[0].ids.at(-1) === endId ? [again] : [endId, again]);
const writers = { sampler: base, reference: undefined };

describe("conversations of two turns", () => {
  test("are one row of ids: sampled ids and their log-probs stand where they were drawn", async () => {
    const groups = await sampleTurns(writers, questions, followUp, options, draw);
    expect(groups.map((group) => group.conversations.length)).toEqual([3, 3, 3, 3]);
    for (const { question, conversations } of groups) {
      for (const { ids, turns } of conversations) {
        expect(ids[0]).toBe(question.prompt[0]);
        for (const turn of turns) {
          expect(ids.slice(turn.start, turn.start + turn.ids.length)).toEqual(turn.ids);
          const [scored] = await base.logprobs([{ ids: ids.slice(0, turn.start + turn.ids.length), start: turn.start }]);
          expect([...scored]).toEqual([...turn.logprobs]);
        }
        expect(turns[0].start).toBe(1);
        expect(ids[turns[1].start - 1]).toBe(again);
        expect(turns[1].start + turns[1].ids.length).toBe(ids.length);
      }
    }
  });

  test("a question samples the same whatever stands beside it", async () => {
    const together = await sampleTurns(writers, questions, followUp, options, draw);
    const alone = await sampleTurns(writers, [questions[2]], followUp, options, draw);
    expect(alone[0]).toEqual(together[2]);
    const later = await sampleTurns(writers, [questions[2]], followUp, options, { ...draw, step: 3 });
    expect(later[0].conversations).not.toEqual(alone[0].conversations);
    const seconds = alone[0].conversations.map(({ turns }) => turns[1].logprobs);
    expect(new Set(seconds.map(String)).size).toBeGreaterThan(1);
  });

  test("three turns go on from two, and one needs no follow-up", async () => {
    const again3 = await sampleTurns(writers, [questions[0]], followUp, { ...options, turns: 3 }, draw);
    expect(again3[0].conversations[0].turns).toHaveLength(3);
    const never: FollowUp<Item> = () => {
      throw new Error("not asked");
    };
    const single = await sampleTurns(writers, questions, never, { ...options, turns: 1 }, draw);
    expect(single.every((group) => group.dropped === undefined)).toBe(true);
  });

  test("first answers of the reference are marked as its own", async () => {
    const reference = await base.freeze();
    const calls: number[] = [];
    const counted = Object.assign(Object.create(reference), {
      sample: (...given: Parameters<typeof reference.sample>) => {
        calls.push(given[0].length);
        return reference.sample(...given);
      },
    });
    const marked = questions.map((question, index) => ({ ...question, firstFromReference: index % 2 === 1 }));
    const groups = await sampleTurns({ sampler: base, reference: counted }, marked, followUp, options, draw);
    expect(calls).toEqual([2]);
    expect(groups.map(({ conversations }) => conversations[0].turns.map((turn) => turn.isOwn))).toEqual([
      [true, true],
      [false, true],
      [true, true],
      [false, true],
    ]);
  });
});

describe("what cannot go on", () => {
  const rewrites =
    (names: string[]): FollowUp<Item> =>
    (question, conversation) => {
      if (names.includes(question.subject.id)) throw new Error("the template rewrites history");
      return followUp(question, conversation);
    };

  test("a follow-up that fails drops its question alone; one that fails for all ends the step", async () => {
    const groups = await sampleTurns(writers, questions, rewrites(["q1"]), options, draw);
    expect(groups.map((group) => group.dropped?.reason)).toEqual([undefined, "follow-up", undefined, undefined]);
    const others = await sampleTurns(writers, [questions[0], questions[2]], followUp, options, draw);
    expect(groups[2].conversations).toEqual(others[1].conversations);
    await expect(sampleTurns(writers, questions, rewrites(["q0", "q1", "q2", "q3"]), options, draw)).rejects.toThrow("rewrites");
  });

  test("a second turn without room in the context is dropped", async () => {
    const long: FollowUp<Item> = (question) => Array(question.index === 3 ? 600 : 1).fill(again);
    const groups = await sampleTurns(writers, questions, long, options, draw);
    expect(groups[3].dropped).toMatchObject({ reason: "context-full", message: expect.stringContaining("512") });
    expect(groups[0].conversations[0].turns).toHaveLength(2);
    const none = await sampleTurns(writers, [questions[3]], long, options, draw);
    expect(none[0].dropped?.reason).toBe("context-full");
  });

  test("a grade that fails or is no number drops the question, and earlier drops stay", async () => {
    const groups = await sampleTurns(writers, questions, rewrites(["q0"]), options, draw);
    const graded = await gradeTurns(groups, {
      async grade(subject, sample, turn) {
        if (subject.id === "q1" && turn === 1) throw new Error("503 from the judge");
        const text = tokenizer.decode(sample.ids);
        return { accuracy: subject.id === "q2" ? Number.NaN : turn, text, answer: text };
      },
    });
    expect(graded.map((group) => group.dropped)).toEqual([
      { reason: "follow-up", message: "the template rewrites history" },
      { reason: "failed-grading", message: "503 from the judge" },
      { reason: "failed-grading", message: "accuracy NaN" },
      undefined,
    ]);
    expect(graded[3].conversations[0].turns.map((turn) => turn.accuracy)).toEqual([0, 1]);
  });

  test("an abort before sampling is heeded", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(sampleTurns(writers, questions, followUp, options, { ...draw, signal })).rejects.toThrow("enough");
  });
});

test("the world's words are where the tests think they are", () => {
  expect([idOf("q3"), again, endId]).toEqual([3, 4, 7]);
});
