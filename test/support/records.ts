/** Records of answers that nobody gave, for tests of what is made of them. */
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import type { SlimRecord } from "#evaluation/records/slim-record.ts";

export function answerRecord(item: string, accuracy: number, more: Partial<EvaluationRecord> = {}): EvaluationRecord {
  return {
    item,
    method: "m",
    sample: 0,
    text: "",
    answer: "",
    accuracy,
    verdict: "ok",
    refinements: 0,
    reason: "done",
    usage: { calls: 1, inputTokens: 10, outputTokens: 20, milliseconds: 1 },
    ...more,
  };
}

export function slimAnswer(item: string, accuracy: number, more: Partial<SlimRecord> = {}): SlimRecord {
  return {
    item,
    method: "m",
    sample: 0,
    accuracy,
    extracted: true,
    failed: false,
    reason: "done",
    wellFormed: true,
    refinements: 0,
    usage: { calls: 1, inputTokens: 10, outputTokens: 20 },
    ...more,
  };
}
