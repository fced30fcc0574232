/**
 * Search a tree of answers whose edges are refinements, going on from the answer that promises most.
 *
 * "Accessing GPT-4 level Mathematical Olympiad Solutions via Monte Carlo Tree Self-refine with LLaMa-3 8B", Di Zhang et al., 2024,
 * arXiv 2406.07394.
 *
 * Algorithm (§3)
 *   1. Roots: a first answer, and one that says it does not know, so that a wholly new start stays possible. Score the first answer.
 *   2. Select the open node with the highest UCT = Q + c · √(ln(N(father) + 1) / (N + ε)). A node is open while it has fewer than
 *      `maxChildren` children or none of them is worth more.
 *   3. Score the selected answer once more; Q of its scores is (min + mean) / 2. A score of `fullScore` or more counts as `fullScoreAs`:
 *      whoever is that sure has not looked.
 *   4. Refine: criticise the answer strictly, then rewrite it. The new answer is a child of the old one. Score it.
 *   5. Back up: from the child to the root, Q becomes the mean of the answer's own and its best child's. Back to 2 for every rollout.
 *   6. The answer is the one with the highest Q of its own.
 *
 * Cost in calls, R rollouts and at most T further tries for a score that cannot be read: 1 + 2R + (1 + 2R)(1 + T); without `resample`,
 * 1 + 2R + (1 + R)(1 + T). A verifier's scores are no calls of the model: 1 + 2R.
 *
 * Our deviations: nothing stops on the right answer, which the authors' code knows; all rollouts are made. Scores of −100 to 100 are brought
 * to [0, 1], the scale that c = 1.4 is made for: on the authors' scale the search is near greedy. Every level above a node learns of a new
 * score, and N of every level counts the visit; the code stops one level up. Nodes go by number, so that equal answers make no cycle. A
 * score that cannot be read is asked for again, T times at most, and the answer stays with no score, worth 0 to the search. The
 * judge sees question and answer alone, not the critique. The answer that does not know is worth 0 without being asked about. A
 * node's dialogue holds the question and its own answer, as the code's window of two messages does.
 */
import { answerFormOf } from "#kernel/answer-form.ts";
import { withInstruction } from "#kernel/call.ts";
import { userError } from "#kernel/errors.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { AnswerTree, type SearchConstants } from "../driver/answer-tree.ts";
import { bestScoredByVote, type Candidate } from "../driver/candidates.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { asking } from "../driver/judging.ts";
import { numberOf, optionsOf } from "../driver/options.ts";
import { samplingTemperature } from "../driver/sampling.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";
import { withTurn } from "../driver/turns.ts";
import { readScore } from "../driver/verdict.ts";

const scorers = ["self", "verifier"] as const;

export interface MctsSelfRefineOptions extends Partial<SearchConstants> {
  /** Refinements in all. The paper: 4 and 8; its code: 16. */
  rollouts: number;
  /** Name in results; `mcts-self-refine` when left out. */
  id?: string;
  /** Put in the system message of every call that answers or criticises; nothing is added when left out. */
  instruction?: string;
  /** Who scores: the model itself, as in the paper, or a verifier; `self` when left out. */
  scorer?: (typeof scorers)[number];
  /** Scores a selected answer again (`self`); true when left out. */
  resample?: boolean;
  /** Further tries T for a score that cannot be read (`self`); 1 when left out. */
  scoreTries?: number;
  /** Of −100 to 100, from where a score of the model's own is not believed; 95 when left out, as in the paper. More than 100: believe all. */
  fullScore?: number;
  /** What it counts as; 50 when left out, as in the paper's code. */
  fullScoreAs?: number;
  /** Whether there is a root that does not know; true when left out. */
  emptyRoot?: boolean;
  /** Of every call but the first answer; the request's own when left out, 0.7 where that is 0. The paper's code: 0.95. */
  temperature?: number;
  critiquePrompt?: string;
  rewritePrompt?: string;
  scorePrompt?: string;
}

export function mctsSelfRefine(options: MctsSelfRefineOptions): Method {
  return { id: options.id ?? "mcts-self-refine", run: (request) => runMctsSelfRefine(request, options) };
}

