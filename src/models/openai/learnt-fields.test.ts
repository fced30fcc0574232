/** The client against real servers that refuse fields: each is refused once, left out from then on, made up for where it can be, and told. */
import { describe, expect, test } from "vitest";
import type { CompletionDelta, GenerateOptions, Message } from "#kernel/model.ts";
import { chatEvents, chatReply, type ModelServer, type Play, type PlayedReply } from "../../../test/support/model-server.ts";
import { closedAfterEach } from "../../../test/support/played-server.ts";
import { retrying } from "../around/retry.ts";
import { OpenAiModel, type OpenAiModelOptions } from "./openai.ts";
import { carefulQuirks, type ServerKind, serverQuirks } from "./server-quirks.ts";

const connected = closedAfterEach();

async function client(play: Play, kind: ServerKind = "vllm", more: Partial<OpenAiModelOptions> = {}) {
  const { server, connections } = await connected(play);
  const quirks = carefulQuirks(serverQuirks[kind]);
  const policy = retrying({ retries: 3, firstDelaySeconds: 0.001 });
  return {
    server,
    model: new OpenAiModel({ model: "m", address: { baseUrl: server.baseUrl }, connections, quirks, policy, ...more }),
  };
}

const options: GenerateOptions = { n: 1, temperature: 0, maxTokens: 20, seed: 7 };
const ask: Message[] = [{ role: "user", content: "How much is 2 + 2?" }];
type Body = Record<string, unknown>;

const forbidden = (field: string): PlayedReply => ({
  status: 422,
  body: {
    object: "error",
    message: { detail: [{ type: "extra_forbidden", loc: ["body", field], msg: "Extra inputs are not permitted" }] },
  },
});
const sentence = (message: string, status = 400): PlayedReply => ({ status, body: { error: { message } } });

/** Refuses what `refuses` finds, and answers the rest. */
function playing(refuses: (body: Body) => PlayedReply | undefined, texts: readonly string[] = ["4"]): Play {
  return ({ body = {} }) => {
    const refusal = refuses(body);
    if (refusal) return refusal;
    if (body.stream) return { events: chatEvents(texts) };
    return { body: chatReply(Array.from({ length: Number(body.n ?? 1) }, (_, sample) => texts[sample % texts.length])) };
  };
}
const without = (...fields: string[]) => playing((body) => fields.filter((field) => field in body).map(forbidden)[0]);
const refused = (server: ModelServer, ...fields: string[]) =>
  server.chats().filter(({ body }) => fields.some((field) => field in body!)).length;

