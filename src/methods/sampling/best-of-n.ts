/**
 * Draw several answers and return the one that a verifier, or the model's own judgement, likes best.
 *
 * Best-of-n by a verifier: "Training Verifiers to Solve Math Word Problems", Karl Cobbe et al., 2021, arXiv 2110.14168 (§4). By the model's
 * own judgement: "Is PRM Necessary? Problem-Solving RL Implicitly Induces PRM Capability in LLMs", Zhangying Feng et al.,
 * 2025, arXiv 2505.11227 (its Self-PRM).
 *
 * Algorithm
 *   1. Draw n candidates: samples of one call, or n runs of any other method.
 *   2. Judge, by `select`:
 *      verifier   its score of each candidate;
 *      pointwise  the model scores each candidate by itself, 0 to 10, mean of `judgements` replies;
 *      pairwise   a knock-out: the model compares the best so far with the next candidate, in both orders, and the next one goes on only
 *                 when both say so;
 *      listwise   the model sees all candidates and names the best;
 *      vote       nobody judges.
 *   3. The best is the answer; equals go to the answer most candidates agree on, then to the earlier one.
 *
 * Cost in calls: 1 for the samples, or n · (cost of the inner method); n more for `pointwise`, 2(n − 1) for `pairwise`, 1 for `listwise`.
 * Candidates with the same text are judged once. What a verifier's own calls cost is added to the usage and stands in no formula.
 *
 * Our deviations: the papers' scales, prompts and tie rules are not given; these are ours. A judge sees question and candidate and nothing
 * of how the candidate came about. A judgement that cannot be read is worse than any score and decides no comparison; without any the vote
 * decides, and so it does where the judging was cut short, because half of the scores say little.
 */
import type { TraceEvent } from "#kernel/trace.ts";
import { bestScoredByVote, type Candidate, mostAgreed } from "../driver/candidates.ts";
import { type Choice, defineMethod } from "../driver/define-method.ts";
import { askForBest, askForBetter, askForScore, readBest, readBetter, readMeanScore } from "../driver/judging.ts";

const judgingCalls = {
  pointwise: (n: number) => n,
  pairwise: (n: number) => 2 * (n - 1),
  listwise: () => 1,
  verifier: () => 0,
  vote: () => 0,
};

