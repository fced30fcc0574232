/** Usage and finish reasons in the AI SDK's terms and in ours. Unknown stays unknown both ways. */
import type { LanguageModelV4FinishReason, LanguageModelV4Usage } from "@ai-sdk/provider";
import type { FinishReason, Usage } from "#kernel/model.ts";

/**
 * One call's usage. Some providers of the SDK write 0 where the server said nothing, so a prompt of 0 tokens, which no conversation has, and
 * an output of 0 beside content are unknown.
 */
export function usageOf(usage: LanguageModelV4Usage, hasContent: boolean, milliseconds: number): Usage {
  const { inputTokens: input, outputTokens: output } = usage;
  const inputTokens = known(input.total) || undefined;
  const outputTokens = known(output.total) === 0 && hasContent ? undefined : known(output.total);
  return {
    calls: 1,
    inputTokens,
    outputTokens,
    cachedInputTokens: inputTokens === undefined ? undefined : known(input.cacheRead),
    reasoningTokens: outputTokens === undefined ? undefined : known(output.reasoning),
    milliseconds,
  };
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

function known(count: number | undefined): number | undefined {
  return count !== undefined && Number.isFinite(count) && count >= 0 ? count : undefined;
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
      return unified;
    case "interrupted":
      return "error";
    default:
      return "stop";
  }
}
