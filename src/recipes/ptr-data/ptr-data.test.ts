/** Phase 1 with scripted models: what is asked, selected, mixed and counted; killed and gone on with, the same bytes. */

import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { questionOf } from "#data/filters/filters.ts";
import { queriesFromRows } from "#data/sources/ptr-queries.ts";
import { refineRequest, type TrainingConversation } from "#kernel/conversation.ts";
import { userError } from "#kernel/errors.ts";
import { type FakeCall, FakeModel, type FakeReply } from "#models/fake.ts";
import { openRun } from "#record/run-directory.ts";
import { makePtrData } from "./ptr-data.ts";
import { defaultPtrDataSettings, type PtrDataSettings, type PtrDataSetup } from "./setup.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "ptr-data-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const questions = Array.from({ length: 30 }, (_, index) => `How much is ${index} + ${index}?`);
const rows = questions.map((question, index) => ({ line: index + 1, values: { question } }));
const numberIn = (text: string) => Number(/(\d+) \+/.exec(text)?.[1]);

const weakReply = ({ messages }: FakeCall, sample: number): FakeReply => {
  const number = numberIn(messages.at(-1)!.content);
  if (number === 3) return userError("context-exceeded", "too long");
  if (number === 4) return " ";
  if (number === 6) return { text: "It is", finishReason: "length" };
  return `Perhaps ${2 * number + 1 + sample}.`;
};
const strongReply = ({ messages }: FakeCall, sample: number): FakeReply => {
  const number = numberIn(messages.at(-1)!.content);
  if (number === 5) return { text: "It is", finishReason: "length" };
  if (number === 7) return `Perhaps ${2 * number + 1}.`;
  if (number === 8) return sample % 2 === 0 ? `It is ${sample}.` : `The answer is ${2 * number}.`;
  return `The answer is ${2 * number}.`;
};

const settings: PtrDataSettings = {
  ...defaultPtrDataSettings,
  attempts: 2,
  samples: 4,
  agreement: "answer",
  threshold: 0.5,
  maxTokens: 64,
};

interface Played extends Partial<Omit<PtrDataSetup, "settings">> {
  settings?: Partial<PtrDataSettings>;
}

async function play(name: string, more: Played = {}) {
  const { queries, tally } = queriesFromRows("q.jsonl", [...rows, { line: 31, values: { question: "" } }, rows[0]]);
  const folder = path.join(root, name);
  using run = openRun(folder, { command: "data ptr", options: {} });
  const weak = new FakeModel((call, sample) => weakReply(call, sample), "weak");
  const strong = new FakeModel((call, sample) => strongReply(call, sample), "strong");
  const setup: PtrDataSetup = {
    weak,
    strong,
    names: { weak: "weak", strong: "strong" },
    queries,
    leftOut: tally,
    run,
    concurrency: 4,
    ...more,
    settings: { ...settings, ...more.settings },
  };
  const result = await makePtrData(setup);
  const examples = readFileSync(result.examplesFile, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as TrainingConversation);
  return { ...result, examples, weak, strong, folder };
}

/** Everything but what holds the time of the run. */
function bytesOf(folder: string): Record<string, string> {
  const names = ["attempts.jsonl", "answers.jsonl", "examples.jsonl", "card.json"];
  return Object.fromEntries(names.map((name) => [name, readFileSync(path.join(folder, name), "utf8")]));
}

