/**
 * Sample several answers and return the one most of them agree on.
 *
 * "Self-Consistency Improves Chain of Thought Reasoning in Language Models", Xuezhi Wang et al., 2022, arXiv 2203.11171.
 *
 * Algorithm (§2)
 *   1. Sample n completions of the same conversation.
 *   2. Read the answer of each.
 *   3. Return the answer with the most votes (the paper's unweighted sum; a tie goes to the answer seen first).
 *
 * Cost: 1 call with n samples (the prompt is paid once); where a model answers one sample at a time it makes n requests of it.
 *
 * Our deviations: completions without an answer have no vote. Ties are not defined in the paper. Answers are told apart in the task's own
 * form where the request brings one. Greedy samples would all agree, so that they are drawn at 0.7 where the run is greedy and no
 * temperature is given.
 */
import { type AnswerForm, answerFormOf } from "#kernel/answer-form.ts";
import { withInstruction } from "#kernel/call.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { mostAgreed } from "../driver/candidates.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { optionsOf } from "../driver/options.ts";
import { samplingTemperature } from "../driver/sampling.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";

export interface SelfConsistencyOptions {
  /** Samples n. The paper: 40. */
  samples: number;
  /** Name in results; `self-consistency` when left out. */
  id?: string;
  /** Put in the system message; nothing is added when left out. */
  instruction?: string;
  /** Of the samples; the request's own when left out, 0.7 where that is 0. The paper: 0.7 (0.5 for smaller models, with top-k 40). */
  temperature?: number;
  /** Two answers agree when their normal forms are equal; an empty form has no vote. The task's own form when left out. */
  normalise?: (answer: string) => string;
}

export function selfConsistency(options: SelfConsistencyOptions): Method {
  return { id: options.id ?? "self-consistency", run: (request) => runSelfConsistency(request, options) };
}

async function* runSelfConsistency(request: MethodRequest, options: SelfConsistencyOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { samples: n, instruction, normalise } = options;
  const calls = new TracedCalls(request);
  const messages = withInstruction(request.messages, instruction);
  const temperature = samplingTemperature(options.temperature, request.temperature);

  try {
    // 1. Sample.
    const sampled = yield* calls.attempts(messages, { n, seed: deriveSeed(request.seed, "attempt", 0), temperature });

    // 2. Read; 3. the majority.
    const { winner = sampled[0], votes, voters } = mostAgreed(sampled, normalise ? formBy(normalise) : answerFormOf(request));
    return yield* endWith({ chosen: winner, why: `${votes} of ${voters} votes`, usage: calls.caller.spent });
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { usage: calls.caller.spent });
  }
}

function formBy(normalise: (answer: string) => string): AnswerForm {
  return { read: (text) => normalise(parseRefine(text).answerText) || undefined, same: (first, second) => first === second };
}

export const selfConsistencyCard: MethodCard = {
  id: "self-consistency",
  summary: "Samples several answers and returns the one most of them agree on.",
  paper: {
    title: "Self-Consistency Improves Chain of Thought Reasoning in Language Models",
    authors: "Xuezhi Wang et al.",
    year: 2022,
    arxiv: "2203.11171",
  },
  kind: "sampling",
  needs: [],
  options: {
    samples: { type: "integer", default: 8, minimum: 1, maximum: 1000, description: "answers to sample", paper: "40" },
    temperature: {
      type: "number",
      default: undefined,
      maximum: 10,
      description: "of the samples; the run's own when not given, 0.7 where that is 0",
      paper: "0.7 (0.5 for smaller models)",
    },
    instruction: { type: "text", default: undefined, description: "system message" },
  },
  calls: "1",
  maxCalls: () => 1,
  create: (options, id) =>
    selfConsistency({ ...optionsOf<SelfConsistencyOptions>(options, "samples", "temperature", "instruction"), id }),
};
