/** `midcourse data` from its arguments to its files: two checkpoints, killed and gone on with; conversion; cards. */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { DataCard } from "#data/training-files/data-card.ts";
import { trainingFormats } from "#data/training-files/formats.ts";
import { saveCheckpoint } from "#engines/embedded/checkpoint/checkpoint.ts";
import { parseConfig } from "#engines/embedded/checkpoint/config.ts";
import { initialiseParameters } from "#engines/embedded/checkpoint/create.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { worldItems } from "#tasks/world/items.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { launch, midcourse, runCommand } from "../../../../test/support/command.ts";
import { chatReply, playServer } from "../../../../test/support/model-server.ts";

const root = path.resolve(import.meta.dirname, "../../../..");
const base = path.join(root, "models/base");
let folder: string;
let weak: string;
let queries: string;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "data-"));
  // The shipped architecture and vocabulary with weights that learned nothing.
  weak = path.join(folder, "weak");
  const rawConfig = JSON.parse(readFileSync(path.join(base, "config.json"), "utf8")) as Record<string, unknown>;
  rawConfig.num_hidden_layers = 1;
  const parameters = initialiseParameters(parseConfig(rawConfig, "config.json"), 7);
  await saveCheckpoint(weak, { rawConfig, parameters, companionsFrom: [base] });
  queries = path.join(folder, "queries.jsonl");
  const items = worldItems(12, { split: "train", seed: 5 });
  writeFileSync(queries, items.map(({ id, question, answer }) => `${JSON.stringify({ id, question, answer })}\n`).join(""));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ptrWords = (out: string, ...more: string[]) => [
  "ptr",
  ...["--queries", queries, "--weak", weak, "--strong", base, "--out", path.join(folder, out)],
  ...["--strong-sees", "dialogue", "--refine-request", "Solve again.", "--system", worldPrompts.plain],
  ...[
    "--max-tokens",
    "80",
    "--weak-temperature",
    "1",
    "--threads",
    "1",
    "--gap-check",
    queries,
    "--gap-items",
    "12",
    "--json",
    ...more,
  ],
];