describe("a field that the server refuses", () => {
  test("costs one refused request and not one an answer", async () => {
    const { server, model } = await client(without("seed"));
    for (let question = 0; question < 4; question++) expect((await model.generate(ask, options))[0].text).toBe("4");
    expect(server.chats()).toHaveLength(5);
    expect(refused(server, "seed")).toBe(1);
    expect(model.notHonoured).toEqual([{ field: "seed", why: "the server refused it: seed: Extra inputs are not permitted" }]);
  });

  test("costs one refused request also when many ask at once, one for each field", async () => {
    const { server, model } = await client(without("seed", "top_p"), "other");
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, seed) => model.generate(ask, { ...options, topP: 0.9, seed })),
    );
    expect(answers.every(([{ text }]) => text === "4")).toBe(true);
    expect(server.chats()).toHaveLength(42);
    expect(model.notHonoured.map(({ field }) => field)).toEqual(["seed", "top_p"]);
  });

  test("a server that takes no top_k is asked without it, and that is told", async () => {
    const { server, model } = await client(without("top_k"));
    const [{ text, notHonoured }] = await model.generate(ask, { ...options, topK: 20 });
    expect(text).toBe("4");
    expect(refused(server, "top_k")).toBe(1);
    const why = "the server refused it: top_k: Extra inputs are not permitted";
    expect(notHonoured).toEqual([{ field: "top_k", asked: 20, why }]);
    expect(model.notHonoured).toEqual([{ field: "top_k", why }]);
    await model.generate(ask, { ...options, topK: 20 });
    expect(refused(server, "top_k")).toBe(1);
  });

  test("is learnt from a router that finds nobody for it, and not from a server that broke", async () => {
    const router = await client(
      playing((body) => ("seed" in body ? sentence("No endpoints found that support the parameter: seed", 404) : undefined)),
    );
    await router.model.generate(ask, options);
    expect(router.model.notHonoured).toMatchObject([{ field: "seed" }]);
    const broken = await client((_, number) =>
      number === 0 ? sentence("invalid seed in the sampler", 500) : { body: chatReply(["4"]) },
    );
    await broken.model.generate(ask, options);
    expect(broken.server.chats().at(-1)?.body).toHaveProperty("seed");
    expect(broken.model.notHonoured).toEqual([]);
  });

  test("costs no further try of the same request", async () => {
    const gateway = playing((body) =>
      "seed" in body ? sentence("ollama does not support parameters: {'seed': 7}", 500) : undefined,
    );
    const { server, model } = await client(gateway);
    await model.generate(ask, options);
    expect(server.chats()).toHaveLength(2);
  });

  test("does not cost the others who wait when the server is slow to answer", async () => {
    let answerFirst = () => {};
    const first = new Promise<void>((resolve) => {
      answerFirst = resolve;
    });
    const { server, model } = await client(async (_, number) => {
      if (number === 0) await first;
      return { body: chatReply(["4"]) };
    });
    const slow = model.generate(ask, options);
    await Promise.all([1, 2, 3].map((seed) => model.generate(ask, { ...options, seed })));
    expect(server.chats()).toHaveLength(4);
    answerFirst();
    await slow;
  });

  test.each<[string, Body, PlayedReply, string]>([
    ["logprobs", { topLogprobs: 1 }, sentence("You are not allowed to request logprobs from this model", 403), "logprobs"],
    [
      "top_p beside temperature",
      { topP: 0.9 },
      sentence("`temperature` and `top_p` cannot both be specified for this model."),
      "top_p",
    ],
    ["a temperature that is fixed", {}, sentence("invalid temperature: only 1 is allowed for this model"), "temperature"],
    ["stop", { stop: ["\n"] }, sentence("Argument not supported on this model: stop"), "stop"],
    [
      "max_tokens by any name",
      {},
      sentence('Unknown name "max_tokens": Cannot find field. Unknown name "max_completion_tokens"'),
      "max_tokens",
    ],
  ])("%s is left out and told", async (_, given, refusal, field) => {
    const names = field === "max_tokens" ? ["max_tokens", "max_completion_tokens"] : [field];
    const { server, model } = await client(playing((body) => (names.some((name) => name in body) ? refusal : undefined)));
    expect((await model.generate(ask, { ...options, ...given }))[0].text).toBe("4");
    await model.generate(ask, { ...options, ...given });
    expect(refused(server, ...names)).toBe(names.length);
    expect(model.notHonoured.map((each) => each.field)).toEqual([field]);
  });

  test("stream_options are left out of streams, and nobody asked for them", async () => {
    const { server, model } = await client(without("stream_options"), "vllm", { stream: true });
    await model.generate(ask, options);
    await model.generate(ask, options);
    expect(refused(server, "stream_options")).toBe(1);
    expect(model.notHonoured).toEqual([]);
  });

  test("max_tokens goes by the other name, in both directions", async () => {
    const newer = await client(
      playing((body) =>
        "max_tokens" in body
          ? sentence("Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead.")
          : undefined,
      ),
    );
    await newer.model.generate(ask, options);
    expect(newer.server.chats().at(-1)?.body).toMatchObject({ max_completion_tokens: 20 });
    expect(newer.model.notHonoured).toEqual([]);
    const older = await client(without("max_completion_tokens"), "openai");
    await older.model.generate(ask, options);
    expect(older.server.chats().at(-1)?.body).toMatchObject({ max_tokens: 20 });
  });

  test("several samples are asked for one by one where n is refused", async () => {
    const { server, model } = await client(without("n"));
    expect(await model.generate(ask, { ...options, n: 3 })).toHaveLength(3);
    expect(await model.generate(ask, { ...options, n: 2 })).toHaveLength(2);
    expect(server.chats()).toHaveLength(1 + 3 + 2);
    expect(model.notHonoured).toMatchObject([{ field: "n", instead: "one request a sample" }]);
  });

  test("a temperature out of the server's range is sent as the nearest in it, and told", async () => {
    const positive = playing((body) =>
      body.temperature === 0 ? sentence("`temperature` must be strictly positive", 422) : undefined,
    );
    const { server, model } = await client(positive);
    await model.generate(ask, options);
    await model.generate(ask, { ...options, temperature: 0.7 });
    await model.generate(ask, options);
    expect(server.chats().map(({ body }) => body?.temperature)).toEqual([0, 0.01, 0.7, 0.01]);
    expect(model.notHonoured).toMatchObject([{ field: "temperature", instead: "0.01 was sent for 0" }]);
  });

  test("stop texts are cut off here where the server takes none, from the answer and from what a listener hears", async () => {
    const { model } = await client(
      playing(
        (body) => ("stop" in body ? sentence("This model does not support stop sequences.") : undefined),
        ["one S", "TO", "P two"],
      ),
    );
    const deltas: CompletionDelta[] = [];
    const [completion] = await model.generate(ask, { ...options, stop: ["STOP"], onDelta: (delta) => deltas.push(delta) });
    expect(completion).toMatchObject({ text: "one ", finishReason: "stop" });
    expect(deltas.map(({ text }) => text).join("")).toBe("one ");
    expect(model.notHonoured).toMatchObject([{ field: "stop", instead: expect.stringContaining("cut at the stop texts") }]);
    const [held] = await model.generate(ask, { ...options, stop: ["two STOP"], onDelta: (delta) => deltas.push(delta) });
    expect(held.text).toBe("one STOP two");
    expect(deltas.map(({ text }) => text).join("")).toBe("one one STOP two");
  });

  test("is found by trying where the server does not say which it is, once for all", async () => {
    for (const field of ["seed", "temperature", "max_tokens", "top_p"]) {
      const { server, model } = await client(playing((body) => (field in body ? sentence("Bad Request") : undefined)));
      await Promise.all([1, 2, 3].map((seed) => model.generate(ask, { ...options, topP: 0.5, seed })));
      expect(server.chats().length).toBeLessThanOrEqual(3 + 5);
      expect(server.chats().at(-1)?.body).not.toHaveProperty(field);
      expect(model.notHonoured.map((each) => each.field)).toEqual(field === "max_tokens" ? [] : [field]);
    }
    const two = await client(playing((body) => ("seed" in body || "temperature" in body ? sentence("Bad Request") : undefined)));
    expect((await two.model.generate(ask, options))[0].text).toBe("4");
  });
});

