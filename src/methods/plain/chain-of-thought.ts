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
import { withInstruction } from "#kernel/call.ts";
import type { Message } from "#kernel/model.ts";
import { defineMethod } from "../driver/define-method.ts";
import { withNote, withReply, withTurn } from "../driver/turns.ts";

const paperTrigger = "Let's think step by step.";

const defaultInstruction =
  "Work through the problem step by step and write each step down before you state the final answer in the form that is asked for.";

export const chainOfThought = defineMethod({
  id: "chain-of-thought",
  summary: "Asks for reasoning step by step before the answer.",
  paper: {
    title: "Large Language Models are Zero-Shot Reasoners",
    authors: "Takeshi Kojima et al.",
    year: 2022,
    arxiv: "2205.11916",
  },
  kind: "plain",
  status: "stable",
  options: {
    style: {
      type: "choice",
      default: "question",
      choices: ["question", "instruction", "prefill"],
      description: "where the request stands: end of the question, system message, or beginning of the answer",
      paper: "prefill",
    },
    trigger: { type: "text", description: "the request itself", paper: paperTrigger },
    extract: { type: "boolean", default: false, description: "ask in a second call for the answer alone", paper: "true" },
  },
  extras: {
    /** Asks for the answer alone. */
    extractPrompt: "So what is the final answer? State it alone, in the form that was asked for.",
  },
  calls: "1 + [extract]",
  maxCalls: ({ extract }) => (extract ? 2 : 1),
  // A prefilled beginning is not part of what the model writes; two calls have no single text to show.
  liveAnswer: ({ extract, style }) => (extract || style === "prefill" ? undefined : "whole"),

  async *steps(run) {
    const { style, extract, extractPrompt } = run.options;
    const { trigger = style === "instruction" ? defaultInstruction : paperTrigger } = run.options;
    const messages = askToReason(run.request.messages, style, trigger);

    // 1. Reasoning.
    const reasoned = yield* run.attempt(messages, { seed: run.seed("attempt", 0) });
    if (!extract) return { chosen: reasoned };

    // 2. The answer alone.
    const extracted = yield* run.attempt(withTurn(messages, reasoned.text, extractPrompt), { seed: run.seed("attempt", 1) });

    // 3. Whichever can be read.
    const isReadable = run.form.read(extracted.text) !== undefined;
    return isReadable
      ? { chosen: extracted, why: "the answer alone" }
      : { chosen: reasoned, why: "no answer was found in the second reply" };
  },
});

function askToReason(messages: readonly Message[], style: "question" | "instruction" | "prefill", trigger: string): Message[] {
  const place = messages.findLastIndex((message) => message.role === "user");
  if (style === "prefill") return withReply(messages, trigger);
  return style === "instruction" || place < 0 ? withInstruction(messages, trigger) : withNote(messages, trigger);
}
