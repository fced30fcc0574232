/** What servers tell of the cost, in all the forms that were seen: reasoning inside of the sampled tokens and beside them, whole and in pieces. */
import { afterEach, describe, expect, test } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import { addUsage, type GenerateOptions, noUsage, type Usage } from "#kernel/model.ts";
import { settledUsage } from "#kernel/reasoning-count.ts";
import { chatReply, chunk, type Play, playServer } from "../../../test/support/model-server.ts";
import { PricedModel } from "../around/prices.ts";
import { serverAddress } from "./address.ts";
import { OpenAiModel } from "./openai.ts";
import { carefulQuirks, serverQuirks } from "./server-quirks.ts";

const open: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

const ask = [{ role: "user" as const, content: "2+2?" }];
const options: GenerateOptions = { n: 1, temperature: 0, maxTokens: 4096, seed: 1 };

async function modelAt(play: Play): Promise<OpenAiModel> {
  const server = await playServer(play);
  const connections = new HttpConnections();
  open.push(server, connections);
  const address = serverAddress({ baseUrl: server.baseUrl });
  return new OpenAiModel({ model: "m", address, connections, quirks: carefulQuirks(serverQuirks.vllm) });
}

/** The usage of each of several calls of one server, which tells these. */
async function usages(...told: unknown[]): Promise<Usage[]> {
  const model = await modelAt((_, number) => ({ body: chatReply(["4"], { usage: told[number] }) }));
  const read: Usage[] = [];
  for (const _ of told) read.push((await model.generate(ask, options))[0].usage);
  return read;
}

const usage = (prompt: unknown, completion: unknown, reasoning?: unknown, total?: unknown, cached?: unknown) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  ...(total === undefined ? {} : { total_tokens: total }),
  ...(reasoning === undefined ? {} : { completion_tokens_details: { reasoning_tokens: reasoning } }),
  ...(cached === undefined ? {} : { prompt_tokens_details: { cached_tokens: cached } }),
});

describe("reasoning is sampled, whether the server counts it inside of the completion or beside it", () => {
  test.each<[string, object, Partial<Usage>]>([
    ["beside: more reasoning than completion", usage(10, 2, 400, 412), { outputTokens: 402, reasoningTokens: 400 }],
    ["beside: the same without a total", usage(10, 2, 400), { outputTokens: 402 }],
    ["beside: the total holds both", usage(10, 500, 400, 910), { outputTokens: 900, reasoningTokens: 400 }],
    ["beside: nothing but reasoning", usage(21, 0, 60, 81), { inputTokens: 21, outputTokens: 60, reasoningTokens: 60 }],
    ["beside: a total that leaves the reasoning out too", usage(10, 2, 400, 12), { outputTokens: 402 }],
    ["beside, of cached prompts", usage(100, 2, 40, 142, 64), { inputTokens: 100, outputTokens: 42, cachedInputTokens: 64 }],
    ["sampled unseen: the total alone shows it", usage(10, 2, undefined, 412), { outputTokens: 402, reasoningTokens: 400 }],
    ["inside: the total holds the completion alone", usage(10, 500, 400, 510), { outputTokens: 500, reasoningTokens: 400 }],
    ["inside: nothing but reasoning", usage(10, 60, 60, 70), { outputTokens: 60, reasoningTokens: 60 }],
    ["no reasoning", usage(10, 5, 0, 15), { outputTokens: 5, reasoningTokens: 0 }],
    ["nothing told of it", usage(10, 5, undefined, 15), { outputTokens: 5 }],
    ["null", usage(10, 5, null, null), { outputTokens: 5 }],
    ["negative, text and NaN are not told", usage(10, 5, -400, "412"), { outputTokens: 5 }],
    ["a total of 0", usage(10, 5, 3, 0), { outputTokens: 5, reasoningTokens: 3 }],
    ["an odd total", usage(10, 5, 3, 11), { outputTokens: 5, reasoningTokens: 3 }],
    ["a total alone beside the prompt", usage(10, null, undefined, 415), { outputTokens: 405 }],
    ["cached tokens beside the prompt", usage(10, 5, undefined, 115, 100), { inputTokens: 110, outputTokens: 5 }],
    ["more cached than prompt", usage(10, 5, undefined, undefined, 100), { inputTokens: 110, outputTokens: 5 }],
    [
      "read from a cache and written to one, beside the prompt, under Anthropic's names (opik#5214)",
      { ...usage(10, 5, undefined, 2215), cache_read_input_tokens: 200, cache_creation_input_tokens: 2000 },
      { inputTokens: 2210, outputTokens: 5, cachedInputTokens: 200 },
    ],
    [
      "the same inside of the prompt",
      { ...usage(2210, 5, undefined, 2215), cache_read_input_tokens: 200, cache_creation_input_tokens: 2000 },
      { inputTokens: 2210, outputTokens: 5 },
    ],
    [
      "written to a cache, beside the prompt and beside reasoning",
      { ...usage(10, 5, 40, 2055), cache_creation_input_tokens: 2000 },
      { inputTokens: 2010, outputTokens: 45, reasoningTokens: 40 },
    ],
    [
      "what a tool said is input that is told beside the prompt",
      { ...usage(10, 5, undefined, 35), tool_use_prompt_tokens: 20 },
      { inputTokens: 30, outputTokens: 5 },
    ],
    ["at the top level", { prompt_tokens: 10, completion_tokens: 2, reasoning_tokens: 40 }, { outputTokens: 42 }],
    [
      "under the names of the responses API",
      { input_tokens: 10, output_tokens: 2, output_tokens_details: { reasoning_tokens: 40 } },
      { inputTokens: 10, outputTokens: 42 },
    ],
  ])("%s", async (_, told, expected) => {
    expect((await usages(told))[0]).toMatchObject({ calls: 1, ...expected });
  });

  test("a reply that does not tell is counted as the server's other replies show, before and after them", async () => {
    const untold = usage(10, 500, 400);
    const [before, , after] = await usages(untold, usage(10, 2, 400, 412), untold);
    expect(after.outputTokens).toBe(900);
    const sum = [before, after].reduce(addUsage, noUsage);
    expect(settledUsage(sum, "beside").outputTokens).toBe(1800);
    expect(settledUsage(sum, "inside").outputTokens).toBe(1000);
    const [, inside] = await usages(usage(10, 500, 400, 510), untold);
    expect(settledUsage(inside, "inside").outputTokens).toBe(500);
  });

  test("replies that contradict each other are each counted as they show", async () => {
    const [first, second] = await usages(usage(10, 500, 400, 510), usage(10, 2, 400, 412));
    expect([first.outputTokens, second.outputTokens]).toEqual([500, 402]);
    expect(addUsage(first, second).reasoningCount).toMatchObject({ inside: 1, beside: 1, untold: 0 });
  });

  test("what it costs in dollars holds it too, also once it is settled later", async () => {
    const model = new PricedModel(await modelAt(() => ({ body: chatReply(["4"], { usage: usage(10, 500, 400) }) })), {
      input: 0,
      output: 1000,
    });
    const [{ usage: told }] = await model.generate(ask, options);
    expect(told.dollars).toBeCloseTo(0.5);
    expect(settledUsage(told, "beside").dollars).toBeCloseTo(0.9);
  });
});

