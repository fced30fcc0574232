/** Whatever form an answer arrives in that was paid for, under whatever content type: it is read, with a stream asked for and without. */
import fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import type { CompletionDelta } from "#kernel/model.ts";
import { growsTooFast } from "../../../test/support/growth.ts";
import { chatEvents, chatReply, chunk } from "../../../test/support/model-server.ts";
import { answer, body, closeAll, closing, failure, finish, piece, serve, usage } from "../../../test/support/raw-server.ts";
import { retrying } from "../around/retry.ts";
import { ReplyFraming } from "./framing.ts";
import { parseLeniently } from "./lenient-json.ts";
import { ChatStream } from "./stream.ts";

afterEach(closeAll);

describe("content in parts", () => {
  const whole = (content: unknown) =>
    JSON.stringify({ ...chatReply([]), choices: [{ index: 0, message: { content }, finish_reason: "stop" }] });
  const streamed = (content: unknown[]) =>
    [...content.map((part) => piece({ content: [part] })), finish("stop"), "[DONE]"]
      .map((each) => (typeof each === "string" ? `data: ${each}\n\n` : chunk(each)))
      .join("");

  test.each<[string, unknown[]]>([
    [
      "Mistral's",
      [
        { type: "thinking", thinking: [{ type: "text", text: "maybe 5" }] },
        { type: "text", text: "It is 4" },
      ],
    ],
    [
      "Anthropic's",
      [
        { type: "thinking", thinking: "maybe 5", signature: "x" },
        { type: "text", text: "It is 4" },
      ],
    ],
    [
      "Databricks's",
      [
        { type: "reasoning", summary: [{ type: "summary_text", text: "maybe 5" }] },
        { type: "text", text: "It is 4" },
      ],
    ],
    ["Bedrock's", [{ reasoningContent: { reasoningText: { text: "maybe 5" } } }, { text: "It is 4" }]],
    [
      "with the text of a thought under the name of any text",
      [
        { type: "reasoning", text: "maybe 5" },
        { type: "text", text: "It is 4" },
      ],
    ],
  ])("a thought is reasoning and no part of the answer: %s", async (_, parts) => {
    for (const text of [whole(parts), streamed(parts)]) {
      const served = await serve(body(text));
      expect(await answer(served)).toMatchObject({ text: "It is 4", reasoning: "maybe 5" });
    }
  });

  test("texts without parts around them, and a part alone, are the answer", async () => {
    for (const content of [["It is ", "4"], { type: "text", text: "It is 4" }, { text: "It is 4" }]) {
      const served = await serve(body(whole(content)));
      expect((await answer(served)).text).toBe("It is 4");
    }
    const served = await serve(body(whole([{ type: "image", data: { deep: [1] } }, null])));
    expect((await answer(served)).text).toBe("");
  });

  test("an answer in an envelope of a gateway's own is the answer, with what it cost, and a failure in one is a failure", async () => {
    const { choices, usage: told } = chatReply(["It is 4"]) as { choices: unknown; usage: object };
    for (const wrapped of [
      { success: true, errors: [], result: { choices, usage: told } },
      { code: 0, message: "request handled", data: { choices }, usage: told },
      { status_code: 200, output: { choices }, usage: told, code: "", message: "" },
    ]) {
      const served = await serve(body(JSON.stringify(wrapped)));
      expect(await answer(served)).toMatchObject({ text: "It is 4", usage: { outputTokens: expect.any(Number) } });
    }
    const served = await serve(body(JSON.stringify({ success: false, message: "no such model", result: { choices: [] } })));
    expect(await failure(served)).toMatchObject({ code: "server-failed" });
  });

  test("an end that is told twice is the first one where the second is a plain stop", async () => {
    const events = (...ends: string[]) =>
      [piece({ content: "It is 4" }), ...ends.map(finish), closing].map((each) => chunk(each)).join("") + chunk("[DONE]");
    for (const [ends, expected] of [
      [["length", "stop"], "length"],
      [["content_filter", "stop"], "content-filter"],
      [["stop", "length"], "length"],
      [["stop", "stop"], "stop"],
    ] as const) {
      const served = await serve(body(events(...ends)));
      expect(await answer(served)).toMatchObject({ text: "It is 4", finishReason: expected });
    }
  });

  test("an error beside an answer that says there is none is none", async () => {
    for (const more of [
      { error: { code: 0, message: "success" } },
      { error: { code: null, type: "", message: "None" }, errors: [] },
      { error_code: 0, error_msg: "Success", code: 0, message: "OK" },
      { error: "" },
    ]) {
      const served = await serve(body(JSON.stringify({ ...chatReply(["It is 4"]), ...more })));
      expect((await answer(served)).text).toBe("It is 4");
    }
    for (const error of [{ code: 0, message: "overloaded" }, { code: 502 }, { message: { detail: "no" } }, ["no"]]) {
      const served = await serve(body(JSON.stringify({ ...chatReply(["It is 4"]), error })));
      expect(await failure(served)).toMatchObject({ code: "server-failed" });
    }
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
    ["events that were framed twice", streamed.replaceAll("data: ", "data: data: "), "text/event-stream"],
    ["a word behind a whole reply", `${whole}\n<!-- cached -->\n`, "application/json"],
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

describe("hostile replies", () => {
  const settings = {
    reasoningTags: "keep",
    topLogprobs: undefined,
    context: { url: "u", model: "m", keyVariable: "K" },
  } as const;
  const encoder = new TextEncoder();
  const readIn = (size: number) => (text: string) => {
    const stream = new ChatStream(settings);
    try {
      const bytes = encoder.encode(text);
      for (let at = 0; at < bytes.length; at += size) stream.push(bytes.subarray(at, at + size));
      stream.finish(1);
    } catch (error) {
      expect(error).toMatchObject({ family: "remote" });
    }
  };
  const around: [string, string, string][] = [
    ["", "\n", ""],
    ["", ":\n", ""],
    ["data: ", "x", ""],
    ["data: {", '"a":1,', '"b":2}\n\n'],
    ["", "data: data: ", ""],
    ["data: ", "data: ", "{}"],
    ["", "[", ""],
    ["", "[]", ""],
    ["", '{"choices":[]}', ""],
    ['{"a":"', "\\\\", '"}'],
    ['{"a":', "NaN,NaN,", "1}"],
    ['{"a":[', "-Infinity,", "0]}"],
    ['{"error":', "[".repeat(8), ""],
    ["", "<title>", ""],
    ["", '"', ""],
    ["", chunk({ choices: [{ index: 0, message: { content: "a" } }] }), ""],
    ["", chunk({ choices: [{ index: 0, delta: { tool_calls: [{ function: { arguments: "1" } }] } }] }), ""],
    ['{"choices":[{"message":{"content":"', "<think>", '"},"finish_reason":"stop"}]}'],
  ];
  test.each([
    ["at once", 1 << 20],
    ["in pieces of seven bytes", 7],
  ])("taken %s, no work grows faster than the reply", (_, size) => {
    const slow = around.filter(([before, piece, behind]) =>
      growsTooFast(readIn(size), (length) => before + piece.repeat(Math.ceil(length / piece.length)) + behind),
    );
    expect(slow).toEqual([]);
  });

  test("an error of lists inside lists, a hundred thousand deep, is a failure like any other", async () => {
    const deep = `{"error":${"[".repeat(100_000)}"x"${"]".repeat(100_000)}}`;
    expect(await failure(await serve(body(deep, "application/json")))).toMatchObject({ code: "server-failed" });
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
    ["words of another language", "{'choices': []}", "application/json", /holds what is no JSON: “\{'choices': \[\]\}”/],
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