describe("a number of tokens that the server does not take", () => {
  test.each([
    ["max_tokens is too large: 20. This model supports at most 10 completion tokens, whereas you provided 20.", "fewer"],
    ["Invalid max_tokens value, the valid range of max_tokens is [1, 10]", "fewer"],
    ["max_tokens 参数有误：[1, 10]", "fewer"],
    ["Invalid 'max_tokens': integer below minimum value. Expected a value >= 30, but got 20 instead.", "more"],
  ])("is told at once, and no answer without a bound, or without other fields, is asked for: %s", async (words, advice) => {
    // As many servers do: what they do not know, such as the other name, they leave unread.
    const { server, model } = await client(playing((body) => ("max_tokens" in body ? sentence(words) : undefined)));
    const failure = await model.generate(ask, options).catch((error) => error);
    expect(failure).toMatchObject({ code: "request-refused", advice: `Ask for ${advice} tokens an answer with --max-tokens.` });
    expect(server.chats()).toHaveLength(1);
  });
});

describe("a refusal of something else", () => {
  test("that names a field teaches nothing, though an answer with the field in it arrives meanwhile", async () => {
    const isBad = (body: Body) => JSON.stringify(body.messages).includes("bad");
    const { server, model } = await client(async ({ body = {} }) => {
      const wait = isBad(body) ? ("seed" in body ? 0 : 400) : JSON.stringify(body.messages).includes("slow") ? 150 : 0;
      await new Promise((resolve) => setTimeout(resolve, wait));
      return isBad(body) ? sentence("Unsupported parameter: 'seed' in your text") : { body: chatReply(["4"]) };
    });
    const turn = (content: string): Message[] => [{ role: "user", content }];
    await model.generate(ask, options);
    const [good, bad] = await Promise.allSettled([model.generate(turn("slow"), options), model.generate(turn("bad"), options)]);
    expect([good.status, bad.status]).toEqual(["fulfilled", "rejected"]);
    await model.generate(ask, options);
    expect(server.chats().at(-1)?.body).toHaveProperty("seed");
    expect(model.notHonoured).toEqual([]);
  });

  test("ends the call with the server's sentence, and what was tried meanwhile is sent again", async () => {
    const { server, model } = await client(
      playing((body) => (JSON.stringify(body.messages).includes("bad") ? sentence("I do not like it") : undefined)),
    );
    const bad: Message[] = [{ role: "user", content: "bad" }];
    await expect(model.generate(bad, options)).rejects.toMatchObject({
      code: "request-refused",
      what: expect.stringContaining("I do not like it"),
    });
    const tried = server.chats().length;
    expect(tried).toBeLessThanOrEqual(6);
    await expect(model.generate(bad, options)).rejects.toMatchObject({ code: "request-refused" });
    expect(server.chats()).toHaveLength(tried + 1);
    await model.generate(ask, options);
    expect(server.chats().at(-1)?.body).toMatchObject({ seed: expect.anything(), temperature: 0, max_tokens: 20 });
    expect(model.notHonoured).toEqual([]);
  });

  test("that names a field without meaning it teaches nothing", async () => {
    const { server, model } = await client(playing(() => sentence("Invalid seed phrase: temperature and seed must be warm")));
    await expect(model.generate(ask, options)).rejects.toMatchObject({ code: "request-refused" });
    expect(server.chats().length).toBeLessThanOrEqual(4);
    expect(model.notHonoured).toEqual([]);
  });

  test("a field of the user's own is not left out unasked", async () => {
    const { server, model } = await client(without("top_k"), "vllm", { extraBody: { top_k: 4 } });
    await expect(model.generate(ask, options)).rejects.toMatchObject({ what: expect.stringContaining("top_k: Extra inputs") });
    expect(server.chats().every(({ body }) => body?.top_k === 4)).toBe(true);
  });

  test("a 422 is asked once and no more", async () => {
    const { server, model } = await client((_, number) => (number === 0 ? { body: chatReply(["4"]) } : sentence("no", 422)));
    await model.generate(ask, options);
    await expect(model.generate(ask, options)).rejects.toMatchObject({ code: "request-refused" });
    expect(server.chats()).toHaveLength(2);
  });
});

