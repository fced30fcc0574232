/**
 * Replies as servers and proxies were reported to send them: where they end, what of them is a failure, and in whatever form an answer that
 * was paid for arrives. Real servers on loopback; the client asks with and without a stream.
 */
import http, { type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import type { CompletionDelta, GenerateOptions, Message } from "#kernel/model.ts";
import { chatEvents, chatReply, chunk } from "../../../test/support/model-server.ts";
import { retrying } from "../around/retry.ts";
import { finishReasonOf, finishWord } from "./finish-reasons.ts";
import { ReplyFraming } from "./framing.ts";
import { parseLeniently } from "./lenient-json.ts";
import { OpenAiModel, type OpenAiModelOptions } from "./openai.ts";
import { carefulQuirks, serverQuirks } from "./server-quirks.ts";

const options: GenerateOptions = { n: 1, temperature: 0.7, maxTokens: 20, seed: 7 };
const ask: Message[] = [{ role: "user", content: "How much is 2 + 2?" }];

const toClose: (() => Promise<void> | void)[] = [];

afterEach(async () => {
  for (const close of toClose.splice(0).reverse()) await close();
});

type Answer = (response: ServerResponse, number: number) => void | Promise<void>;

interface Served {
  model: OpenAiModel;
  /** Requests so far. */
  count: () => number;
  /** Connections that are open now. */
  openSockets: () => Promise<number>;
}

async function serve(answer: Answer, more: Partial<OpenAiModelOptions> = {}): Promise<Served> {
  let count = 0;
  const server = http.createServer((request, response) => {
    request.resume().on("end", () => void answer(response, count++));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const connections = new HttpConnections();
  toClose.push(async () => {
    connections.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = { baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1` };
  const quirks = carefulQuirks(serverQuirks.vllm);
  const openSockets = () => new Promise<number>((resolve) => server.getConnections((_, open) => resolve(open)));
  return { model: new OpenAiModel({ model: "m", address, connections, quirks, ...more }), count: () => count, openSockets };
}

/** A body under a content type, closed at its end. */
function body(text: string | readonly string[], type: string | undefined = "text/event-stream"): Answer {
  return (response) => {
    response.writeHead(200, type === undefined || type === "" ? {} : { "content-type": type });
    response.end(typeof text === "string" ? text : text.join(""));
  };
}

/** The same, and the connection stays open. */
function held(text: string | readonly string[], type = "text/event-stream"): Answer {
  return (response) => {
    response.writeHead(200, { "content-type": type });
    response.write(typeof text === "string" ? text : text.join(""));
  };
}

const usage = { prompt_tokens: 10, completion_tokens: 3, total_tokens: 13 };
const piece = (delta: object, more: object = {}) => ({ choices: [{ index: 0, delta, finish_reason: null, ...more }] });
const closing = { choices: [], usage };
const finish = (reason: unknown) => piece({}, { finish_reason: reason });

async function answer(served: Served, more: Partial<GenerateOptions> = {}) {
  const [completion] = await served.model.generate(ask, { ...options, ...more });
  return completion;
}

async function failure(served: Served, more: Partial<GenerateOptions> = {}) {
  return served.model.generate(ask, { ...options, ...more }).then(
    () => expect.fail("it answered"),
    (error) => error,
  );
}

describe("the end of a reply", () => {
  test("the mark of the end ends a reply though the connection stays open, and the connection is let go", async () => {
    const served = await serve(held(chatEvents(["It ", "is ", "4"])), { stream: true, idleSeconds: 30 });
    const startedAt = performance.now();
    expect(await answer(served)).toMatchObject({ text: "It is 4", finishReason: "stop", usage: { outputTokens: 3 } });
    expect(performance.now() - startedAt).toBeLessThan(900);
    expect(await served.openSockets()).toBe(1);
    await expect.poll(served.openSockets, { timeout: 5000 }).toBe(0);
  });

  test.each([
    ["without a line's end behind it", "data: [DONE]"],
    ["without a blank line behind it", "data: [DONE]\n"],
    ["without a blank before it", "data:[DONE]\r\n"],
    ["without brackets", "data: DONE\n\n"],
    ["in small letters", "data: [done]\n\n"],
    ["bare", "[DONE]\n"],
  ])("the mark of the end %s", async (_, mark) => {
    const served = await serve(held([chunk(piece({ content: "4" })), chunk(finish("stop")), mark]), {
      stream: true,
      idleSeconds: 30,
    });
    expect(await answer(served)).toMatchObject({ text: "4", finishReason: "stop" });
  });

  test("a finish reason and usage end a reply that never says so and stays open", async () => {
    const events = [piece({ content: "4" }), finish("stop"), closing].map(chunk);
    const served = await serve(held(events), { stream: true, idleSeconds: 30 });
    expect(await answer(served)).toMatchObject({ text: "4", usage: { inputTokens: 10, outputTokens: 3 } });
    await expect.poll(served.openSockets, { timeout: 5000 }).toBe(0);
  });

  test("usage that comes a little behind the finish reason is waited for", async () => {
    const served = await serve(
      async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(chunk(piece({ content: "4" })) + chunk(finish("stop")));
        await sleep(300);
        response.write(chunk(closing));
      },
      { stream: true, idleSeconds: 30 },
    );
    expect(await answer(served)).toMatchObject({ text: "4", usage: { outputTokens: 3 } });
  });

  test("a whole reply in JSON ends though the connection stays open", async () => {
    const served = await serve(held(JSON.stringify(chatReply(["4"])), "application/json"), { idleSeconds: 30 });
    expect(await answer(served)).toMatchObject({ text: "4", usage: { outputTokens: 3 } });
  });

  test("with several samples the reply ends when each has its end, not before", async () => {
    const of = (index: number, delta: object, reason: string | null = null) => ({
      choices: [{ index, delta, finish_reason: reason }],
      usage,
    });
    const served = await serve(
      async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(chunk(of(0, { content: "a" }, "stop")));
        await sleep(1500);
        response.write(chunk(of(1, { content: "b" }, "stop")));
      },
      { stream: true, idleSeconds: 30 },
    );
    const completions = await served.model.generate(ask, { ...options, n: 2 });
    expect(completions.map(({ text }) => text)).toEqual(["a", "b"]);
    expect(served.count()).toBe(1);
  });

  test("a connection that breaks behind the last piece loses nothing", async () => {
    const served = await serve(
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write([piece({ content: "4" }), finish("stop"), closing].map(chunk).join(""), () => {
          setTimeout(() => response.destroy(), 50);
        });
      },
      { stream: true },
    );
    expect(await answer(served)).toMatchObject({ text: "4", finishReason: "stop", usage: { outputTokens: 3 } });
  });

  test("a connection whose replies end as they should is kept for the next one", async () => {
    const ports = new Set<number | undefined>();
    const served = await serve(
      (response) => {
        ports.add(response.req.socket.remotePort);
        body(chatEvents(["4"]))(response, 0);
      },
      { stream: true },
    );
    for (let round = 0; round < 3; round++) {
      await answer(served);
      await sleep(20);
    }
    expect(ports.size).toBe(1);
  });

  test("a stream that ends before the answer began is no empty answer", async () => {
    const role = piece({ role: "assistant", content: "" });
    const served = await serve(body([chunk(role), chunk("[DONE]")]), { stream: true });
    expect(await failure(served)).toMatchObject({ family: "remote", code: "empty-reply" });
  });
});

describe("failures that come with the status of success", () => {
  const saying = "quota of the day is used up";
  const error = { message: saying, type: "server_error", code: 500 };
  test.each<[string, string, string?]>([
    ["a field named error in a stream, then the end", `error: ${JSON.stringify(error)}\n\n${chunk("[DONE]")}`],
    ["an event named error with a message alone", `event: error\ndata: {"message":"${saying}"}\n\n${chunk("[DONE]")}`],
    ["an event named error with plain words", `event: error\ndata: ${saying}\n\n`],
    ["an event whose name comes behind its data", `data: {"message":"${saying}","code":500}\nevent: error\n\n${chunk("[DONE]")}`],
    ["an error in the middle of an answer", chunk(piece({ role: "assistant" })) + chunk({ error })],
    ["an error beside choices", chunk({ ...finish("error"), error }) + chunk("[DONE]")],
    ["a list of errors in a stream", chunk({ error: [error] })],
    ["a flat error in a stream", chunk({ object: "error", message: saying, type: "BadGateway", code: 500 }) + chunk("[DONE]")],
    [
      "an error of Anthropic's form",
      `event: error\ndata: ${JSON.stringify({ type: "error", error: { type: "overloaded_error", message: saying } })}\n\n`,
    ],
    ["an error object", JSON.stringify({ error }), "application/json"],
    ["an error as a sentence", JSON.stringify({ error: saying }), "application/json"],
    ["an error in a list", JSON.stringify({ error: [error, { message: "and more" }] }), "application/json"],
    ["a list around the error", JSON.stringify([{ error: { ...error, status: "UNAVAILABLE" } }]), "application/json"],
    [
      "a flat error",
      JSON.stringify({ object: "error", message: saying, type: "server_error", param: null, code: 50001 }),
      "application/json",
    ],
    [
      "success: false with errors",
      JSON.stringify({ result: null, success: false, errors: [{ code: 7009, message: saying }] }),
      "application/json",
    ],
    ["FastAPI's detail", JSON.stringify({ detail: saying }), "application/json"],
    [
      "a code and a message without an answer",
      JSON.stringify({ code: "Throttling", message: saying, request_id: "1" }),
      "application/json",
    ],
    ["an error code and its sentence", JSON.stringify({ error_code: 336100, error_msg: saying, id: "as" }), "application/json"],
    [
      "a status inside",
      JSON.stringify({ choices: null, base_resp: { status_code: 1008, status_msg: saying } }),
      "application/json",
    ],
    ["choices: null beside an error", JSON.stringify({ choices: null, error }), "application/json"],
    [
      "an error that stands behind an answer of one piece",
      `${JSON.stringify(piece({ content: "4" }))}\n${JSON.stringify({ error })}`,
      "application/json",
    ],
  ])("%s is told with the server's sentence and never read as an answer", async (_, text, type) => {
    for (const stream of [true, false]) {
      const served = await serve(body(text, type), { stream });
      const thrown = await failure(served);
      expect(thrown).toMatchObject({ family: "remote", code: "server-failed" });
      expect(thrown.message).toContain(saying);
    }
  });

  test("an error that is empty is none", async () => {
    for (const empty of [null, "", {}, [], false]) {
      const served = await serve(body(JSON.stringify({ ...chatReply(["4"]), error: empty }), "application/json"));
      expect(await answer(served)).toMatchObject({ text: "4" });
    }
    const served = await serve(body(JSON.stringify({ ...chatReply(["4"]), base_resp: { status_code: 0, status_msg: "" } })));
    expect(await answer(served)).toMatchObject({ text: "4" });
  });

  test.each([
    "network_error",
    "insufficient_system_resource",
    "error",
    "abort",
    "upstream_timeout_error",
    "MALFORMED_FUNCTION_CALL",
  ])("an answer that ended in %s has failed, is asked for again, and what it cost stays", async (reason) => {
    const failed = { choices: [{ index: 0, message: { content: "It" }, finish_reason: reason }], usage };
    const policy = retrying({ retries: 1, firstDelaySeconds: 0.001 });
    const twice = await serve(body(JSON.stringify(failed), "application/json"), { policy });
    const thrown = await failure(twice);
    expect(thrown).toMatchObject({ code: "answer-failed", remote: { usage: { inputTokens: 10, outputTokens: 3 } } });
    expect(thrown.message).toContain(`“${reason}”`);
    expect(twice.count()).toBe(2);
    const once = await serve(
      (response, number) => body(JSON.stringify(number === 0 ? failed : chatReply(["4"])), "application/json")(response, 0),
      { policy },
    );
    expect(await answer(once)).toMatchObject({ text: "4", usage: { calls: 2, inputTokens: 20, outputTokens: 6 } });
  });

  test("one sample that failed beside others that did not is known by what the server said of it", async () => {
    const choices = [
      { index: 0, message: { content: "4" }, finish_reason: "stop" },
      { index: 1, message: { content: "" }, finish_reason: "error", error: { message: "out of memory", code: 502 } },
      { index: 2, message: { content: "3" }, finish_reason: "network_error" },
    ];
    const served = await serve(body(JSON.stringify({ choices, usage }), "application/json"));
    const completions = await served.model.generate(ask, { ...options, n: 3 });
    expect(completions.map(({ finishReason, finishSaid }) => [finishReason, finishSaid])).toEqual([
      ["stop", undefined],
      ["error", "out of memory"],
      ["error", "network_error"],
    ]);
  });

  test("usage that was told before an error in a stream is what the failed call cost", async () => {
    const served = await serve(body([chunk({ ...piece({ content: "It" }), usage }), chunk({ error })]), { stream: true });
    expect((await failure(served)).remote.usage).toMatchObject({ calls: 1, inputTokens: 10, outputTokens: 3 });
  });
});

describe("finish reasons", () => {
  test.each([
    ["stop", "stop end_turn STOP eos eos_token stop_sequence COMPLETE FINISH_REASON_STOP normal"],
    [
      "length",
      "length max_tokens MAX_TOKENS model_length max_output maxTokens max-tokens model_context_window_exceeded token_limit_reached",
    ],
    [
      "content-filter",
      "content_filter sensitive SAFETY RECITATION PROHIBITED_CONTENT BLOCKLIST SPII guardrail_intervened refusal contentFilter",
    ],
    ["tool-calls", "tool_calls function_call tool_use toolUse"],
    [
      "error",
      "error abort network_error insufficient_system_resource ERROR TIMEOUT cancelled MALFORMED_FUNCTION_CALL rate_limit_error",
    ],
    ["other", "OTHER FINISH_REASON_UNSPECIFIED pause_turn banana repetition"],
  ] as const)("%s", (expected, words) => {
    for (const word of words.split(" ")) expect([word, finishReasonOf(word, false)]).toEqual([word, expected]);
  });

  test("a word that is not known is kept by its name and is no proper end", async () => {
    const reply = { choices: [{ index: 0, message: { content: "4" }, finish_reason: "banana" }], usage };
    const served = await serve(body(JSON.stringify(reply), "application/json"));
    expect(await answer(served)).toMatchObject({ text: "4", finishReason: "other", finishSaid: "banana" });
  });

  test("words for not yet ended are no end, and an end in an object is read", async () => {
    for (const word of ["", "null", null, undefined, "None"]) expect(finishWord(word)).toBeUndefined();
    expect(finishWord({ type: "max_tokens" })).toBe("max_tokens");
    const events = [piece({ content: "It is" }, { finish_reason: "" }), piece({ content: " 4" }, { finish_reason: "null" })];
    const cut = await serve(body(events.map(chunk)), { stream: true });
    expect(await failure(cut)).toMatchObject({ code: "reply-broken" });
  });
});

describe("answers in another form than was asked for", () => {
  const streamed = chatEvents(["It ", "is ", "4"]).join("");
  const whole = JSON.stringify(chatReply(["It is 4"]));
  const lines = [piece({ content: "It is" }), piece({ content: " 4" }), finish("stop"), closing].map((each) =>
    JSON.stringify(each),
  );
  const delta = (content: string) => piece({ content });
  const cases: [string, string, string | undefined][] = [
    ["a stream as text/plain", streamed, "text/plain"],
    ["a stream without a content type", streamed, ""],
    ["a stream under a type in capital letters", streamed, "Text/Event-Stream; Charset=UTF-8"],
    ["a stream as JSON", streamed, "application/json"],
    ["a stream as bytes", streamed, "application/octet-stream"],
    ["a whole reply as a stream", whole, "text/event-stream"],
    ["a whole reply as a web page", whole, "text/html"],
    ["a whole reply without a content type", whole, ""],
    ["a whole reply over many lines", JSON.stringify(chatReply(["It is 4"]), null, 2), "text/event-stream"],
    ["a whole reply in one event", `data: ${whole}\n\n`, "application/json"],
    ["a whole reply in one event and the mark of the end", `data: ${whole}\n\ndata: [DONE]\n\n`, "text/event-stream"],
    ["a whole reply behind blank lines that kept the connection open", `\n\n \n${whole}`, "application/json"],
    ["a byte order mark before a stream", `\uFEFF${streamed}`, "text/event-stream"],
    ["a byte order mark before a whole reply", `\uFEFF${whole}`, "application/json"],
    ["comments between events", streamed.replaceAll("\n\n", "\n\n: keep-alive\n\n"), "text/event-stream"],
    ["lines that end in CR LF", streamed.replaceAll("\n", "\r\n"), "text/event-stream"],
    ["lines that end in CR", streamed.replaceAll("\n", "\r"), "text/event-stream"],
    ["events without blank lines between them", streamed.replaceAll("\n\n", "\n"), "text/event-stream"],
    ["events without a blank behind the colon", streamed.replaceAll("data: ", "data:"), "text/event-stream"],
    [
      "names of events and numbers",
      streamed.replaceAll("data: ", "id: 1\nevent: message\nretry: 3\ndata: "),
      "text/event-stream",
    ],
    ["a value a line", lines.join("\n"), "application/x-ndjson"],
    ["values one behind the other", lines.join(""), "application/json"],
    ["values in one list", `[${lines.join(",\n")}]`, "application/json"],
    ["several values in one event", `data: ${lines.join("\ndata: ")}\n\n`, "text/event-stream"],
    ["bare values in a stream", `: hello\n\n${lines.join("\n\n")}\n\ndata: [DONE]\n\n`, "text/event-stream"],
    [
      "an event over several lines",
      `data: ${JSON.stringify(chatReply(["It is 4"]), null, 2).replaceAll("\n", "\ndata: ")}\n\n`,
      "text/event-stream",
    ],
    ["a whole reply as a string", JSON.stringify(whole), "application/json"],
    ["message in the place of delta", streamed.replaceAll('"delta"', '"message"'), "text/event-stream"],
    [
      "message in the place of delta, each with all that came so far",
      ["It ", "It is ", "It is 4"]
        .map((content) => chunk({ choices: [{ index: 0, message: { content }, finish_reason: null }] }))
        .join("") +
        chunk(finish("stop")) +
        chunk(closing),
      "text/event-stream",
    ],
    [
      "delta beside message with all that came so far",
      chunk({ choices: [{ index: 0, delta: { content: "It is" }, message: { content: "It is" } }] }) +
        chunk({
          choices: [{ index: 0, delta: { content: " 4" }, message: { content: "It is 4" }, finish_reason: "stop" }],
          usage,
        }),
      "text/event-stream",
    ],
    [
      "pieces, and the whole again at the end",
      chunk(delta("It is")) + chunk(delta(" 4")) + chunk(JSON.parse(whole)) + chunk("[DONE]"),
      "text/event-stream",
    ],
    [
      "text in the place of delta",
      ["It is", " 4"]
        .map((text, place) => chunk({ choices: [{ index: 0, text, finish_reason: place === 1 ? "stop" : null }] }))
        .join("") + chunk(closing),
      "text/event-stream",
    ],
    [
      "text in the place of message",
      JSON.stringify({ choices: [{ index: 0, text: "It is 4", finish_reason: "stop" }], usage }),
      "application/json",
    ],
    ["no finish reason but usage at the end", [delta("It is"), delta(" 4"), closing].map(chunk).join(""), "text/event-stream"],
    [
      "heartbeats between events",
      streamed.replaceAll("data: ", 'event: ping\ndata: {"type":"ping"}\n\ndata: '),
      "text/event-stream",
    ],
    ["heartbeats in words", streamed.replaceAll("data: ", "data: ping\n\ndata: "), "text/event-stream"],
  ];

  test.each(cases)("%s is read", async (_, text, type) => {
    for (const stream of [true, false]) {
      const served = await serve(body(text, type), { stream });
      const deltas: CompletionDelta[] = [];
      expect(await answer(served)).toMatchObject({
        text: "It is 4",
        finishReason: "stop",
        usage: { inputTokens: 10, outputTokens: 3 },
      });
      await answer(served, { onDelta: (given) => deltas.push(given) });
      expect(deltas.map(({ text: told = "" }) => told).join("")).toBe("It is 4");
    }
  });

  test("the same however it is split, byte by byte too", async () => {
    for (const [, text] of cases) {
      const read = (parts: readonly string[]) => {
        const values: string[] = [];
        const framing = new ReplyFraming({
          onValue: (json, event, isBare) => values.push(`${event}/${isBare}/${json}`),
          onText: (words, event) => values.push(`${event}/${words}`),
        });
        for (const part of parts) framing.push(part);
        return [...values, framing.end()];
      };
      const atOnce = read([text]);
      expect(read([...text])).toEqual(atOnce);
      fc.assert(
        fc.property(fc.nat(text.length), (at) => {
          expect(read([text.slice(0, at), text.slice(at)])).toEqual(atOnce);
        }),
        { numRuns: 20 },
      );
    }
  });

  test("numbers that JSON does not have are unknown, and the answer is read", async () => {
    const logprobs = `{"content":[{"token":"4","logprob":-Infinity,"top_logprobs":[{"token":"4","logprob":NaN},{"token":"5","logprob":-1.5}]},
      {"token":"NaN","logprob":-0.5,"top_logprobs":[]}]}`;
    const text = `{"choices":[{"index":0,"message":{"content":"NaN is no -Infinity: \\"NaN\\""},"logprobs":${logprobs},"finish_reason":"stop","score":Infinity}],
      "usage":{"prompt_tokens":10,"completion_tokens":3,"cost":NaN}}`;
    const served = await serve(body(text, "application/json"));
    const completion = await answer(served, { topLogprobs: 2 });
    expect(completion).toMatchObject({ text: 'NaN is no -Infinity: "NaN"', usage: { outputTokens: 3 } });
    expect(completion.logprobs).toEqual([
      {
        token: "4",
        logprob: undefined,
        top: [
          { token: "4", logprob: undefined },
          { token: "5", logprob: -1.5 },
        ],
      },
      { token: "NaN", logprob: -0.5, top: [] },
    ]);
    expect(served.count()).toBe(1);
  });

  test("words of numbers inside strings stay as they are, and what is no JSON stays none", () => {
    expect(parseLeniently('[NaN, -Infinity, +inf, "a NaN, -Infinity \\" NaN", -NaN, 1]')).toEqual([
      null,
      null,
      null,
      'a NaN, -Infinity " NaN',
      null,
      1,
    ]);
    expect(parseLeniently('{"a":"one\ntwo\tthree"}')).toEqual({ a: "one\ntwo\tthree" });
    for (const none of ["[Nancy]", "{a:1}", "NaNa", "[1,]", ""]) expect(() => parseLeniently(none)).toThrow(SyntaxError);
    fc.assert(
      fc.property(fc.json(), (json) => {
        expect(parseLeniently(json)).toEqual(JSON.parse(json));
        expect(parseLeniently(`[NaN,${json}]`)).toEqual([null, JSON.parse(json)]);
      }),
    );
  });
});

describe("what cannot be read", () => {
  test.each([
    ["a web page", "<!doctype html><html><title>Sign in</title></html>", "text/html", /a web page/],
    [
      "plain words",
      "upstream connect error or disconnect",
      "text/plain",
      /neither JSON nor a stream of events: “upstream connect error/,
    ],
    ["JSON of another kind", '{"hello":"world"}', "application/json", /no “choices”: “{"hello":"world"}”/],
    ["a list of models", '{"object":"list","data":[{"id":"m"}]}', "application/json", /no “choices”/],
    ["a number", "42", "application/json", /neither JSON nor a stream of events: “42”/],
  ])("%s is told by its first characters and not asked for again", async (_, text, type, words) => {
    const served = await serve(body(text, type), { policy: retrying({ retries: 5, firstDelaySeconds: 0.001 }) });
    const thrown = await failure(served);
    expect(thrown).toMatchObject({ family: "remote", code: "reply-unreadable" });
    expect(thrown.message).toMatch(words);
    expect(served.count()).toBe(1);
  });

  test.each([
    ["nothing", "", /answered with nothing/],
    ["JSON that breaks off", '{"choices":[{"index":0,"message":{"content":"4', /breaks off/],
  ])("%s is asked for again", async (_, text, words) => {
    const served = await serve(body(text, "application/json"), { policy: retrying({ retries: 2, firstDelaySeconds: 0.001 }) });
    expect((await failure(served)).message).toMatch(words);
    expect(served.count()).toBe(3);
  });
});