describe("dollars that the server tells", () => {
  const dollarsOf = async (more: object) => (await usages({ ...usage(10, 5), ...more }))[0].dollars;

  test("with the user's own key at a provider hold what the provider charges (forgecode#1641)", async () => {
    expect(await dollarsOf({ cost: 0, is_byok: true, cost_details: { upstream_inference_cost: 0.02 } })).toBe(0.02);
    expect(await dollarsOf({ cost: 0.001, is_byok: true, cost_details: { upstream_inference_cost: 0.02 } })).toBeCloseTo(0.021);
    expect(await dollarsOf({ cost: 0, is_byok: true })).toBeUndefined();
  });

  test("are the cost alone otherwise, which holds what the provider charged (PageSpace#1561)", async () => {
    expect(await dollarsOf({ cost: 0.02, is_byok: false, cost_details: { upstream_inference_cost: 0.019 } })).toBe(0.02);
    expect(await dollarsOf({ cost: 0.02, cost_details: { upstream_inference_cost: 0.019 } })).toBe(0.02);
    expect(await dollarsOf({ cost: 0 })).toBe(0);
    expect(await dollarsOf({ cost: Number.NaN, is_byok: true, cost_details: null })).toBeUndefined();
  });
});

describe("usage in a stream", () => {
  const piece = (more: object, content = "4") => chunk({ choices: [{ index: 0, delta: { content }, ...more }] });
  const end = chunk({ choices: [{ index: 0, delta: {}, finish_reason: "stop" }] });
  const streamed = async (events: string[], n = 1): Promise<Usage> => {
    const model = await modelAt(() => ({ events: [...events, chunk("[DONE]")] }));
    return (await model.generate(ask, { ...options, n, onDelta: () => {} }))[0].usage;
  };
  const said = (told: unknown) => chunk({ choices: [], usage: told });

  test("reasoning beside the completion", async () => {
    expect(await streamed([piece({}), end, said(usage(10, 2, 400, 412))])).toMatchObject({ outputTokens: 402 });
  });

  test("the sum so far with every piece, the last one counts", async () => {
    expect(await streamed([piece({}), said(usage(10, 1)), piece({}), said(usage(10, 2)), end])).toMatchObject({
      outputTokens: 2,
    });
  });

  test("the prompt at the beginning and the rest at the end; an empty last word takes nothing back", async () => {
    const told = [said({ prompt_tokens: 10, completion_tokens: 0 }), piece({}), said({ completion_tokens: 7 }), end];
    expect(await streamed([...told, said({}), said(null), said(usage(0, 0))])).toMatchObject({
      inputTokens: 10,
      outputTokens: 7,
    });
  });

  test("in the choices, each its own, and under x_groq", async () => {
    const last = (index: number, told: object) => chunk({ choices: [{ index, delta: {}, finish_reason: "stop", usage: told }] });
    const both = [0, 1].map((index) => chunk({ choices: [{ index, delta: { content: "4" } }] }));
    expect(await streamed([...both, last(0, usage(10, 3, 1, 13)), last(1, usage(10, 4, 1, 14))], 2)).toMatchObject({
      inputTokens: 10,
      outputTokens: 7,
    });
    expect(await streamed([piece({}), end, chunk({ choices: [], x_groq: { usage: usage(10, 5) } })])).toMatchObject({
      outputTokens: 5,
    });
  });
});
