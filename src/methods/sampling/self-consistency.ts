/**
 * Sample several answers and return the one most of them agree on.
 *
 * "Self-Consistency Improves Chain of Thought Reasoning in Language Models", Xuezhi Wang et al., 2022, arXiv 2203.11171.
 *
 * Algorithm (§2)
 *   1. Sample n completions of the same conversation.
 *   2. Read the answer of each.
 *   3. Return the answer with the most votes (the paper's unweighted sum; a tie goes to the answer that comes first by its characters).
 *
 * Cost: 1 call with n samples (the prompt is paid once); where a model answers one sample at a time it makes n requests of it.
 *
 * Our deviations: completions without an answer have no vote. Ties are not defined in the paper. Answers are told apart in the task's own
 * form where the request brings one. Greedy samples would all agree, so that they are drawn at 0.7 where the run is greedy and no
 * temperature is given.
 */
import type { AnswerForm } from "#kernel/answer-form.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { mostAgreed } from "../driver/candidates.ts";
import { defineMethod } from "../driver/define-method.ts";

export const selfConsistency = defineMethod({
  id: "self-consistency",
  summary: "Samples several answers and returns the one most of them agree on.",
  paper: {
    title: "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
    authors: "Xuezhi Wang et al.",
    year: 2022,
    arxiv: "2203.11171",
  },
  kind: "sampling",
  status: "stable",
  options: {
    samples: { type: "integer", default: 8, minimum: 1, maximum: 1000, description: "answers to sample", paper: "40" },
    temperature: {
      type: "number",
      maximum: 10,
      description: "of the samples; the run's own when not given, 0.7 where that is 0",
      paper: "0.7 (0.5 for smaller models)",
    },
    instruction: { type: "text", mayBeEmpty: true, description: "system message" },
  },
  extras: {
    /** Two answers agree when their normal forms are equal; an empty form has no vote. The task's own form when left out. */
    normalise: undefined as ((answer: string) => string) | undefined,
  },
  calls: "1",
  maxCalls: () => 1,

  async *steps(run) {
    const { samples: n, normalise } = run.options;

    // 1. Sample.
    const options = { n, seed: run.seed("attempt", 0), temperature: run.samplingTemperature };
    const sampled = yield* run.attempts(run.question, options);

    // 2. Read; 3. the majority.
    const { winner = sampled[0], votes, voters } = mostAgreed(sampled, normalise ? formBy(normalise) : run.form);
    return { chosen: winner, why: `${votes} of ${voters} votes` };
  },
});

function formBy(normalise: (answer: string) => string): AnswerForm {
  return { read: (text) => normalise(parseRefine(text).answerText) || undefined, same: (first, second) => first === second };
}
