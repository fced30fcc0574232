/**
 * One plain answer, as the model gives it. The baseline every other method is compared with.
 *
 * Algorithm
 *   1. Ask once; the completion is the answer.
 *
 * Cost: 1 call.
 */
import { defineMethod } from "../driver/define-method.ts";

export const vanilla = defineMethod({
  id: "vanilla",
  summary: "One plain answer, as the model gives it.",
  kind: "plain",
  status: "stable",
  options: { instruction: { type: "text", mayBeEmpty: true, description: "system message" } },
  calls: "1",
  maxCalls: () => 1,
  liveAnswer: "whole",

  async *steps(run) {
    // 1. One call.
    return { chosen: yield* run.attempt(run.question, { seed: run.seed("attempt", 0) }) };
  },
});
