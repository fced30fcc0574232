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
import { answerFormOf } from "#kernel/answer-form.ts";
import { userError } from "#kernel/errors.ts";
import type { BoundMethod, MethodCard } from "#kernel/method-card.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { bestScoredByVote, type Candidate, mostAgreed } from "../driver/candidates.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { askForBest, askForBetter, askForScore, readBest, readBetter, readMeanScore } from "../driver/judging.ts";
import { methodOf, numberOf, optionsOf } from "../driver/options.ts";
import { samplingTemperature } from "../driver/sampling.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";

const selections = ["pointwise", "pairwise", "listwise", "verifier", "vote"] as const;

export interface BestOfNOptions {
  /** Candidates n. The papers: 100 (verifier), up to 64 with gains from 16 (own judgement). */
  n: number;
  /** Gives the candidates; plain samples of one call when left out. */
  over?: BoundMethod;
  /** Name in results; `best-of-n`, with the inner method's name where there is one, when left out. */
  id?: string;
  /** Who chooses; `pointwise` when left out. */
  select?: (typeof selections)[number];
  /** Of the candidates; the request's own when left out, 0.7 where that is 0. */
  temperature?: number;
  /** Of the judge; 0 when left out, and 0.7 for several judgements. */
  judgeTemperature?: number;
  /** Replies whose mean is a candidate's score (`pointwise`); 1 when left out. They come from one call. */
  judgements?: number;
}

interface Choice {
  chosen: Candidate | undefined;
  why: string;
}

export function bestOfN(options: BestOfNOptions): Method {
  const { over } = options;
  const id = options.id ?? (over ? `best-of-n-${over.method.id}` : "best-of-n");
  return { id, usesOracle: over?.method.usesOracle === true, run: (request) => runBestOfN(request, options) };
}

async function* runBestOfN(request: MethodRequest, options: BestOfNOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { n, over, select = "pointwise", judgements = 1 } = options;
  const scoreCompletion = request.tools?.scoreCompletion;
  if (select === "verifier" && !scoreCompletion) {
    throw userError(
      "no-scorer",
      "best-of-n with select=verifier asks a verifier for scores, and there is none",
      "Name a scorer, or use select=pointwise: the model then judges its own answers.",
    );
  }
  const calls = new TracedCalls(request);
  const { candidates } = calls;
  const form = answerFormOf(request);
  const judgeTemperature = options.judgeTemperature ?? (judgements > 1 ? 0.7 : 0);

  try {
    yield* draw();
    const { chosen, why } = yield* judge();
    return yield* endWith({ chosen, why, usage: calls.caller.spent });
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { ...vote(), usage: calls.caller.spent });
  }

  /** 1. Candidates. The first is drawn like the answer of a run of its own. */
  async function* draw(): AsyncGenerator<TraceEvent, void> {
    const temperature = samplingTemperature(options.temperature, request.temperature);
    if (over) {
      for (let branch = 0; branch < n; branch++) yield* calls.innerAttempt({ method: over.method, branch, temperature });
    } else {
      yield* calls.attempts(request.messages, { n, seed: deriveSeed(request.seed, "attempt", 0), temperature });
    }
  }

  /** 2. Judge; 3. choose. */
  async function* judge(): AsyncGenerator<TraceEvent, Choice> {
    if (candidates.length === 1) return { chosen: candidates[0], why: "the only candidate" };
    if (select === "vote") return vote();
    if (select === "pairwise") return yield* knockOut();
    if (select === "listwise") return yield* compareAll();
    const judged = new Map<string, Candidate>();
    for (const candidate of candidates) {
      const twin = judged.get(candidate.text);
      judged.set(candidate.text, twin ?? candidate);
      candidate.score = twin ? twin.score : yield* score(candidate);
    }
    const chosen = bestScoredByVote(candidates, form);
    if (chosen?.score === undefined) return vote("no score could be read");
    const equals = candidates.filter((candidate) => candidate.score === chosen.score).length;
    const shared = equals > 1 ? `, shared by ${equals}; the one most candidates agree on` : "";
    return { chosen, why: `highest score (${Number(chosen.score.toFixed(3))} of 1)${shared}` };
  }

  async function* score({ attempt, text }: Candidate): AsyncGenerator<TraceEvent, number | undefined> {
    if (select === "verifier") {
      const found = yield* calls.check({ attempt, by: "verifier", costs: true }, async () => {
        const { score, usage } = await scoreCompletion!(request.messages, text, request.signal);
        return { score: Number.isFinite(score) ? score : undefined, text: "", usage };
      });
      return found.score;
    }
    const asking = askForScore(request.messages, text);
    const seed = deriveSeed(request.seed, "judgement", attempt);
    const judge = { attempt, by: "the model itself", n: judgements };
    return (yield* calls.judgeOften(judge, asking, { seed, temperature: judgeTemperature }, readMeanScore)).score;
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
        const options = { seed: deriveSeed(request.seed, "comparison", next.attempt, order), temperature: judgeTemperature };
        verdicts.push(readBetter(yield* calls.step(`comparison of ${pair[0].attempt} and ${pair[1].attempt}`, asking, options)));
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
    const options = { seed: deriveSeed(request.seed, "comparison"), temperature: judgeTemperature };
    const place = readBest(yield* calls.step("comparison of all", asking, options), candidates.length);
    if (place === undefined) return vote("the comparison names none");
    return { chosen: candidates[place], why: "named the best of all" };
  }

  function vote(because?: string): Choice {
    const { winner, votes, voters } = mostAgreed(candidates, form);
    const why = winner ? `${votes} of ${voters} agree` : "first candidate";
    return { chosen: winner ?? candidates[0], why: because ? `${because}; ${why}` : why };
  }
}

const judgingCalls: Readonly<Record<(typeof selections)[number], (n: number) => number>> = {
  pointwise: (n) => n,
  pairwise: (n) => 2 * (n - 1),
  listwise: () => 1,
  verifier: () => 0,
  vote: () => 0,
};

export const bestOfNCard: MethodCard = {
  id: "best-of-n",
  summary: "Draws several answers, of the model or of any other method, and returns the one that a judge likes best.",
  paper: {
    title: "Is PRM Necessary? Problem-Solving RL Implicitly Induces PRM Capability in LLMs",
    authors: "Zhangying Feng et al.",
    year: 2025,
    arxiv: "2505.11227",
  },
  kind: "sampling",
  needs: [],
  needsWith: ({ select }) => (select === "verifier" ? ["scorer"] : []),
  options: {
    over: { type: "method", default: undefined, description: "gives the candidates; plain samples of one call when not given" },
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
      choices: selections,
      description: "who chooses: the model by scores, by pairs or from the list; a verifier; or the vote",
      paper: "pointwise",
    },
    temperature: {
      type: "number",
      default: undefined,
      maximum: 10,
      description: "of the candidates; the run's own when not given, 0.7 where that is 0",
    },
    judgeTemperature: {
      type: "number",
      default: undefined,
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
  maxCalls: (options) => {
    const n = numberOf(options, "n");
    const over = methodOf(options, "over");
    const judging = n === 1 ? 0 : judgingCalls[options.select as (typeof selections)[number]](n);
    return (over ? n * over.maxCalls : 1) + judging;
  },
  create: (options, id) =>
    bestOfN({
      ...optionsOf<BestOfNOptions>(options, "n", "over", "select", "temperature", "judgeTemperature", "judgements"),
      id,
    }),
};