describe("a field that the user leaves out", () => {
  test("is never sent, and told where it was asked for", async () => {
    const extraBody = { seed: null, stop: null, top_p: null };
    const { server, model } = await client(
      playing(() => undefined, ["4\nand more"]),
      "vllm",
      { extraBody },
    );
    const [completion] = await model.generate(ask, { ...options, stop: ["\n"] });
    expect(completion.text).toBe("4");
    const { body } = server.chats()[0];
    for (const field of ["seed", "stop", "top_p"]) expect(body).not.toHaveProperty(field);
    expect(model.notHonoured).toMatchObject([
      { field: "seed", why: "left out by the user" },
      { field: "stop", why: "left out by the user" },
    ]);
  });

  test("may be any but those that the protocol needs", async () => {
    for (const field of ["model", "messages"]) {
      await expect(client(() => ({}), "vllm", { extraBody: { [field]: null } })).rejects.toMatchObject({
        family: "user",
        code: "bad-omit",
      });
    }
    const { server, model } = await client(
      playing(() => undefined),
      "vllm",
      {
        extraBody: { n: null, stream: null, max_tokens: null, temperature: null, logprobs: null },
      },
    );
    const answers = await model.generate(ask, { ...options, n: 2, topLogprobs: 2, onDelta: () => {} });
    expect(answers).toHaveLength(2);
    for (const { body } of server.chats()) expect(Object.keys(body!).sort()).toEqual(["messages", "model", "seed"]);
  });
});