describe("what comes out", () => {
  test("sequences whose answer alone is learned, and a card that accounts for every row", async () => {
    const { examples, card, strong } = await play("a");
    expect(card).toMatchObject({ read: 32, kept: 25, examples: 25 });
    expect(card.dropped.map(({ reason, count }) => [reason, count])).toEqual([
      ["question-empty", 1],
      ["duplicate", 1],
      ["attempt-failed", 1],
      ["attempt-empty", 1],
      ["answer-truncated", 1],
      ["answer-repeats-attempt", 1],
      ["inconsistent", 1],
    ]);
    expect(examples[1].messages).toEqual([
      { role: "user", content: "How much is 1 + 1?", trainable: false },
      { role: "assistant", content: "Perhaps 3.", trainable: false },
      { role: "user", content: refineRequest, trainable: false },
      { role: "assistant", content: "Perhaps 4.", trainable: false },
      { role: "user", content: refineRequest, trainable: false },
      { role: "assistant", content: "The answer is 2.", trainable: true },
    ]);
    expect(card.figures.lengths?.["attempts cut at their largest length"]).toBe(2);
    // The strong model saw question and attempts, and was not asked where there was no attempt.
    expect(strong.calls).toHaveLength(28);
    const asked = strong.calls.map(({ messages }) => messages.at(-1)!.content).find((text) => text.startsWith(questions[1]))!;
    expect(asked).toContain("Attempt 1:\nPerhaps 3.");
    expect(asked).toContain("Attempt 2:\nPerhaps 4.");
    expect(strong.calls.every(({ options }) => options.n === 4 && options.temperature === 0.95 && options.topP === 0.9)).toBe(
      true,
    );
  });

  test("every call is metered, and what a failed one cost is not made up", async () => {
    const { card } = await play("a");
    expect(card.usage.weak).toEqual({ calls: 30, inputTokens: expect.any(Number), outputTokens: expect.any(Number) });
    expect(card.usage.strong).toMatchObject({ calls: 28 });
    const broken = await play("b", {
      weak: new FakeModel((call, sample) =>
        numberIn(call.messages[0].content) === 3 ? new Error("gone") : weakReply(call, sample),
      ),
    });
    expect(broken.card.usage.weak).toEqual({ calls: 30 });
    expect(broken.card.dropped.find(({ reason }) => reason === "attempt-failed")?.examples).toEqual(["q.jsonl:4: gone"]);
  });

  test("plain data is mixed in by share, seeded, and its lack is told", async () => {
    const plain = (count: number) =>
      Array.from(
        { length: count },
        (_, index): TrainingConversation => ({
          id: `p${index}`,
          messages: [
            { role: "user", content: `plain ${index}`, trainable: false },
            { role: "assistant", content: "yes", trainable: true },
          ],
        }),
      );
    const { examples, card } = await play("a", { plain: plain(100), settings: { plainShare: 0.5 } });
    expect(card.sources).toEqual([
      { name: "refinement", examples: 25 },
      { name: "plain", examples: 25 },
    ]);
    expect(new Set(examples.map(questionOf)).size).toBe(50);
    const short = await play("b", { plain: plain(3), settings: { plainShare: 0.5 } });
    expect(short.card.notes).toContain("The plain data ran out: 3 of 25 examples, so their share is smaller than was asked for.");
  });

  test("the gap is tested before anything else, and may be required", async () => {
    const gapItems = Array.from({ length: 12 }, (_, index) => ({
      id: `g${index}`,
      question: `How much is ${index + 10} + x?`,
      answer: String(2 * index + 20),
    }));
    const { card } = await play("a", { gapItems });
    expect(card.figures.gap).toEqual({
      questions: 12,
      "weak accuracy": 0,
      "strong accuracy": 1,
      "questions that differ": 12,
      "Wilcoxon p (two-sided)": "< 0.001",
      "gap at p < 0.05": true,
    });
    expect(card.usage["strong (gap test)"]).toMatchObject({ calls: 12 });
    const same = new FakeModel((call, sample) => weakReply(call, sample));
    await expect(play("b", { gapItems, strong: same, settings: { requireGap: true } })).rejects.toThrow(/is not better/);
    expect(same.calls).toHaveLength(12);
    await expect(play("c", { settings: { requireGap: true } })).rejects.toThrow(/nothing to test it on/);
  });

  test("agreement by embedding: the sample in the middle, and the threshold", async () => {
    const directions: Record<string, number[]> = { near: [1, 0], middle: [1, 0.2], far: [1, 0.5], away: [-1, 3] };
    const embedding = {
      model: "e",
      embed: async (texts: readonly string[]) => ({
        vectors: texts.map((text) => directions[text.split(" ")[0]] ?? [1, 0]),
        usage: { calls: 1, inputTokens: texts.length, outputTokens: 0, milliseconds: 5 },
      }),
    };
    const strong = new FakeModel(({ messages }, sample) => {
      const words =
        numberIn(messages.at(-1)!.content) === 9 ? ["near", "away", "far", "away"] : ["near", "middle", "far", "middle"];
      return `${words[sample]} ${sample}`;
    });
    const { examples, card } = await play("a", { strong, embedding, settings: { agreement: "embedding", threshold: 0.9 } });
    expect(examples[0].messages.at(-1)!.content).toBe("middle 1");
    expect(card.dropped.find(({ reason }) => reason === "inconsistent")).toMatchObject({ count: 1 });
    expect(card.usage.embedding).toMatchObject({ calls: 28, inputTokens: 112 });
  });

  test("settings that cannot be are told before a call", async () => {
    await expect(play("a", { settings: { samples: 1 } })).rejects.toThrow(/several answers/);
    await expect(play("b", { settings: { agreement: "embedding" } })).rejects.toThrow(/embeddings server/);
    await expect(play("c", { settings: { plainShare: 1 } })).rejects.toThrow(/not in \[0, 1\)/);
    await expect(play("d", { settings: { plainShare: 0.1 } })).rejects.toThrow(/no plain/);
  });
});