describe("ptr", () => {
  test("a weak and a strong checkpoint: the gap is found, every call metered, the answer alone learned", async () => {
    const card = JSON.parse(await midcourse("data", ...ptrWords("two", "--gap", "size", "--keep-repeats"))) as DataCard;
    expect(card.figures.gap).toMatchObject({ questions: 12, "weak accuracy": 0, "gap at p < 0.05": true });
    expect(card.figures.models).toMatchObject({ "chosen by a gap in": "size" });
    for (const who of ["weak", "strong", "weak (gap test)", "strong (gap test)"]) {
      expect(card.usage[who], who).toMatchObject({
        calls: expect.any(Number),
        inputTokens: expect.any(Number),
        outputTokens: expect.any(Number),
      });
    }
    expect(card.read).toBe(12);
    expect(card.kept + card.dropped.reduce((sum, { count }) => sum + count, 0)).toBe(12);
    const lines = readFileSync(path.join(folder, "two/examples.jsonl"), "utf8").trim().split("\n");
    for (const line of lines) {
      const { messages } = JSON.parse(line) as TrainingConversation;
      expect(messages.map(({ trainable }) => trainable)).toEqual([false, false, false, false, true]);
    }
    expect(await midcourse("data", "card", path.join(folder, "two"))).toContain("12 read");
    const measured = await midcourse("data", "card", path.join(folder, "two/examples.jsonl"), "--model", base, "--json");
    expect((JSON.parse(measured) as DataCard).figures.tokens!.learned).toBeGreaterThan(0);
  });

  test("the same command on another query file is refused; an unknown column is named", async () => {
    const other = path.join(folder, "other.jsonl");
    writeFileSync(other, `${JSON.stringify({ question: "One?" })}\n`);
    await midcourse("data", ...ptrWords("refuse", "--limit", "1"));
    await expect(midcourse("data", ...ptrWords("refuse", "--limit", "1", "--queries", other))).rejects.toThrow(
      /another configuration.*queries/,
    );
    await expect(midcourse("data", ...ptrWords("column", "--question", "task"))).rejects.toThrow(/no column “task”/);
  });

  test("several query files go together, both models draw from the likeliest tokens, and the record has both", async () => {
    const more = path.join(folder, "more.jsonl.gz");
    const items = worldItems(3, { split: "train", seed: 6 });
    writeFileSync(more, gzipSync([...items, items[0]].map(({ question }) => `${JSON.stringify({ question })}\n`).join("")));
    const seen = path.join(folder, "seen.jsonl.gz");
    writeFileSync(seen, gzipSync(`${JSON.stringify({ question: items[2].question })}\n`));
    const words = (out: string, ...rest: string[]) => ptrWords(out, "--queries", queries, more, "--keep-repeats", ...rest);
    // The helper names the first file too: it is in the list twice, and its questions are repeats the second time.
    const card = JSON.parse(await midcourse("data", ...words("several", "--top-k", "1", "--leave-out", seen))) as DataCard;
    expect(card.read).toBe(12 + 12 + 4);
    expect(card.dropped.find(({ reason }) => reason === "duplicate")?.count).toBe(13);
    expect(card.figures.settings).toMatchObject({ weakTopK: 1, strongTopK: 1 });
    const attempts = readFileSync(path.join(folder, "several/attempts.jsonl"), "utf8").trim().split("\n");
    expect(attempts).toHaveLength(14);
    expect(card.dropped.find(({ reason }) => reason === "asked-elsewhere")?.count).toBe(1);
    const config = readFileSync(path.join(folder, "several/config.json"), "utf8");
    expect(config).toContain("more.jsonl.gz");
    await expect(midcourse("data", ...words("several", "--top-k", "2", "--leave-out", seen))).rejects.toThrow(
      /another configuration.*weakTopK/,
    );
  });

  test("a weak and a strong endpoint, each its own server, one of them busy", async () => {
    let refusals = 0;
    const weakServer = await playServer(({ path: at }, number) => {
      if (!at.endsWith("/chat/completions")) return { status: 404, body: { error: { message: "not here" } } };
      if (number % 3 === 0 && refusals++ < 4)
        return { status: 429, headers: { "retry-after": "0" }, body: { error: { message: "busy" } } };
      return { body: chatReply(["Perhaps 1."]) };
    });
    const strongServer = await playServer(({ path: at, body }) => {
      if (!at.endsWith("/chat/completions")) return { status: 404, body: { error: { message: "not here" } } };
      const asked = (body!.messages as { content: string }[]).at(-1)!.content;
      return { body: chatReply([`It is 2, for “${asked.slice(0, 9)}”.`]) };
    });
    try {
      const card = JSON.parse(
        await midcourse(
          "data",
          ...["ptr", "--queries", queries, "--out", path.join(folder, "servers"), "--no-probe", "--json"],
          ...[
            "--weak",
            "small",
            "--weak-base-url",
            weakServer.baseUrl,
            "--strong",
            "large",
            "--strong-base-url",
            strongServer.baseUrl,
          ],
        ),
      ) as DataCard;
      expect(card).toMatchObject({ read: 12, kept: 12, examples: 12 });
      expect(refusals).toBeGreaterThan(0);
      expect(strongServer.chats()).toHaveLength(12);
      expect(JSON.stringify(strongServer.chats()[0].body)).toContain("Perhaps 1.");
      expect(readFileSync(path.join(folder, "servers/config.json"), "utf8")).toContain(strongServer.baseUrl);
    } finally {
      await Promise.all([weakServer.close(), strongServer.close()]);
    }
  });

  test("killed while it asks, the same command ends with the same bytes", { timeout: 60_000 }, async () => {
    // Without the cache, so that the stages themselves have to remember; one call at a time, so that there is time to kill.
    const words = (out: string) => ptrWords(out, "--no-cache", "--concurrency", "1", "--limit", "8", "--gap-items", "6");
    const names = ["gap.jsonl", "attempts.jsonl", "answers.jsonl", "examples.jsonl", "card.json"];
    const bytes = (out: string) =>
      names.map((name) => readFileSync(path.join(folder, out, name), "utf8").replaceAll(path.join(folder, out), "OUT"));
    await midcourse("data", ...words("whole"));
    let killed = 0;
    for (const [stage, lines] of [
      ["gap", 3],
      ["attempts", 5],
      ["answers", 2],
    ] as const) {
      const out = `killed-${stage}`;
      const { child } = launch(["data", ...words(out)]);
      const ended = new Promise<NodeJS.Signals | null>((resolve) => child.once("exit", (_code, signal) => resolve(signal)));
      const file = path.join(folder, out, `${stage}.jsonl`);
      const enough = () => existsSync(file) && readFileSync(file, "utf8").split("\n").length > lines;
      while (child.exitCode === null && !enough()) await new Promise((resolve) => setTimeout(resolve, 2));
      child.kill("SIGKILL");
      if ((await ended) === "SIGKILL") killed++;
      await midcourse("data", ...words(out));
      expect(withoutCommand(bytes(out))).toEqual(withoutCommand(bytes("whole")));
    }
    // A machine that was busy elsewhere may have let one of them end.
    expect(killed).toBeGreaterThan(0);
  });
});

/** The card names the folder it was made in; here every run has another. */
function withoutCommand(bytes: readonly string[]): string[] {
  return bytes.map((text) => text.replace(/"command": ".*",\n/, ""));
}

