/** Replies as servers and proxies were reported to send them: where they end, and what of them is a failure. Real servers on loopback. */
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, test } from "vitest";
import { chatEvents, chatReply, chunk } from "../../../test/support/model-server.ts";
import {
  answer,
  ask,
  body,
  closeAll,
  closing,
  failure,
  finish,
  held,
  options,
  piece,
  serve,
  usage,
} from "../../../test/support/raw-server.ts";
import { retrying } from "../around/retry.ts";

afterEach(closeAll);

describe("the end of a reply", () => {
  test("the mark of the end ends a reply though the connection stays open, and the connection is let go", async () => {
    const served = await serve(held(chatEvents(["It ", "is ", "4"])), { stream: true, idleSeconds: 600 });
    expect(await answer(served)).toMatchObject({ text: "It is 4", finishReason: "stop", usage: { outputTokens: 3 } });
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
      idleSeconds: 600,
    });
    expect(await answer(served)).toMatchObject({ text: "4", finishReason: "stop" });
  });

  test("a finish reason and usage end a reply that never says so and stays open", async () => {
    const events = [piece({ content: "4" }), finish("stop"), closing].map(chunk);
    const served = await serve(held(events), { stream: true, idleSeconds: 600 });
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
      { stream: true, idleSeconds: 600 },
    );
    expect(await answer(served)).toMatchObject({ text: "4", usage: { outputTokens: 3 } });
  });

  test("a whole reply in JSON ends though the connection stays open", async () => {
    const served = await serve(held(JSON.stringify(chatReply(["4"])), "application/json"), { idleSeconds: 600 });
    expect(await answer(served)).toMatchObject({ text: "4", usage: { outputTokens: 3 } });
  });

  test("a finish reason that comes with every piece is no end as long as pieces come", async () => {
    const events = ["It is ", "4"].map((content) => chunk({ ...piece({ content }, { finish_reason: "stop" }), usage }));
    const served = await serve(
      async (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        for (const event of events) {
          response.write(event);
          await sleep(2500);
        }
        response.end("data: [DONE]\n\n");
      },
      { stream: true, idleSeconds: 600 },
    );
    expect(await answer(served)).toMatchObject({ text: "It is 4" });
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
      { stream: true, idleSeconds: 600 },
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
    expect(thrown).toMatchObject({ code: "answer-failed", remote: { usage: { calls: 2, inputTokens: 20, outputTokens: 6 } } });
    expect(thrown.message).toContain(`“${reason}”`);
    expect(twice.count()).toBe(2);
    const once = await serve(
      (response, number) => body(JSON.stringify(number === 0 ? failed : chatReply(["4"])), "application/json")(response, 0),
      { policy },
    );
    expect(await answer(once)).toMatchObject({ text: "4", usage: { calls: 2, inputTokens: 20, outputTokens: 6 } });
  });

  test("tries that failed and were paid are counted when the last one fails as well", async () => {
    const failed = { choices: [{ index: 0, message: { content: "It" }, finish_reason: "network_error" }], usage };
    const served = await serve(body(JSON.stringify(failed), "application/json"), {
      policy: retrying({ retries: 2, firstDelaySeconds: 0.001 }),
    });
    expect((await failure(served)).remote.usage).toMatchObject({ calls: 3, inputTokens: 30, outputTokens: 9 });
  });

  test("a failure that the same request would end in again is not asked for again", async () => {
    for (const code of ["invalid_request_error", "insufficient_quota", "INVALID_ARGUMENT", 401]) {
      const served = await serve(body(JSON.stringify({ error: { message: saying, code } }), "application/json"), {
        policy: retrying({ retries: 2, firstDelaySeconds: 0.001 }),
      });
      expect((await failure(served)).message).toContain(saying);
      expect(served.count()).toBe(1);
    }
  });

  test("an end in an object says why", async () => {
    const reason = { type: "abort", message: "the sequence was too long for the cache", status_code: 500 };
    const reply = { choices: [{ index: 0, message: { content: "" }, finish_reason: reason }] };
    const thrown = await failure(await serve(body(JSON.stringify(reply), "application/json")));
    expect(thrown).toMatchObject({ code: "answer-failed", message: expect.stringContaining(reason.message) });
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

describe("streams as they were reported", () => {
  const call = (value: object) => piece({ tool_calls: [value] });
  test.each<[string, unknown[], object]>([
    [
      "the last pieces without the name of their field (gpustack#6155)",
      [piece({ content: "4" }), `${JSON.stringify(finish("stop"))}\n\n`, `${JSON.stringify(closing)}\n\n`, "[DONE]\n\n"],
      { text: "4", finishReason: "stop", usage: { outputTokens: 3 } },
    ],
    [
      "usage without choices in the last piece (vercel/ai#7417)",
      [piece({ content: "4" }), finish("stop"), { object: "chat.completion.chunk", usage }],
      { text: "4", usage: { outputTokens: 3 } },
    ],
    [
      "the finish reason under another name (Gemini's compatible endpoint)",
      [piece({ content: "It" }), { choices: [{ index: 0, delta: {}, finish_reason: null, finishReason: "MAX_TOKENS" }] }],
      { text: "It", finishReason: "length" },
    ],
    [
      "no mark of the end, and with each piece all that came so far (perplexityai/api-discussion#209)",
      [
        { choices: [{ index: 0, delta: { content: "It is" }, message: { content: "It is" }, finish_reason: null }] },
        { choices: [{ index: 0, delta: { content: " 4" }, message: { content: "It is 4" }, finish_reason: "stop" }] },
      ],
      { text: "It is 4", finishReason: "stop" },
    ],
    [
      "pieces without numbers (vercel/ai#4031)",
      [{ choices: [{ delta: { content: "4" } }] }, { choices: [{ delta: {}, finish_reason: "stop" }] }],
      { text: "4" },
    ],
    [
      "empty finish reasons and usage that is null (sglang#3912, ollama#4357)",
      [{ ...piece({ content: "4", tool_calls: null }, { finish_reason: "", logprobs: null }), usage: null }, finish("stop")],
      { text: "4", finishReason: "stop" },
    ],
    [
      "the only sample under the number 1 (litellm#376)",
      [{ choices: [{ index: 1, delta: { content: "4" }, finish_reason: "stop" }] }],
      { text: "4" },
    ],
    [
      "a comment behind a numbered event (openai-python#2722)",
      ["id: 7\n", piece({ content: "4" }), ": ping\n\n", finish("stop")],
      { text: "4" },
    ],
    [
      "a tool call whose name comes late (opencode#24137)",
      [
        call({ index: 0, id: "call_1", function: { arguments: '{"q":' } }),
        call({ index: 0, function: { name: "search", arguments: "1}" } }),
        finish("tool_calls"),
      ],
      {
        finishReason: "tool-calls",
        parts: { tool_calls: [{ id: "call_1", function: { name: "search", arguments: '{"q":1}' } }] },
      },
    ],
    [
      "tool calls in pieces without numbers (vercel/ai#7238)",
      [
        call({ id: "a", function: { name: "f", arguments: "{" } }),
        call({ function: { arguments: "}" } }),
        call({ id: "b", function: { name: "g", arguments: "{}" } }),
        finish("tool_calls"),
      ],
      {
        parts: {
          tool_calls: [
            { id: "a", function: { name: "f", arguments: "{}" } },
            { id: "b", function: { name: "g", arguments: "{}" } },
          ],
        },
      },
    ],
  ])("%s", async (_, events, expected) => {
    const text = events.map((event) => (typeof event === "string" ? event : chunk(event)));
    expect(await answer(await serve(body(text), { stream: true }))).toMatchObject(expected);
  });

  test("two pieces that ran into each other, the first cut short, are no answer (opencode#23442)", async () => {
    const whole = JSON.stringify(piece({ content: "It" }));
    const text = [`data: ${whole.slice(0, 20)}data: ${whole}\n\n`, chunk(finish("stop")), chunk("[DONE]")];
    expect(await failure(await serve(body(text), { stream: true }))).toMatchObject({ code: "reply-broken" });
  });
});
