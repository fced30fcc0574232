/**
 * Vote where the answers can be trusted, refine where they cannot.
 *
 * "MAgICoRe: Multi-Agent, Iterative, Coarse-to-Fine Refinement for Reasoning", Justin Chih-Yao Chen et al., 2024, arXiv 2409.12147.
 *
 * Algorithm (§3)
 *   1. The solver draws k answers.
 *   2. A judge scores each as a whole and step by step; quality is the score of the whole and the product of the steps' scores.
 *   3. The question is easy when the judge thinks well of the majority's answers (mean z-score of their quality ≥ 0), or when the answers,
 *      weighted by either score, agree: confidence 2 · (1 − sigmoid(entropy)) ≥ 0.5.
 *   4. Easy: the vote, weighted by quality, is the answer.
 *   5. Hard: for each answer a reviewer, who sees the steps' scores, writes what is wrong; a refiner rewrites the answer; the judge scores
 *      the new one.
 *   6. The best k of old and new answers are kept. Back to 3, at most I times; then the weighted vote.
 *
 * Cost in calls: 1 + k + 3kI when the model judges, 1 + 2kI and the judge's own when a verifier does; 1 + k and 1 for an easy question.
 * The k answers come from one call.
 *
 * Our deviations: the paper's judge is two reward models. `verifier` asks the one at hand; `self`, the default, asks the model, so that no
 * reward model is needed. Where a judge gives no steps' scores, quality is the score of the whole. The paper's z-score takes its mean from
 * the whole data set; here that is `usualQuality`, where it was measured, and otherwise the mean over the answers to the same question.
 * Quality is the mean in place of the sum of its parts, so that it stays in [0, 1]. What goes on to the next round is the best k so far, not
 * the refined answers whatever they are worth. A score that cannot be read counts as 0 and is not asked for again; a question to which no
 * answer can be read is hard. With the paper's limit of 0.5, four different answers at least are a spread: for fewer, raise `confidence`.
 * Three equally likely answers are just agreed enough; in the authors' code rounding makes them hard. Their majority stays that of the
 * first answers, answers that cannot be read are one group, and an easy question goes back to the first answers; here all three go by the
 * answers at hand, and unreadable ones agree with none. The default is 5 answers, not 40, because of the cost.
 */
import type { Message } from "#kernel/model.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { type Candidate, mostAgreed } from "../driver/candidates.ts";
import { type Choice, defineMethod } from "../driver/define-method.ts";
import { hardness, type Judged, qualities } from "../driver/hardness.ts";
import { asking, readScore } from "../driver/judging.ts";
import { readStepScores, stepsOf, withStepScores } from "../driver/step-scores.ts";
import { withTurn } from "../driver/turns.ts";