describe("the reasoning of earlier answers", () => {
  const turns = (text: string): Message[] => [
    ...ask,
    { role: "assistant", content: text },
    { role: "user", content: "Are you sure?" },
  ];
  const thinking = {
    choices: [{ index: 0, message: { role: "assistant", content: " 4 ", reasoning_content: "2 and 2" }, finish_reason: "stop" }],
  };
  const earlier = (body: Body) => (body.messages as Body[]).filter(({ role }) => role === "assistant");
  const wanted = sentence("The `reasoning_content` in the thinking mode must be passed back to the API.");

  test("goes back where the server wants it, learnt from one refusal", async () => {
    const { server, model } = await client(({ body = {} }) =>
      earlier(body).some((turn) => !("reasoning_content" in turn)) ? wanted : { body: { ...chatReply([]), ...thinking } },
    );
    const [first] = await model.generate(ask, options);
    await Promise.all([1, 2, 3].map((seed) => model.generate(turns(first.text), { ...options, seed })));
    await model.generate(turns("written by hand"), options);
    expect(server.chats()).toHaveLength(1 + 4 + 1);
    const last = server.chats().map(({ body }) => earlier(body!)[0]?.reasoning_content);
    expect(last).toEqual([undefined, undefined, "2 and 2", "2 and 2", "2 and 2", ""]);
    expect(model.notHonoured).toEqual([]);
  });

  test("goes back as a space where it is not known and the server takes no empty text", async () => {
    const { server, model } = await client(({ body = {} }) =>
      earlier(body).some((turn) => !turn.reasoning_content) ? wanted : { body: chatReply(["4"]) },
    );
    await model.generate(turns("written by hand"), options);
    await model.generate(turns("also"), options);
    expect(server.chats().map(({ body }) => earlier(body!)[0]?.reasoning_content)).toEqual([undefined, "", " ", " "]);
  });

  test("is not sent to a server that does not ask, nor again to one that refuses it", async () => {
    const plain = await client(() => ({ body: { ...chatReply([]), ...thinking } }));
    const [first] = await plain.model.generate(ask, options);
    await plain.model.generate(turns(first.text), options);
    expect(plain.server.chats().every(({ body }) => earlier(body!).every((turn) => !("reasoning_content" in turn)))).toBe(true);
    const torn = await client(({ body = {} }) =>
      earlier(body).some((turn) => "reasoning_content" in turn)
        ? sentence("property 'reasoning_content' is unsupported")
        : earlier(body).length > 0
          ? wanted
          : { body: chatReply(["4"]) },
    );
    await torn.model.generate(ask, options);
    await expect(torn.model.generate(turns("4"), options)).rejects.toMatchObject({ code: "request-refused" });
    expect(torn.server.chats().length).toBeLessThanOrEqual(4);
  });
});