describe("going on", () => {
  /** Nothing fails here: what failed is tried again by the next run, and that costs a call more. */
  const soundReply = (call: FakeCall, sample: number) =>
    numberIn(call.messages[0].content) === 3 ? "Perhaps." : weakReply(call, sample);
  const sound = (name: string) => play(name, { weak: new FakeModel(soundReply, "weak") });

  test("stopped after any number of calls and gone on with, it ends with the same bytes and asks for nothing twice", async () => {
    const straight = await sound("straight");
    const wanted = bytesOf(straight.folder);
    for (const stopAfter of [1, 7, 29, 33, 45, 57]) {
      const name = `stopped-${stopAfter}`;
      const abort = new AbortController();
      let calls = 0;
      const counted = (reply: (call: FakeCall, sample: number) => FakeReply) => (call: FakeCall, sample: number) => {
        if (sample === 0 && ++calls === stopAfter) abort.abort();
        return reply(call, sample);
      };
      const first = {
        weak: new FakeModel(counted(soundReply)),
        strong: new FakeModel(counted(strongReply)),
        signal: abort.signal,
      };
      await expect(play(name, first)).rejects.toThrow(/abort/);
      const weak = new FakeModel(soundReply, "weak");
      const second = await play(name, { weak });
      expect(bytesOf(second.folder)).toEqual(wanted);
      const asked = [first.weak, first.strong, weak, second.strong].reduce((sum, { calls: made }) => sum + made.length, 0);
      // 30 attempts and 29 answers; what was under way at the stop may be asked again.
      expect(asked).toBeLessThanOrEqual(59 + 4);
    }
  });

  test("torn at any byte of its files, the same bytes", async () => {
    const straight = await sound("straight");
    const wanted = bytesOf(straight.folder);
    for (const [name, share] of [
      ["attempts", 0.37],
      ["attempts", 0.999],
      ["answers", 0.5],
      ["answers", 0.01],
    ] as const) {
      const folder = path.join(root, `torn-${name}-${share}`);
      mkdirSync(folder);
      for (const file of ["config.json", "attempts.jsonl", "answers.jsonl"])
        copyFileSync(path.join(straight.folder, file), path.join(folder, file));
      const file = path.join(folder, `${name}.jsonl`);
      const bytes = readFileSync(file);
      writeFileSync(file, bytes.subarray(0, Math.floor(bytes.length * share)));
      expect(bytesOf((await sound(path.basename(folder))).folder)).toEqual(wanted);
    }
  });

  test("a failure of the first run is tried again, and its cost stays counted", async () => {
    let broken = true;
    const weak = () =>
      new FakeModel((call, sample) =>
        numberIn(call.messages[0].content) === 10 && broken ? userError("busy", "busy") : weakReply(call, sample),
      );
    const first = await play("a", { weak: weak() });
    expect(first.card.kept).toBe(24);
    broken = false;
    const second = await play("a", { weak: weak() });
    expect(second.card.kept).toBe(25);
    expect(second.card.usage.weak!.calls).toBe(32);
    expect(second.weak.calls).toHaveLength(0);
  });

  test("where every call fails, it stops and says why", async () => {
    const weak = new FakeModel(() => new Error("connection refused"));
    await expect(play("a", { weak })).rejects.toThrow(/12 calls in a row failed.*connection refused/);
    expect(weak.calls.length).toBeLessThan(20);
  });
});
