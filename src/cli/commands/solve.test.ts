/** `midcourse solve` over a real server and over the shipped model, as a program of its own. */
import { spawn } from "node:child_process";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { chatEvents, chatReply, type ModelServer, playServer } from "../../../test/support/model-server.ts";

const root = path.resolve(import.meta.dirname, "../../..");

/** The command with its own options alone, so that the test is of this file. */
const program = `
import { Command } from "commander";
import { registerSolve } from "./src/cli/commands/solve-command.ts";
import { reportFailure } from "./src/cli/terminal/failure.ts";
const program = new Command("midcourse");
registerSolve(program);
try { await program.parseAsync(); } catch (error) { process.exitCode = reportFailure(error); }
`;

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function solve(args: string[], input = ""): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const { OPENAI_BASE_URL: _, OPENAI_API_KEY: __, ...env } = process.env;
    const child = spawn(process.execPath, ["--input-type=module", "-e", program, "--", "solve", ...args], { cwd: root, env });
    const ended: Ended = { code: null, out: "", err: "" };
    child.stdout.setEncoding("utf8").on("data", (text) => {
      ended.out += text;
    });
    child.stderr.setEncoding("utf8").on("data", (text) => {
      ended.err += text;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ ...ended, code }));
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
}

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

  test("shows every call, what it has cost, and the answer last", async () => {
    const { code, out, err } = await ask("What is 6 times 7?");
    expect(err).toBe("");
    expect(code).toBe(0);
    const lines = out.trimEnd().split("\n");
    expect(lines.at(-1)).toBe("42");
    expect(lines.at(-3)).toMatch(/^self-refine: 4 calls, .* tokens in, .* out, .* s \(at most 8 calls\)$/);
    expect(lines.filter((line) => /^\S/.test(line)).map((line) => line.split("  ")[0])).toEqual([
      "attempt 0",
      "feedback on attempt 0",
      "attempt 1",
      "feedback on attempt 1",
      "chosen: attempt 1 (last answer; the feedback found nothing wrong)",
      lines.at(-3),
      "42",
    ]);
    expect(out).not.toContain("\u001b");
  });

  test("as JSON gives one line an event, the outcome last", async () => {
    const { code, out } = await ask("--json", "--method", "vanilla", "--system", "Be brief.", "What is 6 times 7?");
    const lines = out
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(code).toBe(0);
    expect(lines.map(({ type }) => type)).toEqual(["attempt-end", "outcome"]);
    expect(lines[1]).toMatchObject({ method: "vanilla", answer: "41", reason: "done", usage: { calls: 1 } });
    expect(server.chats().at(-1)!.body).toMatchObject({ messages: [{ role: "system", content: "Be brief." }, { role: "user" }] });
  });

  test("keeps the budget, and puts the question as a task does", async () => {
    const { code, out } = await ask("--budget", "calls=2", "--task", "gsm8k", "--quiet", "What is 6 times 7?");
    expect({ code, out }).toEqual({ code: 0, out: "41\n" });
    expect(JSON.stringify(server.chats().at(-1)!.body)).toContain("The answer is N.");
  });

  test("a server that refuses ends it with what there is, or says that there is no answer", async () => {
    const some = await ask("--method", "ptr-rounds:rounds=6", "Q");
    expect(some.code).toBe(2);
    expect(some.out).toContain("the script is at its end");
    expect(some.out).toContain("ended early: a call failed");
    served = [];
    const none = await solve(["--base-url", server.baseUrl, "--model", "played", "--no-probe", "--retries", "0", "Q"]);
    expect(none.code).toBe(2);
    expect(none.err).toMatch(/no answer: .*the script is at its end/);
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
      const { code, err } = await solve(["--base-url", "http://127.0.0.1:9/v1", "--model", "m", ...args]);
      return [code, err.split("\n")[1]];
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
  const { code, out, err } = await solve(["--method", "vanilla", "--threads", "1", "--quiet", "-"], "12 + 30 - 5\n");
  expect({ code, err }).toEqual({ code: 0, err: "" });
  expect(out).toMatch(/^-?\d+\n$/);
});
