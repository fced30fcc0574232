/** A server that repeats the key it was sent, where what it says is cut: half a key is one that nothing knows again. */
import { afterEach, describe, expect, test } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import type { GenerateOptions } from "#kernel/model.ts";
import { forgetSecrets } from "#kernel/secrets.ts";
import { chatReply, type PlayedReply, playServer } from "../../../test/support/model-server.ts";
import { serverAddress } from "./address.ts";
import { OpenAiModel } from "./openai.ts";
import { carefulQuirks, serverQuirks } from "./server-quirks.ts";

const key = "sk-planted-0123456789abcdefghijklmnopqrstuv";
const options: GenerateOptions = { n: 1, temperature: 0, maxTokens: 20, seed: 7 };
const open: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
  forgetSecrets();
});

/** Everything that an answer, its failure and the model's memory say, as a record would hold it. */
async function said(reply: (asksForSeed: boolean) => PlayedReply): Promise<string> {
  const server = await playServer(({ body }) => reply("seed" in body!));
  const connections = new HttpConnections();
  open.push(server, connections);
  const address = serverAddress({ baseUrl: server.baseUrl, apiKey: key });
  const model = new OpenAiModel({ model: "m", address, connections, quirks: carefulQuirks(serverQuirks.vllm) });
  const answers = await model
    .generate([{ role: "user", content: "2+2?" }], options)
    .catch((error) => [error, error.remote, error.what]);
  return `${JSON.stringify([answers, model.notHonoured])}${answers.map(String)}`;
}

describe("a key is struck before what a server says is cut, wherever the cut falls in it", () => {
  const paddings = Array.from({ length: 17 }, (_, index) => 40 * index + 20);
  test.each<[string, (said: string) => (asksForSeed: boolean) => PlayedReply]>([
    [
      "a field that it refuses",
      (text) => (asksForSeed) =>
        asksForSeed
          ? { status: 400, body: { error: { message: `Unsupported parameter: 'seed' ${text}`, param: "seed" } } }
          : { body: chatReply(["4"]) },
    ],
    ["a refusal", (text) => () => ({ status: 422, body: { error: { message: text } } })],
    ["words that are no JSON", (text) => () => ({ body: text })],
    ["a reply without choices", (text) => () => ({ body: { note: text } })],
    ["a reply with no choice in it", (text) => () => ({ body: { choices: [], note: text } })],
    ["an event that is no JSON", (text) => () => ({ events: [`data: {"note": ${text}}\n\n`] })],
    ["a failure in a stream", (text) => () => ({ events: [`data: {"error": {"message": "${text}"}}\n\n`] })],
    ["a reply that breaks off", (text) => () => ({ body: `{"choices": [{"message": {"content": "${text}` })],
  ])("%s", async (_, replyOf) => {
    for (const padding of paddings) {
      const told = await said(replyOf(`${"x".repeat(padding)} ${key} and more ${"y".repeat(300)}`));
      expect(told).toMatch(/xxxx|“seed”|"seed"/);
      expect(told).not.toContain(key.slice(0, 12));
    }
  });
});
