/**
 * Self-Refine that is told when to stop by the reference answer: an upper bound, no method one could use.
 *
 * "Self-Refine: Iterative Refinement with Self-Feedback", Aman Madaan et al., 2023, arXiv 2303.17651 (its GSM8K results with an oracle).
 *
 * Algorithm
 *   1. Draft: y_0 = M(x).
 *   2. Stop when the oracle says that y_t is right: y_t is the answer.
 *   3. Feedback: f_t = M(x, y_t); refine: y_{t+1} = M(x, y_0, f_0, …, y_t, f_t); back to 2 while t + 1 < rounds.
 *   4. Without a right one the answer is the last.
 *
 * Cost in calls, T rounds and never right: 1 + 2T. Asking the oracle is no call of the model.
 *
 * Our deviations: as in `self-refine.ts`. The oracle says right or wrong and nothing else, and no word of it reaches a prompt. It may only
 * turn wrong answers into right ones, so that its gain over plain Self-Refine measures the stopping, not the feedback.
 */
import { defineMethod } from "../driver/define-method.ts";
import { askForFeedback, askForRefinement, defaultFeedbackPrompt, defaultRefinePrompt } from "../driver/turns.ts";

export const selfRefineOracle = defineMethod({
  id: "self-refine-oracle",
  summary: "Self-Refine that stops when the reference answer says so: an upper bound, not a method to use.",
  paper: {
    title: "Self-Refine: Iterative Refinement with Self-Feedback",
    authors: "Aman Madaan et al.",
    year: 2023,
    arxiv: "2303.17651",
  },
  kind: "refinement",
  status: "stable",
  needs: ["oracle"],
  options: {
    rounds: { type: "integer", default: 3, maximum: 100, description: "most refinements", paper: "4" },
    instruction: { type: "text", mayBeEmpty: true, description: "system message of every call" },
  },
  extras: { feedbackPrompt: defaultFeedbackPrompt, refinePrompt: defaultRefinePrompt },
  calls: "1 + 2·rounds",
  maxCalls: ({ rounds }) => 1 + 2 * rounds,
  inPrograms: { name: ({ rounds }) => `self-refine-oracle-${rounds}` },

  async *steps(run) {
    const { rounds } = run.options;
    const { question, candidates } = run;
    const oracle = run.tool("oracle", "self-refine works without");
    run.ifStopped = () => ({ chosen: candidates.at(-1), why: "last answer" });

    // 1. Draft.
    let current = yield* run.attempt(question, { seed: run.seed("attempt", 0) });

    for (let round = 0; ; round++) {
      // 2. The oracle, after the last round, too: what it says ends nothing then, but the trace shows it.
      const { text } = current;
      const { passed } = yield* run.check({ attempt: round, by: "oracle" }, async () => {
        const passed = await oracle.isRight(text, run.request.signal);
        return { passed, text: passed ? "The answer is right." : "The answer is not right." };
      });
      if (passed) return { chosen: current, why: "the oracle says it is right" };
      // 4. None is right.
      if (round === rounds) return { chosen: current, why: "last answer; none was right" };

      // 3. Feedback and refinement.
      const asking = askForFeedback(question, text, run.options);
      current.feedback = yield* run.feedback(round, asking, { seed: run.seed("feedback", round) });
      const refining = askForRefinement(question, candidates, run.options);
      current = yield* run.attempt(refining, { seed: run.seed("attempt", round + 1) });
    }
  },
});
