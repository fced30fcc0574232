/**
 * TRL's columns: prompt–completion for supervised training, where the loss is on the completion alone, and preference for DPO and its kin.
 * Both in their conversational and their plain-text shape; we write the conversational one, so that TRL puts in the chat template itself.
 */
import type { Message } from "#kernel/model.ts";
import { sharedPrefix } from "../sources/pairs.ts";
import { isDropped } from "./data-card.ts";
import {
  answered,
  asMessage,
  holdsMoreThanText,
  malformed,
  readId,
  readMessages,
  shown,
  type TrainingFormat,
  wrongKind,
} from "./datum.ts";
import { conversationOr, plainConversation } from "./formats-chat.ts";

/** `{"prompt": […], "completion": […]}`. The completion begins with what is learned; only an answer can be learned in it. */
export const trlPromptCompletion: TrainingFormat = {
  name: "trl-prompt-completion",
  kind: "conversation",
  summary: "TRL's prompt and completion columns: the loss is on the completion",
  looksLike: ({ prompt, completion }) => isSide(prompt) && isSide(completion),
  read(values, id) {
    const prompt = asPrompt(values.prompt);
    const completion = asCompletion(values.completion);
    if (prompt === undefined || completion === undefined) return malformed("prompt and completion are not text or messages");
    if (completion.length !== 1 || completion[0].role !== "assistant") return malformed("the completion is not one answer");
    const messages = [...prompt.map(shown), { ...completion[0], trainable: true }];
    return conversationOr({ id: readId(values, id), messages }, values);
  },
  write(datum) {
    const conversation = plainConversation(datum, "trl-prompt-completion");
    if (isDropped(conversation)) return conversation;
    const { id, messages } = conversation;
    const first = messages.findIndex(({ trainable }) => trainable);
    if (first !== messages.length - 1) {
      return { dropped: "not-representable", detail: "something other than the last message is learned" };
    }
    return { id, prompt: messages.slice(0, -1).map(asMessage), completion: messages.slice(-1).map(asMessage) };
  },
};

/** `{"prompt": […], "chosen": […], "rejected": […]}`, or chosen and rejected as whole conversations that begin alike. */
export const trlPreference: TrainingFormat = {
  name: "trl-preference",
  kind: "pair",
  summary: "TRL's prompt, chosen and rejected columns",
  looksLike: ({ prompt, chosen, rejected }) =>
    isSide(chosen) && isSide(rejected) && (prompt === undefined || isSide(prompt)) && typeof chosen === typeof rejected,
  read(values, id) {
    const chosen = asCompletion(values.chosen);
    const rejected = asCompletion(values.rejected);
    if (!chosen || !rejected) return malformed("chosen and rejected are not text or messages");
    let prompt = values.prompt === undefined || values.prompt === null ? undefined : asPrompt(values.prompt);
    let [better, worse] = [chosen, rejected];
    if (prompt === undefined) {
      if (typeof values.chosen === "string") return fromTexts(values.chosen, values.rejected as string, readId(values, id));
      const shared = commonMessages(chosen, rejected);
      prompt = chosen.slice(0, shared);
      [better, worse] = [chosen.slice(shared), rejected.slice(shared)];
    }
    if (prompt.length === 0) return malformed("there is no prompt");
    if (![better, worse].every((side) => side.length === 1 && side[0].role === "assistant")) {
      return malformed("chosen and rejected are not one answer each");
    }
    return { kind: "pair", pair: { id: readId(values, id), prompt, chosen: better[0].content, rejected: worse[0].content } };
  },
  write(datum) {
    if (datum.kind !== "pair") return wrongKind(datum, "trl-preference");
    const { id, prompt, chosen, rejected, chosenMasked = [], rejectedMasked = [] } = datum.pair;
    if (holdsMoreThanText(prompt)) return { dropped: "not-representable", detail: "a message holds more than text" };
    // A beginning that both share cancels in the loss; masked or not, the gradient is the same.
    const shared = sharedPrefix(chosen, rejected);
    const isBeginning = (masked: typeof chosenMasked) => masked.every(([start, end]) => start === 0 && end <= shared);
    const cancels = isBeginning(chosenMasked) && isBeginning(rejectedMasked);
    if (!cancels) return { dropped: "not-representable", detail: "a part of an answer is masked" };
    return { id, prompt, chosen: [answered(chosen)], rejected: [answered(rejected)] };
  },
};

/** Implicit prompt in plain text: what both begin with, up to the last line break, is the question. */
function fromTexts(chosen: string, rejected: string, id: string) {
  const shared = sharedPrefix(chosen, rejected);
  const end = chosen.lastIndexOf("\n", shared - 1) + 1;
  if (end <= 0 || shared === 0) return malformed("there is no prompt, and chosen and rejected share no line");
  const prompt: Message[] = [{ role: "user", content: chosen.slice(0, end) }];
  return { kind: "pair" as const, pair: { id, prompt, chosen: chosen.slice(end), rejected: rejected.slice(end) } };
}

function commonMessages(first: readonly Message[], second: readonly Message[]): number {
  let shared = 0;
  while (shared < Math.min(first.length, second.length) - 1 && isSame(first[shared], second[shared])) shared++;
  return shared;
}

function isSame(first: Message, second: Message): boolean {
  return first.role === second.role && first.content === second.content;
}

function isSide(value: unknown): boolean {
  return typeof value === "string" || readMessages(value) !== undefined;
}

function asPrompt(value: unknown): Message[] | undefined {
  return typeof value === "string" ? [{ role: "user", content: value }] : readMessages(value);
}

function asCompletion(value: unknown): Message[] | undefined {
  return typeof value === "string" ? [answered(value)] : readMessages(value);
}
