import { stripVTControlCharacters } from "node:util";
import { describe, expect, test } from "vitest";
import { type Model, noUsage } from "#kernel/model.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { describeEvent, describeTotal, describeUsage, TraceView } from "./trace.ts";

const usage = { ...noUsage, calls: 1, inputTokens: 1412, outputTokens: 96, milliseconds: 1240 };
const attempt = (number: number, text: string): TraceEvent => ({
  type: "attempt-end",
  attempt: number,
  messages: [],
  text,
  usage,
});

describe("an event in words", () => {
  test.each<[TraceEvent, string]>([
    [attempt(2, "42"), "attempt 3"],
    [{ type: "feedback-end", attempt: 0, messages: [], text: "fine", usage }, "feedback on attempt 1"],
    [{ type: "step-end", role: "hint", messages: [], text: "add", usage }, "hint"],
    [{ type: "step-end", role: "run", attempt: 1, messages: [], text: "", usage }, "run (attempt 2)"],
    [
      { type: "check-end", attempt: 0, by: "tests", passed: false, score: 1 / 3, text: "", usage },
      "attempt 1 checked by tests: not passed, score 0.333",
    ],
    [{ type: "check-end", attempt: 0, by: "judge", text: "hm", usage }, "attempt 1 checked by judge: no verdict"],
    [{ type: "choice-end", attempt: 1, reason: "2 of 3 votes" }, "chosen: attempt 2 (2 of 3 votes)"],
    [{ type: "error", message: "boom" }, "error: boom"],
    [
      { type: "inner", method: "a", branch: 1, event: { type: "inner", method: "b", branch: 0, event: attempt(0, "") } },
      "a #2 › b #1 › attempt 1",
    ],
  ])("%j", (event, title) => expect(describeEvent(event).title).toBe(title));

  test("costs are counted, and unknown is not 0", () => {
    expect(describeUsage(usage)).toBe("1,412 in, 96 out, 1.2 s");
    expect(describeUsage({ ...usage, outputTokens: undefined })).toBe("1,412 in, ? out, 1.2 s");
    expect(describeTotal({ ...usage, dollars: 0.0021, reasoningTokens: 40 }, 61_000)).toBe(
      "1 call, 1,412 tokens in, 96 out (40 of them reasoning), 61 s, $0.0021",
    );
  });
});

/** What stands on the screen: a line that was cleared is gone. */
function screen(written: readonly string[]): string {
  const parts = written.join("").split("\r\u001b[2K");
  const kept = parts.map((part, index) => (index < parts.length - 1 ? part.slice(0, part.lastIndexOf("\n") + 1) : part));
  return stripVTControlCharacters(kept.join(""));
}

function streaming(pieces: readonly string[], reasoning?: string): Model {
  return {
    id: "streaming",
    generate: async (_messages, { n, onDelta }) => {
      if (reasoning) onDelta?.({ sample: 0, reasoning });
      for (const text of pieces) onDelta?.({ sample: 0, text });
      return Array.from({ length: n }, () => ({ text: pieces.join(""), finishReason: "stop" as const, usage }));
    },
  };
}

const asking = { n: 1, temperature: 0, maxTokens: 9, seed: 1 };

describe("a trace at a terminal", () => {
  test("shows words as they arrive, once, and what they were afterwards", async () => {
    const written: string[] = [];
    const view = new TraceView({ write: (text) => written.push(text), live: true });
    const heard: unknown[] = [];
    await view.watch(streaming(["6 × 7", "\nis 42"], "hm")).generate([], { ...asking, onDelta: (delta) => heard.push(delta) });
    expect(screen(written)).toBe("  hm\n  6 × 7\n  is 42");
    view.add(attempt(0, "6 × 7\nis 42"));
    view.add({ type: "choice-end", attempt: 0, reason: "last" });
    expect(screen(written)).toBe("  hm\n  6 × 7\n  is 42\n↑ attempt 1  1,412 in, 96 out, 1.2 s\n\nchosen: attempt 1 (last)\n");
    expect(heard).toHaveLength(3);
  });

  test("shows several samples, and models that do not stream, at their end", async () => {
    const written: string[] = [];
    const view = new TraceView({ write: (text) => written.push(text), live: true });
    await view.watch(streaming(["1"])).generate([], { ...asking, n: 2 });
    await view.watch(streaming([])).generate([], asking);
    view.add(attempt(0, "1"));
    expect(screen(written)).toBe("attempt 1  1,412 in, 96 out, 1.2 s\n  1\n\n");
    expect(stripVTControlCharacters(written[0])).toBe("… call 1, 2 samples");
  });

  test("a call that fails half-way leaves a whole line", async () => {
    const written: string[] = [];
    const view = new TraceView({ write: (text) => written.push(text), live: true });
    const breaking: Model = {
      id: "breaking",
      generate: async (_messages, { onDelta }) => {
        onDelta?.({ sample: 0, text: "6 ×" });
        throw new Error("boom");
      },
    };
    await expect(view.watch(breaking).generate([], asking)).rejects.toThrow("boom");
    view.add({ type: "error", message: "boom" });
    view.finish();
    expect(screen(written)).toBe("  6 ×\nerror: boom\n");
  });

  test("does not repeat the answer of an inner run", () => {
    const written: string[] = [];
    const view = new TraceView({ write: (text) => written.push(text), live: false });
    view.add({ type: "inner", method: "self-refine", branch: 0, event: attempt(0, "42") });
    view.add({ type: "inner", method: "self-refine", branch: 0, event: { type: "choice-end", attempt: 0, reason: "last" } });
    view.add(attempt(0, "42"));
    view.add(attempt(1, "42"));
    expect(
      written
        .join("")
        .split("\n")
        .filter((line) => line !== ""),
    ).toEqual([
      "self-refine #1 › attempt 1  1,412 in, 96 out, 1.2 s",
      "  42",
      "self-refine #1 › chosen: attempt 1 (last)",
      "attempt 1, as above  1,412 in, 96 out, 1.2 s",
      "attempt 2  1,412 in, 96 out, 1.2 s",
      "  42",
    ]);
  });

  test("writes no control codes elsewhere, and leaves the model as it is", () => {
    const written: string[] = [];
    const view = new TraceView({ write: (text) => written.push(text), live: false });
    const model = streaming(["1"]);
    expect(view.watch(model)).toBe(model);
    view.add(attempt(0, "1\u001b[31m"));
    expect(written.join("")).not.toContain("\u001b");
  });
});
