/**
 * One plain answer, as the model gives it. The baseline every other method is compared with.
 *
 * Algorithm
 *   1. Ask once; the completion is the answer.
 *
 * Cost: 1 call.
 */
import { Caller, withInstruction } from "#kernel/call.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { optionsOf } from "../driver/options.ts";

export interface VanillaOptions {
  /** Name in results; `vanilla` when left out. */
  id?: string;
  /** Put in the system message; nothing is added when left out. */
  instruction?: string;
}

export function vanilla(options: VanillaOptions = {}): Method {
  return { id: options.id ?? "vanilla", liveAnswer: "whole", run: (request) => runVanilla(request, options) };
}

async function* runVanilla(request: MethodRequest, options: VanillaOptions): AsyncGenerator<TraceEvent, Outcome> {
  const caller = new Caller(request);
  const messages = withInstruction(request.messages, options.instruction);

  // 1. One call.
  const answered = await caller.ask(messages, { seed: deriveSeed(request.seed, "attempt", 0) });
  if (!answered.ok) {
    if (answered.reason === "error") yield { type: "error", message: answered.message };
    return { text: "", answer: "", reason: answered.reason, usage: caller.spent };
  }
  const text = answered.completions[0].text;
  yield { type: "attempt-end", attempt: 0, messages, text, usage: answered.usage };
  return { text, answer: parseRefine(text).answerText, reason: "done", usage: caller.spent };
}

export const vanillaCard: MethodCard = {
  id: "vanilla",
  summary: "One plain answer, as the model gives it.",
  kind: "plain",
  needs: [],
  options: { instruction: { type: "text", default: undefined, description: "system message" } },
  calls: "1",
  maxCalls: () => 1,
  create: (options, id) => vanilla({ ...optionsOf<VanillaOptions>(options, "instruction"), id }),
};
