/**
 * Whether a server's sampled tokens hold its reasoning. OpenAI counts it among them; xAI and Gemini's compatible endpoint tell it beside them.
 * The replies that show it decide for those that do not, over a whole run, whatever the order in which they came.
 */
import type { ReasoningCount, Usage } from "./model.ts";

export type ReasoningConvention = "inside" | "beside";

/** By what most replies show; OpenAI's own where none shows anything or as many show either. */
export function reasoningConvention({ inside, beside }: Pick<ReasoningCount, "inside" | "beside">): ReasoningConvention {
  return beside > inside ? "beside" : "inside";
}

/** Sampled tokens that are missing in (or, negative, were added to) `outputTokens` once it is decided. */
export function unsettledTokens(count: ReasoningCount | undefined, convention: ReasoningConvention | undefined): number {
  if (count === undefined || convention === undefined) return 0;
  return (convention === "beside" ? count.untoldTokens : 0) - count.addedTokens;
}

/** The same usage with every call counted by the same convention. */
export function settledUsage<Part extends Pick<Usage, "outputTokens" | "dollars" | "reasoningCount">>(
  usage: Part,
  convention: ReasoningConvention | undefined,
): Part {
  const { outputTokens, dollars, reasoningCount: count } = usage;
  const tokens = unsettledTokens(count, convention);
  if (tokens === 0 || outputTokens === undefined) return usage;
  const price = count?.untoldDollars === undefined ? undefined : count.untoldDollars / count.untoldTokens;
  return {
    ...usage,
    outputTokens: outputTokens + tokens,
    ...(dollars === undefined || price === undefined ? {} : { dollars: dollars + tokens * price }),
  };
}
