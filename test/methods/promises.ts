/** What every method over a model promises, as tests that one call adds for one method with its options. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { addUsage, noUsage, type Usage } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, MethodTools, Outcome, TraceEvent } from "#kernel/trace.ts";
import { type FakeCall, FakeModel, type FakeReply } from "#models/fake.ts";

/** What the model says, by how often it was asked before. */
export type Script = (call: FakeCall, callIndex: number) => FakeReply;

export interface Played {
  model: FakeModel;
  events: TraceEvent[];
  outcome: Outcome;
}

export const question = "What is 6 times 7?";

/** Runs a method over a scripted model to its end. */
export async function play(
  method: Method,
  script: readonly FakeReply[] | Script,
  request: Partial<Omit<MethodRequest, "model">> = {},
): Promise<Played> {
  const model = new FakeModel(typeof script === "function" ? (call, _sample, index) => script(call, index) : script);
  const messages = [{ role: "user" as const, content: question }];
  const run = method.run({ messages, temperature: 0.5, maxTokens: 64, seed: 11, ...request, model });
  const events: TraceEvent[] = [];
  for (;;) {
    const next = await run.next();
    if (next.done) return { model, events, outcome: next.value };
    events.push(next.value);
  }
}

/** A call's conversation, one text a message. */
export function dialogue(call: FakeCall | undefined): string[] {
  return (call?.messages ?? []).map((message) => `${message.role}: ${message.content}`);
}

/** What a reader of the trace sees, in short: `attempt 0`, `hint`, `check 1 by tests: passed`, `chose 1`. */
export function outline(events: readonly TraceEvent[]): string[] {
  return events.map((event) => {
    if (event.type === "attempt-end") return `attempt ${event.attempt}`;
    if (event.type === "feedback-end") return `feedback ${event.attempt}`;
    if (event.type === "step-end") return event.role;
    if (event.type === "choice-end") return `chose ${event.attempt}`;
    if (event.type === "inner") return `inner ${event.method} ${event.branch}: ${outline([event.event])[0]}`;
    if (event.type === "error") return `error: ${event.message}`;
    const score = event.score === undefined ? "" : ` ${Number(event.score.toFixed(4))}`;
    const verdict = event.passed === undefined ? "" : event.passed ? " passed" : " failed";
    return `check ${event.attempt} by ${event.by}:${score}${verdict}`;
  });
}

export interface Promises {
  method: Method;
  /** Most calls by the method's card. */
  calls: number;
  /** Makes the method need all of them. */
  worst: Script;
  tools?: MethodTools | undefined;
  /** Calls after which there is a first answer; 1 when left out. */
  firstAnswer?: number;
  /** Whether the first answer is asked for as `vanilla` asks; true when left out. */
  asksPlainly?: boolean;
}

