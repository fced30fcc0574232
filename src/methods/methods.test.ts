/** What every method promises: its cost in calls, usage on every event, the budget asked before each call, failures as values. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { addUsage, noUsage, type Usage } from "#kernel/model.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { FakeModel } from "#models/fake.ts";
import { pasrFormat } from "./pasr-format.ts";
import { selfConsistency } from "./self-consistency.ts";
import { selfRefine } from "./self-refine.ts";
import { vanilla } from "./vanilla.ts";

const request: Omit<MethodRequest, "model"> = {
  messages: [{ role: "user", content: "What is 6 times 7?" }],
  temperature: 0.5,
  maxTokens: 32,
  seed: 11,
};

async function drain(method: Method, full: MethodRequest): Promise<{ events: TraceEvent[]; outcome: Outcome }> {
  const events: TraceEvent[] = [];
  const run = method.run(full);
  for (;;) {
    const next = await run.next();
    if (next.done) return { events, outcome: next.value };
    events.push(next.value);
  }
}

/** Every method with its cost in calls when nothing stops early. */
const methods: [name: string, method: Method, calls: number][] = [
  ["vanilla", vanilla(), 1],
  ["pasr-format", pasrFormat(), 1],
  ["self-consistency", selfConsistency({ samples: 5 }), 1],
  ...[0, 1, 3].flatMap((rounds): [string, Method, number][] => [
    [`self-refine, two calls, ${rounds} rounds`, selfRefine({ rounds }), 1 + 2 * rounds],
    [`self-refine, one call, ${rounds} rounds`, selfRefine({ rounds, variant: "one-call" }), 1 + rounds],
    [`self-refine, best scored, ${rounds} rounds`, selfRefine({ rounds, choose: "best-scored" }), 2 + 2 * rounds],
  ]),
];

describe.each(methods)("%s", (_, method, cost) => {
  test(`costs ${cost} calls, and its events' usage sums to its outcome's`, async () => {
    const model = new FakeModel(() => "<think>6 × 7</think><answer>42</answer>");
    const { events, outcome } = await drain(method, { ...request, model });
    expect(model.calls).toHaveLength(cost);
    expect(outcome).toMatchObject({ reason: "done", answer: "42" });
    const spent = events.reduce<Usage>((sum, event) => ("usage" in event ? addUsage(sum, event.usage) : sum), noUsage);
    expect(spent).toEqual(outcome.usage);
    expect(outcome.usage.calls).toBe(cost);
  });

  test("asks the budget before each call and ends with its best answer so far", async () => {
    for (let allowed = 0; allowed < cost; allowed++) {
      const model = new FakeModel(() => "<answer>42</answer>");
      const asked: number[] = [];
      const mayCall = (spent: Usage) => {
        asked.push(spent.calls);
        return spent.calls < allowed;
      };
      const { outcome } = await drain(method, { ...request, model, mayCall });
      expect(model.calls).toHaveLength(allowed);
      expect(asked).toEqual(Array.from({ length: allowed + 1 }, (_, index) => index));
      expect(outcome).toMatchObject({ reason: "budget-exhausted", answer: allowed === 0 ? "" : "42" });
    }
  });

  test("turns a failed call into an error event and keeps what it has", async () => {
    for (let good = 0; good < cost; good++) {
      const model = new FakeModel((_call, _sample, index) => (index < good ? "<answer>42</answer>" : new Error("boom")));
      const { events, outcome } = await drain(method, { ...request, model });
      expect(events).toContainEqual({ type: "error", message: "boom" });
      expect(outcome).toMatchObject({ reason: "error", answer: good === 0 ? "" : "42" });
      expect(outcome.usage).toMatchObject({ calls: good + 1, outputTokens: undefined });
    }
  });

  test("ends as cancelled when its signal is aborted", async () => {
    const controller = new AbortController();
    const model = new FakeModel(() => {
      controller.abort();
      return new Error("aborted");
    });
    const { events, outcome } = await drain(method, { ...request, model, signal: controller.signal });
    expect(outcome.reason).toBe("cancelled");
    expect(events.filter((event) => event.type === "error")).toEqual([]);
  });

  test("draws the same seeds for the same request, and its first answer is the plain one's", async () => {
    const [first, second, plain] = [1, 2, 3].map(() => new FakeModel(() => "<answer>1</answer>"));
    await drain(method, { ...request, model: first! });
    await drain(method, { ...request, model: second! });
    await drain(vanilla(), { ...request, model: plain! });
    const seeds = (model: FakeModel) => model.calls.map((call) => call.options.seed);
    expect(seeds(first!)).toEqual(seeds(second!));
    expect(seeds(first!)[0]).toBe(seeds(plain!)[0]);
    expect(new Set(seeds(first!)).size).toBe(cost);
  });
});

test("an instruction joins the user's own system message; there is never a second one", async () => {
  const model = new FakeModel(() => "<answer>42</answer>");
  const messages = [{ role: "system" as const, content: "Be brief." }, ...request.messages];
  await drain(pasrFormat({ instruction: "Use the tags." }), { ...request, messages, model });
  await drain(vanilla(), { ...request, messages, model });
  await drain(vanilla({ instruction: "Think first." }), { ...request, model });
  expect(model.calls.map((call) => call.messages.filter((message) => message.role === "system"))).toEqual([
    [{ role: "system", content: "Use the tags.\n\nBe brief." }],
    [{ role: "system", content: "Be brief." }],
    [{ role: "system", content: "Think first." }],
  ]);
});

test("no text of a model makes a method throw", async () => {
  const piece = fc.constantFrom(
    "<think>",
    "</think>",
    "<refine>",
    "</refine>",
    "<answer>",
    "</answer>",
    "EVERYTHING IS RIGHT",
    "7/10",
    "42",
    "\n",
  );
  const text = fc.array(fc.oneof(piece, fc.string()), { maxLength: 12 }).map((parts) => parts.join(""));
  await fc.assert(
    fc.asyncProperty(text, fc.constantFrom(...methods), async (reply, [, method, cost]) => {
      const { outcome } = await drain(method, { ...request, model: new FakeModel(() => reply) });
      expect(outcome.reason).toBe("done");
      expect(outcome.usage.calls).toBeLessThanOrEqual(cost);
    }),
  );
});
