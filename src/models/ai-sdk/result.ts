/** What a finished method becomes in the AI SDK's terms: content parts, finish reason, usage, metadata. */
import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4GenerateResult,
  SharedV4ProviderMetadata,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { parseRefine } from "#kernel/refine-grammar.ts";
import type { Outcome, TraceEvent } from "#kernel/trace.ts";
import { blockEnd, headline, summaryOf, wordsOf } from "./progress.ts";
import { progressMark } from "./prompt.ts";
import type { RequestRun } from "./request.ts";
import { sdkUsage } from "./usage.ts";

export function generateResult(state: RequestRun, outcome: Outcome, warnings: SharedV4Warning[]): LanguageModelV4GenerateResult {
  const progress = (state.showProgress ? state.events : []).map((event): LanguageModelV4Content => {
    return { type: "reasoning", text: progressText(state, event, outcome.text), providerMetadata: progressMark };
  });
  const isJson = state.call.responseFormat?.type === "json";
  return {
    content: [...progress, ...answerParts(state, outcome)],
    ...(isJson && outcome.reason !== "tool-calls" ? { structuredOutputText: outcome.answer } : {}),
    ...endOf(state, outcome),
    warnings,
  };
}

export function endOf(
  state: RequestRun,
  outcome: Outcome,
): Pick<LanguageModelV4GenerateResult, "finishReason" | "usage"> & { providerMetadata: SharedV4ProviderMetadata } {
  return {
    finishReason: finishReason(state, outcome),
    usage: sdkUsage(outcome.usage),
    providerMetadata: { midcourse: summaryOf(state.methodId, state.seed, state.events, outcome) },
  };
}

/** The model's own request for a tool, untouched; or the answer with what its completion holds beside text. */
export function answerParts({ model }: RequestRun, outcome: Outcome): LanguageModelV4Content[] {
  if (outcome.reason === "tool-calls") return model.toolRequest();
  const own = model.contentOf(outcome.text)?.answer.content ?? [];
  const texts = own.filter((part) => part.type === "text");
  const isWhole = texts.map((part) => part.text).join("") === outcome.answer;
  const answer: LanguageModelV4Content[] = isWhole && texts.length > 0 ? texts : [{ type: "text", text: outcome.answer }];
  const reasoning = own.filter((part) => part.type === "reasoning" || part.type === "reasoning-file");
  const others = own.filter((part) => part.type !== "text" && part.type !== "reasoning" && part.type !== "reasoning-file");
  return [...reasoning, ...answer, ...others];
}

/** Of the attempt that became the answer only the reasoning is told, since its answer follows as text. */
function progressText({ model }: RequestRun, event: TraceEvent, answerText: string): string {
  const words = wordsOf(event);
  const isAnswer = event.type === "attempt-end" && words === answerText;
  const ownReasoning = isAnswer ? "" : (model.contentOf(words)?.completion.reasoning ?? "");
  const told = isAnswer ? (parseRefine(words).think ?? "") : words;
  return [headline(event), ownReasoning, told.trim()].filter((piece) => piece !== "").join("\n\n") + blockEnd;
}

function finishReason({ model }: RequestRun, outcome: Outcome): LanguageModelV4FinishReason {
  const raw = outcome.reason;
  if (outcome.reason === "tool-calls") return { unified: "tool-calls", raw };
  const own = model.contentOf(outcome.text)?.completion.finishReason;
  return { unified: own === "length" || own === "content-filter" ? own : "stop", raw };
}
