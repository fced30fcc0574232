/** Training data from a run of real methods over real records on disk. */
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { notAskedIn } from "#data/filters/filters.ts";
import { questionKey } from "#data/filters/split.ts";
import type { PreferencePair } from "#data/sources/pairs.ts";
import type { Datum } from "#data/training-files/datum.ts";
import { evaluate } from "#evaluation/records/evaluate.ts";
import { noUsage } from "#kernel/model.ts";
import type { Method } from "#kernel/trace.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { FakeModel } from "#models/fake.ts";
import { examplesFromRun, type RunExamplesOptions } from "./run-examples.ts";
import { RecordStore } from "./store.ts";

let folder: string;
beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "run-examples-"));
  await answerAll();
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Drafts are wrong on odd items; every rewrite is right. */
async function answerAll(): Promise<void> {
  const model = new FakeModel(({ messages }, sample) => {
    const text = messages.map(({ content }) => content).join(" ");
    const number = Number(/item (\d+)/.exec(text)![1]);
    const turns = messages.filter(({ role }) => role === "assistant").length;
    if (messages.length > 2 && turns % 2 === 1) return `Look again at ${number}.`;
    return `answer ${turns > 0 || (number + sample) % 2 === 0 ? "right" : "wrong"} ${number}`;
  });
  const method = (made: Method) => ({ method: made, samples: 1 });
  const store = new RecordStore(folder);
  await evaluate({
    keepTrace: true,
    model,
    tasks: [
      {
        task: "toy",
        items: Array.from({ length: 4 }, (_, index) => ({ id: `i${index}`, question: `item ${index}`, answer: "right" })),
        methods: [
          method(vanilla()),
          method(selfRefine({ rounds: 1, isAllRight: false })),
          method(selfConsistency({ id: "resampling", samples: 2 })),
        ],
        verify: (_item, answer) => ({ accuracy: answer.includes("right") ? 1 : 0, extracted: answer }),
        maxTokens: 20,
      },
    ],
    temperature: 0,
    seed: 1,
    concurrency: 1,
    onRecord: (record) => store.append(record),
  });
  store.close();
}

const make = (options: Partial<RunExamplesOptions>) =>
  examplesFromRun(folder, { make: { view: "final-only" }, seed: 1, ...options });

function learned(data: readonly Datum[]): string[] {
  return data.flatMap((datum) =>
    datum.kind === "conversation"
      ? datum.conversation.messages.filter(({ trainable }) => trainable).map(({ content }) => content)
      : [],
  );
}

describe("views", () => {
  test("whatever the view, nothing wrong is learned, and every record is accounted for", () => {
    for (const view of ["final-only", "all-but-wrong", "last-turn", "right-turns", "direct", "in-process"] as const) {
      const { data, card } = make({ make: { view } });
      expect(data.length, view).toBeGreaterThan(0);
      for (const text of learned(data)) if (view !== "in-process") expect(text).not.toContain("wrong");
      for (const datum of data) {
        if (datum.kind !== "conversation") continue;
        for (const { trainable, content, masked = [] } of datum.conversation.messages) {
          if (!trainable) continue;
          let visible = content;
          for (const [start, end] of masked.toReversed()) visible = visible.slice(0, start) + visible.slice(end);
          expect(visible).not.toContain("wrong");
        }
      }
      expect(card.kept).toBe(data.length);
      expect(card.read).toBe(card.kept + card.dropped.reduce((sum, { count }) => sum + count, 0));
      expect(card.notes[0]).toContain("toy");
    }
  });

  test("methods can be chosen, questions left out, and system messages replaced", () => {
    const { data } = make({
      make: { view: "direct" },
      methods: ["self-refine-1"],
      system: "Think.",
      filter: notAskedIn(new Set([questionKey("item 2")])),
    });
    expect(data).toHaveLength(3);
    for (const datum of data) {
      if (datum.kind !== "conversation") throw new Error(datum.kind);
      expect(datum.conversation.messages.map(({ role }) => role)).toEqual(["system", "user", "assistant"]);
      expect(datum.conversation.messages[0].content).toBe("Think.");
      expect(datum.conversation.messages[1].content).not.toBe("item 2");
    }
  });

  test("a record that was written twice counts once, the later one", () => {
    const lines = readFileSync(path.join(folder, "records.jsonl"), "utf8").trim().split("\n");
    const before = make({ make: { view: "direct" } }).data.length;
    const spoiled = { ...JSON.parse(lines[0]), accuracy: 0 };
    appendFileSync(path.join(folder, "records.jsonl"), `${JSON.stringify(spoiled)}\n`);
    expect(make({ make: { view: "direct" } }).card.dropped.find(({ reason }) => reason === "wrong-final")?.count).toBeGreaterThan(
      0,
    );
    expect(make({ make: { view: "direct" } }).data.length).toBeLessThanOrEqual(before);
  });
});

