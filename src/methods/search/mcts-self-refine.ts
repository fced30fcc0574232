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
 * child as good as its parent leaves it open; in the code it closes it. Roots are bounded as all nodes are, with the visits of all roots as
 * their father's; in the code they have no bonus for being rarely visited, which decides between the two roots otherwise (3 of 4 traces). A
 * node's dialogue holds the question and its own answer, as the code's window of two messages does.
 */
import type { TraceEvent } from "#kernel/trace.ts";
import { AnswerTree } from "../driver/answer-tree.ts";
import { bestScoredByVote, type Candidate } from "../driver/candidates.ts";
import { type Choice, defineMethod } from "../driver/define-method.ts";
import { asking, readScore } from "../driver/judging.ts";
import { withTurn } from "../driver/turns.ts";

const emptyAnswer = "I do not know the answer.";

export const mctsSelfRefine = defineMethod({
  id: "mcts-self-refine",
  summary: "Searches a tree of answers whose edges are refinements, going on from the one that promises most.",
  paper: {
    title: "Accessing GPT-4 level Mathematical Olympiad Solutions via Monte Carlo Tree Self-refine with LLaMa-3 8B",
    authors: "Di Zhang et al.",
    year: 2024,
    arxiv: "2406.07394",
  },
  kind: "search",
  status: "experimental",
  needs: ({ scorer }) => (scorer === "verifier" ? ["scorer"] : []),
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
      choices: ["self", "verifier"],
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
      maximum: 10,
      description: "of all but the first answer; the run's own when not given, 0.7 where that is 0",
      paper: "0.95",
    },
  },
  extras: {
    /** Put in the system message of every call that answers or criticises. */
    instruction: undefined as string | undefined,
    /** ε of the upper bound. */
    epsilon: 1e-5,
    critiquePrompt: [
      "Criticise this answer as a strict examiner would. Go through it step by step, find every flaw, gap and unproven claim, and say for each",
      "what has to be done instead. Where the approach itself is wrong, say which one is better. Do not write the new answer yet.",
    ].join(" "),
    rewritePrompt: [
      "Now write a better answer in full that meets this criticism, in the form the question asks for.",
      "It has to stand by itself, without a word about the first answer or the criticism.",
    ].join(" "),
    scorePrompt: [
      "Judge this answer as a strict examiner. Check every step by yourself and take points off for every flaw; full marks are for an answer",
      "that nobody could object to. Do not write an answer of your own.",
      "End with a line of this form, from -100 (worthless) to 100 (perfect): Score: <number>",
    ].join(" "),
  },
  calls: "1 + 2·rollouts + (1 + rollouts + [resample]·rollouts)·(1 + scoreTries); 1 + 2·rollouts for scorer=verifier",
  maxCalls: ({ rollouts, scorer, resample, scoreTries }) => {
    const scores = scorer === "verifier" ? 0 : (1 + (resample ? 2 : 1) * rollouts) * (1 + scoreTries);
    return 1 + 2 * rollouts + scores;
  },

  async *steps(run) {
    const { rollouts, resample, emptyRoot, scoreTries, fullScore, fullScoreAs } = run.options;
    const { critiquePrompt, rewritePrompt, scorePrompt } = run.options;
    const { question, samplingTemperature: temperature } = run;
    const askVerifier =
      run.options.scorer === "verifier" ? run.verifier(", or use scorer=self: the model then judges its own answers") : undefined;
    const tree = new AnswerTree(run.options);
    /** The answer of a node; none for the root that does not know. */
    const answers = new Map<number, Candidate>();
    let scoresAsked = 0;
    run.ifStopped = best;

    // 1. Roots. The first answer is the plain one, word for word.
    yield* score(addNode(yield* run.attempt(question, { seed: run.seed("attempt", 0) })));
    if (emptyRoot) tree.score(tree.add(), 0);

    for (let rollout = 0; rollout < rollouts; rollout++) {
      // 2. Select; 3. score again.
      const { node, bound } = tree.select();
      const chosen = answers.get(node);
      if (chosen) yield { type: "choice-end", attempt: chosen.attempt, reason: whySelected(node, bound) };
      if (chosen && resample && !askVerifier) yield* score(node);

      // 4. Refine; 5. back up, which adding and scoring do.
      const rewritten = yield* refine(chosen, rollout);
      yield* score(addNode(rewritten, node));
    }
    return best();

    function addNode(candidate: Candidate, parent?: number): number {
      const node = tree.add(parent);
      answers.set(node, candidate);
      return node;
    }

    async function* refine(chosen: Candidate | undefined, rollout: number): AsyncGenerator<TraceEvent, Candidate> {
      const messages = withTurn(question, chosen?.text ?? emptyAnswer, critiquePrompt);
      const setting = { seed: run.seed("critique", rollout), temperature };
      const critique = chosen
        ? yield* run.feedback(chosen.attempt, messages, setting)
        : yield* run.step("critique of an empty answer", messages, setting);
      const rewriting = withTurn(messages, critique, rewritePrompt);
      return yield* run.attempt(rewriting, { seed: run.seed("attempt", rollout + 1), temperature });
    }

    async function* score(node: number): AsyncGenerator<TraceEvent, void> {
      const candidate = answers.get(node)!;
      const found = yield* askVerifier ? askVerifier(candidate) : askModel(candidate);
      if (found !== undefined) tree.score(node, found);
      candidate.score = tree.qualityOf(node);
    }

    async function* askModel({ attempt, text }: Candidate): AsyncGenerator<TraceEvent, number | undefined> {
      const messages = asking(run.request.messages, [{ title: "answer", text }], [scorePrompt]);
      const read = (reply: string) => ({ score: suppressFullScore(readScore(reply, -100, 100), fullScore, fullScoreAs) });
      for (let tries = 0; tries <= scoreTries; tries++) {
        const seed = run.seed("score", scoresAsked++);
        const judgement = yield* run.judge({ attempt, by: "the model itself" }, messages, { seed, temperature }, read);
        if (judgement.score !== undefined) return judgement.score;
      }
      return undefined;
    }

    function whySelected(node: number, bound: number): string {
      const [value, visits] = [short(tree.valueOf(node)), tree.visitsOf(node)];
      return `to be refined: highest upper bound (${short(bound)}; worth ${value}, visited ${visits === 1 ? "once" : `${visits} times`})`;
    }

    /** 6. Highest Q of its own; of equals the one most answers agree on, then the earlier. */
    function best(): Choice {
      const chosen = bestScoredByVote(run.candidates, run.form);
      const why = chosen?.score === undefined ? "no score could be read" : `highest quality (${short(chosen.score)} of 1)`;
      return { chosen, why };
    }
  },
});

/** Scores in [0, 1]; the bounds on the scale of −100 to 100. */
export function suppressFullScore(score: number | undefined, fullScore: number, fullScoreAs: number): number | undefined {
  return score !== undefined && score * 200 - 100 >= fullScore - 1e-9 ? (fullScoreAs + 100) / 200 : score;
}

function short(value: number): string {
  return String(Number(value.toFixed(3)));
}
