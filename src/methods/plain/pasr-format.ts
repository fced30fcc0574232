/**
 * Proactive self-refinement in one pass: the model is asked to check and correct itself while it reasons, in a fixed format.
 *
 * "A Stitch in Time Saves Nine: Proactive Self-Refinement for Language Models", Jinyi Han et al., 2025, arXiv 2508.12903.
 * The paper trains models to do this (recipes/pasr); this file is the inference half, for trained and untrained models alike
 * (untrained, it is the paper's prompted baseline).
 *
 * Algorithm (§3)
 *   1. Ask once with the format instruction: <think> … <refine> … </refine> … </think><answer> … </answer>, where any number of
 *      refine spans may stand inside think, wherever the model decides.
 *   2. The answer is what stands in the answer span.
 *
 * Cost: 1 call.
 *
 * Our deviations: the instruction is in our own words. A completion that breaks the format still yields its best readable answer; the
 * grammar's verdict is what rewards and reports look at.
 */
import { withInstruction } from "#kernel/call.ts";
import { defineMethod } from "../driver/define-method.ts";

export const refineInstruction = [
  "Solve the user's problem step by step and watch your own reasoning while you write it.",
  "Write the reasoning between <think> and </think>.",
  "When you come to doubt something you have written (a wrong step, a gap, a misread question, a simpler way), stop there and put the",
  "check and the corrected reasoning between <refine> and </refine>, inside the think section, before you go on.",
  "Refine as often as it helps and not at all where nothing is in doubt; never put one refine section inside another.",
  "After </think>, write the final answer between <answer> and </answer>. Write nothing outside these tags.",
].join(" ");

export const pasrFormat = defineMethod({
  id: "pasr-format",
  summary:
    "Asks the model to check and correct itself while it reasons: <think> … <refine> … </refine> … </think><answer> … </answer>.",
  paper: {
    title: "A Stitch in Time Saves Nine: Proactive Self-Refinement for Language Models",
    authors: "Jinyi Han et al.",
    year: 2025,
    arxiv: "2508.12903",
  },
  kind: "plain",
  status: "stable",
  options: {
    instruction: { type: "text", mayBeEmpty: true, description: "system message in place of the one that explains the format" },
  },
  calls: "1",
  maxCalls: () => 1,
  liveAnswer: "tagged",
  // A trained model's results are called `pasr`.
  inPrograms: { name: () => "pasr-prompt" },

  async *steps(run) {
    // 1. One pass; refinements happen inside it. 2. The answer span is what an outcome's answer is read from.
    const messages = withInstruction(run.request.messages, run.options.instruction ?? refineInstruction);
    return { chosen: yield* run.attempt(messages, { seed: run.seed("attempt", 0) }) };
  },
});
