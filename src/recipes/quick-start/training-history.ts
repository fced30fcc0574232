/** A PASR run's metrics.jsonl and evaluations.jsonl as curves for the report. */
import { historyFromLines, type TrainingHistory } from "#evaluation/report/training-history.ts";
import type { JsonObject } from "#files/json-lines.ts";

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
    lines.map((line) => renamed({ ...flatten(line), ...flatten(probeOf(probes, line), "evaluation.") })),
    { group },
  );
}

function probeOf(probes: ReadonlyMap<number, JsonObject>, line: JsonObject): JsonObject {
  const { step: _step, v: _version, ...values } = probes.get(line.step as number) ?? {};
  return values;
}

/** Nested numbers under dotted names. */
function flatten(value: JsonObject, prefix = ""): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]): [string, unknown][] =>
      typeof inner === "object" && inner !== null && !Array.isArray(inner)
        ? Object.entries(flatten(inner, `${prefix}${name}.`))
        : [[`${prefix}${name}`, inner]],
    ),
  );
}

function renamed(line: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(line)
      .filter(([name]) => name !== "v")
      .map(([name, value]) => [plotNames[name] ?? name, value]),
  );
}
