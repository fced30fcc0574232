/**
 * Rounds of refinement in one chat: after each answer the same fixed request to think again and do better. No feedback, no verdicts.
 *
 * "Think Thrice Before You Act: Progressive Thought Refinement in Large Language Models", Chengyu Du et al., 2024 (ICLR 2025),
 * arXiv 2410.13413. The paper trains models for it; this is its inference half, for trained and untrained models alike.
 *
 * Algorithm
 *   1. Round 1: y_1 = M(x).
 *   2. Round r: y_r = M(x, y_1, refine request, …, y_{r−1}, refine request), the whole history in one chat.
 *   3. After round R the answer is the last one.
 *
 * Cost: R calls. Input tokens grow with the square of R, because the history is sent again each time.
 *
 * Our deviations: the refine request is in our own words and an option. The vote over the rounds and the stop when two rounds in a row
 * give the same answer are ours, both off unless asked for. Every round's answer is an attempt, so that an evaluation can show accuracy
 * by round.
 */
import { answerFormOf } from "#kernel/answer-form.ts";
import { withInstruction } from "#kernel/call.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import { refineRequest } from "#kernel/refine-request.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { type Candidate, mostAgreed } from "../driver/candidates.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { numberOf, optionsOf } from "../driver/options.ts";
import { askForReview } from "../driver/refine-turns.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";

export interface PtrRoundsOptions {
  /** Rounds R, the first answer included. The paper: 3 reported, 10 tried. */
  rounds: number;
  /** Name in results; `ptr-rounds-R` when left out. */
  id?: string;
  /** Put in the system message of every call; nothing is added when left out. */
  instruction?: string;
  /** The fixed request of every round after the first. */
  refinePrompt?: string;
  /** `last` as in the paper, or `vote` over the rounds, ties to the earlier one. */
  choose?: "last" | "vote";
  /** Stop when two rounds in a row give the same answer; false when left out, as in the paper. */
  stopWhenSame?: boolean;
}

export function ptrRounds(options: PtrRoundsOptions): Method {
  const { rounds, id = `ptr-rounds-${rounds}` } = options;
  return { id, run: (request) => runPtrRounds(request, options) };
}

async function* runPtrRounds(request: MethodRequest, options: PtrRoundsOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { rounds, refinePrompt = refineRequest, choose = "last", stopWhenSame = false } = options;
  const calls = new TracedCalls(request);
  const form = answerFormOf(request);
  const question = withInstruction(request.messages, options.instruction);

  try {
    // 1. and 2. Each round sees all before it.
    let before: string | undefined;
    for (let round = 0; round < rounds; round++) {
      const messages = askForReview(question, calls.candidates, refinePrompt);
      const { text } = yield* calls.attempt(messages, { seed: deriveSeed(request.seed, "attempt", round) });
      const answer = form.read(text);
      const isSame = before !== undefined && answer !== undefined && form.same(before, answer);
      if (stopWhenSame && isSame) return yield* finish("the same answer twice in a row");
      before = answer;
    }
    return yield* finish("all rounds done");
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { ...choice(), usage: calls.caller.spent });
  }

  function* finish(reason: string): Generator<TraceEvent, Outcome> {
    const { chosen, why } = choice();
    return yield* endWith({ chosen, why: `${why}; ${reason}`, usage: calls.caller.spent });
  }

  /** 3. The last, or the vote. */
  function choice(): { chosen: Candidate | undefined; why: string } {
    const { winner, votes, voters } = mostAgreed(choose === "vote" ? calls.candidates : [], form);
    if (winner) return { chosen: winner, why: `${votes} of ${voters} rounds agree` };
    return { chosen: calls.candidates.at(-1), why: "last answer" };
  }
}

export const ptrRoundsCard: MethodCard = {
  id: "ptr-rounds",
  summary: "Asks in one chat, after each answer, for a better one with the same fixed request.",
  paper: {
    title: "Think Thrice Before You Act: Progressive Thought Refinement in Large Language Models",
    authors: "Chengyu Du et al.",
    year: 2024,
    arxiv: "2410.13413",
  },
  kind: "refinement",
  needs: [],
  options: {
    rounds: {
      type: "integer",
      default: 3,
      minimum: 1,
      maximum: 100,
      description: "rounds, the first answer included",
      paper: "3 reported, 10 tried",
    },
    choose: {
      type: "choice",
      default: "last",
      choices: ["last", "vote"],
      description: "which round is the answer",
      paper: "last",
    },
    stopWhenSame: {
      type: "boolean",
      default: false,
      description: "stop when two rounds in a row give the same answer",
      paper: "false",
    },
    instruction: { type: "text", default: undefined, description: "system message of every call" },
    refinePrompt: { type: "text", default: undefined, description: "the request of every round after the first" },
  },
  calls: "rounds",
  maxCalls: (options) => numberOf(options, "rounds"),
  create: (options, id) =>
    ptrRounds({
      ...optionsOf<PtrRoundsOptions>(options, "rounds", "choose", "stopWhenSame", "instruction", "refinePrompt"),
      id,
    }),
};