export function keepsItsPromises({ method, calls, worst, tools, firstAnswer = 1, asksPlainly = true }: Promises): void {
  const withTools = tools ? { tools } : {};

  test(`costs ${calls} calls at most, and its events' usage sums to its outcome's`, async () => {
    const { model, events, outcome } = await play(method, worst, withTools);
    expect(model.calls).toHaveLength(calls);
    expect(outcome).toMatchObject({ reason: "done", usage: { calls } });
    expect(events.reduce<Usage>((sum, event) => ("usage" in event ? addUsage(sum, event.usage) : sum), noUsage)).toEqual(
      outcome.usage,
    );
    expect(events.at(-1)?.type).toBe("choice-end");
    const attempts = events.flatMap((event) => (event.type === "attempt-end" ? [event.attempt] : []));
    expect(attempts).toEqual(attempts.map((_, index) => index));
  });

  test("ends with its best so far wherever the budget is spent", async () => {
    for (let allowed = 0; allowed < calls; allowed++) {
      const asked: number[] = [];
      const mayCall = (spent: Usage) => {
        asked.push(spent.calls);
        return spent.calls < allowed;
      };
      const { model, outcome } = await play(method, worst, { ...withTools, mayCall });
      expect(model.calls).toHaveLength(allowed);
      expect(new Set(asked)).toEqual(new Set(Array.from({ length: allowed + 1 }, (_, index) => index)));
      expect(outcome).toMatchObject({ reason: "budget-exhausted", usage: { calls: allowed } });
      expect(outcome.text !== "").toBe(allowed >= firstAnswer);
    }
  });

  test("ends with its best so far wherever a call fails", async () => {
    for (let good = 0; good < calls; good++) {
      const failing: Script = (call, index) => (index < good ? worst(call, index) : new Error("boom"));
      const { events, outcome } = await play(method, failing, withTools);
      expect(events.some((event) => event.type === "error")).toBe(true);
      expect(outcome).toMatchObject({ reason: "error", usage: { calls: good + 1, outputTokens: undefined } });
      expect(outcome.text !== "").toBe(good >= firstAnswer);
    }
  });

  test("ends as cancelled, without an error event, wherever its signal is aborted", async () => {
    for (let good = 0; good < calls; good++) {
      const controller = new AbortController();
      const cancelling: Script = (call, index) => {
        if (index < good) return worst(call, index);
        controller.abort();
        return new Error("aborted");
      };
      const { events, outcome } = await play(method, cancelling, { ...withTools, signal: controller.signal });
      expect(outcome.reason).toBe("cancelled");
      expect(events.filter((event) => event.type === "error")).toEqual([]);
      expect(outcome.text !== "").toBe(good >= firstAnswer);
    }
  });

  test("a call for a tool ends it with its best so far", async () => {
    for (let good = 0; good < calls; good++) {
      const asking: Script = (call, index) => (index < good ? worst(call, index) : { text: "", finishReason: "tool-calls" });
      const { outcome } = await play(method, asking, withTools);
      expect(outcome.reason).toBe("tool-calls");
      expect(outcome.text !== "").toBe(good >= firstAnswer);
    }
  });

  test("draws the same seeds again, and its first answer is the plain one's", async () => {
    const [first, second] = [await play(method, worst, withTools), await play(method, worst, withTools)];
    const drawn = ({ model }: Played) => model.calls.map((call) => call.options.seed);
    expect(drawn(first)).toEqual(drawn(second));
    expect(first.events).toEqual(second.events);
    expect(new Set(drawn(first)).size).toBe(calls);
    const answered = first.model.calls[firstAnswer - 1];
    if (asksPlainly) expect(dialogue(answered)).toEqual([`user: ${question}`]);
    expect(answered.options).toMatchObject({ seed: deriveSeed(11, "attempt", 0), temperature: 0.5, maxTokens: 64 });
  });

  test("no text of a model makes it throw or ask more often", async () => {
    const piece = fc.constantFrom(
      "<think>",
      "<answer>42</answer>",
      "</question>",
      "<question>6",
      "\nVerdict: right\n",
      "\nVerdict: wrong\n",
      "\nScore: 7\n",
      "\nBetter: A\n",
      "\nBoth: sound\n",
      "\nSteps: 7 8\n",
      "```python\nx = 1\n```",
      "KEY POINTS",
      "42",
      "\n",
      "\u{1F600}",
      "\uD800",
    );
    const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 8 }).map((parts) => parts.join(""));
    await fc.assert(
      fc.asyncProperty(fc.array(text, { minLength: 1, maxLength: 5 }), async (replies) => {
        const { model, outcome } = await play(method, (_, index) => replies[index % replies.length], withTools);
        expect(outcome.reason).toBe("done");
        expect(model.calls.length).toBeLessThanOrEqual(calls);
      }),
      { numRuns: 40 },
    );
    const huge = `${"a very long line ".repeat(20_000)}\n${"1 ".repeat(50_000)}`;
    for (const reply of ["", huge]) expect((await play(method, () => reply, withTools)).outcome.reason).toBe("done");
  });
}