describe("pairs", () => {
  const pairs = (data: readonly Datum[]) => data.map((datum) => (datum as { pair: PreferencePair }).pair);

  test("right against wrong answers to the bare question", () => {
    const { data, card } = make({ make: { pairs: "correct-wrong" } });
    expect(data).toHaveLength(4);
    for (const { prompt, chosen, rejected } of pairs(data)) {
      expect(prompt).toHaveLength(1);
      expect([chosen.includes("right"), rejected.includes("wrong")]).toEqual([true, true]);
    }
    expect(card.kept).toBe(4);
  });

  test("a verifier's scores on the way choose the wrong answer it likes best", () => {
    const messages = [{ role: "user" as const, content: "item 9" }];
    const texts = ["right", "poor", "tempting", "elsewhere"];
    const attempts = texts.map((text, attempt) => ({
      type: "attempt-end",
      attempt,
      messages: text === "elsewhere" ? [...messages, ...messages] : messages,
      text,
      usage: noUsage,
    }));
    const checks = [0.5, 0.1, 0.8, 0.9].map((score, attempt) => ({
      type: "check-end",
      attempt,
      by: "scorer",
      score,
      text: "",
      usage: noUsage,
    }));
    const common = {
      task: "toy",
      item: "i9",
      sample: 0,
      text: "right",
      answer: "right",
      accuracy: 1,
      reason: "done",
      usage: noUsage,
    };
    const lines = [
      { ...common, method: "vanilla", events: [attempts[0]] },
      {
        ...common,
        method: "best-of-n",
        events: [...attempts, ...checks],
        attempts: [1, 0, 0, 0].map((accuracy) => ({ accuracy })),
      },
    ];
    appendFileSync(path.join(folder, "records.jsonl"), lines.map((line) => `${JSON.stringify({ v: 1, ...line })}\n`).join(""));
    const { data } = make({ make: { pairs: "hard-negative" } });
    expect(pairs(data).map(({ chosen, rejected }) => [chosen, rejected])).toEqual([["right", "tempting"]]);
  });

  test("questions that must not be trained on make no pairs", () => {
    const filter = notAskedIn(new Set([questionKey("item 1"), questionKey("item 2")]));
    for (const kind of ["correct-wrong", "flip"] as const) {
      const { data, card } = make({ make: { pairs: kind }, filter });
      for (const { prompt } of pairs(data)) expect(prompt.at(-1)!.content).toMatch(/item [03]/);
      expect(data.length).toBeGreaterThan(0);
      expect(card.dropped.map(({ reason }) => reason)).toContain("asked-elsewhere");
    }
  });

  test("first attempt against final answer", () => {
    const { data, card } = make({ make: { pairs: "flip" }, methods: ["self-refine-1"] });
    expect(pairs(data).map(({ rejected }) => rejected)).toEqual(["answer wrong 1", "answer wrong 3"]);
    expect(card.dropped).toMatchObject([{ reason: "no-pair", count: 2 }]);
  });
});

test("a folder without records says so", () => {
  expect(() => examplesFromRun(tmpdir(), { make: { view: "direct" }, seed: 1 })).toThrow(/holds no answers/);
});
