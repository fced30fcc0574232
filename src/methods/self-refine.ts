/**
 * Post-hoc self-refinement: answer, criticise the answer, rewrite it, and again.
 *
 * "Self-Refine: Iterative Refinement with Self-Feedback", Aman Madaan et al., 2023, arXiv 2303.17651.
 *
 * Algorithm (paper's Algorithm 1)
 *   1. Draft: y_0 = M(x).
 *   2. Feedback: f_t = M(x, y_t).
 *   3. Stop when f_t says that nothing is wrong.
 *   4. Refine: y_{t+1} = M(x, y_0, f_0, …, y_t, f_t); back to 2 while t + 1 < rounds.
 *   5. The answer is the last one, or the one whose feedback gave it the highest score.
 *
 * Cost in calls, T rounds and no early stop: 1 + 2T (`two-call`), 1 + T (`one-call`); `best-scored` adds one call for the feedback on the
 * last answer. Input tokens grow with the square of T, because the history is sent again each time.
 *
 * Our deviations: zero-shot instructions in a chat in place of few-shot prompts per task. The paper's code keeps no candidate but the last
 * although its text speaks of choosing; here the choice is an option. A feedback that gives no verdict never counts as "all right".
 */
import { Caller, type CallResult, withInstruction } from "#kernel/call.ts";
import type { Message } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";

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
  /** `last` as the paper's code does, or `best-scored` by `readScore` (`two-call` only; ties and unread scores go to the later answer). */
  choose?: "last" | "best-scored";
  /** The score a feedback gives its answer, larger is better; undefined when it gives none. */
  readScore?: (feedback: string) => number | undefined;
  /** Of the feedback calls; the request's own when left out. The paper: 0.7 with drafts at 0 on GSM8K. */
  feedbackTemperature?: number;
}

