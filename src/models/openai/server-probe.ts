/** Finds out which server answers at an address, from its own endpoints, and asks small test requests for what its row leaves unknown. */
import type { HttpConnections, HttpReply } from "#http/connections.ts";
import { type CallSpecs, callback, checkCall, flag, needed, secret, signalOption, thing } from "#kernel/call-options.ts";
import { MidcourseError } from "#kernel/errors.ts";
import type { GenerateOptions, Message } from "#kernel/model.ts";
import type { CallPolicy } from "../around/retry.ts";
import { connectionAdvice, endsEverything, readModelList, type ServerAddress, serverHeaders, serverUrl } from "./address.ts";
import { LearntFields } from "./learnt-fields.ts";
import { OpenAiModel } from "./openai.ts";
import { carefulQuirks, type ServerKind, type ServerQuirks, serverQuirks } from "./server-quirks.ts";
import { briefly, limitSpecs, type TimeLimits, testLimits } from "./time-limits.ts";

export interface ServerProfile {
  kind: ServerKind;
  quirks: ServerQuirks;
  /** Fields that test requests settled; the others come from the table. */
  probed: (keyof ServerQuirks)[];
}

/** Undefined where the name of the host does not say it. */
function kindOfHost(address: ServerAddress): ServerKind | undefined {
  const host = new URL(address.baseUrl).hostname;
  if (host === "api.openai.com") return "openai";
  return host === "openrouter.ai" || host.endsWith(".openrouter.ai") ? "openrouter" : undefined;
}

/**
 * By host name, then by what the list of models and a few endpoints of each server's own say. Never throws for a server that is there: one that
 * keeps its list to itself (401, 403) may answer chats all the same.
 */
export async function identifyServer(
  connections: HttpConnections,
  address: ServerAddress,
  signal?: AbortSignal | undefined,
  limits: TimeLimits = {},
): Promise<ServerKind> {
  const known = kindOfHost(address);
  if (known !== undefined) return known;
  const models = await readModelList(connections, address, signal, limits).catch((error) => {
    // Nobody there ends the command.
    if (signal?.aborted || (MidcourseError.isInstance(error) && endsEverything.has(error.code))) throw error;
    return [];
  });
  const owner = models[0]?.ownedBy?.toLowerCase();
  if (owner === "vllm") return "vllm";
  if (owner === "sglang") return "sglang";
  if (owner === "llamacpp") return "llama.cpp";
  const get = (path: string) => getJson(connections, address, path, signal, limits);
  // Side by side: where none of them is answered the wait is that for one.
  const asked = ["get_model_info", "props", "api/version", "version", "health"].map(get);
  const [info, props, ollama, version, health] = await Promise.all(asked);
  // Others imitate Ollama's and vLLM's endpoints, so the more telling ones come first.
  if (info?.json?.model_path !== undefined) return "sglang";
  if (props?.json?.default_generation_settings !== undefined) return "llama.cpp";
  if (ollama?.json?.version !== undefined) return "ollama";
  if (version?.json?.version !== undefined) return "vllm";
  // transformers serve names no version; it stamps every reply, its health included, with a request id.
  if (health?.json?.status === "ok" && health.headers["x-request-id"] !== undefined) return "transformers";
  return "other";
}

