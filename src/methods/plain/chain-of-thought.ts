/**
 * Asks the model to reason step by step before it answers, without examples.
 *
 * "Large Language Models are Zero-Shot Reasoners", Takeshi Kojima et al., 2022, arXiv 2205.11916.
 *
 * Algorithm (§3)
 *   1. Reasoning: the question with the trigger "Let's think step by step."
 *   2. With `extract`: the question, the reasoning, and a request for the answer alone.
 *   3. The answer is that of step 2 where it can be read, else that of step 1.
 *
 * Cost: 1 call; 2 with `extract`, as in the paper.
 *
 * Our deviations: one call unless asked for two, because chat models state their answer at the end of their reasoning. The paper's trigger
 * is the beginning of the model's answer (`style: "prefill"`); chats seldom go on with a message of the model, so that it stands at the end
 * of the question here (`style: "question"`) or, as an instruction in our own words, in the system message (`style: "instruction"`).
 */
import { answerFormOf } from "#kernel/answer-form.ts";
import { withInstruction } from "#kernel/call.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import type { Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { optionsOf } from "../driver/options.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";
import { withReply, withTurn } from "../driver/turns.ts";

const styles = ["question", "instruction", "prefill"] as const;

export interface ChainOfThoughtOptions {
  /** Name in results; `chain-of-thought` when left out. */
  id?: string;
  /** Where the request to reason stands; `question` when left out. */
  style?: (typeof styles)[number];
  /** The request itself; the paper's sentence when left out, or an instruction of ours in the system message. */
  trigger?: string;
  /** Ask in a second call for the answer alone; false when left out. The paper: true. */
  extract?: boolean;
  /** Asks for the answer alone. */
  extractPrompt?: string;
}

export function chainOfThought(options: ChainOfThoughtOptions = {}): Method {
  const { id = "chain-of-thought", style = "question", extract = false } = options;
  // A prefilled beginning is not part of what the model writes; two calls have no single text to show.
  const live = extract || style === "prefill" ? {} : { liveAnswer: "whole" as const };
  return { id, ...live, run: (request) => runChainOfThought(request, options) };
}

async function* runChainOfThought(request: MethodRequest, options: ChainOfThoughtOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { extract = false, extractPrompt = defaultExtractPrompt } = options;
  const calls = new TracedCalls(request);
  const messages = askToReason(request.messages, options);

  try {
    // 1. Reasoning.
    const reasoned = yield* calls.attempt(messages, { seed: deriveSeed(request.seed, "attempt", 0) });
    if (!extract) return yield* endWith({ chosen: reasoned, usage: calls.caller.spent });

    // 2. The answer alone.
    const asking = withTurn(messages, reasoned.text, extractPrompt);
    const extracted = yield* calls.attempt(asking, { seed: deriveSeed(request.seed, "attempt", 1) });

    // 3. Whichever can be read.
    const isReadable = answerFormOf(request).read(extracted.text) !== undefined;
    const [chosen, why] = isReadable ? [extracted, "the answer alone"] : [reasoned, "no answer was found in the second reply"];
    return yield* endWith({ chosen, why, usage: calls.caller.spent });
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { chosen: calls.candidates.at(-1), usage: calls.caller.spent });
  }
}

function askToReason(messages: readonly Message[], options: ChainOfThoughtOptions): Message[] {
  const { style = "question", trigger = style === "instruction" ? defaultInstruction : paperTrigger } = options;
  if (style === "instruction") return withInstruction(messages, trigger);
  if (style === "prefill") return withReply(messages, trigger);
  const place = messages.findLastIndex((message) => message.role === "user");
  if (place < 0) return withInstruction(messages, trigger);
  return messages.map((message, index) =>
    index === place ? { ...message, content: `${message.content}\n\n${trigger}` } : message,
  );
}

const paperTrigger = "Let's think step by step.";

const defaultInstruction =
  "Work through the problem step by step and write each step down before you state the final answer in the form that is asked for.";

const defaultExtractPrompt = "So what is the final answer? State it alone, in the form that was asked for.";

export const chainOfThoughtCard: MethodCard = {
  id: "chain-of-thought",
  summary: "Asks for reasoning step by step before the answer.",
  paper: {
    title: "Large Language Models are Zero-Shot Reasoners",
    authors: "Takeshi Kojima et al.",
    year: 2022,
    arxiv: "2205.11916",
  },
  kind: "plain",
  needs: [],
  options: {
    style: {
      type: "choice",
      default: "question",
      choices: styles,
      description: "where the request stands: end of the question, system message, or beginning of the answer",
      paper: "prefill",
    },
    trigger: { type: "text", default: undefined, description: "the request itself", paper: "Let's think step by step." },
    extract: {
      type: "boolean",
      default: false,
      description: "ask in a second call for the answer alone",
      paper: "true",
    },
  },
  calls: "1 + [extract]",
  maxCalls: ({ extract }) => (extract ? 2 : 1),
  create: (options, id) => chainOfThought({ ...optionsOf<ChainOfThoughtOptions>(options, "style", "trigger", "extract"), id }),
};
