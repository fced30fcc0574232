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

/** With what was read from a cache, where the server tells that beside it. */
function fullPrompt({ prompt, completion = 0, reasoning = 0, total, cached }: ToldTokens): number | undefined {
  if (!prompt || !cached) return prompt;
  const isBeside = (sampled: number) => total === prompt + cached + sampled && total !== prompt + sampled;
  const explained = total === prompt + completion + reasoning;
  if (cached > prompt || (!explained && (isBeside(completion) || isBeside(completion + reasoning)))) return prompt + cached;
  return prompt;
}