async function* runMctsSelfRefine(request: MethodRequest, options: MctsSelfRefineOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { rollouts, scorer = "self", resample = true, emptyRoot = true } = options;
  const { exploration = 1.4, epsilon = 1e-5, maxChildren = 3 } = options;
  const { critiquePrompt = defaultCritiquePrompt, rewritePrompt = defaultRewritePrompt } = options;
  const scoreCompletion = request.tools?.scoreCompletion;
  if (scorer === "verifier" && !scoreCompletion) {
    throw userError(
      "no-scorer",
      "mcts-self-refine with scorer=verifier asks a verifier for scores, and there is none",
      "Name a scorer, or use scorer=self: the model then judges its own answers.",
    );
  }
  const calls = new TracedCalls(request);
  const form = answerFormOf(request);
  const question = withInstruction(request.messages, options.instruction);
  const temperature = samplingTemperature(options.temperature, request.temperature);
  const tree = new AnswerTree({ exploration, epsilon, maxChildren });
  /** The answer of a node; none for the root that does not know. */
  const answers = new Map<number, Candidate>();
  let scoresAsked = 0;

  try {
    // 1. Roots. The first answer is the plain one, word for word.
    const draft = yield* calls.attempt(question, { seed: deriveSeed(request.seed, "attempt", 0) });
    yield* score(addNode(draft));
    if (emptyRoot) tree.score(tree.add(), 0);

    for (let rollout = 0; rollout < rollouts; rollout++) {
      // 2. Select; 3. score again.
      const { node, bound } = tree.select();
      const chosen = answers.get(node);
      if (chosen) yield { type: "choice-end", attempt: chosen.attempt, reason: whySelected(node, bound) };
      if (chosen && resample && scorer === "self") yield* score(node);

      // 4. Refine; 5. back up, which adding and scoring do.
      const rewritten = yield* refine(chosen, rollout);
      yield* score(addNode(rewritten, node));
    }
    return yield* endWith({ ...best(), usage: calls.caller.spent });
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { ...best(), usage: calls.caller.spent });
  }

  function addNode(candidate: Candidate, parent?: number): number {
    const node = tree.add(parent);
    answers.set(node, candidate);
    return node;
  }

  async function* refine(chosen: Candidate | undefined, rollout: number): AsyncGenerator<TraceEvent, Candidate> {
    const messages = withTurn(question, chosen?.text ?? emptyAnswer, critiquePrompt);
    const critiqueOptions = { seed: deriveSeed(request.seed, "critique", rollout), temperature };
    const critique = chosen
      ? yield* calls.feedback(chosen.attempt, messages, critiqueOptions)
      : yield* calls.step("critique of an empty answer", messages, critiqueOptions);
    const rewriting = withTurn(messages, critique, rewritePrompt);
    return yield* calls.attempt(rewriting, { seed: deriveSeed(request.seed, "attempt", rollout + 1), temperature });
  }

  async function* score(node: number): AsyncGenerator<TraceEvent, void> {
    const candidate = answers.get(node)!;
    const found = yield* scorer === "self" ? askModel(candidate) : askVerifier(candidate);
    if (found !== undefined) tree.score(node, found);
    candidate.score = tree.qualityOf(node);
  }

  async function* askModel({ attempt, text }: Candidate): AsyncGenerator<TraceEvent, number | undefined> {
    const { scoreTries = 1, fullScore = 95, fullScoreAs = 50, scorePrompt = defaultScorePrompt } = options;
    const messages = asking(request.messages, [{ title: "answer", text }], [scorePrompt]);
    const read = (reply: string) => ({ score: suppressFullScore(readScore(reply, -100, 100), fullScore, fullScoreAs) });
    for (let tries = 0; tries <= scoreTries; tries++) {
      const seed = deriveSeed(request.seed, "score", scoresAsked++);
      const judgement = yield* calls.judge({ attempt, by: "the model itself" }, messages, { seed, temperature }, read);
      if (judgement.score !== undefined) return judgement.score;
    }
    return undefined;
  }

  async function* askVerifier({ attempt, text }: Candidate): AsyncGenerator<TraceEvent, number | undefined> {
    const found = yield* calls.check({ attempt, by: "verifier", costs: true }, async () => {
      const { score, usage } = await scoreCompletion!(request.messages, text, request.signal);
      return { score: Number.isFinite(score) ? score : undefined, text: "", usage };
    });
    return found.score;
  }

  function whySelected(node: number, bound: number): string {
    const [value, visits] = [short(tree.valueOf(node)), tree.visitsOf(node)];
    return `to be refined: highest upper bound (${short(bound)}; worth ${value}, visited ${visits === 1 ? "once" : `${visits} times`})`;
  }

  /** 6. Highest Q of its own; of equals the one most answers agree on, then the earlier. */
  function best(): { chosen: Candidate | undefined; why: string } {
    const chosen = bestScoredByVote(calls.candidates, form);
    const why = chosen?.score === undefined ? "no score could be read" : `highest quality (${short(chosen.score)} of 1)`;
    return { chosen, why };
  }
}

