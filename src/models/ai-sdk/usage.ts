/** Usage and finish reasons in the AI SDK's terms and in ours. Unknown stays unknown both ways. */
import type { LanguageModelV4FinishReason, LanguageModelV4Usage } from "@ai-sdk/provider";
import type { FinishReason, Usage } from "#kernel/model.ts";
import { ReasoningMemory } from "../around/reasoning-memory.ts";

/**
 * One call's usage. Some providers of the SDK write 0 where the server said nothing, so a prompt of 0 tokens, which no conversation has, and
 * an output of 0 beside content are unknown. By the SDK's rules the total holds the reasoning; some providers hand on what a server tells
 * beside it (vercel/ai#12425), which shows in a negative count of text, or in the server's own total.
 */
export function usageOf(
  usage: LanguageModelV4Usage,
  hasContent: boolean,
  milliseconds: number,
  memory = new ReasoningMemory(),
): Usage {
  const { inputTokens: input, outputTokens: output, raw } = usage;
  const reasoning = known(output?.reasoning);
  const completion = known(output?.total);
  // The text is what a provider takes off the total; where it is all of it, or less than nothing, the reasoning is not in there.
  const isBeside = reasoning !== undefined && reasoning > 0 && completion !== undefined && isAlone(output.text, completion);
  const prompt = known(input?.total);
  const told = {
    prompt,
    completion,
    reasoning,
    total: isBeside && prompt !== undefined ? prompt + completion + reasoning : known(raw?.total_tokens),
    cached: known(input?.cacheRead),
  };
  const read = memory.read(told);
  const isKnown = read.outputTokens !== undefined && !(read.outputTokens === 0 && hasContent);
  const inputTokens = read.inputTokens || undefined;
  return {
    calls: 1,
    inputTokens,
    outputTokens: isKnown ? read.outputTokens : undefined,
    cachedInputTokens: inputTokens === undefined ? undefined : told.cached,
    reasoningTokens: isKnown ? read.reasoningTokens : undefined,
    ...(isKnown && read.reasoningCount ? { reasoningCount: read.reasoningCount } : {}),
    milliseconds,
  };
}

function isAlone(text: number | undefined, completion: number): boolean {
  return typeof text === "number" && (text < 0 || text === completion);
}

export function sdkUsage(usage: Usage): LanguageModelV4Usage {
  const { inputTokens, outputTokens, cachedInputTokens, reasoningTokens } = usage;
  return {
    inputTokens: {
      total: inputTokens,
      noCache: difference(inputTokens, cachedInputTokens),
      cacheRead: cachedInputTokens,
      cacheWrite: undefined,
    },
    outputTokens: { total: outputTokens, text: difference(outputTokens, reasoningTokens), reasoning: reasoningTokens },
  };
}

function known(count: unknown): number | undefined {
  return typeof count === "number" && Number.isFinite(count) && count >= 0 ? count : undefined;
}

function difference(whole: number | undefined, part: number | undefined): number | undefined {
  return whole === undefined || part === undefined ? undefined : Math.max(0, whole - part);
}

/** `interrupted`: the stream ended unannounced, so nobody knows whether the text is whole; it is not used. */
export function finishReasonOf({ unified }: LanguageModelV4FinishReason, asksForTools: boolean): FinishReason {
  if (asksForTools) return "tool-calls";
  switch (unified) {
    case "length":
    case "content-filter":
    case "error":
    case "other":
      return unified;
    case "interrupted":
      return "error";
    default:
      return "stop";
  }
}