export const magicore = defineMethod({
  id: "magicore",
  summary: "Draws and scores several answers, votes when they can be trusted, and reviews and refines each when they cannot.",
  paper: {
    title: "MAgICoRe: Multi-Agent, Iterative, Coarse-to-Fine Refinement for Reasoning",
    authors: "Justin Chih-Yao Chen et al.",
    year: 2024,
    arxiv: "2409.12147",
  },
  kind: "refinement",
  status: "experimental",
  needs: ({ judge }) => (judge === "verifier" ? ["scorer"] : []),
  options: {
    chains: { type: "integer", default: 5, minimum: 1, maximum: 1000, description: "answers drawn and kept", paper: "40" },
    iterations: { type: "integer", default: 3, maximum: 100, description: "most rounds of refinement", paper: "3" },
    judge: {
      type: "choice",
      default: "self",
      choices: ["self", "verifier"],
      description: "who scores answers and their steps: the model, or a verifier",
      paper: "verifier",
    },
    confidence: {
      type: "number",
      default: 0.5,
      maximum: 1,
      description: "less than this is a spread of answers; 0.5 takes four different ones at least",
      paper: "0.5",
    },
    usualQuality: {
      type: "number",
      maximum: 1,
      description: "mean quality over many questions, measured before; of the answers at hand when not given",
      paper: "measured on the whole data set",
    },
    temperature: {
      type: "number",
      maximum: 10,
      description: "of answers and reviews; the run's own when not given, 0.7 where that is 0",
      paper: "0.8",
    },
    topP: { type: "number", minimum: 0.01, maximum: 1, description: "of the same; none when not given", paper: "0.95" },
  },
  extras: {
    /** Asks for the faults of the answer, which is shown with the scores of its steps. */
    reviewPrompt: [
      "Review this answer. Where its steps have scores, look first at those below 6/10: a judge takes them for doubtful. For each step that is",
      "wrong say which one it is, what is wrong with it, and how to put it right. Do not solve the question yourself, and do not write the",
      "improved answer. If you find nothing wrong, say so.",
    ].join(" "),
    /** Asks for the better answer; the review stands before it. */
    refinePrompt: [
      "Follow the review where it is right, keep what was right in the answer, and write the whole improved answer, step by step, in the form",
      "the question asks for.",
    ].join(" "),
  },
  calls: "1 + chains + 3·chains·iterations for self, 1 + 2·chains·iterations for verifier",
  maxCalls: ({ chains, iterations, judge }) =>
    judge === "verifier" ? 1 + 2 * chains * iterations : 1 + chains + 3 * chains * iterations,

  async *steps(run) {
    const { chains, iterations, judge, confidence, usualQuality, topP, reviewPrompt, refinePrompt } = run.options;
    const { request, form } = run;
    const scoreCompletion =
      judge === "verifier" ? run.tool("scorer", ", or use judge=self: the model then judges its own answers") : undefined;
    const sampling = { temperature: run.samplingTemperature, topP };
    const judgements = new Map<Candidate, Judged>();
    let kept: Candidate[] = [];
    let rounds = 0;
    let whyHard = "before every answer was judged";
    run.ifStopped = vote;

    // 1. The solver.
    kept = yield* run.attempts(request.messages, { n: chains, seed: run.seed("attempt", 0), ...sampling });
    // 2. The judge.
    for (const candidate of kept) yield* score(candidate);

    for (;;) {
      // 3. Easy or hard?
      const answers = kept.map(({ text }) => form.read(text));
      const found = hardness(answers, form.same, kept.map(judgedOf), { usualQuality, leastConfidence: confidence });
      whyHard = found.why;
      if (!found.hard || rounds === iterations) return vote();

      // 5. The reviewer and the refiner; 6. the best of old and new.
      const before = kept;
      for (const candidate of before) kept = best([...kept, yield* refine(candidate)]);
      rounds++;
    }

    async function* refine(candidate: Candidate): AsyncGenerator<TraceEvent, Candidate> {
      const { attempt, text } = candidate;
      const { steps } = judgedOf(candidate);
      const shown = { title: steps ? "answer, its steps scored by a judge" : "answer", text: withStepScores(text, steps) };
      const reviewing = asking(request.messages, [shown], [reviewPrompt]);
      const reviewSeed = run.seed("review", rounds, attempt);
      const review = yield* run.feedback(attempt, reviewing, { seed: reviewSeed, ...sampling });
      const refining = withTurn(request.messages, text, `A reviewer writes about this answer:\n\n${review}\n\n${refinePrompt}`);
      const refined = yield* run.attempt(refining, { seed: run.seed("refinement", rounds, attempt), ...sampling });
      yield* score(refined);
      return refined;
    }

    /** The same text is judged once. */
    async function* score(candidate: Candidate): AsyncGenerator<TraceEvent, void> {
      const twin = run.candidates.find((other) => other.text === candidate.text && judgements.has(other));
      judgements.set(candidate, twin ? judgedOf(twin) : yield* scoreCompletion ? askVerifier(candidate) : askModel(candidate));
    }

    async function* askVerifier({ attempt, text }: Candidate): AsyncGenerator<TraceEvent, Judged> {
      return yield* run.check({ attempt, by: "verifier", costs: true }, async () => {
        const { score, stepScores = [], usage } = await scoreCompletion!(request.messages, text, request.signal);
        const outcome = Number.isFinite(score) ? within(score) : undefined;
        const steps = stepScores.length > 0 && stepScores.every(Number.isFinite) ? stepScores.map(within) : undefined;
        return { score: outcome, outcome, steps, text: steps ? withStepScores(text, steps) : "", usage };
      });
    }

    async function* askModel({ attempt, text }: Candidate): AsyncGenerator<TraceEvent, Judged> {
      const question = askForScores(request.messages, text);
      const setting = { seed: run.seed("score", attempt), temperature: 0 };
      const by = { attempt, by: "the model itself" };
      const found = yield* run.judge(by, question, setting, (reply) => ({ score: readScore(reply, 0, 10) }));
      return { outcome: found.score, steps: readStepScores(found.text, stepsOf(text).length) };
    }

    /** The k of best quality, the earlier of equals first. */
    function best(candidates: Candidate[]): Candidate[] {
      const quality = qualities(candidates.map(judgedOf));
      const order = [...candidates.keys()].sort(
        (first, second) => (quality[second] ?? -1) - (quality[first] ?? -1) || first - second,
      );
      return order
        .slice(0, chains)
        .sort((first, second) => first - second)
        .map((index) => candidates[index]);
    }

    /** 4. By quality; by heads where there is none, or not yet of every answer. */
    function vote(): Choice {
      const quality = kept.every((candidate) => judgements.has(candidate)) ? qualities(kept.map(judgedOf)) : [];
      const isWeighted = quality.some((value) => value !== undefined && value > 0);
      const { winner, votes } = mostAgreed(kept, form, isWeighted ? quality : undefined);
      const total = isWeighted ? quality.reduce<number>((sum, value) => sum + (value ?? 0), 0) : kept.length;
      const share = `${isWeighted ? "weighted vote" : "vote"}: ${rounded(votes)} of ${rounded(total)}`;
      const refined = rounds === 0 ? "" : ` after ${rounds} ${rounds === 1 ? "round" : "rounds"} of refinement`;
      return { chosen: winner ?? kept[0], why: `${winner ? share : "first answer"}${refined}; ${whyHard}` };
    }

    function judgedOf(candidate: Candidate): Judged {
      return judgements.get(candidate) ?? { outcome: undefined, steps: undefined };
    }
  },
});

/** The whole and every step, 0 to 10, by one who stands outside of the conversation. */
function askForScores(conversation: readonly Message[], answer: string): Message[] {
  return asking(conversation, [{ title: "answer", text: withStepScores(answer) }], [scorePrompt]);
}

function within(score: number): number {
  return Math.min(1, Math.max(0, score));
}

function rounded(value: number): number {
  return Number(value.toFixed(2));
}

const scorePrompt = [
  "Judge this answer strictly, step by step; check each step by yourself. Do not write an answer of your own.",
  "End with two lines of this form, each number from 0 (certainly wrong) to 10 (certainly right), one number for every step in order:",
  "\nSteps: <number> <number> …\nScore: <number for the whole answer>",
].join(" ");
