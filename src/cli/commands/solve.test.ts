/** `midcourse solve` over a real server and over the shipped model, as a process of its own. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { runCommand } from "../../../test/support/command.ts";
import { chatEvents, chatReply, type ModelServer, playServer } from "../../../test/support/model-server.ts";

const solve = (args: string[], input = "") =>
  runCommand(["solve", ...args], { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined }, input);

describe("over a server", () => {
  const replies = ["It is <answer>41</answer>", "6 × 7 is not 41. 3/10", "It is <answer>42</answer>", "EVERYTHING IS RIGHT"];
  let server: ModelServer;
  let served: string[];

  beforeAll(async () => {
    server = await playServer(({ path: place, body }) => {
      if (!place.endsWith("/chat/completions")) return { body: { object: "list", data: [{ id: "played" }] } };
      const text = served.shift();
      if (text === undefined) return { status: 400, body: { error: { message: "the script is at its end" } } };
      return body?.stream ? { events: chatEvents([text]) } : { body: chatReply([text]) };
    });
  });
  afterAll(() => server.close());

  const ask = (...args: string[]) => {
    served = [...replies];
    return solve(["--base-url", server.baseUrl, "--model", "played", "--no-probe", "--retries", "0", ...args]);
  };

  /** A model that says nothing. */
  const silent = (...args: string[]) => {
    served = [""];
    return solve(["--base-url", server.baseUrl, "--model", "played", "--no-probe", "--retries", "0", ...args]);
  };

  test("says what helps where all of the text came as reasoning, and what was asked and not honoured", async () => {
    const reasoning = await playServer(({ body }) =>
      body?.temperature === undefined
        ? { body: { choices: [{ index: 0, message: { content: null, reasoning_content: "42" }, finish_reason: "stop" }] } }
        : { status: 400, body: { error: { message: "Unsupported parameter: 'temperature'", param: "temperature" } } },
    );
    try {
      const place = ["--base-url", reasoning.baseUrl, "--model", "played", "--no-probe", "--retries", "0"];
      const { code, errors } = await solve([...place, "--method", "vanilla", "What is 6 times 7?"]);
      expect(code).toBe(1);
      expect(errors).toContain("--reasoning-tags join");
      expect(errors).toContain("Asked and not honoured: temperature 0 asked, left out: the server refused it");
    } finally {
      await reasoning.close();
    }
  });

  test("draws from the tokens that were asked for; a folder does so itself and says what only a server heeds", async () => {
    const { code, errors } = await ask("--top-k", "20", "--top-p", "0.9", "What is 6 times 7?");
    expect([code, errors]).toEqual([0, ""]);
    expect(server.chats().at(-1)?.body).toMatchObject({ top_k: 20, top_p: 0.9 });
    const sum = "Take 704. Then add 2. Plus 9.";
    const hot = ["--method", "vanilla", "--quiet", "--temperature", "5", "--extra-body", '{"top_k":1}', sum];
    const chosen = await solve(["--top-k", "1", ...hot]);
    expect(chosen.output).toBe("715\n");
    expect(chosen.errors).toContain("shipped is a checkpoint folder, and --extra-body is for servers: not heeded here");
    expect(chosen.errors).toContain("--top-k");
    expect((await solve(["--top-p", "0", sum])).errors).toContain("must be a number above 0");
  });

  test("shows every call, what it has cost, and the answer last", async () => {
    const { code, output, errors } = await ask("What is 6 times 7?");
    expect(errors).toBe("");
    expect(code).toBe(0);
    const lines = output.trimEnd().split("\n");
    expect(lines.at(-1)).toBe("42");
    expect(lines.at(-3)).toMatch(/^self-refine: 4 calls, .* tokens in, .* out, .* s \(at most 8 calls\)$/);
    expect(lines.filter((line) => /^\S/.test(line)).map((line) => line.split("  ")[0])).toEqual([
      "attempt 1",
      "feedback on attempt 1",
      "attempt 2",
      "feedback on attempt 2",
      "chosen: attempt 2 (last answer; the feedback found nothing wrong)",
      lines.at(-3),
      "42",
    ]);
    expect(output).not.toContain("\u001b");
  });

  test("as JSON gives one line an event, the outcome last", async () => {
    const { code, output } = await ask("--json", "--method", "vanilla", "--system", "Be brief.", "What is 6 times 7?");
    const lines = output
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(lines.map(({ type }) => type)).toEqual(["attempt-end", "outcome"]);
    expect(lines[1]).toMatchObject({ method: "vanilla", answer: "41", reason: "done", usage: { calls: 1 } });
    expect(server.chats().at(-1)!.body).toMatchObject({ messages: [{ role: "system", content: "Be brief." }, { role: "user" }] });
  });

  test("keeps the budget, and puts the question as a task does", async () => {
    const { code, output } = await ask("--budget", "calls=2", "--task", "gsm8k", "--quiet", "What is 6 times 7?");
    expect({ code, output }).toEqual({ code: 0, output: "41\n" });
    expect(JSON.stringify(server.chats().at(-1)!.body)).toContain("The answer is N.");
  });

  test("a server that refuses ends it with what there is, or says that there is no answer", async () => {
    const some = await ask("--method", "ptr-rounds:rounds=6", "Q");
    expect(some.code).toBe(2);
    expect(some.output).toContain("the script is at its end");
    expect(some.output).toContain("ended early: a call failed");
    served = [];
    const empty = await silent("--method", "vanilla", "Q");
    expect([empty.code, empty.output.includes("at most 1 call)")]).toEqual([1, true]);
    expect(empty.errors).toContain("midcourse: no answer");
    served = [];
    const none = await solve(["--base-url", server.baseUrl, "--model", "played", "--no-probe", "--retries", "0", "Q"]);
    expect(none.code).toBe(2);
    expect(none.errors).toMatch(/no answer: .*the script is at its end/);
  });
});

test("what is wrong with the command is said before a model is opened", async () => {
  const refusals = await Promise.all(
    [
      ["--method", "self-refin", "Q"],
      ["--method", "self-refine-oracle", "Q"],
      ["--method", "vanilla,self-refine", "Q"],
      ["--method", "best-of-n(select=verifier)", "Q"],
      ["--task", "hellaswag", "Q"],
      ["--budget", "cents=3", "Q"],
      ["   "],
    ].map(async (args) => {
      const { code, errors } = await solve(["--base-url", "http://127.0.0.1:9/v1", "--model", "m", ...args]);
      return [code, errors.split("\n")[1]];
    }),
  );
  expect(refusals).toEqual([
    [1, "midcourse: there is no method “self-refin”"],
    [1, "midcourse: self-refine-oracle looks at the reference answer, and a question of your own has none"],
    [1, "midcourse: --method names 2 methods"],
    [1, "midcourse: best-of-n(select=verifier) needs a model that scores answers"],
    [1, "midcourse: a question of hellaswag is more than its text"],
    [1, "midcourse: --budget cents=3: “cents=3” is no cap"],
    [1, "midcourse: the question is empty"],
  ]);
});

test("the shipped model answers a question of its world, read from standard input", async () => {
  const { code, output, errors } = await solve(["--method", "vanilla", "--threads", "1", "--quiet", "-"], "12 + 30 - 5\n");
  expect({ code, errors }).toEqual({ code: 0, errors: "" });
  expect(output).toMatch(/^-?\d+\n$/);
});
