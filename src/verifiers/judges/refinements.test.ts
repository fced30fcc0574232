import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { remoteError, userError } from "#kernel/errors.ts";
import type { GenerateOptions, Message, Model } from "#kernel/model.ts";
import {
  type AnswerWithRefinements,
  judgedTypes,
  judgeRefinements,
  readRefinementVerdict,
  refinementMessages,
} from "./refinements.ts";

const good = "It puts 2082 right.\nTYPE: error-correction\nCOHERENT: yes\nALIGNED: no";

/** Answers each call with the reply to its messages; an Error is thrown. Every call costs ten tokens in and two out. */
function judge(
  reply: (messages: readonly Message[], call: number) => string | Error,
): Model & { calls: { messages: readonly Message[]; options: GenerateOptions }[] } {
  const calls: { messages: readonly Message[]; options: GenerateOptions }[] = [];
  return {
    id: "judge",
    calls,
    async generate(messages, options) {
      calls.push({ messages, options });
      options.signal?.throwIfAborted();
      const text = reply(messages, calls.length - 1);
      if (text instanceof Error) throw text;
      return [{ text, finishReason: "stop", usage: { calls: 1, inputTokens: 10, outputTokens: 2, milliseconds: 1 } }];
    },
  };
}

const items = Array.from({ length: 6 }, (_, index) => ({
  id: `q${index}`,
  question: `Question ${index}?`,
  answer: "SECRET-4711",
}));
const records: AnswerWithRefinements[] = items.map(({ id }, index) => ({
  item: id,
  method: "pasr",
  sample: 0,
  text: `<think>3*${index}=1;<refine>first of ${id}</refine>1+1=2;<refine>second of ${id}</refine></think><answer>2</answer>`,
}));

describe("reading a verdict", () => {
  test("only three last lines of the agreed form count", () => {
    expect(readRefinementVerdict(good)).toEqual({ type: "error-correction", coherent: true, aligned: false });
    expect(readRefinementVerdict("**Type:** none\n\n`coherent: NO`\n> ALIGNED : yes.  \n\n")).toEqual({
      type: "none",
      coherent: false,
      aligned: true,
    });
    for (const reply of [
      "",
      "TYPE: error-correction",
      "COHERENT: yes\nALIGNED: no",
      "TYPE: error correction\nCOHERENT: yes\nALIGNED: no",
      "TYPE: error-correction or none\nCOHERENT: yes\nALIGNED: no",
      "TYPE: error-correction\nCOHERENT: maybe\nALIGNED: no",
      "TYPE: error-correction\nCOHERENT: yes\nALIGNED:",
      "COHERENT: yes\nTYPE: none\nALIGNED: no",
      `${good}\nI hope that helps.`,
      "TYPE: error-correction, COHERENT: yes, ALIGNED: no",
      "error-correction\nyes\nno",
      "TYPE: typo-correction\nCOHERENT: yes\nALIGNED: no",
    ]) {
      expect(readRefinementVerdict(reply), reply).toBeUndefined();
    }
  });

  test("never throws and invents nothing, and long replies end", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(...judgedTypes), fc.string(), (before, type, after) => {
        const verdict = readRefinementVerdict(`${before}TYPE: ${type}\nCOHERENT: yes\nALIGNED: ${after}`);
        if (verdict !== undefined) expect(verdict.type).toBe(type);
      }),
    );
    for (const piece of ["TYPE: ", "*", "\n", " ", good]) readRefinementVerdict(piece.repeat(200_000));
  });
});

test("the parts stand between marks, and what is huge is cut, thinking at its beginning", () => {
  const [system, user] = refinementMessages(
    { question: "Q?", before: `${"a".repeat(1_000_000)}NEAR`, revision: "R", after: "A" },
    "0badcafe",
  );
  expect(system!.role).toBe("system");
  for (const type of judgedTypes) expect(system!.content).toContain(`${type}:`);
  expect(user!.content).toContain("=== revision 0badcafe ===\nR\n=== end of revision 0badcafe ===");
  expect(user!.content).toContain("NEAR\n=== end of thinking so far 0badcafe ===");
  expect(user!.content.length).toBeLessThan(12_000);
});

