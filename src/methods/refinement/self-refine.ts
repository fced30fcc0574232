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
 * Our deviations: zero-shot instructions in a chat in place of few-shot prompts per task. The paper's code keeps no candidate but the last
 * although its text speaks of choosing; here the choice is an option, and `best-scored` is what the command line takes when nothing is
 * said. A feedback that gives no verdict never counts as "all right". A review in one call gives no scores, so that `best-scored` is then
 * the last answer.
 */
import { answerFormOf } from "#kernel/answer-form.ts";
import { withInstruction } from "#kernel/call.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { bestScored, type Candidate, mostAgreed } from "../driver/candidates.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { numberOf, optionsOf } from "../driver/options.ts";
import {
  askForFeedback,
  askForRefinement,
  askForReview,
  defaultFeedbackPrompt,
  defaultRefinePrompt,
  defaultReviewPrompt,
  readOutOfTen,
  saysAllRight,
} from "../driver/refine-turns.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";

export interface SelfRefineOptions {
  /** Largest number of refinements T. The paper: 4 for most tasks, 3 for dialogue, 5 for acronyms. */
  rounds: number;
  /** Name in results; `self-refine-T` when left out. */
  id?: string;
  /** Put in the system message of every call; nothing is added when left out. */
  instruction?: string;
  /** `two-call` asks for feedback and rewriting separately (most tasks of the paper); `one-call` for both in one completion (its GSM8K). */
  variant?: "two-call" | "one-call";
  /** Asks for feedback (`two-call`). */
  feedbackPrompt?: string;
  /** Asks for the rewritten answer (`two-call`). */
  refinePrompt?: string;
  /** Asks for both (`one-call`). */
  reviewPrompt?: string;
  /** Whether a feedback says that nothing is wrong; false keeps every round. The paper stops on a fixed phrase. */
  isAllRight?: ((feedback: string) => boolean) | false;
  /**
   * `last` as the paper's code does; `best-scored` by `readScore` (`two-call` only; ties and unread scores go to the later answer); `vote`
   * among all attempts, ties to the earlier one. An answer that the feedback found nothing wrong with is taken in any case but `vote`.
   */
  choose?: "last" | "best-scored" | "vote";
  /** The score a feedback gives its answer, larger is better; undefined when it gives none. */
  readScore?: (feedback: string) => number | undefined;
  /** Of the feedback calls; the request's own when left out. The paper: 0.7 with drafts at 0 on GSM8K. */
  feedbackTemperature?: number;
}

interface Attempt extends Candidate {
  feedback?: string;
}

export function selfRefine(options: SelfRefineOptions): Method {
  const { rounds, id = `self-refine-${rounds}` } = options;
  return { id, run: (request) => runSelfRefine(request, options) };
}

async function* runSelfRefine(request: MethodRequest, options: SelfRefineOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { rounds, variant = "two-call", choose = "last", isAllRight = saysAllRight, readScore = readOutOfTen } = options;
  const {
    feedbackPrompt = defaultFeedbackPrompt,
    refinePrompt = defaultRefinePrompt,
    reviewPrompt = defaultReviewPrompt,
    feedbackTemperature: temperature,
  } = options;
  const prompts = { feedbackPrompt, refinePrompt };
  const stops = isAllRight || (() => false);
  const calls = new TracedCalls(request);
  const history = calls.candidates as Attempt[];
  const question = withInstruction(request.messages, options.instruction);

  try {
    // 1. Draft. Its seed is that of a plain answer, so at equal settings the draft is the plain answer, word for word.
    yield* calls.attempt(question, { seed: deriveSeed(request.seed, "attempt", 0) });

    for (let round = 0; round < rounds; round++) {
      const seed = deriveSeed(request.seed, "attempt", round + 1);
      if (variant === "one-call") {
        // 2. to 4. in one completion; one that only says "all right" is feedback, not an answer.
        const allRight = yield* reviewOrAttempt(round, seed);
        if (allRight) return yield* finish("the review found nothing wrong", history[round]);
        continue;
      }
      // 2. Feedback on the present answer alone; 3. stop.
      if (stops(yield* giveFeedback(round))) return yield* finish("the feedback found nothing wrong", history[round]);
      // 4. Refine with the whole history.
      yield* calls.attempt(askForRefinement(question, history, prompts), { seed });
    }
    if (choose === "best-scored" && variant === "two-call" && stops(yield* giveFeedback(rounds))) {
      return yield* finish("the feedback found nothing wrong", history[rounds]);
    }
    return yield* finish("all rounds done");
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { ...choice(), usage: calls.caller.spent });
  }

  async function* giveFeedback(round: number): AsyncGenerator<TraceEvent, string> {
    const attempt = history[round];
    const seed = deriveSeed(request.seed, "feedback", round);
    const messages = askForFeedback(question, attempt.text, prompts);
    attempt.feedback = yield* calls.feedback(round, messages, { seed, ...(temperature === undefined ? {} : { temperature }) });
    attempt.score = readScore(attempt.feedback);
    return attempt.feedback;
  }

  /** True when the completion is no new answer but says that the present one is right. */
  async function* reviewOrAttempt(round: number, seed: number): AsyncGenerator<TraceEvent, boolean> {
    const messages = askForReview(question, history, reviewPrompt);
    return yield* calls.attemptUnless(stops, round, messages, { seed });
  }

  /** 5. Choose among what there is; `confirmed` is an attempt that was found to be right. */
  function* finish(reason: string, confirmed?: Attempt): Generator<TraceEvent, Outcome> {
    const { chosen, why } = confirmed && choose !== "vote" ? { chosen: confirmed, why: "last answer" } : choice();
    return yield* endWith({ chosen, why: `${why}; ${reason}`, usage: calls.caller.spent });
  }

  function choice(): { chosen: Candidate | undefined; why: string } {
    const last = { chosen: history.at(-1), why: "last answer" };
    if (choose === "vote") {
      const { winner, votes, voters } = mostAgreed(history, answerFormOf(request));
      return winner ? { chosen: winner, why: `${votes} of ${voters} attempts agree` } : last;
    }
    const best = choose === "best-scored" ? bestScored(history) : undefined;
    return best?.score === undefined ? last : { chosen: best, why: `highest score (${best.score})` };
  }
}

export const selfRefineCard: MethodCard = {
  id: "self-refine",
  summary: "Answers, criticises its answer, rewrites it, and again.",
  paper: {
    title: "Self-Refine: Iterative Refinement with Self-Feedback",
    authors: "Aman Madaan et al.",
    year: 2023,
    arxiv: "2303.17651",
  },
  kind: "refinement",
  needs: [],
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
      default: undefined,
      maximum: 10,
      description: "temperature of the feedback; the run's own when not given",
      paper: "0.7 with drafts at 0 (GSM8K)",
    },
    instruction: { type: "text", default: undefined, description: "system message of every call" },
  },
  calls: "1 + 2·rounds + [choose=best-scored]; one-call: 1 + rounds",
  maxCalls: (options) => {
    const rounds = numberOf(options, "rounds");
    return options.variant === "one-call" ? 1 + rounds : 1 + 2 * rounds + (options.choose === "best-scored" ? 1 : 0);
  },
  create: (options, id) =>
    selfRefine({
      ...optionsOf<SelfRefineOptions>(options, "rounds", "variant", "choose", "feedbackTemperature", "instruction"),
      ...(options.stop === false ? { isAllRight: false } : {}),
      id,
    }),
};
