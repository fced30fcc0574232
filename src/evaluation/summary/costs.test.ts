/** What answers cost on average where some failed, at real servers that fail in different ways. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { HttpConnections } from "#http/connections.ts";
import type { Item, Verifier } from "#kernel/item.ts";
import type { Method } from "#kernel/trace.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { retrying } from "#models/around/retry.ts";
import { serverAddress } from "#models/openai/address.ts";
import { OpenAiModel } from "#models/openai/openai.ts";
import type { ReasoningTags } from "#models/openai/reasoning-text.ts";
import { carefulQuirks, type ServerQuirks, serverQuirks } from "#models/openai/server-quirks.ts";
import {
  chatReply,
  chunk,
  type ModelServer,
  type Play,
  type PlayedReply,
  playServer,
} from "../../../test/support/model-server.ts";
import { wholePage } from "../../../test/support/page-content.ts";
import { exportInspect } from "../export/inspect.ts";
import { exportLmEval } from "../export/lm-eval.ts";
import { evaluateTask } from "../records/evaluate.ts";
import type { EvaluationRecord } from "../records/evaluation-record.ts";
import { slimRecord } from "../records/slim-record.ts";
import { renderReport } from "../report/report.ts";
import { renderTable } from "../report/table.ts";
import { findings } from "../report/words.ts";
import type { Results } from "./results.ts";
import { summarise } from "./summary.ts";

const items: Item[] = Array.from({ length: 10 }, (_, index) => ({ id: `i${index}`, question: `q${index}`, answer: "4" }));
const verify: Verifier = (item, answer) => ({ accuracy: answer === item.answer ? 1 : 0, extracted: answer || undefined });

const open: { close(): Promise<void> | void }[] = [];
afterEach(async () => {
  for (const each of open.splice(0)) await each.close();
});

interface At {
  retries?: number;
  quirks?: Partial<ServerQuirks>;
  extraBody?: Record<string, unknown>;
  reasoningTags?: ReasoningTags;
}

async function resultsAt(
  play: Play,
  methods: Method[],
  { retries = 0, quirks, ...more }: At = {},
): Promise<{ results: Results; records: EvaluationRecord[]; server: ModelServer }> {
  const server = await playServer(play);
  const connections = new HttpConnections();
  open.push(server, connections);
  const model = new OpenAiModel({
    model: "m",
    address: serverAddress({ baseUrl: server.baseUrl }),
    connections,
    quirks: { ...carefulQuirks(serverQuirks.vllm), ...quirks },
    policy: retrying({ retries, firstDelaySeconds: 0 }),
    ...more,
  });
  const records = await evaluateTask({ model, items, methods, verify, temperature: 0, maxTokens: 64, seed: 1, keepTrace: true });
  const results = summarise({
    run: "run",
    model: "m",
    seed: 1,
    temperature: 0,
    samples: 1,
    tasks: [{ id: "sums", items: items.length }],
    records: records.map((record) => slimRecord(record)),
  });
  return { results, records, server };
}

const askedFor = (body: Record<string, unknown> | undefined, question: string) => JSON.stringify(body).includes(question);

describe("means of tokens", () => {
  test("leave out what failed before anything was sampled, and say how many", async () => {
    const { results } = await resultsAt(
      ({ body }) =>
        ["q1", "q2", "q3", "q4"].some((question) => askedFor(body, question))
          ? { status: 429, body: { error: { message: "slow down" } } }
          : { body: chatReply(["4"]) },
      [vanilla()],
    );
    const [method] = results.tasks[0].methods;
    expect(method).toMatchObject({ accuracy: 0.6, failures: 4, failuresUnsampled: 4, unknownTokens: 0 });
    expect(method).toMatchObject({ tokensPerAnswer: 3, allTokensPerAnswer: 13, tokensPerCorrect: 13 });
    const said = "left out of the means of tokens, failed before anything was sampled: vanilla 4 of 10 answers";
    expect(renderTable(results, { width: 200 })).toContain(said);
    expect(wholePage(renderReport({ results, records: [] }))).toContain(
      "4 before anything was sampled, left out of the means of tokens",
    );
  });

  test("stay known where a failure stands in a reply of status 200, tried again or not", async () => {
    const error = { code: 429, message: "slow down" };
    const failures: PlayedReply[] = [
      { body: { error } },
      { body: { error: "overloaded" } },
      { body: { choices: [{ index: 0, message: { content: "" }, finish_reason: "error", error }] } },
      { events: [chunk({ choices: [{ index: 0, delta: { role: "assistant", content: "" } }] }), chunk({ error })] },
    ];
    for (const [failure, retries] of failures.flatMap((each) => [0, 2].map((times) => [each, times] as const))) {
      const seen = new Set<string>();
      const { results } = await resultsAt(
        ({ body }) => {
          const question = JSON.stringify(body?.messages);
          const fails = /q[135]/.test(question) && !(retries > 0 && seen.has(question));
          seen.add(question);
          return fails ? failure : { body: chatReply(["4"]) };
        },
        [vanilla()],
        { retries },
      );
      expect(results.tasks[0].methods[0]).toMatchObject({ unknownTokens: 0, tokensPerAnswer: 3, allTokensPerAnswer: 13 });
      expect(results.tasks[0].methods[0].failures).toBe(retries > 0 ? 0 : 3);
    }
  });
});

describe("answers that failed on their way", () => {
  test("are told as they are graded: right where what they had by then is right", async () => {
    const { results } = await resultsAt(
      ({ body }) => {
        const messages = body?.messages as unknown[];
        if (messages.length > 1) return { status: 500, body: { error: { message: "out of luck" } } };
        return { body: chatReply([askedFor(body, "q0") || askedFor(body, "q1") ? "5" : "4"]) };
      },
      [vanilla(), selfRefine({ rounds: 1 })],
    );
    const refined = results.tasks[0].methods[1];
    expect(refined).toMatchObject({ accuracy: 0.8, failures: 10, failuresRight: 8 });
    const counts = `${refined.id} 10 of 10 answers (8 graded right, 2 wrong)`;
    expect(renderTable(results, { width: 200 })).toContain(`failed: ${counts}; what they had by then is graded`);
    expect(findings(results).join("\n")).toContain(counts);
    expect(wholePage(renderReport({ results, records: [] }))).toContain("10 of 10 answers failed (8 graded right, 2 wrong)");
    expect(refined.notComparable).not.toContain("gave no usage");
  });
});

describe("reasoning in the tokens of a run", () => {
  const told = (completion: number, reasoning: number, total?: number) => ({
    prompt_tokens: 10,
    completion_tokens: completion,
    completion_tokens_details: { reasoning_tokens: reasoning },
    ...(total === undefined ? {} : { total_tokens: total }),
  });
  const run = async (usage: (question: number) => unknown) =>
    resultsAt(
      ({ body }) => ({ body: chatReply(["4"], { usage: usage(Number(/q(\d)/.exec(JSON.stringify(body))![1])) }) }),
      [vanilla()],
    );

  test("is counted alike in all answers once one reply shows how the server tells it; table, results and page say so", async () => {
    // All but the last answer leave open what they hold.
    const { results } = await run((question) => (question === 9 ? told(2, 400, 412) : told(500, 400)));
    expect(results.reasoning).toEqual({ convention: "beside", inside: 0, beside: 1, untold: 9, untoldTokens: 3600 });
    expect(results.tasks[0].methods[0].tokensPerAnswer).toBeCloseTo((9 * 900 + 402) / 10);
    const said =
      "the server tells it beside the sampled tokens, as 1 reply shows, and 9 replies that do not tell are counted alike";
    expect(renderTable(results, { width: 400 })).toContain(said);
    expect(wholePage(renderReport({ results, records: [] }))).toContain(said);
    const { results: inside } = await run((question) => (question === 9 ? told(500, 400, 510) : told(500, 400)));
    expect(inside.reasoning?.convention).toBe("inside");
    expect(inside.tasks[0].methods[0].tokensPerAnswer).toBe(500);
  });

  test("is told where replies contradict each other, and where none shows anything", async () => {
    const { results } = await run((question) => (question < 3 ? told(500, 400, 510) : told(500, 400, 910)));
    expect(results.reasoning).toMatchObject({ convention: "beside", inside: 3, beside: 7 });
    expect(results.tasks[0].methods[0].tokensPerAnswer).toBeCloseTo(780);
    expect(renderTable(results, { width: 400 })).toContain("the server contradicts itself");
    const { results: silent } = await run(() => told(500, 400));
    expect(silent.reasoning).toMatchObject({ convention: "inside", inside: 0, beside: 0, untold: 10 });
    expect(renderTable(silent, { width: 400 })).toContain("if it is not, tokens here are too low");
    const { results: without } = await run(() => ({ prompt_tokens: 10, completion_tokens: 5 }));
    expect(without.reasoning).toBeUndefined();
  });
});

describe("a server that gives fewer samples than it is asked for", () => {
  const voting = [vanilla(), selfConsistency({ samples: 8 })];

  test("loses no paid answer: the others are asked for one by one, and it is said", async () => {
    const { results, records, server } = await resultsAt(() => ({ body: chatReply(["4"]) }), voting);
    const vote = results.tasks[0].methods[1];
    expect(vote).toMatchObject({ accuracy: 1, failures: 0, callsPerAnswer: 8, tokensPerAnswer: 24, unknownTokens: 0 });
    expect(records.at(-1)!.attempts).toHaveLength(8);
    expect(server.chats()).toHaveLength(10 * 9);
    expect(results.notHonoured).toMatchObject([
      { field: "n", asked: 8, why: "the server gave 1 a request", answers: 10, of: 10, methods: [vote.id] },
    ]);
    expect(renderTable(results, { width: 400 })).toContain("n 8 asked: the server gave 1 a request; the others were asked for");
  });

  test("keeps what was given where no more can be had, and blames no missing usage", async () => {
    let calls = 0;
    const { results, records } = await resultsAt(({ body }) => {
      if ((body?.n ?? 1) === 8) return { body: chatReply(["4", "4", "5"]) };
      return ++calls > 10 ? { status: 429, body: { error: { message: "enough" } } } : { body: chatReply(["4"]) };
    }, voting);
    const vote = results.tasks[0].methods[1];
    expect(vote).toMatchObject({ accuracy: 1, failures: 0, unknownTokens: 0 });
    expect(records.at(-1)!.attempts!.length).toBeGreaterThanOrEqual(3);
    expect(JSON.stringify(results)).not.toContain("gave no usage");
    expect(results.notHonoured!.some(({ instead }) => instead!.includes("5 of 8 failed"))).toBe(true);
  });
});

describe("what was asked for and not honoured", () => {
  test("stands in records, results, table, page and exports: a temperature that the server refused is no temperature 0", async () => {
    const refusing: Play = ({ body }) =>
      body?.temperature === undefined
        ? { body: chatReply(["4"]) }
        : { status: 400, body: { error: { message: "Unsupported parameter: 'temperature'", param: "temperature" } } };
    for (const quirks of [{ temperature: "left-out" } as const, {}]) {
      const { results, records } = await resultsAt(refusing, [vanilla()], { quirks });
      expect(records.every(({ notHonoured }) => notHonoured?.[0].field === "temperature")).toBe(true);
      expect(results.notHonoured).toMatchObject([{ field: "temperature", asked: 0, answers: 10, of: 10 }]);
      const table = renderTable(results, { width: 400 });
      expect(table).toContain("Temperature 0 asked, left out: the server refused it");
      expect(table).not.toContain("Temperature 0,");
      expect(wholePage(renderReport({ results, records: [] }))).toContain("0 asked, left out: the server refused it");
      const folder = mkdtempSync(path.join(tmpdir(), "midcourse-costs-"));
      try {
        const plan = { folder, results, records, itemsOf: () => items, date: new Date(0) };
        for (const write of [exportInspect, exportLmEval]) {
          const text = write(plan).map((file) => readFileSync(file, "utf8"));
          expect(text.join("")).toContain('"not_honoured"');
          expect(text.join("")).not.toContain('"temperature":0');
          expect(text.join("")).not.toContain('"temperature": 0');
        }
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  });

  test("is seen in what was sent and in what came back, whoever changed it", async () => {
    const reply = chatReply(["4"], { usage: { prompt_tokens: 10, completion_tokens: 300, total_tokens: 310 } });
    const { results } = await resultsAt(() => ({ body: reply }), [vanilla()], { extraBody: { temperature: 1, seed: null } });
    expect(results.notHonoured).toMatchObject([
      { field: "max_tokens", asked: 64, why: "the server sampled more" },
      { field: "seed", why: "left out by the user" },
      { field: "temperature", asked: 0, instead: "1 was sent" },
    ]);
    expect(renderTable(results, { width: 400 })).toContain("seed asked, left out by the user");
    const { results: kept } = await resultsAt(() => ({ body: chatReply(["4"]) }), [vanilla()]);
    expect(kept.notHonoured).toBeUndefined();
    expect(renderTable(kept, { width: 400 })).toContain("Temperature 0, 1 answer an item, seed 1.");
  });
});

describe("text that came as reasoning alone", () => {
  const reasoned =
    (finish_reason: string): Play =>
    () => ({
      body: {
        choices: [{ index: 0, message: { content: null, reasoning_content: "two and two make 4" }, finish_reason }],
        usage: { prompt_tokens: 10, completion_tokens: 5, total_tokens: 15 },
      },
    });

  test("is told under the table and on the page, with the option that helps", async () => {
    const { results } = await resultsAt(reasoned("stop"), [vanilla()]);
    expect(results.unreadReasoning).toEqual({ answers: 10, cut: 0, of: 10 });
    const said = "In 10 of 10 answers the server gave reasoning and no text";
    for (const text of [renderTable(results, { width: 400 }), wholePage(renderReport({ results, records: [] }))]) {
      expect(text).toContain(said);
      expect(text).toContain("--reasoning-tags join");
    }
    const { results: cut } = await resultsAt(reasoned("length"), [vanilla()]);
    expect(renderTable(cut, { width: 400 })).toContain("they were cut off before the answer, for which --max-tokens gives room");
    const { results: joined } = await resultsAt(reasoned("stop"), [vanilla()], { reasoningTags: "join" });
    expect(joined.unreadReasoning).toBeUndefined();
  });

  test("is told in the error of an answer that failed over it", async () => {
    let number = 0;
    const { records } = await resultsAt(
      (request, place) =>
        number++ % 2 === 0 ? reasoned("stop")(request, place) : { status: 500, body: { error: { message: "out of luck" } } },
      [selfRefine({ rounds: 1 })],
    );
    const failed = records.filter(({ error, unreadReasoning }) => error && unreadReasoning);
    expect(failed.length).toBeGreaterThan(0);
    for (const { error } of failed) expect(error).toContain("--reasoning-tags join puts the reasoning back into the text");
  });
});