async function getJson(
  connections: HttpConnections,
  address: ServerAddress,
  path: string,
  signal: AbortSignal | undefined,
  limits: TimeLimits,
): Promise<(HttpReply & { json: Record<string, unknown> | undefined }) | undefined> {
  try {
    const reply = await connections.request(serverUrl(address, path, true), {
      headers: serverHeaders(address),
      advice: connectionAdvice,
      ...briefly(10, limits),
      maxBytes: 4 << 20,
      signal,
    });
    return reply.status === 200 ? { ...reply, json: JSON.parse(reply.body) ?? undefined } : undefined;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}

export interface ProbeOptions extends TimeLimits {
  model: string;
  address: ServerAddress;
  connections: HttpConnections;
  signal?: AbortSignal | undefined;
  /** Around each test request: a limiter, tries again. */
  policy?: CallPolicy;
  /** False: nothing at all is asked, and the careful choice stands wherever host name and table do not know. */
  probe?: boolean;
  /** Told what the server is asked, a few words, before each question. */
  onAsk?: ((what: string) => void) | undefined;
  /** What is known of the fields that the server takes, and is learnt here. */
  fields?: LearntFields | undefined;
}

const specs: CallSpecs<ProbeOptions> = {
  ...limitSpecs,
  model: needed({ type: "text", description: "name of the model at the server" }),
  address: needed(secret(thing("where the server is"))),
  connections: needed(thing("new HttpConnections()")),
  signal: signalOption,
  policy: callback("what stands around each request"),
  probe: flag("ask the server"),
  onAsk: callback("told what the server is asked"),
  fields: thing("what is known of the fields that the server takes"),
};

/** At most six requests of a few tokens each, besides those that teach which fields are refused; none to servers whose row is complete. */
export async function probeServer(given: ProbeOptions): Promise<ServerProfile> {
  checkCall("probeServer", specs, given);
  if (given.probe === false) {
    const kind = kindOfHost(given.address) ?? "other";
    return { kind, quirks: carefulQuirks(serverQuirks[kind]), probed: [] };
  }
  const options = { ...given, fields: given.fields ?? new LearntFields() };
  const { connections, address, signal, onAsk } = options;
  onAsk?.("which server it is");
  const kind = await identifyServer(connections, address, signal, options);
  const row = serverQuirks[kind];
  const probed = order.filter((field) => row[field] === "unknown");
  const quirks = carefulQuirks(row);
  for (const [place, field] of probed.entries()) {
    onAsk?.(`test request ${place + 1} of ${probed.length}, ${questions[field]}`);
    await tests[field](quirks, options);
  }
  options.fields.forgetAsked();
  return { kind, quirks: withLearnt(quirks, options.fields), probed };
}

/** A refused field was left out of the test itself, which then went well. */
function withLearnt(quirks: ServerQuirks, fields: LearntFields): ServerQuirks {
  const [one, other] = (["max_tokens", "max_completion_tokens"] as const).toSorted((name) =>
    name === quirks.maxTokens ? -1 : 1,
  );
  return {
    ...quirks,
    ...(fields.refuses(one) && !fields.refuses(other) ? { maxTokens: other } : {}),
    ...(fields.refuses("temperature") ? { temperature: "left-out" } : {}),
    ...(fields.refuses("n") ? { samples: "one" } : {}),
    ...(fields.refuses("logprobs") ? { logprobs: "absent" } : {}),
    ...(fields.refuses("stream_options") ? { streamUsage: "unasked" } : {}),
  };
}

const order = ["maxTokens", "temperature", "samples", "logprobs", "prefill", "streamUsage"] as const;

/** What each test asks, in words. */
const questions: Record<keyof ServerQuirks, string> = {
  maxTokens: "how it bounds an answer's tokens",
  temperature: "whether it takes a temperature",
  samples: "whether it gives several samples at once",
  logprobs: "whether it gives log-probabilities",
  prefill: "whether it continues an answer",
  streamUsage: "whether a stream tells its usage",
};

/** Each settles one field; a request that the server refuses settles it as well. Failures of other kinds end the probe. */
const tests: Record<keyof ServerQuirks, (quirks: ServerQuirks, options: ProbeOptions) => Promise<void>> = {
  async maxTokens(quirks, options) {
    // The temperature has its own test; here it must not be what is refused.
    const bare: ServerQuirks = { ...quirks, temperature: "left-out" };
    if (!(await refuses({ ...bare, maxTokens: "max_tokens" }, options))) return;
    if (!(await refuses({ ...bare, maxTokens: "max_completion_tokens" }, options))) quirks.maxTokens = "max_completion_tokens";
  },
  async temperature(quirks, options) {
    quirks.temperature = "sent";
    if (!(await refuses(quirks, options))) return;
    quirks.temperature = "left-out";
    if (await refuses(quirks, options)) quirks.temperature = "sent";
  },
  async samples(quirks, options) {
    quirks.samples = "many";
    const answers = await ask(quirks, options, write, { n: 2, temperature: 1.5, maxTokens: 24 });
    const texts = answers?.map(({ text, reasoning }) => `${reasoning ?? ""}${text}`);
    // Two equal texts at this temperature: both samples had one seed, or `n` is not heeded and the second request had ours.
    if (texts?.length !== 2 || texts[0] === texts[1] || answers?.[1]?.usage.calls !== 0) quirks.samples = "one";
  },
  async logprobs(quirks, options) {
    quirks.logprobs = "given";
    const answers = await ask(quirks, options, question, { topLogprobs: 1 });
    if (!answers?.[0]?.logprobs?.length) quirks.logprobs = "absent";
  },
  async prefill(quirks, options) {
    quirks.prefill = "last-message";
    const answers = await ask(quirks, options, [...alphabet, { role: "assistant", content: "A B C D" }], { maxTokens: 8 });
    // A server that begins anew repeats the letters or talks about them.
    if (!/^\s*E\b/.test(answers?.[0]?.text ?? "")) quirks.prefill = "refused";
  },
  async streamUsage(quirks, options) {
    quirks.streamUsage = "asked";
    if (await refuses(quirks, options, { onDelta: () => {} })) quirks.streamUsage = "unasked";
  },
};

const question: Message[] = [{ role: "user", content: "Answer with the single word yes." }];
const write: Message[] = [{ role: "user", content: "Write one surprising sentence about any animal." }];
const alphabet: Message[] = [
  { role: "user", content: "Write the capital letters of the alphabet in order, with a space between, and nothing else." },
];

async function refuses(quirks: ServerQuirks, options: ProbeOptions, more: Partial<GenerateOptions> = {}): Promise<boolean> {
  return (await ask(quirks, options, question, more)) === undefined;
}

/** Undefined where the server refuses the request as it stands. */
async function ask(quirks: ServerQuirks, options: ProbeOptions, messages: Message[], more: Partial<GenerateOptions>) {
  const { model, address, connections, signal, policy, fields, firstSeconds } = options;
  const { idleSeconds = testLimits.idleSeconds, totalSeconds = testLimits.totalSeconds } = options;
  const limits: TimeLimits = { idleSeconds, firstSeconds, totalSeconds };
  const asked = new OpenAiModel({ model, address, connections, quirks, fields, policy: policy && onceSilent(policy), ...limits });
  const base: GenerateOptions = { n: 1, temperature: 0.5, maxTokens: 16, seed: 1, signal };
  try {
    return await asked.generate(messages, { ...base, ...more });
  } catch (error) {
    if (!MidcourseError.isInstance(error)) throw error;
    // OpenAI forbids log-probabilities of some models with 403, as if the key were wrong.
    if (refusals.has(error.code) || (more.topLogprobs !== undefined && error.code === "not-authorised")) return undefined;
    throw error;
  }
}

/** A server that says nothing to a test request is not asked again: somebody waits to hear what is wrong. */
function onceSilent(policy: CallPolicy): CallPolicy {
  return async (call, signal) => {
    let silence: unknown;
    const completions = await policy(async () => {
      try {
        return await call();
      } catch (error) {
        if (!MidcourseError.isInstance(error) || error.code !== "server-silent") throw error;
        silence = error;
        return [];
      }
    }, signal);
    if (silence !== undefined) throw silence;
    return completions;
  };
}

const refusals = new Set(["request-refused", "empty-reply", "reply-unreadable", "too-few-samples"]);
