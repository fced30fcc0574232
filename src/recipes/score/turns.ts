/**
 * What stands between the two turns of SCoRe, as ids: the end of the first answer where it was cut, the request for a second one and the
 * opening of the turn that answers it, all by the checkpoint's own chat template. Sampled ids are never turned into text and back.
 */
import { MidcourseError, userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import type { Message } from "#kernel/model.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import type { FollowUp } from "#training/policy/turn-rollouts.ts";
import { asking } from "../shared/graded-samples.ts";

export type TurnTokenizer = Pick<Tokenizer, "encodeConversation" | "continueConversation" | "decode" | "stopIds" | "endOfTurnId">;

/**
 * Some templates show an earlier turn otherwise once another follows: Qwen3's leaves its reasoning out. `as-shown`: such a first answer
 * has no second turn that a server would ever ask for in this way, so it is refused. `as-sampled`: the second turn sees the first as it
 * was written, reasoning and all, between the template's own words.
 */
export type EarlierTurns = "as-shown" | "as-sampled";

export interface RetryPrompts {
  /** System message; none when empty. */
  system: string;
  /** The fixed request for a second answer. */
  retry: string;
}

export function opening(item: Item, { system }: RetryPrompts): Message[] {
  return asking(system === "" ? undefined : system, item.question);
}

/** @throws userError where the template has no place for a second turn (`as-sampled`; at once) or rewrites the first (later, by item) */
export function retryFollowUp(tokenizer: TurnTokenizer, prompts: RetryPrompts, earlierTurns: EarlierTurns): FollowUp<Item> {
  const next: Message[] = [{ role: "user", content: prompts.retry }];
  if (earlierTurns === "as-sampled") {
    const after = idsAfterTurn(tokenizer, prompts, next);
    return (_, { ids }) => [...(tokenizer.stopIds.includes(ids[ids.length - 1]) ? [] : [tokenizer.endOfTurnId]), ...after];
  }
  return ({ subject, prompt }, { ids }) => {
    try {
      const sampled = ids.slice(prompt.length);
      return tokenizer.continueConversation(prompt, sampled, opening(subject, prompts), next).slice(ids.length);
    } catch (error) {
      if (!MidcourseError.isInstance(error) || error.code !== "template-rewrites-history") throw error;
      throw userError(error.code, error.what, rewritingAdvice, error);
    }
  };
}

const rewritingAdvice =
  "Set earlierTurns=as-sampled to train the second turn on the first as it was written, or use a model whose template keeps earlier turns.";

/** A word that no template writes itself, so that its end marks the end of the turn it was put into. */
const probe = "a1b2c3";

/** The ids the template writes behind an assistant's turn and its end token; the same whatever the turn said. */
function idsAfterTurn(tokenizer: TurnTokenizer, prompts: RetryPrompts, next: readonly Message[]): number[] {
  const question: Item = { id: "probe", question: "?", answer: "" };
  const messages: Message[] = [...opening(question, prompts), { role: "assistant", content: probe }, ...next];
  const ids = tokenizer.encodeConversation(messages, { addGenerationPrompt: true });
  for (let end = ids.length - 1; end > 0; end--) {
    if (ids[end] === tokenizer.endOfTurnId && tokenizer.decode(ids.slice(0, end)).trimEnd().endsWith(probe))
      return ids.slice(end + 1);
  }
  throw userError(
    "template-without-turns",
    "The chat template does not end an assistant's turn with its end token when another message follows",
    "Use a checkpoint whose template can hold a conversation of several turns.",
  );
}
