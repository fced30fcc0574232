/**
 * A method of your own: draw answers one by one, and stop when enough of them agree that more would hardly change the vote.
 *
 * "Let's Sample Step by Step: Adaptive-Consistency for Efficient Reasoning and Coding with LLMs", Pranjal Aggarwal et al., 2023,
 * arXiv 2305.11860.
 *
 * Algorithm (with the paper's Beta criterion)
 *   1. Draw an answer.
 *   2. Of the two most frequent answers, the first with a votes and the second with b: stop when the chance that the first is the more likely
 *      one of the two, its share being distributed as Beta(a + 1, b + 1), is at least `confidence`.
 *   3. Back to 1, `most` answers at most. The most frequent answer is the answer.
 *
 * Cost: up to `most` calls of one sample each.
 *
 * Deviations: answers that cannot be read have no vote; a tie goes to the answer seen first.
 *
 * `npx midcourse eval --methods "self-consistency,./examples/method/adaptive-consistency.ts(most=8)"`, or in a program
 * `refine(model, adaptiveConsistency({ most: 8 }))` and `parseMethods(text, { cards: [adaptiveConsistency.card] })`.
 */
import { type Choice, countVotes, defineMethod } from "midcourse";

export const adaptiveConsistency = defineMethod({
  id: "adaptive-consistency",
  summary: "Draws answers one by one and stops when the vote among them is settled.",
  paper: {
    title: "Let's Sample Step by Step: Adaptive-Consistency for Efficient Reasoning and Coding with LLMs",
    authors: "Pranjal Aggarwal et al.",
    year: 2023,
    arxiv: "2305.11860",
  },
  kind: "sampling",
  status: "experimental",
  options: {
    most: { type: "integer", default: 8, minimum: 1, maximum: 1000, description: "most answers", paper: "40" },
    confidence: {
      type: "number",
      default: 0.95,
      minimum: 0.5,
      maximum: 1,
      description: "when the vote is settled",
      paper: "0.95",
    },
    temperature: {
      type: "number",
      maximum: 10,
      description: "of the answers; the run's own when not given, 0.7 where that is 0",
    },
  },
  calls: "most",
  maxCalls: ({ most }) => most,

  async *steps(run) {
    const { most, confidence } = run.options;
    // Where a call does not happen, as when the budget is spent, the vote so far is the choice.
    run.ifStopped = () => majority("before the vote was settled");

    for (let drawn = 0; drawn < most; drawn++) {
      yield* run.attempt(run.question, { seed: run.seed("attempt", drawn), temperature: run.samplingTemperature });
      const [first = 0, second = 0] = votes().map((group) => group.length);
      if (certainty(first, second) >= confidence) return majority("the vote is settled");
    }
    return majority("all answers drawn");

    /** Attempts that agree, the most frequent answer first; of equals the one seen first. */
    function votes(): (readonly number[])[] {
      const answers = run.candidates.map(({ text }) => run.form.read(text));
      return [...countVotes(answers, run.form.same).groups].sort((one, other) => other.length - one.length);
    }

    function majority(reason: string): Choice {
      const [agreeing = []] = votes();
      const why = `${agreeing.length} of ${run.candidates.length} agree; ${reason}`;
      return { chosen: run.candidates[agreeing[0] ?? 0], why };
    }
  },
});

/** The chance that a share of Beta(a + 1, b + 1) is above one half: that of at most a heads in a + b + 1 throws of a coin. */
export function certainty(a: number, b: number): number {
  const throws = a + b + 1;
  let ways = 1;
  let sum = 0;
  for (let heads = 0; heads <= a; heads++) {
    sum += ways;
    ways = (ways * (throws - heads)) / (heads + 1);
  }
  return sum / 2 ** throws;
}
