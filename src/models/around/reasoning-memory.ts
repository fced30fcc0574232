/** What the replies of one server have shown of how it counts reasoning, and each reply's sampled tokens by it. */
import type { ReasoningCount, Usage } from "#kernel/model.ts";
import { reasoningConvention } from "#kernel/reasoning-count.ts";

/** Counts as a server tells them; what it does not tell is undefined. */
export interface ToldTokens {
  prompt: number | undefined;
  completion: number | undefined;
  reasoning: number | undefined;
  total: number | undefined;
  cached: number | undefined;
  /** More of the input, which the prompt holds or leaves out: written to a cache, sounds and images, what tools said. */
  beside?: readonly number[] | undefined;
}

export type SampledTokens = Pick<Usage, "inputTokens" | "outputTokens" | "reasoningTokens" | "reasoningCount">;

const noCount: ReasoningCount = { inside: 0, beside: 0, untold: 0, untoldTokens: 0, addedTokens: 0 };

export class ReasoningMemory {
  #inside = 0;
  #beside = 0;

  /**
   * Reasoning stands beside the completion where there is more of it than the completion has, or where the total holds both; it is a part
   * where the total holds the completion alone. A total that is larger than its parts without any word of reasoning holds what was
   * sampled unseen. Prompts of some gateways leave out what was read from a cache, which shows in the same way.
   */
  read(told: ToldTokens): SampledTokens {
    const { completion, total } = told;
    const prompt = fullPrompt(told);
    if (completion === undefined) {
      // The rest of the total was sampled, reasoning or not.
      const rest = total === undefined || !prompt || total < prompt ? undefined : total - prompt;
      return { inputTokens: prompt, outputTokens: rest, reasoningTokens: told.reasoning };
    }
    const unseen = total === undefined || !prompt ? 0 : total - prompt - completion;
    const reasoning = told.reasoning ?? (unseen > 0 ? unseen : undefined);
    if (!reasoning) return { inputTokens: prompt, outputTokens: completion, reasoningTokens: reasoning };
    const count = { ...noCount };
    let outputTokens = completion;
    if (reasoning > completion || (prompt !== undefined && unseen === reasoning)) {
      this.#beside++;
      count.beside = 1;
      outputTokens += reasoning;
    } else if (total !== undefined && prompt && unseen === 0) {
      this.#inside++;
      count.inside = 1;
    } else {
      count.untold = 1;
      count.untoldTokens = reasoning;
      if (reasoningConvention({ inside: this.#inside, beside: this.#beside }) === "beside") {
        count.addedTokens = reasoning;
        outputTokens += reasoning;
      }
    }
    return { inputTokens: prompt, outputTokens, reasoningTokens: reasoning, reasoningCount: count };
  }
}

/**
 * With what the server tells beside it: read from a cache and written to one (Anthropic's own counts, which gateways hand on), and other input.
 * Which of it the prompt lacks shows in the total; without a total more of it than the prompt has is no part of the prompt.
 */
function fullPrompt({ prompt, completion = 0, reasoning = 0, total, cached = 0, beside = [] }: ToldTokens): number | undefined {
  if (!prompt) return prompt;
  const sampled = [completion, completion + reasoning];
  const isExplained = (input: number) => sampled.some((tokens) => total === input + tokens);
  if (!isExplained(prompt)) {
    const lacking = sumsOf([cached, ...beside].slice(0, mostBeside)).find((tokens) => isExplained(prompt + tokens));
    if (lacking !== undefined) return prompt + lacking;
  }
  return cached > prompt ? prompt + cached : prompt;
}

const mostBeside = 6;

/** Of every choice of the numbers, the first alone first. */
function sumsOf(numbers: readonly number[]): number[] {
  const sums: number[] = [];
  for (const each of numbers) sums.push(each, ...sums.map((sum) => sum + each));
  return sums;
}
