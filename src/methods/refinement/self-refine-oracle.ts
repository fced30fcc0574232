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
import { withInstruction } from "#kernel/call.ts";
import { userError } from "#kernel/errors.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import type { Candidate } from "../driver/candidates.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { numberOf, optionsOf } from "../driver/options.ts";
import { askForFeedback, askForRefinement, defaultFeedbackPrompt, defaultRefinePrompt } from "../driver/refine-turns.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";

export interface SelfRefineOracleOptions {
  /** Largest number of refinements T. The paper: 4. */
  rounds: number;
  /** Name in results; `self-refine-oracle-T` when left out. */
  id?: string;
  /** Put in the system message of every call; nothing is added when left out. */
  instruction?: string;
  feedbackPrompt?: string;
  refinePrompt?: string;
}

export function selfRefineOracle(options: SelfRefineOracleOptions): Method {
  const { rounds, id = `self-refine-oracle-${rounds}` } = options;
  return { id, usesOracle: true, run: (request) => runSelfRefineOracle(request, options) };
}

async function* runSelfRefineOracle(
  request: MethodRequest,
  options: SelfRefineOracleOptions,
): AsyncGenerator<TraceEvent, Outcome> {
  const { rounds, feedbackPrompt = defaultFeedbackPrompt, refinePrompt = defaultRefinePrompt } = options;
  const prompts = { feedbackPrompt, refinePrompt };
  const oracle = request.tools?.oracle;
  if (!oracle) {
    throw userError(
      "no-oracle",
      "self-refine-oracle asks whether an answer is right, and there is nobody to ask",
      "Use it in an evaluation, where reference answers are known; self-refine works without.",
    );
  }
  const calls = new TracedCalls(request);
  const history = calls.candidates as (Candidate & { feedback?: string })[];
  const question = withInstruction(request.messages, options.instruction);

  try {
    // 1. Draft.
    yield* calls.attempt(question, { seed: deriveSeed(request.seed, "attempt", 0) });

    for (let round = 0; ; round++) {
      // 2. The oracle, after the last round, too: what it says ends nothing then, but the trace shows it.
      const current = history[round];
      const { passed } = yield* calls.check({ attempt: round, by: "oracle" }, async () => {
        const passed = await oracle.isRight(current.text, request.signal);
        return { passed, text: passed ? "The answer is right." : "The answer is not right." };
      });
      if (passed) return yield* endWith({ chosen: current, why: "the oracle says it is right", usage: calls.caller.spent });
      if (round === rounds) break;

      // 3. Feedback and refinement.
      const feedbackSeed = deriveSeed(request.seed, "feedback", round);
      current.feedback = yield* calls.feedback(round, askForFeedback(question, current.text, prompts), { seed: feedbackSeed });
      const seed = deriveSeed(request.seed, "attempt", round + 1);
      yield* calls.attempt(askForRefinement(question, history, prompts), { seed });
    }
    // 4. None is right.
    return yield* endWith({ chosen: history.at(-1), why: "last answer; none was right", usage: calls.caller.spent });
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { chosen: history.at(-1), why: "last answer", usage: calls.caller.spent });
  }
}

export const selfRefineOracleCard: MethodCard = {
  id: "self-refine-oracle",
  summary: "Self-Refine that stops when the reference answer says so: an upper bound, not a method to use.",
  paper: {
    title: "Self-Refine: Iterative Refinement with Self-Feedback",
    authors: "Aman Madaan et al.",
    year: 2023,
    arxiv: "2303.17651",
  },
  kind: "refinement",
  needs: ["oracle"],
  usesOracle: true,
  options: {
    rounds: { type: "integer", default: 3, maximum: 100, description: "most refinements", paper: "4" },
    instruction: { type: "text", default: undefined, description: "system message of every call" },
  },
  calls: "1 + 2·rounds",
  maxCalls: (options) => 1 + 2 * numberOf(options, "rounds"),
  create: (options, id) => selfRefineOracle({ ...optionsOf<SelfRefineOracleOptions>(options, "rounds", "instruction"), id }),
};