/** Scores in [0, 1]; the bounds on the scale of −100 to 100. */
export function suppressFullScore(score: number | undefined, fullScore: number, fullScoreAs: number): number | undefined {
  return score !== undefined && score * 200 - 100 >= fullScore - 1e-9 ? (fullScoreAs + 100) / 200 : score;
}

function short(value: number): string {
  return String(Number(value.toFixed(3)));
}

const emptyAnswer = "I do not know the answer.";

const defaultCritiquePrompt = [
  "Criticise this answer as a strict examiner would. Go through it step by step, find every flaw, gap and unproven claim, and say for each",
  "what has to be done instead. Where the approach itself is wrong, say which one is better. Do not write the new answer yet.",
].join(" ");

const defaultRewritePrompt = [
  "Now write a better answer in full that meets this criticism, in the form the question asks for.",
  "It has to stand by itself, without a word about the first answer or the criticism.",
].join(" ");

const defaultScorePrompt = [
  "Judge this answer as a strict examiner. Check every step by yourself and take points off for every flaw; full marks are for an answer",
  "that nobody could object to. Do not write an answer of your own.",
  "End with a line of this form, from -100 (worthless) to 100 (perfect): Score: <number>",
].join(" ");

export const mctsSelfRefineCard: MethodCard = {
  id: "mcts-self-refine",
  summary: "Searches a tree of answers whose edges are refinements, going on from the one that promises most.",
  paper: {
    title: "Accessing GPT-4 level Mathematical Olympiad Solutions via Monte Carlo Tree Self-refine with LLaMa-3 8B",
    authors: "Di Zhang et al.",
    year: 2024,
    arxiv: "2406.07394",
  },
  kind: "search",
  needs: [],
  needsWith: ({ scorer }) => (scorer === "verifier" ? ["scorer"] : []),
  options: {
    rollouts: { type: "integer", default: 4, maximum: 1000, description: "refinements in all", paper: "4 and 8 (its code: 16)" },
    exploration: { type: "number", default: 1.4, maximum: 1000, description: "weight of what is rarely visited", paper: "1.4" },
    maxChildren: {
      type: "integer",
      default: 3,
      minimum: 1,
      description: "children until a better one closes a node",
      paper: "3",
    },
    scorer: {
      type: "choice",
      default: "self",
      choices: scorers,
      description: "who scores: the model itself or a verifier",
      paper: "self",
    },
    resample: { type: "boolean", default: true, description: "score a selected answer again (self)", paper: "true" },
    scoreTries: { type: "integer", default: 1, maximum: 10, description: "further tries for a score that cannot be read (self)" },
    fullScore: {
      type: "number",
      default: 95,
      maximum: 101,
      description: "from here to 100 a score of the model's own counts as fullScoreAs; 101 believes all",
      paper: "95",
    },
    fullScoreAs: {
      type: "number",
      default: 50,
      minimum: -100,
      maximum: 100,
      description: "what such a score counts as",
      paper: "50",
    },
    emptyRoot: {
      type: "boolean",
      default: true,
      description: "allow a wholly new start, from an answer that does not know",
      paper: "true",
    },
    temperature: {
      type: "number",
      default: undefined,
      maximum: 10,
      description: "of all but the first answer; the run's own when not given, 0.7 where that is 0",
      paper: "0.95",
    },
  },
  calls: "1 + 2·rollouts + (1 + rollouts + [resample]·rollouts)·(1 + scoreTries); 1 + 2·rollouts for scorer=verifier",
  maxCalls: (options) => {
    const rollouts = numberOf(options, "rollouts");
    if (options.scorer === "verifier") return 1 + 2 * rollouts;
    const scored = 1 + (options.resample ? 2 : 1) * rollouts;
    return 1 + 2 * rollouts + scored * (1 + numberOf(options, "scoreTries"));
  },
  create: (options, id) => {
    const search = ["rollouts", "exploration", "maxChildren", "emptyRoot", "temperature"] as const;
    const scoring = ["scorer", "resample", "scoreTries", "fullScore", "fullScoreAs"] as const;
    return mctsSelfRefine({ ...optionsOf<MctsSelfRefineOptions>(options, ...search, ...scoring), id });
  },
};