interface Round {
  attempt: string;
  feedback?: string;
  score?: number | undefined;
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
  } = options;
  const stops = isAllRight || (() => false);
  const caller = new Caller(request);
  const question = withInstruction(request.messages, options.instruction);
  const history: Round[] = [];

  // 1. Draft. Its seed is that of a plain answer, so at equal settings the draft is the plain answer, word for word.
  const drafted = await caller.ask(question, { seed: deriveSeed(request.seed, "attempt", 0) });
  if (!drafted.ok) return yield* end(drafted);
  history.push({ attempt: drafted.completions[0]!.text });
  yield { type: "attempt-end", attempt: 0, messages: question, text: history[0]!.attempt, usage: drafted.usage };

  for (let round = 0; round < rounds; round++) {
    const current = history[round]!;
    if (variant === "two-call") {
      // 2. Feedback on the present answer alone.
      const feedbackEnd = yield* giveFeedback(round);
      if (feedbackEnd) return feedbackEnd;
      // 3. Stop.
      if (stops(current.feedback!)) return yield* finish("the feedback found nothing wrong");
    }

    // 4. Refine with the whole history.
    const messages =
      variant === "one-call"
        ? [...question, ...recall(history, reviewPrompt)]
        : [...question, ...recall(history, feedbackPrompt), { role: "user" as const, content: refinePrompt }];
    const refined = await caller.ask(messages, { seed: deriveSeed(request.seed, "attempt", round + 1) });
    if (!refined.ok) return yield* end(refined);
    const text = refined.completions[0]!.text;
    if (variant === "one-call" && stops(text)) {
      // 3. In one call, a completion that only says "all right" is feedback, not an answer.
      yield { type: "feedback-end", attempt: round, messages, text, usage: refined.usage };
      return yield* finish("the review found nothing wrong");
    }
    history.push({ attempt: text });
    yield { type: "attempt-end", attempt: round + 1, messages, text, usage: refined.usage };
  }
  if (choose === "best-scored" && variant === "two-call") {
    const feedbackEnd = yield* giveFeedback(history.length - 1);
    if (feedbackEnd) return feedbackEnd;
  }
  return yield* finish("all rounds done");

  /** The conversation between question and next request: every answer with its feedback, oldest first. */
  function recall(past: readonly Round[], request: string): Message[] {
    return past.flatMap(({ attempt, feedback }, index): Message[] => [
      { role: "assistant", content: attempt },
      { role: "user", content: request },
      ...(feedback === undefined ? [] : [{ role: "assistant" as const, content: feedback }]),
      ...(feedback !== undefined && index < past.length - 1 ? [{ role: "user" as const, content: refinePrompt }] : []),
    ]);
  }

  async function* giveFeedback(round: number): AsyncGenerator<TraceEvent, Outcome | undefined> {
    const current = history[round]!;
    const { feedbackTemperature: temperature } = options;
    const messages = [...question, ...recall([{ attempt: current.attempt }], feedbackPrompt)];
    const seed = deriveSeed(request.seed, "feedback", round);
    const criticised = await caller.ask(messages, { seed, ...(temperature === undefined ? {} : { temperature }) });
    if (!criticised.ok) return yield* end(criticised);
    current.feedback = criticised.completions[0]!.text;
    current.score = readScore(current.feedback);
    yield { type: "feedback-end", attempt: round, messages, text: current.feedback, usage: criticised.usage };
    return undefined;
  }

  /** 5. Choose among what there is. */
  async function* finish(reason: string, endReason: Outcome["reason"] = "done"): AsyncGenerator<TraceEvent, Outcome> {
    const chosen = choose === "best-scored" ? bestScored(history) : history.length - 1;
    const score = history[chosen]!.score;
    const why =
      choose === "best-scored" && score !== undefined ? `highest score (${score}); ${reason}` : `last answer; ${reason}`;
    yield { type: "choice-end", attempt: chosen, reason: why };
    const text = history[chosen]!.attempt;
    return { text, answer: parseRefine(text).answerText, reason: endReason, usage: caller.spent };
  }

  /** A call that did not happen or failed: best so far, or nothing. */
  async function* end(failed: CallResult & { ok: false }): AsyncGenerator<TraceEvent, Outcome> {
    if (failed.reason === "error") yield { type: "error", message: failed.message };
    if (history.length > 0) return yield* finish(failed.message, failed.reason);
    return { text: "", answer: "", reason: failed.reason, usage: caller.spent };
  }
}

function bestScored(history: readonly Round[]): number {
  let best = history.length - 1;
  for (let index = history.length - 2; index >= 0; index--) {
    if ((history[index]!.score ?? Number.NEGATIVE_INFINITY) > (history[best]!.score ?? Number.NEGATIVE_INFINITY)) best = index;
  }
  return best;
}

/** True when one line of the feedback is the agreed phrase and nothing else. */
export function saysAllRight(feedback: string): boolean {
  return feedback.split("\n").some((line) => /^\W*everything is right\W*$/i.test(line));
}

/** Reads the last "n/10" of a feedback. */
export function readOutOfTen(feedback: string): number | undefined {
  const found = [...feedback.matchAll(/(\d+(?:\.\d+)?)\s*\/\s*10\b/g)].at(-1);
  return found ? Number(found[1]) : undefined;
}

export const defaultFeedbackPrompt = [
  "Review the answer above. Go through it step by step, name the first step that is wrong or unclear, quote it, and say how to correct it.",
  "Do not write a new answer. Give the answer a score from 0/10 to 10/10.",
  "If nothing needs to change, write this line and nothing else: EVERYTHING IS RIGHT",
].join(" ");

export const defaultRefinePrompt =
  "Write the improved answer in full, in the same form as the first, making the corrections the review asks for and keeping what was right.";

export const defaultReviewPrompt = [
  "Review the answer above step by step, then write the improved answer in full, in the same form as the first.",
  "If nothing needs to change, write this line and nothing else: EVERYTHING IS RIGHT",
].join(" ");
