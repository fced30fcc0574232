import { afterEach, expect, it } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import { cutAtStop, firstStop } from "#kernel/call.ts";
import { type ModelServer, type PlayedReply, playServer } from "../../test/support/model-server.ts";
import { OpenAiModel } from "./openai/openai.ts";
import { carefulQuirks, serverQuirks } from "./openai/server-quirks.ts";

let server: ModelServer | undefined;
const connections = new HttpConnections();
afterEach(async () => {
  await server?.close();
  connections.close();
});

async function modelOver(reply: PlayedReply): Promise<OpenAiModel> {
  server = await playServer(() => reply);
  const quirks = carefulQuirks(serverQuirks.transformers);
  return new OpenAiModel({ model: "wanted", address: { baseUrl: server.baseUrl }, connections, quirks });
}

const options = { n: 1, temperature: 0, maxTokens: 10, seed: 1 };

it("finds the first of several stop texts, and none in empty ones", () => {
  expect(firstStop("one two three", ["three", "two", ""])).toBe(4);
  expect(firstStop("one", ["two"])).toBeUndefined();
  expect(firstStop("one", undefined)).toBeUndefined();
  const completion = {
    text: "one two",
    finishReason: "stop",
    usage: { calls: 1, inputTokens: 1, outputTokens: 2, milliseconds: 0 },
  } as const;
  expect(cutAtStop(completion, ["two"])).toEqual({ ...completion, text: "one " });
  expect(cutAtStop(completion, [])).toBe(completion);
});

it("cuts what a server leaves in, as transformers serve does", async () => {
  const choices = [{ index: 0, message: { role: "assistant", content: "<think>211+4=215" }, finish_reason: "stop" }];
  const model = await modelOver({ body: { choices, usage: { prompt_tokens: 27, completion_tokens: 10 } } });
  const [completion] = await model.generate([{ role: "user", content: "?" }], { ...options, stop: ["215"] });
  expect(completion).toMatchObject({ text: "<think>211+4=", finishReason: "stop", usage: { outputTokens: 10 } });
});

it("takes a refusal to serve another model for a wrong name", async () => {
  const model = await modelOver({ status: 400, body: { detail: "Server is pinned to 'theirs'; requested 'wanted'." } });
  await expect(model.generate([{ role: "user", content: "?" }], options)).rejects.toMatchObject({
    family: "user",
    code: "model-unknown",
    message: expect.stringContaining("theirs"),
  });
});
