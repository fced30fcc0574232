/** Which questions of a file a model can be trained on and asked: those whose prompts leave room for an answer in its context. */
import { MidcourseError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import { asking } from "../shared/graded-samples.ts";
import type { LeftOutRow } from "../shared/left-out.ts";
import { type RowFault, type Source, toExample } from "./source.ts";

/** Tokens that the shortest answer in its tags may need. */
const shortestAnswer = 16;

export interface ModelLimits {
  tokenizer: Pick<Tokenizer, "encodeConversation" | "encodeTraining">;
  maxContextTokens: number;
  /** Tokens of the longest supervised example; absent where none is made of the rows themselves. */
  longestExample?: number | undefined;
}

/** The source without what the model cannot take, and the rows that were left out for it. */
export function fittingSource(source: Source, options: object, limits: ModelLimits): { source: Source; leftOut: LeftOutRow[] } {
  const fitting = source.fitting?.(faultBy(source, options, limits));
  if (fitting === undefined || fitting.leftOut.length === 0) return { source, leftOut: [] };
  // How answers are graded stays: a judge may have taken the rule's place.
  const { conversations, heldConversations, problems, validation, test } = fitting.source;
  return { source: { ...source, conversations, heldConversations, problems, validation, test }, leftOut: fitting.leftOut };
}

function faultBy(source: Source, options: object, { tokenizer, maxContextTokens, longestExample }: ModelLimits): RowFault {
  const system = longestText({ source: { ...source.prompts }, ...options });
  const tokensOf = (item: Item) => {
    const encode = (instruction: string | undefined) =>
      tokenizer.encodeConversation(asking(instruction, item.question), { addGenerationPrompt: true }).length;
    // Some templates take no system message, and then none is asked with.
    return refusalOf(() => encode(system)) === undefined ? encode(system) : encode(undefined);
  };
  return (item, use, conversations) => {
    let tokens = 0;
    const refused = refusalOf(() => {
      tokens = tokensOf(item);
    });
    if (refused !== undefined) return `the chat template refuses it (${refused})`;
    if (tokens + shortestAnswer > maxContextTokens)
      return `its prompt leaves no room for an answer (${tokens} tokens in a context of ${maxContextTokens})`;
    if (longestExample === undefined || use === "measuring") return undefined;
    const most = Math.min(longestExample, maxContextTokens);
    const lengths: number[] = [];
    const unsayable = refusalOf(() => {
      for (const conversation of conversations()) lengths.push(toExample(tokenizer, conversation).ids.length);
    });
    if (unsayable !== undefined) return `the chat template refuses it (${unsayable})`;
    const shortest = Math.min(...lengths);
    return shortest > most ? `its example has more tokens than are taken (${shortest}, of at most ${most})` : undefined;
  };
}

/** What the user's template or text is refused with; undefined where it is not. */
export function refusalOf(work: () => void): string | undefined {
  try {
    work();
    return undefined;
  } catch (error) {
    if (MidcourseError.isInstance(error) && error.family === "user") return error.what.replaceAll(/[()]/g, "");
    throw error;
  }
}

/** Of the texts that stand before a question: system messages by their names among the options. */
function longestText(options: object): string {
  const texts = Object.entries(options).flatMap(([name, value]): string[] => {
    if (typeof value === "string") return /instruction$/i.test(name) ? [value] : [];
    if (name === "prompts" || name === "source") return Object.values(value as object).filter((text) => typeof text === "string");
    return [];
  });
  return texts.reduce((longest, text) => (text.length > longest.length ? text : longest), "");
}
