/**
 * Sample several answers and return the one most of them agree on.
 *
 * "Self-Consistency Improves Chain of Thought Reasoning in Language Models", Xuezhi Wang et al., 2022, arXiv 2203.11171.
 *
 * Algorithm (§2)
 *   1. Sample n completions of the same conversation.
 *   2. Read the answer of each and bring it to a normal form.
 *   3. Return the answer with the most votes (the paper's unweighted sum; a tie goes to the answer seen first).
 *
 * Cost: 1 call with n samples (the prompt is paid once); n calls where a model answers one sample at a time.
 *
 * Our deviations: completions without an answer have no vote. Ties are not defined in the paper.
 */
import { normaliseAnswer } from "#kernel/answer-form.ts";
import { Caller, withInstruction } from "#kernel/call.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";

export interface SelfConsistencyOptions {
  /** Samples n. The paper: 40. */
  samples: number;
  /** Name in results; `self-consistency` when left out. */
  id?: string;
  /** Put in the system message; nothing is added when left out. */
  instruction?: string;
  /** Of the samples; the request's own when left out. Greedy samples would all agree. The paper: 0.7 (0.5 for smaller models, with top-k 40). */
  temperature?: number;
  /** Two answers agree when their normal forms are equal; an empty form has no vote. */
  normalise?: (answer: string) => string;
}

export function selfConsistency(options: SelfConsistencyOptions): Method {
  return { id: options.id ?? "self-consistency", run: (request) => runSelfConsistency(request, options) };
}

async function* runSelfConsistency(request: MethodRequest, options: SelfConsistencyOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { samples, instruction, temperature, normalise = normaliseAnswer } = options;
  const caller = new Caller(request);
  const messages = withInstruction(request.messages, instruction);

  // 1. Sample.
  const seed = deriveSeed(request.seed, "attempt", 0);
  const sampled = await caller.ask(messages, { n: samples, seed, ...(temperature === undefined ? {} : { temperature }) });
  if (!sampled.ok) {
    if (sampled.reason === "error") yield { type: "error", message: sampled.message };
    return { text: "", answer: "", reason: sampled.reason, usage: caller.spent };
  }
  for (const [attempt, { text, usage }] of sampled.completions.entries()) {
    yield { type: "attempt-end", attempt, messages, text, usage };
  }

  // 2. Normal forms; 3. the majority.
  const forms = sampled.completions.map(({ text }) => normalise(parseRefine(text).answerText));
  const { winner, votes, voters } = countVotes(forms);
  yield { type: "choice-end", attempt: winner, reason: `${votes} of ${voters} votes` };
  const text = sampled.completions[winner]!.text;
  return { text, answer: parseRefine(text).answerText, reason: "done", usage: caller.spent };
}

/** The first sample whose form has the most votes; sample 0 when none has an answer. */
function countVotes(forms: readonly string[]): { winner: number; votes: number; voters: number } {
  // A map keeps the order of first sight, so the first largest count is the tie rule.
  const votesByForm = new Map<string, number>();
  for (const form of forms) if (form !== "") votesByForm.set(form, (votesByForm.get(form) ?? 0) + 1);
  let winner = "";
  let votes = 0;
  for (const [form, count] of votesByForm) {
    if (count > votes) [winner, votes] = [form, count];
  }
  return { winner: votes === 0 ? 0 : forms.indexOf(winner), votes, voters: forms.length };
}
