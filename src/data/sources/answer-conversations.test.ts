import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { Random } from "#kernel/seed.ts";
import type { QuestionAnswerItem } from "../files/question-answer.ts";
import { answerConversation, answerPrompts } from "./answer-conversations.ts";

const worked: QuestionAnswerItem = {
  id: "f:1",
  question: "Twice 24 and 24?",
  answer: "72",
  solution: "24*2=48\n48+24=72",
};
const short: QuestionAnswerItem = { id: "f:2", question: "Capital of France?", answer: "Paris" };
const always = { refinedShare: 1, refineShare: 1, wrongShare: 1 };

const contentOf = (item: QuestionAnswerItem, options = always, seed = 1) =>
  answerConversation(item, "Rome", options, new Random(seed)).messages;

describe("conversations from questions with answers", () => {
  it("puts the solution into the thought and the answer into its span", () => {
    expect(contentOf(worked, { ...always, refinedShare: 0 })).toEqual([
      { role: "system", content: answerPrompts.plain, trainable: false },
      { role: "user", content: worked.question, trainable: false },
      { role: "assistant", content: "<think>24*2=48\n48+24=72</think><answer>72</answer>", trainable: true },
    ]);
    expect(contentOf(short, { ...always, refinedShare: 0 })[2].content).toBe("<think>Paris</think><answer>Paris</answer>");
  });

  it("keeps the format, ends right, and masks exactly the wrong attempt", () => {
    fc.assert(
      fc.property(fc.integer(), fc.constantFrom(worked, short), fc.constantFrom(0, 0.5, 1), (seed, item, wrongShare) => {
        const [system, , assistant] = contentOf(item, { ...always, wrongShare }, seed);
        const { content, masked = [] } = assistant!;
        const parsed = parseRefine(content);
        expect(system!.content).toBe(answerPrompts.refine);
        expect(parsed).toMatchObject({ ok: true, answer: item.answer });
        expect(parsed.refines).toHaveLength(1);

        // Without refinements and with the refined step in place of the attempt, the solution is the file's.
        const lines = (item.solution ?? item.answer).split("\n");
        const span = parsed.spans.find(({ kind }) => kind === "refine")!;
        const refined = content.slice(span.innerStart, span.innerEnd);
        expect(lines).toContain(refined);
        const attempt = content.slice("<think>".length, span.start).split("\n").at(-1)!;
        expect(masked.map(([start, end]) => content.slice(start, end))).toEqual(attempt === refined ? [] : [attempt]);
        if (wrongShare === 1) expect(attempt).not.toBe(refined);
        if (wrongShare === 0) expect(masked).toEqual([]);
        if (masked.length > 0) expect(masked[0][1]).toBe(span.start);
      }),
    );
  });

  it("takes the only answer there is for right, and refines it without need", () => {
    const { content, masked } = answerConversation(short, "Paris", always, new Random(1)).messages[2];
    expect(content).toBe("<think>Paris<refine>Paris</refine></think><answer>Paris</answer>");
    expect(masked).toBeUndefined();
  });

  it.each([
    ["<think>a<refine>b</refine></think><answer>2</answer>", answerPrompts.refine],
    ["<think>a</think><answer>2</answer>", answerPrompts.plain],
  ])("teaches a completion of the file as it stands: %s", (completion, prompt) => {
    const [system, , assistant] = contentOf({ id: "x", question: "1+1?", answer: "2", completion });
    expect(system!.content).toBe(prompt);
    expect(assistant).toEqual({ role: "assistant", content: completion, trainable: true });
  });
});
