/**
 * Any OpenAI-compatible server as a model: chat completions over HTTP, streamed when somebody listens. How the server differs from others
 * is given as quirks (`server-quirks.ts`); `connectOpenAi` in `server-probe.ts` finds them out.
 */

import type { HttpConnections } from "#http/connections.ts";
import { cutAtStop, failedCallUsage, sideBySide } from "#kernel/call.ts";
import { type CallSpecs, callback, checkCall, choice, flag, needed, secret, thing, whole } from "#kernel/call-options.ts";
import { MidcourseError, remoteError, userError } from "#kernel/errors.ts";
import {
  type Completion,
  type CompletionDelta,
  type GenerateOptions,
  type Message,
  type Model,
  type NotHonoured,
  noUsage,
} from "#kernel/model.ts";
import { shortened } from "#kernel/options.ts";
import { checkGenerate } from "#kernel/request-options.ts";
import { keepSecretsOfFields } from "#kernel/secrets.ts";
import { isRecord } from "#kernel/values.ts";
import { ReasoningMemory } from "../around/reasoning-memory.ts";
import { type CallPolicy, callDirectly } from "../around/retry.ts";
import {
  connectionAdvice,
  keepSecretsOfServer,
  listModels,
  type ServerAddress,
  serverHeaders,
  serverUrl,
  shownNames,
} from "./address.ts";
import { EarlierReasoning } from "./earlier-reasoning.ts";
import { type FailureContext, httpFailure } from "./failure.ts";
import { LearntFields, OneByOne, type RequestBody } from "./learnt-fields.ts";
import { type Reason, withNotHonoured } from "./not-honoured.ts";
import { type ReasoningTags, reasoningWays } from "./reasoning-text.ts";
import type { ReplySettings } from "./reply.ts";
import { buildRequest, checkExtraBody, requestSeed } from "./request.ts";
import type { ServerQuirks } from "./server-quirks.ts";
import { StopCutter } from "./stop-cutter.ts";
import { ChatStream } from "./stream.ts";
import { callLimits, limitSpecs, type TimeLimits } from "./time-limits.ts";

export interface OpenAiModelOptions extends TimeLimits {
  /** Name of the model at the server. */
  model: string;
  address: ServerAddress;
  connections: HttpConnections;
  quirks: ServerQuirks;
  /** What stands around each request: a limiter, tries again. */
  policy?: CallPolicy | undefined;
  /** `keep` when left out: tags stay in the text. */
  reasoningTags?: ReasoningTags | undefined;
  /** Streams every reply, listened to or not, so that slow servers do not look dead. Only listened-to replies when left out. */
  stream?: boolean | undefined;
  /** Largest reply taken, in bytes. 64 MiB when left out. */
  maxReplyBytes?: number | undefined;
  /**
   * Fields sent with every request, over ours: `top_k`, `chat_template_kwargs`, `reasoning_effort`, `tools`. One that is null is left out:
   * `seed` for a server that refuses it.
   */
  extraBody?: Readonly<Record<string, unknown>> | undefined;
  /** What is known of the fields that the server takes, shared by all who ask it; begun anew when left out. Of the same `extraBody`. */
  fields?: LearntFields | undefined;
  /** Told what is odd about the server's answers, each thing once. */
  onNote?: ((note: string) => void) | undefined;
}

const isText = (value: unknown) => typeof value === "string";

/** What the room's own classes are is for the types to say. */
const object = (description: string) => thing(description);

const specs: CallSpecs<OpenAiModelOptions> = {
  ...limitSpecs,
  model: needed({ type: "text", description: "name of the model at the server" }),
  address: needed(
    secret(thing("where the server is", "an object with baseUrl", (value) => isRecord(value) && isText(value.baseUrl))),
  ),
  connections: needed(object("new HttpConnections()")),
  quirks: needed(object("how the server differs from others, as probeServer finds out")),
  policy: callback("what stands around each request"),
  reasoningTags: choice("what becomes of <think> in an answer", reasoningWays),
  stream: flag("stream every reply"),
  maxReplyBytes: whole("largest reply taken, in bytes", 1),
  extraBody: secret(object("fields of every request")),
  fields: object("what is known of the fields that the server takes"),
  onNote: callback("told what is odd about the server's answers"),
};