export const bestOfN = defineMethod({
  id: "best-of-n",
  summary: "Draws several answers, of the model or of any other method, and returns the one that a judge likes best.",
  paper: {
    title: "Is PRM Necessary? Problem-Solving RL Implicitly Induces PRM Capability in LLMs",
    authors: "Zhangying Feng et al.",
    year: 2025,
    arxiv: "2505.11227",
  },
  kind: "sampling",
  status: "stable",
  needs: ({ select }) => (select === "verifier" ? ["scorer"] : []),
  options: {
    over: { type: "method", description: "gives the candidates; plain samples of one call when not given" },
    n: {
      type: "integer",
      default: 4,
      minimum: 1,
      maximum: 1000,
      description: "candidates",
      paper: "up to 64, gains from 16 (own judgement); 100 (verifier)",
    },
    select: {
      type: "choice",
      default: "pointwise",
      choices: ["pointwise", "pairwise", "listwise", "verifier", "vote"],
      description: "who chooses: the model by scores, by pairs or from the list; a verifier; or the vote",
      paper: "pointwise",
    },
    temperature: {
      type: "number",
      maximum: 10,
      description: "of the candidates; the run's own when not given, 0.7 where that is 0",
    },
    judgeTemperature: {
      type: "number",
      maximum: 10,
      description: "of the judge; 0 when not given, 0.7 for several judgements",
    },
    judgements: {
      type: "integer",
      default: 1,
      minimum: 1,
      maximum: 100,
      description: "replies, of one call, whose mean is a candidate's score (pointwise)",
    },
  },
  calls: "1 (or n·over) + n; judging by pairs 2·(n − 1), by list 1, by verifier or vote 0, of one 0",
  maxCalls: ({ over, n, select }) => (over ? n * over.maxCalls : 1) + (n === 1 ? 0 : judgingCalls[select](n)),
  inPrograms: { name: ({ over }) => (over ? `best-of-n-${over.method.id}` : "best-of-n") },

  async *steps(run) {
    const { n, over, select, judgements } = run.options;
    const { judgeTemperature = judgements > 1 ? 0.7 : 0 } = run.options;
    const { candidates, request, samplingTemperature: temperature } = run;
    const askVerifier =
      select === "verifier" ? run.verifier(", or use select=pointwise: the model then judges its own answers") : undefined;
    run.ifStopped = vote;

    // 1. Candidates. The first is drawn like the answer of a run of its own.
    if (!over) yield* run.attempts(request.messages, { n, seed: run.seed("attempt", 0), temperature });
    else for (let branch = 0; branch < n; branch++) yield* run.innerAttempt({ method: over.method, branch, temperature });

    // 2. Judge; 3. choose.
    if (candidates.length === 1) return { chosen: candidates[0], why: "the only candidate" };
    if (select === "vote") return vote();
    if (select === "pairwise") return yield* knockOut();
    if (select === "listwise") return yield* compareAll();
    const judged = new Map<string, Candidate>();
    for (const candidate of candidates) {
      const twin = judged.get(candidate.text);
      judged.set(candidate.text, twin ?? candidate);
      candidate.score = twin ? twin.score : yield* askVerifier ? askVerifier(candidate) : score(candidate);
    }
    const chosen = bestScoredByVote(candidates, run.form);
    if (chosen?.score === undefined) return vote("no score could be read");
    const equals = candidates.filter((candidate) => candidate.score === chosen.score).length;
    const shared = equals > 1 ? `, shared by ${equals}; the one most candidates agree on` : "";
    return { chosen, why: `highest score (${Number(chosen.score.toFixed(3))} of 1)${shared}` };

    async function* score({ attempt, text }: Candidate): AsyncGenerator<TraceEvent, number | undefined> {
      const asking = askForScore(request.messages, text);
      const judge = { attempt, by: "the model itself", n: judgements };
      const setting = { seed: run.seed("judgement", attempt), temperature: judgeTemperature };
      return (yield* run.judgeOften(judge, asking, setting, readMeanScore)).score;
    }

    /** Both orders, because judges favour a place; the earlier candidate stays unless both speak for the later. */
    async function* knockOut(): AsyncGenerator<TraceEvent, Choice> {
      let best = candidates[0];
      let won = 0;
      for (const next of candidates.slice(1)) {
        const verdicts: (string | undefined)[] = [];
        for (const [order, pair] of [[best, next] as const, [next, best] as const].entries()) {
          if (best.text === next.text) break;
          const asking = askForBetter(request.messages, pair[0].text, pair[1].text);
          const options = { seed: run.seed("comparison", next.attempt, order), temperature: judgeTemperature };
          verdicts.push(readBetter(yield* run.step(`comparison of ${pair[0].attempt} and ${pair[1].attempt}`, asking, options)));
        }
        if (verdicts[0] === "B" && verdicts[1] === "A") [best, won] = [next, won + 1];
      }
      const why = won === 0 ? "no later candidate was found better" : "better than the others one by one";
      return { chosen: best, why };
    }

    async function* compareAll(): AsyncGenerator<TraceEvent, Choice> {
      const asking = askForBest(
        request.messages,
        candidates.map(({ text }) => text),
      );
      const options = { seed: run.seed("comparison"), temperature: judgeTemperature };
      const place = readBest(yield* run.step("comparison of all", asking, options), candidates.length);
      if (place === undefined) return vote("the comparison names none");
      return { chosen: candidates[place], why: "named the best of all" };
    }

    function vote(because?: string): Choice {
      const { winner, votes, voters } = mostAgreed(candidates, run.form);
      const why = winner ? `${votes} of ${voters} agree` : "first candidate";
      return { chosen: winner ?? candidates[0], why: because ? `${because}; ${why}` : why };
    }
  },
});
