/** Any model of ours as a language model of the AI SDK (specification 4): the embedded engine above all, without a server between. */
import { randomInt } from "node:crypto";
import type {
  LanguageModelV4,
  LanguageModelV4CallOptions,
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { type CallSpecs, checkCall, maxTokensOption, seedOption, temperatureOption } from "#kernel/call-options.ts";
import { remoteError } from "#kernel/errors.ts";
import type { Completion, CompletionDelta, Model } from "#kernel/model.ts";
import { sdkFailure } from "./failure.ts";
import { messagesOf } from "./prompt.ts";
import { sdkUsage } from "./usage.ts";

export interface ToAiSdkOptions {
  /** Where the call names none. 1 when left out. */
  temperature?: number;
  /** Where the call names no `maxOutputTokens`. 1024 when left out. */
  maxTokens?: number;
  /** Where the call names none; without either, each call draws its own. */
  seed?: number;
}

const specs: CallSpecs<ToAiSdkOptions> = { temperature: temperatureOption, maxTokens: maxTokensOption, seed: seedOption };

/** Settings that a model of ours has no place for are refused with a warning, as the SDK asks, and the call goes on without them. */
export function toAiSdk(model: Model, options: ToAiSdkOptions = {}): LanguageModelV4 {
  checkCall("toAiSdk", specs, options);
  const ask = async (
    call: LanguageModelV4CallOptions,
    signal?: AbortSignal | undefined,
    onDelta?: (delta: CompletionDelta) => void,
  ) => {
    const { topP, topK, stopSequences: stop } = call;
    const completions = await model.generate(messagesOf(call.prompt), {
      n: 1,
      temperature: call.temperature ?? options.temperature ?? 1,
      maxTokens: call.maxOutputTokens ?? options.maxTokens ?? 1024,
      seed: call.seed ?? options.seed ?? randomInt(2 ** 31),
      ...(topP === undefined ? {} : { topP }),
      ...(topK === undefined ? {} : { topK }),
      ...(stop === undefined || stop.length === 0 ? {} : { stop }),
      signal,
      onDelta,
    });
    const completion = completions[0];
    if (!completion || completion.finishReason === "error") {
      throw remoteError("model-failed", `${model.id} returned no usable completion`, {});
    }
    return completion;
  };
  return {
    specificationVersion: "v4",
    provider: "midcourse",
    modelId: model.id,
    supportedUrls: {},

    async doGenerate(call) {
      try {
        const completion = await ask(call, call.abortSignal);
        const { reasoning, text } = completion;
        const content: LanguageModelV4Content[] = [
          ...(reasoning === undefined ? [] : [{ type: "reasoning" as const, text: reasoning }]),
          { type: "text", text },
        ];
        return { content, ...endOf(completion), warnings: unheeded(call) };
      } catch (error) {
        throw sdkFailure(error);
      }
    },

    async doStream(call) {
      const cancel = new AbortController();
      const signal = call.abortSignal ? AbortSignal.any([call.abortSignal, cancel.signal]) : cancel.signal;
      const stream = new ReadableStream<LanguageModelV4StreamPart>({
        async start(controller) {
          controller.enqueue({ type: "stream-start", warnings: unheeded(call) });
          const blocks = new Blocks((part) => cancel.signal.aborted || controller.enqueue(part));
          try {
            const completion = await ask(call, signal, (delta) => blocks.add(delta));
            blocks.complete(completion);
            controller.enqueue({ type: "finish", ...endOf(completion) });
            controller.close();
          } catch (error) {
            if (cancel.signal.aborted) return;
            if (call.abortSignal?.aborted) controller.error(call.abortSignal.reason);
            else {
              blocks.end();
              controller.enqueue({ type: "error", error: sdkFailure(error) });
              controller.close();
            }
          }
        },
        cancel: (reason) => cancel.abort(reason),
      });
      return { stream };
    },
  };
}

/** Reasoning before text, each in one block, whether the model streams or gives the whole at its end. */
class Blocks {
  readonly #tell: (part: LanguageModelV4StreamPart) => void;
  readonly #told = { reasoning: "", text: "" };
  #open: "reasoning" | "text" | undefined;
  #count = 0;

  constructor(tell: (part: LanguageModelV4StreamPart) => void) {
    this.#tell = tell;
  }

  add({ reasoning, text }: Pick<CompletionDelta, "reasoning" | "text">): void {
    if (reasoning) this.#piece("reasoning", reasoning);
    if (text) this.#piece("text", text);
  }

  complete({ reasoning = "", text }: Completion): void {
    if (reasoning.startsWith(this.#told.reasoning)) this.add({ reasoning: reasoning.slice(this.#told.reasoning.length) });
    if (text.startsWith(this.#told.text)) this.add({ text: text.slice(this.#told.text.length) });
    this.end();
  }

  end(): void {
    if (this.#open) this.#tell({ type: `${this.#open}-end`, id: `${this.#count}` });
    this.#open = undefined;
  }

  #piece(type: "reasoning" | "text", delta: string): void {
    if (this.#open !== type) {
      this.end();
      this.#open = type;
      this.#count++;
      this.#tell({ type: `${type}-start`, id: `${this.#count}` });
    }
    this.#told[type] += delta;
    this.#tell({ type: `${type}-delta`, id: `${this.#count}`, delta });
  }
}

function endOf({ finishReason, finishSaid = finishReason, usage }: Completion) {
  const reason: LanguageModelV4FinishReason = { unified: finishReason, raw: finishSaid };
  return { finishReason: reason, usage: sdkUsage(usage) };
}

function unheeded(call: LanguageModelV4CallOptions): SharedV4Warning[] {
  const given = {
    tools: call.tools !== undefined && call.tools.length > 0,
    responseFormat: call.responseFormat?.type === "json",
    presencePenalty: call.presencePenalty !== undefined,
    frequencyPenalty: call.frequencyPenalty !== undefined,
    reasoning: call.reasoning !== undefined && call.reasoning !== "provider-default",
  };
  return Object.entries(given).flatMap(([feature, isGiven]) => (isGiven ? [{ type: "unsupported" as const, feature }] : []));
}
