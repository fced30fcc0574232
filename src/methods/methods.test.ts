/** What every method of the catalogue promises: its cost in calls, one meter, budgets, failures as values, nothing of the reference. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { MethodCard } from "#kernel/method-card.ts";
import { addUsage, noUsage, type Usage } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { BoundMethod, Method, MethodRequest, MethodTools, Outcome, TraceEvent } from "#kernel/trace.ts";
import { MeteredModel } from "#models/around/meter.ts";
import { type FakeCall, FakeModel, type FakeReply } from "#models/fake.ts";
import { bindMethod, methodCards, parseMethods } from "./catalogue.ts";
import { pasrFormat } from "./plain/pasr-format.ts";
import { vanilla } from "./plain/vanilla.ts";

const request: Omit<MethodRequest, "model"> = {
  messages: [{ role: "user", content: "What is 6 times 7?" }],
  temperature: 0.5,
  maxTokens: 32,
  seed: 11,
};

const secret = "the-reference-answer-8315";

/** One of everything a method may need. Nothing is ever right, so that nothing stops early. */
function simpleTools(oracleCalls: string[] = []): MethodTools {
  return {
    readAnswer: (text) => parseRefine(text).answerText || undefined,
    sameAnswer: (first, second) => first === second,
    runVisibleTests: async () => ({ status: "failed", output: "assertion 1 failed", passed: false }),
    runPython: async () => ({ status: "failed", output: "NameError" }),
    scoreCompletion: async () => ({ score: 0.5, stepScores: [0.5], usage: noUsage }),
    oracle: {
      isRight: async (completion) => {
        oracleCalls.push(completion);
        return completion.includes(secret);
      },
      runHiddenTests: async (completion) => {
        oracleCalls.push(completion);
        return { status: "failed", output: "", passed: false };
      },
    },
  };
}

type Script = (call: FakeCall, sample: number, index: number) => FakeReply;

async function play(method: Method, script: Script, more: Partial<MethodRequest> = {}) {
  const model = new FakeModel(script);
  const meter = new MeteredModel(model);
  const events: TraceEvent[] = [];
  const run = method.run({ tools: simpleTools(), ...request, ...more, model: meter });
  for (;;) {
    const next = await run.next();
    if (next.done) return { model, meter, events, outcome: next.value as Outcome };
    events.push(next.value);
  }
}

/** Every reply is another answer, and no judge, critic or checker is ever content. */
const restless: Script = (_call, sample, index) =>
  `<think>6 × 7</think>\nVerdict: wrong\nScore: ${(index + sample) % 7}\nBetter: neither\n<answer>${100 * index + sample}</answer>`;

function usageOf(events: readonly TraceEvent[]): Usage {
  return events.reduce<Usage>((sum, event) => ("usage" in event ? addUsage(sum, event.usage) : sum), noUsage);
}

/** Methods that need all of their calls when nothing satisfies them. */
const restlessCosts: [expression: string, calls: number][] = [
  ["vanilla", 1],
  ["pasr-format", 1],
  ["chain-of-thought", 1],
  ["chain-of-thought(extract=true)", 2],
  ["chain-of-thought(style=instruction)", 1],
  ["chain-of-thought(style=prefill,extract=true)", 2],
  ["self-consistency(samples=5)", 1],
  ...[0, 1, 3].flatMap((rounds): [string, number][] => [
    [`self-refine(rounds=${rounds})`, 2 + 2 * rounds],
    [`self-refine(rounds=${rounds},choose=last)`, 1 + 2 * rounds],
    [`self-refine(rounds=${rounds},choose=vote)`, 1 + 2 * rounds],
    [`self-refine(rounds=${rounds},variant=one-call)`, 1 + rounds],
    [`self-refine(rounds=${rounds},stop=false)`, 2 + 2 * rounds],
    [`self-refine-oracle(rounds=${rounds})`, 1 + 2 * rounds],
    [`ptr-rounds(rounds=${rounds + 1})`, rounds + 1],
    [`ptr-rounds(rounds=${rounds + 1},choose=vote,stopWhenSame=true)`, rounds + 1],
  ]),
  ["best-of-n(n=1)", 1],
  ["best-of-n(n=3)", 1 + 3],
  ["best-of-n(n=3,judgements=4)", 1 + 3],
  ["best-of-n(n=3,select=pairwise)", 1 + 4],
  ["best-of-n(n=3,select=listwise)", 1 + 1],
  ["best-of-n(n=3,select=verifier)", 1],
  ["best-of-n(n=3,select=vote)", 1],
  ["best-of-n(vanilla,n=3)", 3 + 3],
  ["best-of-n(self-refine(rounds=1),n=2)", 2 * 4 + 2],
  ["best-of-n(ptr-rounds(rounds=2),n=3,select=vote)", 3 * 2],
  ["best-of-n(best-of-n(n=2),n=2,select=pairwise)", 2 * 3 + 2],
  ["best-of-n(self-refine-oracle(rounds=1),n=2,select=listwise)", 2 * 3 + 1],
];

