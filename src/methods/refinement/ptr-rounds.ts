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

import { refineRequest } from "#kernel/conversation.ts";
import { mostAgreed } from "../driver/candidates.ts";
import { type Choice, defineMethod } from "../driver/define-method.ts";
import { askForReview } from "../driver/turns.ts";

export const ptrRounds = defineMethod({
  id: "ptr-rounds",
  summary: "Asks in one chat, after each answer, for a better one with the same fixed request.",
  paper: {
    title: "Think Thrice Before You Act: Progressive Thought Refinement in Large Language Models",
    authors: "Chengyu Du et al.",
    year: 2024,
    arxiv: "2410.13413",
  },
  kind: "refinement",
  status: "stable",
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
    instruction: { type: "text", mayBeEmpty: true, description: "system message of every call" },
    refinePrompt: { type: "text", description: "the request of every round after the first" },
  },
  calls: "rounds",
  maxCalls: ({ rounds }) => rounds,
  inPrograms: { name: ({ rounds }) => `ptr-rounds-${rounds}` },

  async *steps(run) {
    const { rounds, refinePrompt = refineRequest, choose, stopWhenSame } = run.options;
    const { candidates } = run;
    run.ifStopped = choice;

    // 1. and 2. Each round sees all before it.
    let reason = "all rounds done";
    for (let round = 0; round < rounds; round++) {
      const messages = askForReview(run.question, candidates, refinePrompt);
      const answer = yield* run.attempt(messages, { seed: run.seed("attempt", round) });
      if (!stopWhenSame || round === 0 || !run.agree(candidates[round - 1], answer)) continue;
      reason = "the same answer twice in a row";
      break;
    }
    const { chosen, why } = choice();
    return { chosen, why: `${why}; ${reason}` };

    /** 3. The last, or the vote. */
    function choice(): Choice {
      const { winner, votes, voters } = mostAgreed(choose === "vote" ? candidates : [], run.form);
      return winner
        ? { chosen: winner, why: `${votes} of ${voters} rounds agree` }
        : { chosen: candidates.at(-1), why: "last answer" };
    }
  },
});