describe("from-run", () => {
  test("a view and pairs of a run, with their cards", async () => {
    const usage = { calls: 1, inputTokens: 1, outputTokens: 1, milliseconds: 1 };
    const question = [{ role: "user", content: "Two plus two?" }];
    const later = [...question, { role: "assistant", content: "Five." }, { role: "user", content: "Sure?" }];
    const events = [
      { type: "attempt-end", attempt: 0, messages: question, text: "Five.", usage },
      { type: "attempt-end", attempt: 1, messages: later, text: "Four.", usage },
    ];
    const record = {
      ...{ v: 1, task: "sums", item: "a", method: "self-refine-1", sample: 0, text: "Four.", answer: "Four.", accuracy: 1 },
      ...{ attempts: [{ accuracy: 0 }, { accuracy: 1 }], reason: "done", usage, events },
    };
    const run = path.join(folder, "eval");
    mkdirSync(run);
    writeFileSync(path.join(run, "records.jsonl"), `${JSON.stringify(record)}\n`);
    const chat = path.join(folder, "chat.jsonl");
    expect(await midcourse("data", "from-run", run, "--view", "all-but-wrong", "--to", "openai", "--out", chat)).toContain(
      "questions of sums",
    );
    expect(JSON.parse(readFileSync(chat, "utf8"))).toMatchObject({
      messages: [{}, { content: "Five.", weight: 0 }, {}, { content: "Four." }],
    });
    const pairs = path.join(folder, "pairs.jsonl");
    await midcourse("data", "from-run", run, "--pairs", "flip", "--to", "trl-preference", "--out", pairs);
    expect(JSON.parse(readFileSync(pairs, "utf8"))).toMatchObject({
      chosen: [{ content: "Four." }],
      rejected: [{ content: "Five." }],
    });
    const left = await midcourse("data", "from-run", run, "--out", chat, "--leave-out", pairs, "--json");
    expect(JSON.parse(left)).toMatchObject({ kept: 0, dropped: [{ reason: "asked-elsewhere" }] });
    const noPairs = path.join(folder, "no-pairs.jsonl");
    const none = await midcourse("data", "from-run", run, "--pairs", "flip", "--out", noPairs, "--leave-out", pairs, "--json");
    expect(JSON.parse(none)).toMatchObject({ kept: 0, examples: 0, dropped: [{ reason: "asked-elsewhere" }] });
    await expect(midcourse("data", "from-run", run, "--view", "direct", "--pairs", "flip", "--out", chat)).rejects.toThrow(
      /different kinds/,
    );
  });
});

describe("convert and card", () => {
  test("PTR's layout to TRL's and back to a card", async () => {
    const file = path.join(folder, "thoughts.json");
    const rows = [
      { question: "q", output1: "a", output2: "answer" },
      { question: "", output1: "a", output2: "b" },
      { question: "q", output1: "a", output2: "Given." },
    ];
    writeFileSync(file, JSON.stringify(rows));
    const out = path.join(folder, "trl.jsonl");
    const printed = await midcourse(
      "data",
      "convert",
      file,
      "--to",
      "trl-prompt-completion",
      "--out",
      out,
      "--minimum-characters",
      "6",
    );
    expect(printed).toContain("3 read, 2 kept, 1 dropped");
    expect(readFileSync(out, "utf8").split("\n")).toHaveLength(3);
    const card = JSON.parse(readFileSync(path.join(folder, "trl.card.json"), "utf8")) as DataCard;
    expect(card).toMatchObject({ read: 3, kept: 2, figures: { formats: { from: "ptr", to: "trl-prompt-completion" } } });
    expect(await midcourse("data", "card", path.join(folder, "trl.card.json"))).toContain("question-empty");
    await expect(midcourse("data", "convert", file, "--to", "sharegpt", "--out", path.join(folder, "x.json"))).rejects.toThrow(
      /cannot be written as sharegpt/,
    );
    expect(existsSync(path.join(folder, "x.json"))).toBe(false);
  });
});

describe("world", () => {
  test("questions that the other commands read, the same for the same seed, and worked solutions of them", async () => {
    const file = (name: string) => path.join(folder, name);
    const card = JSON.parse(
      await midcourse("data", "world", "--count", "20", "--out", file("world.jsonl"), "--json"),
    ) as DataCard;
    expect(card).toMatchObject({ read: 20, kept: 20, figures: { world: { domain: "sums", split: "train", seed: 1 } } });
    const rows = readFileSync(file("world.jsonl"), "utf8").trim().split("\n");
    expect(rows.map((row) => (JSON.parse(row) as { question: string }).question)).toEqual(
      worldItems(20, { split: "train", seed: 1 }).map(({ question }) => question),
    );
    await midcourse(
      "data",
      "world",
      "--count",
      "3",
      "--domain",
      "postfix",
      "--split",
      "test",
      "--solutions",
      "--out",
      file("solved.jsonl"),
    );
    const solved = readFileSync(file("solved.jsonl"), "utf8").trim().split("\n");
    expect(solved.map((row) => (JSON.parse(row) as TrainingConversation).messages.map(({ trainable }) => trainable))).toEqual(
      Array.from({ length: 3 }, () => [false, false, true]),
    );
    await expect(midcourse("data", "world", "--count", "100001", "--out", file("many.jsonl"))).rejects.toThrow("100000");
    await expect(midcourse("data", "world", "--count", "1", "--out", file("one.txt"))).rejects.toThrow("cannot be written");
  });
});

test("the help names every format", async () => {
  const { output } = await runCommand(["data", "convert", "--help"]);
  for (const { name } of trainingFormats()) expect(output.replaceAll(/\s+/g, " ")).toContain(name);
});
