import { expect, test } from "vitest";
import { FakeModel } from "#models/fake.ts";
import { Caller } from "./call.ts";
import { remoteError, userError } from "./errors.ts";

const request = { messages: [{ role: "user" as const, content: "Q" }], temperature: 0, maxTokens: 9, seed: 1 };

async function ask(reply: Error) {
  const caller = new Caller({ ...request, model: new FakeModel([reply]) });
  const result = await caller.ask(request.messages, { seed: 1 });
  return { result, spent: caller.spent };
}

test("a conversation that outgrew the model is no failure that asking again would mend", async () => {
  const { result, spent } = await ask(userError("context-exceeded", "1818 tokens and room for 1024"));
  expect(result).toMatchObject({ ok: false, reason: "context-exceeded", message: expect.stringContaining("1818") });
  expect(spent).toMatchObject({ calls: 1, inputTokens: 0, outputTokens: 0 });
});

test("what a refused request cost is known, what a broken one cost is not", async () => {
  const refused = await ask(remoteError("http", "429", { status: 429, costsNothing: true }));
  expect(refused).toMatchObject({ result: { reason: "error" }, spent: { inputTokens: 0 } });
  const broken = await ask(remoteError("http", "502", { status: 502 }));
  expect(broken.spent).toMatchObject({ calls: 1, inputTokens: undefined, outputTokens: undefined });
});

test("a completion that asks for a tool ends the method", async () => {
  const model = new FakeModel([{ text: "", finishReason: "tool-calls", parts: [{ name: "search" }] }]);
  const result = await new Caller({ ...request, model }).ask(request.messages, { seed: 1 });
  expect(result).toMatchObject({ ok: false, reason: "tool-calls" });
});
