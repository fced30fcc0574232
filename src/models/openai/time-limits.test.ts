/** How long a server is waited for: one that keeps the connection open and says nothing, one that never begins, one that never ends. */
import type { ServerResponse } from "node:http";
import { afterEach, describe, expect, test } from "vitest";
import { chatEvents, chatReply, chunk } from "../../../test/support/model-server.ts";
import { answer, closeAll, failure, finish, piece, serve } from "../../../test/support/raw-server.ts";
import { retrying } from "../around/retry.ts";
import type { OpenAiModelOptions } from "./openai.ts";

afterEach(closeAll);

/** Writes `before` once and `text` again and again, until the connection is closed. */
function endless(text: string | ((round: number) => string), before = "", type = "text/event-stream") {
  return (response: ServerResponse) => {
    response.writeHead(200, { "content-type": type });
    response.write(before);
    let round = 0;
    const timer = setInterval(() => response.write(typeof text === "string" ? text : text(round++)), 50);
    response.on("close", () => clearInterval(timer));
  };
}

const streamed: Partial<OpenAiModelOptions> = { stream: true };

describe("the idle limit", () => {
  const role = chunk(piece({ role: "assistant", content: "" }));
  test.each([
    ["comments", ": keep-alive\n\n", ""],
    ["comments without a blank line", ":\n", ""],
    ["comments behind a first piece", ": keep-alive\n\n", chunk(piece({ content: "It" }))],
    ["comments behind the role", ": keep-alive\n\n", role],
    ["blank lines", "\n", ""],
    ["blanks", "  ", ""],
    ["named heartbeats", 'event: ping\ndata: {"type":"ping"}\n\n', ""],
    ["heartbeats without a name", 'data: {"type":"ping"}\n\n', role],
    ["heartbeats in words", "data: ping\n\n", ""],
    ["pieces of nothing", chunk(piece({ content: "" })), role],
    ["numbers of events", "id: 1\n\nretry: 3000\n\n", ""],
  ])("%s are no answer: the request ends as if nothing came", async (_, text, before) => {
    for (const stream of [true, false]) {
      const served = await serve(endless(text, before), { stream, idleSeconds: 0.3 });
      const thrown = await failure(served);
      expect(thrown).toMatchObject({ code: "server-silent", advice: expect.stringContaining("--idle-seconds") });
      expect(thrown.message).toMatch(/kept the connection open and sent nothing else for 0.3 s/);
    }
  });

  test("an answer that comes slower than the limit in all, and never pauses for so long, is taken", async () => {
    const served = await serve(
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        const events = chatEvents(Array.from({ length: 12 }, (_, place) => `${place} `));
        const timer = setInterval(() => {
          response.write(`: keep-alive\n\n${events.shift() ?? ""}`);
          if (events.length === 0) response.end();
        }, 60);
        response.on("close", () => clearInterval(timer));
      },
      { ...streamed, idleSeconds: 0.6 },
    );
    expect((await answer(served)).text).toBe("0 1 2 3 4 5 6 7 8 9 10 11 ");
  });

  test("a whole reply that comes byte by byte is taken", async () => {
    const text = JSON.stringify(chatReply(["4"]));
    const served = await serve(
      (response) => {
        response.writeHead(200, { "content-type": "application/json" });
        let at = 0;
        const timer = setInterval(() => {
          response.write(text.slice(at, at + 20));
          at += 20;
          if (at >= text.length) response.end();
        }, 40);
        response.on("close", () => clearInterval(timer));
      },
      { idleSeconds: 0.3 },
    );
    expect(await answer(served)).toMatchObject({ text: "4" });
  });
});

describe("the limit until the first piece", () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ["nothing at all", () => {}],
    ["a header", (response) => void response.writeHead(200, { "content-type": "text/event-stream" }).flushHeaders()],
    ["comments", endless(": keep-alive\n\n")],
    ["a role without words", endless(": keep-alive\n\n", chunk(piece({ role: "assistant" })))],
  ])("%s is no first piece", async (_, say) => {
    const served = await serve(say, { ...streamed, firstSeconds: 0.3, idleSeconds: 600 });
    const thrown = await failure(served);
    expect(thrown).toMatchObject({ code: "server-silent", advice: expect.stringContaining("--first-seconds") });
    expect(thrown.message).toMatch(/began no answer within 0.3 s/);
  });

  test("an answer that has begun may take longer, and reasoning is a beginning", async () => {
    const begin = chunk(piece({ reasoning_content: "hm" }));
    const end = chunk(piece({ content: "4" })) + chunk(finish("stop")) + chunk("[DONE]");
    const served = await serve(
      (response) => {
        response.writeHead(200, { "content-type": "text/event-stream" });
        response.write(begin);
        setTimeout(() => response.end(end), 500);
      },
      { ...streamed, firstSeconds: 0.3 },
    );
    expect(await answer(served)).toMatchObject({ text: "4", reasoning: "hm" });
  });

  test("a server that begins too late is asked again", async () => {
    const policy = retrying({ retries: 1, firstDelaySeconds: 0.001 });
    const served = await serve(
      (response, number) => {
        if (number === 0) return;
        response.writeHead(200, { "content-type": "application/json" });
        response.end(JSON.stringify(chatReply(["4"])));
      },
      { policy, firstSeconds: 0.3 },
    );
    expect(await answer(served)).toMatchObject({ text: "4" });
    expect(served.count()).toBe(2);
  });
});

describe("the limit of a whole call", () => {
  test.each<[string, (response: ServerResponse) => void]>([
    ["pieces without end", endless((round) => chunk(piece({ content: `${round} ` })))],
    ["a whole reply without end", endless(" word", '{"choices":[{"message":{"content":"', "application/json")],
    ["nothing", () => {}],
  ])("%s: the request ends with what to do and is not made again", async (_, say) => {
    const policy = retrying({ retries: 3, firstDelaySeconds: 0.001 });
    const served = await serve(say, { ...streamed, policy, totalSeconds: 0.4 });
    const thrown = await failure(served);
    expect(thrown).toMatchObject({ code: "server-slow", advice: expect.stringContaining("--total-seconds") });
    expect(thrown.message).toMatch(/did not answer within 0.4 s/);
    expect(served.count()).toBe(1);
  });

  test("an answer that lacks nothing but its mark is taken when the limit is reached", async () => {
    const events = [piece({ content: "4" }), finish("stop")].map(chunk).join("");
    const served = await serve(
      (response) => void response.writeHead(200, { "content-type": "text/event-stream" }).write(events),
      { ...streamed, totalSeconds: 0.4 },
    );
    expect(await answer(served)).toMatchObject({ text: "4", finishReason: "stop" });
  });
});

test("what is no limit is refused", async () => {
  for (const bad of [0, -1, Number.NaN]) {
    for (const name of ["idleSeconds", "firstSeconds", "totalSeconds"]) {
      await expect(serve(() => {}, { [name]: bad })).rejects.toMatchObject({ family: "user", code: "option-value" });
    }
  }
});