describe.each(restlessCosts)("%s", (expression, calls) => {
  const { method, maxCalls } = parseMethods(expression)[0];

  test(`costs ${calls} calls by its formula and by the meter, and its events add up`, async () => {
    const { meter, events, outcome } = await play(method, restless);
    expect(maxCalls).toBe(calls);
    expect(meter.usage.calls).toBe(calls);
    expect(outcome).toMatchObject({ reason: "done", usage: meter.usage });
    expect(usageOf(events)).toEqual(meter.usage);
  });

  test("asks the budget before each call and ends with its best answer so far", async () => {
    for (let allowed = 0; allowed < calls; allowed++) {
      const asked: number[] = [];
      const mayCall = (spent: Usage) => {
        asked.push(spent.calls);
        return spent.calls < allowed;
      };
      const { meter, outcome } = await play(method, restless, { mayCall });
      expect(meter.usage.calls).toBe(allowed);
      expect(asked).toEqual(Array.from({ length: allowed + 1 }, (_, index) => index));
      expect(outcome).toMatchObject({ reason: "budget-exhausted", usage: meter.usage });
      expect(outcome.answer === "").toBe(allowed === 0);
    }
  });

  test("draws its calls from different seeds, the first from that of the plain answer", async () => {
    const { model } = await play(method, restless);
    const seeds = model.calls.map((call) => call.options.seed);
    expect(seeds[0]).toBe(deriveSeed(request.seed, "attempt", 0));
    expect(new Set(seeds).size).toBe(calls);
  });
});

test("every method of the catalogue has a test that it reaches its largest cost", () => {
  const here = new Set(restlessCosts.map(([expression]) => expression.split("(")[0]));
  const elsewhere = ({ kind, id }: MethodCard) => {
    const file = path.join(import.meta.dirname, kind, `${id}.test.ts`);
    return existsSync(file) && readFileSync(file, "utf8").includes("keepsItsPromises(");
  };
  expect(methodCards.filter((card) => !here.has(card.id) && !elsewhere(card)).map((card) => card.id)).toEqual([]);
});

/** Each card at its defaults, and with every choice of every option. */
function variants(card: MethodCard): BoundMethod[] {
  const choices = Object.entries(card.options).flatMap(([name, option]) =>
    option.type === "choice" ? (option.choices ?? []).map((value) => ({ [name]: value })) : [],
  );
  return [{}, ...choices].map((options) => bindMethod(card, options));
}

