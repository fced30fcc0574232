import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerFormOf } from "#kernel/answer-form.ts";
import { dialogue, keepsItsPromises, outline, play } from "../../../test/methods/promises.ts";
import { vanilla } from "../plain/vanilla.ts";
import { selfRefine } from "../refinement/self-refine.ts";
import { chosenBy, selfPolish } from "./self-polish.ts";

const plain = { method: vanilla(), maxCalls: 1 };
const form = answerFormOf({});
const rewritten = (text: string) => `Here it is.\n<question>\n${text}\n</question>`;

/** Every first rewrite is refused and no two answers agree. */
function worst(call: { messages: readonly { content: string }[] }, index: number): string {
  const last = call.messages.at(-1)!.content;
  if (last.includes("cannot be used")) return rewritten(`What do you get, ${"really ".repeat(index)}from 6 times 7?`);
  return last.startsWith("Rewrite") ? "I would rather not." : `<answer>${index}</answer>`;
}

describe.each([0, 1, 3])("%i rewrites", (rewrites) => {
  const options = { over: plain, rewrites, choose: "vote", keepNumbers: true, tries: 1, rewriteTemperature: 0 };
  const method = selfPolish.card.create({ ...options, rewriteTokens: undefined }, "polish");
  keepsItsPromises({ method, calls: selfPolish.card.maxCalls(options), worst });
});

describe("over a method of several calls", () => {
  const over = { method: selfRefine({ rounds: 1 }), maxCalls: 3 };
  const options = { over, rewrites: 2, tries: 1 };
  keepsItsPromises({ method: selfPolish(options), calls: selfPolish.card.maxCalls(options), worst });
});

test("stops when two answers in a row agree, and every answer shows what its run has cost", async () => {
  const { model, events, outcome } = await play(selfPolish({ over: plain, rewrites: 3 }), [
    "<answer>41</answer>",
    rewritten("Multiply 6 by 7."),
    "<answer>42</answer>",
    rewritten("6 · 7 = ?"),
    "<answer>42.0</answer>",
  ]);
  expect(outline(events)).toEqual([
    "inner vanilla 0: attempt 0",
    "attempt 0",
    "rewritten question",
    "inner vanilla 1: attempt 0",
    "attempt 1",
    "rewritten question",
    "inner vanilla 2: attempt 0",
    "attempt 2",
    "chose 2",
  ]);
  expect(outcome).toMatchObject({ text: "<answer>42.0</answer>", answer: "42.0", reason: "done" });
  expect(dialogue(model.calls[4])).toEqual(["user: 6 · 7 = ?"]);
  expect(model.calls[3].messages[0].content).toContain("Multiply 6 by 7.");
});

test("only the text of the last question is rewritten", async () => {
  const messages = [
    { role: "system" as const, content: "Be brief." },
    { role: "user" as const, content: "Hello, I have 3 questions." },
    { role: "assistant" as const, content: "Go on." },
    { role: "user" as const, content: "What is 6 times 7?", parts: [{ image: "x" }] },
  ];
  const { model } = await play(
    selfPolish({ over: plain, rewrites: 1 }),
    ["<answer>1</answer>", rewritten("6 by 7?"), "<answer>2</answer>"],
    { messages },
  );
  expect(model.calls[0].messages).toEqual(messages);
  expect(model.calls[2].messages).toEqual([...messages.slice(0, 3), { ...messages[3], content: "6 by 7?" }]);
});

test("a rewrite that has lost a number is refused, told what it lost, and at last given up", async () => {
  const replies = ["<answer>41</answer>", rewritten("What is the product?"), rewritten("What is 6 times it?")];
  const { model, events, outcome } = await play(selfPolish({ over: plain, rewrites: 3 }), replies);
  expect(dialogue(model.calls[2]).at(-1)).toContain("lost the numbers 6, 7");
  expect(events.at(-1)).toMatchObject({ type: "choice-end", attempt: 0, reason: expect.stringContaining("lost the number 7") });
  expect(outcome.answer).toBe("41");
  const careless = await play(selfPolish({ over: plain, rewrites: 1, keepNumbers: false }), [
    ...replies.slice(0, 2),
    "<answer>5</answer>",
  ]);
  expect(careless.model.calls).toHaveLength(3);
});

test("rewriting that changes nothing is the end, and so is a question without text", async () => {
  const same = await play(selfPolish({ over: plain, rewrites: 3 }), ["<answer>41</answer>", rewritten("What is 6 times 7?")]);
  expect(same.events.at(-1)).toMatchObject({ reason: expect.stringContaining("as it is") });
  for (const messages of [[], [{ role: "user" as const, content: " " }], [{ role: "system" as const, content: "x" }]]) {
    const none = await play(selfPolish({ over: plain, rewrites: 3 }), ["<answer>41</answer>"], { messages });
    expect(none.outcome).toMatchObject({ answer: "41", reason: "done" });
  }
});

test("answers that cannot be read agree with nothing", async () => {
  const tools = { readAnswer: () => undefined };
  const replies = ["same", rewritten("6 by 7?"), "same"];
  const { events } = await play(selfPolish({ over: plain, rewrites: 1 }), replies, { tools });
  expect(events.at(-1)).toMatchObject({ attempt: 0 });
});

describe("the choice without agreement", () => {
  const answers = (...texts: string[]) => texts.map((text, attempt) => ({ attempt, text }));
  test.each([
    ["last", ["1", "2", "3"], 2],
    ["first", ["1", "2", "3"], 1],
    ["first", ["1"], 0],
    ["original", ["1", "2", "3"], 0],
    ["vote", ["1", "2", "3"], 0],
    ["vote", ["1", "2", "3", "2"], 1],
    ["vote", ["", ""], 0],
  ] as const)("%s of %j is %i", (rule, texts, chosen) => {
    expect(chosenBy(rule, answers(...texts), form)?.attempt).toBe(chosen);
  });

  test("is one of what there is, whatever the rule", () => {
    const text = fc.constantFrom("", "1", "2", "1.0");
    fc.assert(
      fc.property(fc.constantFrom("last", "first", "vote", "original"), fc.array(text), (rule, texts) => {
        const candidates = answers(...texts);
        const chosen = chosenBy(rule, candidates, form);
        if (candidates.length === 0) expect(chosen).toBeUndefined();
        else expect(candidates).toContain(chosen);
      }),
    );
  });
});

test("says that it uses the oracle when its solver does", () => {
  const oracle = { ...vanilla(), id: "peek", usesOracle: true };
  expect(selfPolish({ over: { method: oracle, maxCalls: 1 }, rewrites: 1 })).toMatchObject({
    id: "self-polish-peek",
    usesOracle: true,
  });
  expect(selfPolish({ over: plain, rewrites: 1 }).usesOracle).toBe(false);
});