/** What one request asks for. */
interface Asking {
  samples: number;
  seed: number;
  /** Number of its first sample among those of the call. */
  first: number;
}

/** Words for the end of an answer that are told of; a server that makes up one for each answer has said enough. */
const mostNotes = 10;

/** Mistakes that fail every call alike, and that a person can mend while a run goes on. */
const mistakes = new Set(["not-authorised", "no-credit", "model-unknown", "no-such-endpoint", "server-scheme", "redirected"]);

/** Whether every other call would end in this error as well. */
export function isMistake(error: unknown): error is MidcourseError {
  return MidcourseError.isInstance(error) && error.family === "user" && mistakes.has(error.code);
}

export class OpenAiModel implements Model {
  readonly id: string;
  readonly #options: OpenAiModelOptions;
  readonly #policy: CallPolicy;
  readonly #url: URL;
  readonly #context: FailureContext;
  readonly #memory = new ReasoningMemory();
  readonly #fields: LearntFields;
  /** The user's fields that are sent; those to be left out are in `#fields`. */
  readonly #extraBody: RequestBody;
  readonly #reasoning = new EarlierReasoning();
  /** Words for the end of an answer that have been told, and codes of mistakes. */
  readonly #unknownEnds = new Set<string>();
  readonly #noted = new Set<string>();