describe.each(methodCards.map((card) => [card.id, card] as const))("the card of %s", (id, card) => {
  test("says what it is", () => {
    expect(id).toMatch(/^[a-z]+(-[a-z]+)*$/);
    expect(card.summary).toMatch(/^[A-Z].{20,130}\.$/);
    if (card.paper) expect(card.paper).toMatchObject({ arxiv: expect.stringMatching(/^\d{4}\.\d{5}$/) });
    for (const [name, option] of Object.entries(card.options)) {
      expect(name).toMatch(/^[a-z][A-Za-z]*$/);
      expect(option.description).not.toBe("");
      if (option.type === "choice") expect(option.choices).toContain(option.default);
    }
    expect(card.usesOracle === true).toBe(card.needs.includes("oracle"));
    expect(id.includes("oracle")).toBe(card.usesOracle === true);
    expect(bindMethod(card).method).toMatchObject({ id, ...(card.usesOracle ? { usesOracle: true } : {}) });
  });

  test("never costs more than it says, whatever the model answers, and the outcome says what the meter says", async () => {
    const piece = fc.constantFrom(
      "<think>",
      "<refine>",
      "</refine>",
      "</think>",
      "<answer>42</answer>",
      "EVERYTHING IS RIGHT",
      "Verdict: right",
      "Verdict: wrong",
      "Score: 7",
      "Better: A",
      "Best: 2",
      "<question>What is 6 times 7, then?</question>",
      "```python\nprint(1)\n```",
      "7/10",
      "\n",
    );
    const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 8 }).map((parts) => parts.join("\n"));
    const bound = variants(card);
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), fc.constantFrom(...bound), async (replies, one) => {
        const script: Script = (_call, sample, index) => replies[(index + sample) % replies.length];
        const { meter, events, outcome } = await play(one.method, script);
        expect(outcome.reason).toBe("done");
        expect(meter.usage.calls).toBeLessThanOrEqual(one.maxCalls);
        expect(outcome.usage).toEqual(meter.usage);
        expect(usageOf(events)).toEqual(meter.usage);
      }),
      { numRuns: 40 },
    );
  });

  test("ends with what it has wherever a call fails, is cancelled, or asks for a tool", async () => {
    for (const one of variants(card)) {
      const whole = await play(one.method, restless);
      for (let good = 0; good < Math.min(whole.model.calls.length, 12); good++) {
        const controller = new AbortController();
        const endings: [Outcome["reason"], () => FakeReply][] = [
          ["error", () => new Error("boom")],
          ["tool-calls", () => ({ text: "", finishReason: "tool-calls" })],
          [
            "cancelled",
            () => {
              controller.abort();
              return new Error("aborted");
            },
          ],
        ];
        for (const [reason, ending] of endings) {
          const script: Script = (call, sample, index) => (index < good ? restless(call, sample, index) : ending());
          const { events, meter, outcome } = await play(one.method, script, { signal: controller.signal });
          expect(outcome).toMatchObject({ reason, usage: meter.usage });
          const flat = JSON.stringify(events.filter((event) => event.type === "error"));
          expect(flat.includes("boom") || reason !== "error" || events.some(({ type }) => type === "inner")).toBe(true);
          if (reason === "cancelled") expect(flat).toBe("[]");
          const attempts = events.filter((event) => event.type === "attempt-end");
          expect(outcome.text !== "").toBe(attempts.length > 0);
          expect(attempts.length === 0 || attempts.some((attempt) => attempt.text === outcome.text)).toBe(true);
        }
      }
    }
  });

  test("gives the same calls and the same trace again", async () => {
    for (const one of variants(card)) {
      const [first, second] = [await play(one.method, restless), await play(one.method, restless)];
      expect(first.model.calls).toEqual(second.model.calls);
      expect(first.events).toEqual(second.events);
      expect(first.outcome).toEqual(second.outcome);
    }
  });

  test("numbers its attempts in order, and speaks of attempts there are", async () => {
    for (const one of variants(card)) {
      const { events, outcome } = await play(one.method, restless);
      let attempts = 0;
      for (const event of events) {
        if (event.type === "attempt-end") expect(event.attempt).toBe(attempts++);
        else if (event.type !== "error" && event.type !== "inner" && event.attempt !== undefined) {
          expect(event.attempt).toBeLessThan(attempts);
        }
      }
      expect(outcome.text).not.toBe("");
    }
  });

  test("keeps the user's system message, first and the only one", async () => {
    const messages = [{ role: "system" as const, content: "Be brief." }, ...request.messages];
    for (const one of variants(card)) {
      const { model } = await play(one.method, restless, { messages });
      for (const call of model.calls) {
        const system = call.messages.filter((message) => message.role === "system");
        expect(system).toEqual([call.messages[0]]);
        expect(system[0].content).toContain("Be brief.");
      }
    }
  });

  test("asks the oracle only when it says so, and no word of it reaches a prompt", async () => {
    for (const one of variants(card)) {
      const asked: string[] = [];
      const { model } = await play(one.method, restless, { tools: simpleTools(asked) });
      expect(asked.length > 0).toBe(one.method.usesOracle === true);
      expect(JSON.stringify(model.calls)).not.toContain(secret);
    }
  });

  if (card.usesOracle) {
    test("refuses to run without an oracle", async () => {
      await expect(play(bindMethod(card).method, restless, { tools: {} })).rejects.toMatchObject({ family: "user" });
    });
  }
});

test("an instruction joins the user's own system message; there is never a second one", async () => {
  const messages = [{ role: "system" as const, content: "Be brief." }, ...request.messages];
  const systems = async (method: Method, given: MethodRequest["messages"]) =>
    (await play(method, restless, { messages: given })).model.calls[0].messages.filter((message) => message.role === "system");
  expect(await systems(pasrFormat({ instruction: "Use the tags." }), messages)).toEqual([
    { role: "system", content: "Use the tags.\n\nBe brief." },
  ]);
  expect(await systems(vanilla(), messages)).toEqual([{ role: "system", content: "Be brief." }]);
  expect(await systems(vanilla({ instruction: "Think first." }), request.messages)).toEqual([
    { role: "system", content: "Think first." },
  ]);
});
