/** The model that a method sees while it answers one request of the AI SDK: the request's own options go with every inner call. */
import type { LanguageModelV4, LanguageModelV4CallOptions, LanguageModelV4Content, SharedV4Warning } from "@ai-sdk/provider";
import { sideBySide } from "#kernel/call.ts";
import type { CallPurpose, Completion, CompletionDelta, GenerateOptions, Message, Model } from "#kernel/model.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import type { CallPolicy } from "../around/retry.ts";
import { askAiSdk, callOptions } from "./from-ai-sdk.ts";
import { promptOf } from "./prompt.ts";
import type { AiSdkAnswer } from "./stream.ts";

export interface CallListener {
  /** A call begins; the function takes its pieces. Undefined: nobody listens, and the call is not streamed. */
  begin(call: number, samples: number, purpose: CallPurpose | undefined): ((delta: CompletionDelta) => void) | undefined;
  end(call: number): void;
}

export interface RequestSettings {
  /** Around calls that have something to lose. */
  policy: CallPolicy;
  listener?: CallListener;
  /** Values that stand for “not said”: inner calls with them leave the choice to the provider. */
  placeholders: { temperature?: number; maxTokens?: number };
}

export interface AnsweredCall {
  completion: Completion;
  answer: AiSdkAnswer;
}

/** Belongs to one request; nothing is shared between requests. */
export class RequestModel implements Model {
  readonly id: string;
  /** Every sample that was answered, in the order of the answers. */
  readonly answered: AnsweredCall[] = [];
  /** What the last failed call threw. */
  failure: unknown;
  readonly #model: LanguageModelV4;
  readonly #base: Partial<LanguageModelV4CallOptions>;
  readonly #settings: RequestSettings;
  #calls = 0;

  constructor(model: LanguageModelV4, call: LanguageModelV4CallOptions, settings: RequestSettings) {
    this.#model = model;
    this.id = model.modelId;
    this.#base = { ...call };
    for (const name of ["prompt", "abortSignal", "seed", "includeRawChunks"] as const) delete this.#base[name];
    this.#settings = settings;
  }

  /** The first call is made once: whoever asked tries again himself. Later calls have something to lose and go through the policy. */
  async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    const call = this.#calls++;
    const prompt = promptOf(messages);
    const onDelta = this.#settings.listener?.begin(call, options.n, options.purpose);
    try {
      return await sideBySide(options, async (sample) => {
        const request = { ...this.#options(options, sample), prompt };
        const once = async () => [await this.#ask(request, sample, onDelta)];
        const [completion] = this.answered.length === 0 ? await once() : await this.#settings.policy(once, options.signal);
        return completion;
      });
    } catch (error) {
      this.failure = error;
      throw error;
    } finally {
      this.#settings.listener?.end(call);
    }
  }

  /** Warnings of the inner calls, each once. */
  warnings(): SharedV4Warning[] {
    const all = this.answered.flatMap(({ answer }) => answer.warnings);
    return [...new Map(all.map((warning) => [JSON.stringify(warning), warning])).values()];
  }

  /** The SDK's content of the completion with this text, the newest where several have it. */
  contentOf(text: string): AnsweredCall | undefined {
    return this.answered.findLast(({ completion }) => completion.text === text);
  }

  toolRequest(): LanguageModelV4Content[] {
    return this.answered.findLast(({ completion }) => completion.finishReason === "tool-calls")?.answer.content ?? [];
  }

  async #ask(request: LanguageModelV4CallOptions, sample: number, onDelta: GenerateOptions["onDelta"]): Promise<Completion> {
    const answered = await askAiSdk(this.#model, request, sample, onDelta);
    this.answered.push(answered);
    return answered.completion;
  }

  #options(options: GenerateOptions, sample: number): Omit<LanguageModelV4CallOptions, "prompt"> {
    const request = callOptions(this.#base, options, sample);
    const { temperature, maxTokens } = this.#settings.placeholders;
    if (options.temperature === temperature) delete request.temperature;
    if (options.maxTokens === maxTokens) delete request.maxOutputTokens;
    return request;
  }
}

/** One run of the method, with what is needed to tell it. */
export interface RequestRun {
  methodId: string;
  model: RequestModel;
  call: LanguageModelV4CallOptions;
  seed: number;
  showProgress: boolean;
  events: TraceEvent[];
}
