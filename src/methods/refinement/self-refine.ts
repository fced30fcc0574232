/**
 * Post-hoc self-refinement: answer, criticise the answer, rewrite it, and again.
 *
 * "Self-Refine: Iterative Refinement with Self-Feedback", Aman Madaan et al., 2023, arXiv 2303.17651.
 *
 * Algorithm (paper's Algorithm 1)
 *   1. Draft: y_0 = M(x).
 *   2. Feedback: f_t = M(x, y_t).
 *   3. Stop when f_t says that nothing is wrong: y_t is the answer.
 *   4. Refine: y_{t+1} = M(x, y_0, f_0, …, y_t, f_t); back to 2 while t + 1 < rounds.
 *   5. The answer is the last one, or the one whose feedback gave it the highest score, or the one most attempts agree on.
 *
 * Cost in calls, T rounds and no early stop: 1 + 2T (`two-call`), 1 + T (`one-call`); `best-scored` adds one call for the feedback on the
 * last answer. Input tokens grow with the square of T, because the history is sent again each time.
 *
 * Our deviations: zero-shot instructions in a chat in place of few-shot prompts per task. The paper's code keeps its scored candidates for
 * acronyms and the last answer alone for the other tasks; here the choice is an option, and `best-scored` is what the command line takes
 * when nothing is said. In one call (`one-call`) a review that finds nothing wrong leaves the answer it reviewed; the code returns what the
 * reviewer wrote. A feedback that gives no verdict never counts as "all right". A review in one call gives no scores, so that `best-scored` is then
 * the last answer.
 */
import type { TraceEvent } from "#kernel/trace.ts";
import { bestScored, type Candidate, mostAgreed } from "../driver/candidates.ts";
import { type Choice, defineMethod } from "../driver/define-method.ts";
import {
  askForFeedback,
  askForRefinement,
  askForReview,
  defaultFeedbackPrompt,
  defaultRefinePrompt,
  defaultReviewPrompt,
  readOutOfTen,
  saysAllRight,
} from "../driver/turns.ts";

export const selfRefine = defineMethod({
  id: "self-refine",
  summary: "Answers, criticises its answer, rewrites it, and again.",
  paper: {
    title: "Self-Refine: Iterative Refinement with Self-Feedback",
    authors: "Aman Madaan et al.",
    year: 2023,
    arxiv: "2303.17651",
  },
  kind: "refinement",
  status: "stable",
  options: {
    rounds: {
      type: "integer",
      default: 3,
      maximum: 100,
      description: "most refinements",
      paper: "4 for most tasks, 3 for dialogue, 5 for acronyms",
    },
    variant: {
      type: "choice",
      default: "two-call",
      choices: ["two-call", "one-call"],
      description: "feedback and rewriting in two calls, or both in one",
      paper: "two-call; one-call for GSM8K",
    },
    /** An answer that the feedback found nothing wrong with is taken in any case but `vote`. Ties of scores go to the later answer. */
    choose: {
      type: "choice",
      default: "best-scored",
      choices: ["best-scored", "last", "vote"],
      description: "which attempt is the answer; best-scored also asks for feedback on the last one",
      paper: "last, in its code",
    },
    stop: {
      type: "boolean",
      default: true,
      description: "stop when the feedback finds nothing wrong",
      paper: "true",
    },
    feedbackTemperature: {
      type: "number",
      maximum: 10,
      description: "temperature of the feedback; the run's own when not given",
      paper: "0.7 with drafts at 0 (GSM8K)",
    },
    instruction: { type: "text", mayBeEmpty: true, description: "system message of every call" },
  },
  extras: {
    /** Asks for feedback (`two-call`). */
    feedbackPrompt: defaultFeedbackPrompt,
    /** Asks for the rewritten answer (`two-call`). */
    refinePrompt: defaultRefinePrompt,
    /** Asks for both (`one-call`). */
    reviewPrompt: defaultReviewPrompt,
    /** Whether a feedback says that nothing is wrong; false keeps every round, as `stop: false` does. The paper stops on a fixed phrase. */
    isAllRight: saysAllRight as ((feedback: string) => boolean) | false,
    /** The score a feedback gives its answer, larger is better; undefined when it gives none. */
    readScore: readOutOfTen,
  },
  calls: "1 + 2·rounds + [choose=best-scored]; one-call: 1 + rounds",
  maxCalls: ({ rounds, variant, choose }) =>
    variant === "one-call" ? 1 + rounds : 1 + 2 * rounds + (choose === "best-scored" ? 1 : 0),
  inPrograms: { name: ({ rounds }) => `self-refine-${rounds}`, defaults: { choose: "last" } },

  async *steps(run) {
    const { rounds, variant, choose, stop, isAllRight, readScore, reviewPrompt, feedbackTemperature: temperature } = run.options;
    const { question, candidates: history } = run;
    const stops = (stop && isAllRight) || (() => false);
    run.ifStopped = choice;

    // 1. Draft. Its seed is that of a plain answer, so at equal settings the draft is the plain answer, word for word.
    yield* run.attempt(question, { seed: run.seed("attempt", 0) });

    for (let round = 0; round < rounds; round++) {
      const seed = run.seed("attempt", round + 1);
      if (variant === "one-call") {
        // 2. to 4. in one completion; one that only says "all right" is feedback, not an answer.
        const reviewing = askForReview(question, history, reviewPrompt);
        const allRight = yield* run.attemptUnless(stops, round, reviewing, { seed });
        if (allRight) return finish("the review found nothing wrong", history[round]);
        continue;
      }
      // 2. Feedback on the present answer alone; 3. stop.
      if (stops(yield* giveFeedback(round))) return finish("the feedback found nothing wrong", history[round]);
      // 4. Refine with the whole history.
      yield* run.attempt(askForRefinement(question, history, run.options), { seed });
    }
    if (choose === "best-scored" && variant === "two-call" && stops(yield* giveFeedback(rounds))) {
      return finish("the feedback found nothing wrong", history[rounds]);
    }
    return finish("all rounds done");

    async function* giveFeedback(round: number): AsyncGenerator<TraceEvent, string> {
      const attempt = history[round];
      const messages = askForFeedback(question, attempt.text, run.options);
      const feedback = yield* run.feedback(round, messages, { seed: run.seed("feedback", round), temperature });
      attempt.feedback = feedback;
      attempt.score = readScore(feedback);
      return feedback;
    }

    /** 5. Choose among what there is; `confirmed` is an attempt that was found to be right. */
    function finish(reason: string, confirmed?: Candidate): Choice {
      const { chosen, why } = confirmed && choose !== "vote" ? { chosen: confirmed, why: "last answer" } : choice();
      return { chosen, why: `${why}; ${reason}` };
    }

    function choice(): Choice {
      const last = { chosen: history.at(-1), why: "last answer" };
      if (choose === "vote") {
        const { winner, votes, voters } = mostAgreed(history, run.form);
        return winner ? { chosen: winner, why: `${votes} of ${voters} attempts agree` } : last;
      }
      const best = choose === "best-scored" ? bestScored(history) : undefined;
      return best?.score === undefined ? last : { chosen: best, why: `highest score (${best.score})` };
    }
  },
});