describe("judging", () => {
  test("types and counts, the cost of every call, and nothing of the reference answer", async () => {
    const model = judge((messages) =>
      messages[1].content.includes("first of") && messages[1].content.includes("revision") ? good : "",
    );
    const judgement = await judgeRefinements({ model, records, items, sample: 100, seed: 1 });
    expect(judgement).toMatchObject({
      refinements: 12,
      asked: 12,
      judged: 12,
      unparsable: 0,
      failed: 0,
      coherent: 12,
      aligned: 0,
    });
    expect(judgement.types).toEqual({
      "error-correction": 12,
      "information-complement": 0,
      "solution-improvement": 0,
      "task-alignment": 0,
      none: 0,
    });
    expect(judgement.usage).toMatchObject({ calls: 12, inputTokens: 120, outputTokens: 24 });
    expect(judgement.verdicts.map(({ item, refinement }) => `${item}/${refinement}`)).toEqual(
      items.flatMap(({ id }) => [`${id}/0`, `${id}/1`]),
    );
    expect(JSON.stringify(model.calls)).not.toContain("SECRET-4711");
    const content = model.calls
      .map(({ messages }) => messages[1].content)
      .find((text) => /revision \w+ ===\nsecond of q2\n/.test(text))!;
    expect(content).toContain("Question 2?");
    expect(content).toMatch(/thinking so far \w+ ===\n<think>3\*2=1;<refine>first of q2<\/refine>1\+1=2;\n/);
    expect(content).toMatch(/what follows \w+ ===\n<\/think><answer>2<\/answer>\n/);
  });

  test("garbled replies are asked for again, then counted; failed calls too, and their cost is unknown", async () => {
    const model = judge((messages, call) => {
      const text = messages[1].content;
      if (/revision \w+ ===\nfirst of q0/.test(text)) return "TYPE: who knows";
      if (/revision \w+ ===\nfirst of q1/.test(text)) return remoteError("down", "the server is down", { status: 503 });
      if (/revision \w+ ===\nfirst of q2/.test(text)) return userError("context-exceeded", "too long");
      return call % 2 === 0 ? "hm" : good;
    });
    const judgement = await judgeRefinements({ model, records, items, sample: 100, seed: 1, concurrency: 1 });
    expect(judgement).toMatchObject({ asked: 12, unparsable: 1, failed: 2, judged: 9 });
    expect(Object.values(judgement.types).reduce((sum, count) => sum + count)).toBe(9);
    expect(judgement.usage.inputTokens).toBeUndefined();
    expect(judgement.verdicts.find(({ item }) => item === "q0")).toEqual({
      item: "q0",
      method: "pasr",
      sample: 0,
      refinement: 0,
      status: "unparsable",
    });
    expect(judgement.verdicts.find(({ item }) => item === "q1")).toMatchObject({
      status: "failed",
      failure: "the server is down",
    });
    const callsOf = (name: string) =>
      model.calls.filter(({ messages }) => new RegExp(`revision \\w+ ===\\n${name}`).test(messages[1].content));
    expect(callsOf("first of q0").map(({ options }) => options.seed)).toHaveLength(3);
    expect(new Set(callsOf("first of q0").map(({ options }) => options.seed)).size).toBe(3);
    expect(callsOf("first of q2")).toHaveLength(1);
  });

  test("the sample is the seed's, whatever the order of the records and the concurrency", async () => {
    const chosen = async (given: readonly AnswerWithRefinements[], seed: number, concurrency: number) => {
      const { verdicts, asked, refinements } = await judgeRefinements({
        model: judge(() => good),
        records: given,
        items,
        sample: 5,
        seed,
        concurrency,
      });
      expect([asked, refinements]).toEqual([5, 12]);
      return verdicts.map(({ item, refinement }) => `${item}/${refinement}`).sort();
    };
    const once = await chosen(records, 3, 1);
    expect(await chosen([...records].reverse(), 3, 4)).toEqual(once);
    expect(await chosen(records, 4, 1)).not.toEqual(once);
  });

  test("nothing to judge costs nothing; what cannot be right is refused", async () => {
    const model = judge(() => good);
    const none = { ...records[0], text: "<think>1+1=2;</think><answer>2</answer>" };
    expect(await judgeRefinements({ model, records: [none], items: [], sample: 5, seed: 0 })).toMatchObject({
      refinements: 0,
      asked: 0,
      judged: 0,
      usage: { calls: 0, inputTokens: 0 },
      verdicts: [],
    });
    expect(await judgeRefinements({ model, records, items, sample: 0, seed: 0 })).toMatchObject({ refinements: 12, asked: 0 });
    expect(model.calls).toHaveLength(0);
    for (const sample of [Number.NaN, -1, 1.5])
      await expect(judgeRefinements({ model, records, items, sample, seed: 0 })).rejects.toThrow("refinements to judge");
    await expect(judgeRefinements({ model, records, items, sample: 1, seed: 0, concurrency: 0 })).rejects.toThrow("in flight");
    await expect(judgeRefinements({ model, records, items: [], sample: 1, seed: 0 })).rejects.toThrow("not among the items");
  });

  test("a refused key ends it, and so does cancelling: no call is begun afterwards", async () => {
    const refused = judge(() => userError("key", "no such key"));
    await expect(judgeRefinements({ model: refused, records, items, sample: 100, seed: 0, concurrency: 1 })).rejects.toThrow(
      "no such key",
    );
    expect(refused.calls).toHaveLength(1);
    const later = judge((_, call) => (call === 0 ? userError("key", "no such key") : good));
    await expect(judgeRefinements({ model: later, records, items, sample: 100, seed: 0, concurrency: 2 })).rejects.toThrow("key");
    await new Promise((resolve) => setImmediate(resolve));
    expect(later.calls).toHaveLength(2);
    const controller = new AbortController();
    const model = judge((_, call) => {
      if (call === 2) controller.abort(new Error("enough"));
      return good;
    });
    const options = { model, records, items, sample: 100, seed: 0, signal: controller.signal };
    await expect(judgeRefinements({ ...options, concurrency: 1 })).rejects.toThrow("enough");
    expect(model.calls).toHaveLength(3);
    await expect(judgeRefinements(options)).rejects.toThrow("enough");
    expect(model.calls).toHaveLength(3);
  });
});
