import { describe, expect, test } from "vitest";
import type { OverallDifference, Results } from "../summary/results.ts";
import { methodName } from "./report-tables.ts";
import { findings } from "./words.ts";

const against = (difference: number, pHolm: number, tasks = 2): OverallDifference => ({
  difference,
  interval: [difference - 0.01, difference + 0.01],
  pValue: pHolm / 2,
  pHolm,
  tasks,
});

const row = (id: string, versusResampling?: OverallDifference, versusBaseline?: OverallDifference, oracle = false) => ({
  id,
  oracle,
  tasks: 2,
  macro: { accuracy: 0.5, interval: [0.4, 0.6] as const },
  micro: { accuracy: 0.5, interval: [0.4, 0.6] as const },
  ...(versusResampling ? { versusResampling } : {}),
  ...(versusBaseline ? { versusBaseline } : {}),
});

/** Only what the sentences are made from. */
const resultsOf = (overall: ReturnType<typeof row>[], pools: object[]) =>
  ({
    overall,
    tasks: pools.map((pool, index) => ({ task: `task-${index}`, baseline: "vanilla", methods: [], pool })),
  }) as unknown as Results;

const vote = { rule: "vote" };
const single = { rule: "single" };

describe("the findings of a benchmark", () => {
  test("say in a sentence each who is better, worse or not clearly apart", () => {
    const overall = [
      row("vanilla"),
      row("up", against(0.05, 0.003), against(0.06, 0.0001)),
      row("also-up", against(0.031, 0.02), against(0.02, 0.0002)),
      row("down", against(-0.02, 0.04), against(-0.0001, 1)),
      row("same", against(-0.0004, 0.3), against(0, 1)),
      row("cheat", against(0.4, 0.001), against(0.4, 0.001), true),
    ];
    expect(findings(resultsOf(overall, [vote, vote]))).toEqual([
      "Better than resampling at equal tokens: up +5.0 and also-up +3.1 points (corrected p 0.020 or less).",
      "Worse than resampling at equal tokens: down −2.0 points (corrected p 0.040).",
      "No clear difference from resampling at equal tokens: same +0.0 points (corrected p 0.300).",
      "Resampling: the vote of as many plain samples as the method's sampled tokens pay for.",
      "Better than vanilla at any cost: up +6.0 and also-up +2.0 points (corrected p < 0.001).",
      "No clear difference from vanilla at any cost: down +0.0 and same +0.0 points (corrected p 1.000).",
      "cheat: an upper bound, not a method: it looks at the reference answer.",
    ]);
  });

  test("name the tasks a comparison lacks, and the greedy answer where it stands in for samples", () => {
    const overall = [row("vanilla", against(-0.002, 0.131, 1)), row("other", against(0.004, 0.784))];
    expect(findings(resultsOf(overall, [{ ...vote, floor: "plain answer" }, single]))).toEqual([
      "No clear difference from resampling at equal tokens: vanilla −0.2 (1 of 2 tasks) and other +0.4 points (corrected p 0.131 or more).",
      "Resampling: the vote of as many plain samples as the method's sampled tokens pay for, or a single one where answers cannot be voted on; where the greedy plain answer is better, it counts instead.",
    ]);
  });

  test("explain no resampling that nothing was compared with", () => {
    expect(findings(resultsOf([row("vanilla")], [single]))).toEqual([]);
    const [, meaning] = findings(resultsOf([row("other", against(0, 1))], [single]));
    expect(meaning).toBe("Resampling: a single plain sample, as these answers cannot be voted on.");
  });

  test("say which answers failed, because they count as wrong", () => {
    const results = resultsOf([row("refine", against(0.1, 0.2))], [vote]);
    const method = { id: "refine", failures: 3, answers: 25 };
    const failed = { ...results, tasks: [{ ...results.tasks[0], methods: [method, { ...method, id: "other", failures: 0 }] }] };
    expect(findings(failed as unknown as Results).at(-1)).toBe(
      "Some answers failed on their way: refine 3 of 25 answers (3 graded wrong) on task-0. The same command as before tries them again.",
    );
    expect(findings(results).join(" ")).not.toContain("failed");
  });
});

test("a method named after what every object has is called by its name alone", () => {
  for (const id of ["constructor", "__proto__", "toString"]) expect(methodName({ id, oracle: false }, {}).text).toBe(id);
});