  constructor(options: OpenAiModelOptions) {
    checkCall("OpenAiModel", specs, options);
    this.id = options.model;
    this.#options = options;
    checkExtraBody(options.extraBody);
    this.#fields = options.fields ?? new LearntFields(options.extraBody);
    this.#extraBody = Object.fromEntries(Object.entries(options.extraBody ?? {}).filter(([, value]) => value !== null));
    this.#policy = options.policy ?? callDirectly;
    keepSecretsOfServer(options.address);
    keepSecretsOfFields(options.extraBody, "the extra body");
    this.#url = serverUrl(options.address, "chat/completions");
    this.#context = {
      url: `${this.#url.origin}${this.#url.pathname}`,
      model: options.model,
      keyVariable: options.address.keyVariable ?? "OPENAI_API_KEY",
    };
  }

  /** What was asked for and not honoured so far, because the server refuses it or the user left it out. */
  get notHonoured(): NotHonoured[] {
    return this.#fields.notHonoured;
  }

  /** What an answer depends on beside the conversation and the options: for the cache's key. */
  get identity(): Record<string, unknown> {
    const { address, model, reasoningTags = "keep", extraBody = {} } = this.#options;
    const base = new URL(address.baseUrl);
    return { server: `${base.origin}${base.pathname}`, model, reasoningTags, extraBody };
  }

  /**
   * Usage is the server's own. Where one request gives several samples it stands in the first completion; where each sample is a request of
   * its own, in each. A sample whose request failed beside others that did not is a completion with the finish reason `error`.
   */
  async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    checkGenerate(options);
    options.signal?.throwIfAborted();
    const { n, seed } = options;
    if (n === 0) return [];
    if (this.#options.quirks.samples === "one" && n > 1) return this.#oneByOne(messages, options, 0);
    let given: Completion[];
    try {
      const place = n === 1 ? [0] : ["samples", 0];
      given = await this.#ask(messages, options, { samples: n, first: 0, seed: requestSeed(seed, ...place) });
    } catch (error) {
      if (!(error instanceof OneByOne)) throw error;
      const [first, ...others] = await this.#oneByOne(messages, options, 0);
      return [withEntry(first, { why: "the server refused it", ...this.#reasonFor("n"), field: "n", asked: n }), ...others];
    }
    const completions = given.slice(0, n);
    if (completions.length === n) return completions;
    // What is there is paid for; the rest is asked for one by one, the same in every run.
    const others = await this.#oneByOne(messages, options, completions.length).catch((error) => {
      options.signal?.throwIfAborted();
      // The error has the cost of all of them.
      return Array.from({ length: n - completions.length }, (_, place): Completion => {
        return { text: "", finishReason: "error", usage: place === 0 ? failedCallUsage(error) : { ...noUsage } };
      });
    });
    return fewer(completions, others);
  }

  /** Why a field was left out or changed, as far as that was learnt. */
  #reasonFor(field: string): Reason | undefined {
    return this.#fields.reasonFor(field);
  }

  /** Samples from `first` on, each a request of its own. */
  #oneByOne(messages: readonly Message[], options: GenerateOptions, first: number): Promise<Completion[]> {
    const wanted = { n: options.n - first, signal: options.signal };
    return sideBySide(wanted, async (place) => {
      const sample = first + place;
      const asking = { samples: 1, first: sample, seed: requestSeed(options.seed, sample) };
      const [completion] = await this.#ask(messages, options, asking);
      return completion;
    });
  }

  async #ask(messages: readonly Message[], options: GenerateOptions, asking: Asking): Promise<Completion[]> {
    const { quirks, model } = this.#options;
    const extraBody = this.#extraBody;
    const { samples, seed } = asking;
    const stream = options.onDelta !== undefined || this.#options.stream === true;
    const build = () => {
      const reasoningOf = this.#fields.sendsReasoning
        ? (text: string) => this.#reasoning.of(text) || this.#fields.reasoningFiller
        : undefined;
      return buildRequest(messages, options, { model, quirks, stream, samples, seed, extraBody, reasoningOf });
    };
    const send = (body: RequestBody) => this.#request(body, options, asking);
    build();
    try {
      const completions = await this.#policy(() => this.#fields.ask(build, send, options.signal), options.signal);
      return completions.map((completion) => this.#ended(completion, options.stop));
    } catch (error) {
      const told = await this.#withModelNames(error);
      this.#noteMistake(told);
      throw told;
    }
  }

  /** As it is handed on: transformers serve leaves the stop text in, and a server that takes no stop texts samples past them. */
  #ended(completion: Completion, stop: readonly string[] | undefined): Completion {
    const cut = cutAtStop(completion, stop);
    if (cut.reasoning !== undefined && this.#fields.mayNeedReasoning) this.#reasoning.remember(cut.text, cut.reasoning);
    return cut !== completion && cut.finishReason === "length" ? { ...cut, finishReason: "stop" } : cut;
  }

  async #request(body: RequestBody, options: GenerateOptions, { first, samples, seed }: Asking): Promise<Completion[]> {
    const { connections, address, reasoningTags = "keep", maxReplyBytes = 64 << 20 } = this.#options;
    const { idleSeconds = callLimits.idleSeconds, firstSeconds, totalSeconds = callLimits.totalSeconds } = this.#options;
    const startedAt = performance.now();
    const elapsed = () => performance.now() - startedAt;
    const { onDelta } = options;
    const shifted = onDelta && ((delta: CompletionDelta) => onDelta({ ...delta, sample: delta.sample + first }));
    const cutter = shifted && options.stop?.length ? new StopCutter(options.stop, shifted) : undefined;
    const settings: Omit<ReplySettings, "milliseconds"> = {
      reasoningTags,
      topLogprobs: options.topLogprobs,
      samples,
      context: this.#context,
      memory: this.#memory,
    };
    let stream: ChatStream | undefined;
    const finished = (whole: ChatStream) => {
      const all = this.#answersOf(whole.finish(elapsed()));
      const answers = withNotHonoured(all, { ...options, seed }, body, (field) => this.#reasonFor(field));
      cutter?.end();
      return answers;
    };
    try {
      const reply = await connections.request(this.#url, {
        headers: serverHeaders(address),
        advice: connectionAdvice,
        body: JSON.stringify(body),
        idleSeconds,
        firstSeconds,
        withinSeconds: totalSeconds,
        maxBytes: maxReplyBytes,
        signal: options.signal,
        onHeader: (status) => {
          if (status < 200 || status > 299) return undefined;
          stream = new ChatStream(settings, cutter ? (delta) => cutter.push(delta) : shifted);
          return (bytes) => stream!.push(bytes);
        },
      });
      if (stream === undefined) throw httpFailure(reply.status, reply.headers, reply.body, this.#context);
      return finished(stream);
    } catch (error) {
      if (stream?.isComplete && isOfConnection(error)) return finished(stream);
      throw stream?.toldSomething ? brokenMidway(error) : error;
    }
  }

  /** Records of failed answers say what happened; what to do about a wrong key is for whoever looks on. */
  #noteMistake(error: unknown): void {
    if (!isMistake(error)) return;
    if (this.#noted.has(error.code)) return;
    this.#noted.add(error.code);
    this.#options.onNote?.(error.message);
  }

  /** A server that ended every sample in a failure has failed; what it told of the cost stays. */
  #answersOf(completions: Completion[]): Completion[] {
    const { url } = this.#context;
    for (const { finishReason, finishSaid } of completions) {
      if (finishReason !== "other" || finishSaid === undefined || this.#unknownEnds.has(finishSaid)) continue;
      if (this.#unknownEnds.size >= mostNotes) break;
      this.#unknownEnds.add(finishSaid);
      const what = `${url} ended an answer with “${shortened(finishSaid)}”, which is no end that is known here`;
      this.#options.onNote?.(`${what}; the answer is taken as it is.`);
    }
    if (completions.some(({ finishReason }) => finishReason !== "error")) return completions;
    const [{ finishSaid = "error", usage: told }] = completions;
    const isEmpty = completions.every(({ text, reasoning }) => text === "" && reasoning === undefined);
    // A failure in the place of an answer, with no word of its cost: nothing was sampled.
    const usage = isEmpty && told.outputTokens === undefined ? { ...noUsage, calls: 1 } : told;
    throw remoteError("answer-failed", `${url} ended the answer with “${shortened(finishSaid, 300)}”`, { usage });
  }

  async #withModelNames(error: unknown): Promise<unknown> {
    if (!MidcourseError.isInstance(error) || error.code !== "model-unknown") return error;
    const names = await listModels(this.#options.connections, this.#options.address).catch(() => undefined);
    if (!names || names.length === 0) return error;
    return userError(error.code, error.what, `The server has ${shownNames(names)}; choose with --model.`, error);
  }
}

/** Says in the first completion that the server gave fewer samples than it was asked for. */
function fewer([first, ...given]: readonly Completion[], others: readonly Completion[]): Completion[] {
  const count = given.length + 1;
  const n = count + others.length;
  const failed = others.filter(({ finishReason }) => finishReason === "error").length;
  const instead = `the others were asked for one by one${failed === 0 ? "" : `, and ${failed} of ${n} failed`}`;
  const entry = { field: "n", asked: n, why: `the server gave ${count} a request`, instead };
  return [withEntry(first, entry), ...given, ...others];
}

function withEntry(completion: Completion, entry: NotHonoured): Completion {
  return { ...completion, notHonoured: [...(completion.notHonoured ?? []), entry] };
}

/** Nothing that it befell is missing where the answer is whole. */
function isOfConnection(error: unknown): boolean {
  return MidcourseError.isInstance(error) && ["reply-broken", "server-silent", "server-slow"].includes(error.code);
}

/** Pieces have been handed on, so the call cannot be made again without the listener seeing them twice. */
function brokenMidway(error: unknown): unknown {
  if (!MidcourseError.isInstance(error) || error.family !== "remote") return error;
  return remoteError("stream-broken-midway", error.what, { ...error.remote }, { cause: error });
}
