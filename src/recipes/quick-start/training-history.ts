/** A PASR run's metrics.jsonl and evaluations.jsonl as curves for the report. */
import { historyFromLines, type TrainingHistory } from "#evaluation/report/training-history.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { leavesOf } from "#kernel/values.ts";

/** Record names that the report draws under names of its own. */
const plotNames: Readonly<Record<string, string>> = {
  "rewardTerms.format": "rewardFormat",
  "rewardTerms.accuracy": "rewardAccuracy",
  "rewardTerms.refine": "rewardRefine",
  refinements: "refineSpans",
  tokensRefined: "tokensPerAnswer",
  "evaluation.sampled.needless": "needless",
};

/** `run`: anything that reads a run's lines. */
export function pasrHistory(label: string, run: { readLines(name: string): JsonObject[] }, group = "PASR"): TrainingHistory {
  const probes = new Map(run.readLines("evaluations").map((line) => [line.step as number, line]));
  const metrics = run.readLines("metrics");
  // The probe before the first step belongs to step 0, which has no metrics of its own.
  const lines = probes.has(0) ? [{ step: 0 } as JsonObject, ...metrics] : metrics;
  return historyFromLines(
    label,
    lines.map((line) => renamed({ ...line, evaluation: probeOf(probes, line) })),
    { group },
  );
}

function probeOf(probes: ReadonlyMap<number, JsonObject>, line: JsonObject): JsonObject {
  const { step: _step, v: _version, ...values } = probes.get(line.step as number) ?? {};
  return values;
}

/** Under dotted names, with those that the report draws under names of its own. */
function renamed(line: JsonObject): Record<string, unknown> {
  const leaves = leavesOf(line).filter(([name]) => name !== "v");
  return Object.fromEntries(leaves.map(([name, value]) => [plotNames[name] ?? name, value]));
}
