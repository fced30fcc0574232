/** Opens the model that the options name, with everything around it: limit, tries again, prices, cache, meter. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { isModelFolder, modelChain } from "#files/adapter-base.ts";
import { guarded } from "#files/file-failures.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { namedFolder, shippedModel } from "#files/shipped-model.ts";
import { HttpConnections } from "#http/connections.ts";
import { type CallSpecs, callback, checkCall, secret, seedOption, signalOption, text, thing } from "#kernel/call-options.ts";
import { userError } from "#kernel/errors.ts";
import type { Completion, Model, NotHonoured } from "#kernel/model.ts";
import { meant, shortened } from "#kernel/options.ts";
import { looksSecret } from "#kernel/secret-forms.ts";
import { keepSecret, keepSecretsOfFields } from "#kernel/secrets.ts";
import { isRecord, jsonIn } from "#kernel/values.ts";
import { ResponseStore } from "#record/response-store.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { CachedModel } from "./around/cache.ts";
import { firstAlone } from "./around/first-call.ts";
import { Limiter } from "./around/limiter.ts";
import { MeteredModel } from "./around/meter.ts";
import { defaultPrices, findPrice, mergePrices, PricedModel, type PriceTable, parsePrices } from "./around/prices.ts";
import { type RetryOptions, retrying } from "./around/retry.ts";
import { choosing } from "./around/sampling.ts";
import { EmbeddedModel } from "./embedded.ts";
import { type ModelOptions, modelSpecs } from "./model-options.ts";
import { checkModel, onlyModel, type ServerAddress, serverAddress } from "./openai/address.ts";
import { LearntFields } from "./openai/learnt-fields.ts";
import { isMistake, OpenAiModel } from "./openai/openai.ts";
import { checkExtraBody } from "./openai/request.ts";
import { probeServer, type ServerProfile } from "./openai/server-probe.ts";
import type { TimeLimits } from "./openai/time-limits.ts";

export interface OpenModelOptions extends ModelOptions {
  /** Goes before the environment's. */
  apiKey?: string | undefined;
  /** Headers sent with every request, by name, over those of `header`. Their values are never printed or written. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** Spreads the waits between tries. */
  seed?: number | undefined;
  signal?: AbortSignal | undefined;
  /** What an earlier run found out about the server; nothing is probed then. */
  profile?: ServerProfile | undefined;
  onRetry?: RetryOptions["onRetry"] | undefined;
  environment?: Readonly<Record<string, string | undefined>>;
}

const openModelSpecs: CallSpecs<OpenModelOptions> = {
  ...modelSpecs,
  apiKey: secret(text("goes before the environment's")),
  headers: secret(
    thing("sent with every request, by name", "an object of texts", (value) => {
      return isRecord(value) && Object.values(value).every((each) => typeof each === "string");
    }),
  ),
  seed: seedOption,
  signal: signalOption,
  profile: thing("what an earlier run found out about the server"),
  onRetry: callback("told of each further try"),
  environment: secret(thing("names keys and addresses, in the place of the process's")),
};

export interface OpenedModel {
  /** To be asked; the same as `meter`. */
  model: Model;
  /** Usage of everything asked through it, cached answers at what they once cost. */
  meter: MeteredModel;
  /** Undefined where no cache was asked for. */
  cache: CachedModel | undefined;
  /** Undefined for a checkpoint folder, which is asked in batches. */
  limiter: Limiter | undefined;
  /** What the server was found to be; undefined for a checkpoint folder. */
  profile: ServerProfile | undefined;
  /** What was asked for and not honoured so far: fields that the server refuses and that were left out. Empty for a checkpoint folder. */
  notHonoured(): NotHonoured[];
  /** For the record: which model this is. Holds no key, and nothing that a second run of the same command would find different. */
  describe(): JsonObject;
  close(): Promise<void>;
}

/** Model with what belongs to its kind. */
interface Core extends Pick<OpenedModel, "limiter" | "profile" | "notHonoured"> {
  model: Model;
  /** For the cache's key. */
  identity: unknown;
  /** Where its price stands. */
  host: string;
  description: JsonObject;
  close(): Promise<void>;
}

export async function openModel(options: OpenModelOptions = {}): Promise<OpenedModel> {
  checkCall("openModel", openModelSpecs, options);
  const prices = readPrices(options.prices);
  const core = await openCore(options);
  const price = findPrice(prices, core.host, core.model.id);
  const priced = price ? new PricedModel(core.model, price) : core.model;
  const store = typeof options.cache === "string" ? new ResponseStore<Completion>(options.cache) : undefined;
  const cache = store ? new CachedModel(priced, { store, identity: core.identity }) : undefined;
  const { topP, topK } = options;
  const meter = new MeteredModel(choosing(cache ?? priced, { topP, topK }));
  return {
    model: meter,
    meter,
    cache,
    limiter: core.limiter,
    profile: core.profile,
    notHonoured: core.notHonoured,
    describe: () => ({ ...core.description, topP, topK, ...(price ? { dollarsPerMillion: { ...price } } : {}) }),
    close: async () => {
      store?.close();
      await core.close();
    },
  };
}

function readPrices(file: string | undefined): PriceTable {
  if (file === undefined) return defaultPrices;
  const text = guarded(`read ${file}`, () => {
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) {
      throw userError("no-such-file", `there is no file ${file}`, "Give --prices a JSON file.");
    }
    return readFileSync(file, "utf8");
  });
  return mergePrices(defaultPrices, parsePrices(text, file));
}

async function openCore(options: OpenModelOptions): Promise<Core> {
  const { environment = process.env, model } = options;
  const isFolder = model !== undefined && statSync(model, { throwIfNoEntry: false })?.isDirectory() === true;
  const isCheckpoint = isFolder && isModelFolder(model);
  // Servers name models by the folder they were started with, so an address on the command line decides.
  if (isCheckpoint && options.baseUrl === undefined) return openFolder(model, options);
  if (model !== undefined && options.baseUrl === undefined && (isFolder || /^[./~]/.test(model)) && /^[./~]/.test(model)) {
    throw userError(
      "not-a-checkpoint",
      isFolder ? `${model} holds no config.json and no adapter_config.json` : `there is no folder ${model}`,
      "--model takes a checkpoint folder (config.json, tokenizer.json, *.safetensors), an adapter's folder or the name of a model at a server.",
    );
  }
  const asksServer =
    model ??
    options.baseUrl ??
    options.apiKey ??
    options.apiKeyEnv ??
    (environment.OPENAI_BASE_URL || environment.OPENAI_API_KEY);
  return asksServer ? openServer(options, environment) : openFolder(shippedModel, options);
}

/** What only a server heeds, as the command line names it. */
const forServers = {
  extraBody: "--extra-body",
  omit: "--omit",
  header: "--header",
  headers: "headers",
  apiKeyEnv: "--api-key-env",
  reasoningTags: "--reasoning-tags",
  retries: "--retries",
  idleSeconds: "--idle-seconds",
  firstSeconds: "--first-seconds",
  totalSeconds: "--total-seconds",
} as const satisfies Partial<Record<keyof OpenModelOptions, string>>;

/**
 * A folder heeds none of them, which is told; the same options may be meant for a judge or another model at a server, so it is no fault by itself.
 * Throws where nobody listens.
 */
function tellUnheeded(folder: string, options: OpenModelOptions): void {
  const names = Object.entries(forServers).filter(([name]) => options[name as keyof typeof forServers] !== undefined);
  const given = [...names.map(([, flag]) => flag), ...(options.probe === false ? ["--no-probe"] : [])];
  if (given.length === 0) return;
  const what = `${namedFolder(folder)} is a checkpoint folder, and ${given.join(", ")} ${given.length === 1 ? "is" : "are"} for servers`;
  const advice = "Sampling is chosen with --top-p and --top-k.";
  if (options.onNote === undefined) throw userError("option-of-servers", what, `Leave it out. ${advice}`);
  options.onNote(`${what}: not heeded here.${options.extraBody === undefined ? "" : ` ${advice}`}`);
}

async function openFolder(folder: string, options: OpenModelOptions): Promise<Core> {
  tellUnheeded(folder, options);
  const tokenizer = await Tokenizer.load(folder);
  const engine = await EmbeddedEngine.open({ folder, threads: options.threads });
  const id = path.basename(path.resolve(folder));
  return {
    model: new EmbeddedModel(engine, tokenizer, { id }),
    identity: { checkpoint: checkpointFiles(folder) },
    host: "embedded",
    limiter: undefined,
    profile: undefined,
    notHonoured: () => [],
    description: {
      kind: "embedded",
      model: id,
      folder: namedFolder(folder),
    },
    close: () => engine.close(),
  };
}

/** Names, sizes and times of what decides the answers: reading gigabytes of weights to tell two checkpoints apart would take too long. */
function checkpointFiles(folder: string): unknown[] {
  const [own, ...bases] = modelChain(folder);
  const names =
    bases.length === 0 ? checkpointNames : ["adapter_config.json", "adapter_model.safetensors", ...checkpointNames.slice(1, 4)];
  const files = guarded(`read ${folder}`, () =>
    names.map((name) => {
      const status = statSync(path.join(own, name), { throwIfNoEntry: false });
      return status ? [name, status.size, Math.floor(status.mtimeMs)] : [name];
    }),
  );
  return bases.length === 0 ? files : [...files, checkpointFiles(bases[0])];
}

const checkpointNames = [
  "config.json",
  "tokenizer.json",
  "tokenizer_config.json",
  "chat_template.jinja",
  "model.safetensors",
  "model.safetensors.index.json",
];

async function openServer(options: OpenModelOptions, environment: Readonly<Record<string, string | undefined>>): Promise<Core> {
  const { signal, reasoningTags = "keep", retries, seed, onRetry, onProbe, onNote } = options;
  const { idleSeconds, firstSeconds, totalSeconds } = options;
  const limits: TimeLimits = { idleSeconds, firstSeconds, totalSeconds };
  const address = readAddress(options, environment);
  const extraBody = withLeftOut(readExtraBody(options.extraBody), options.omit);
  checkExtraBody(extraBody);
  const fields = new LearntFields(extraBody);
  const connections = new HttpConnections();
  const limiter = new Limiter({ most: options.concurrency ?? 32 });
  const policy = retrying({ retries, seed, onRetry }, limiter.policy);
  const base = new URL(address.baseUrl);
  const onAsk = onProbe && ((what: string) => onProbe(`Asking ${base.origin}: ${what}`));
  try {
    if (options.model === undefined) onAsk?.("which models it has");
    const model = options.model ?? (await onlyModel(connections, address, signal, limits));
    const probe = options.probe !== false;
    const profile =
      options.profile ?? (await probeServer({ model, address, connections, policy, probe, fields, signal, onAsk, ...limits }));
    // It has the models of its list and no others, so a wrong name is told before any work.
    if (profile.kind === "vllm") await checkModel(model, connections, address, signal, limits);
    if (options.threads !== undefined)
      onNote?.(`${model} is at a server, and --threads is for checkpoint folders: not heeded there.`);
    if (profile.kind === "ollama") fields.leaveOut("top_k", "Ollama has no such field in OpenAI's protocol");
    onProbe?.(undefined);
    const client = new OpenAiModel({
      model,
      address,
      connections,
      // Without test requests nobody has seen yet whether the key is right.
      policy: probe ? policy : firstAlone(policy, isMistake),
      quirks: profile.quirks,
      reasoningTags,
      extraBody,
      ...limits,
      fields,
      onNote,
    });
    return {
      model: client,
      identity: client.identity,
      host: base.host,
      limiter,
      profile,
      notHonoured: () => client.notHonoured,
      description: {
        kind: "openai-compatible",
        model,
        server: `${base.origin}${base.pathname}`,
        serverKind: profile.kind,
        quirks: { ...profile.quirks },
        reasoningTags,
        extraBody: keepSecretsOfFields(extraBody, "--extra-body"),
      },
      close: async () => connections.close(),
    };
  } catch (error) {
    onProbe?.(undefined);
    connections.close();
    throw error;
  }
}

const openAi = "https://api.openai.com/v1";

function readAddress(options: OpenModelOptions, environment: Readonly<Record<string, string | undefined>>): ServerAddress {
  const keyVariable = options.apiKeyEnv ?? "OPENAI_API_KEY";
  // The key where its variable's name is asked for.
  if (looksSecret(keyVariable)) keepSecret(keyVariable, "--api-key-env");
  const apiKey = options.apiKey ?? (environment[keyVariable]?.trim() || undefined);
  if (options.apiKeyEnv !== undefined && apiKey === undefined) {
    throw userError("no-api-key", `${keyVariable} is not set`, `Set ${keyVariable} to the server's key.`);
  }
  const baseUrl = options.baseUrl ?? (environment.OPENAI_BASE_URL || openAi);
  const headers = readHeaders(options);
  if (baseUrl === openAi && apiKey === undefined && headers.authorization === undefined) {
    throw userError(
      "no-api-key",
      `“${options.model}” is no checkpoint folder, and there is no key to ask OpenAI for it`,
      "Set OPENAI_API_KEY; or OPENAI_BASE_URL (--base-url) to a server of your own; or give --model a checkpoint folder.",
    );
  }
  return serverAddress({ baseUrl, keyVariable, apiKey, headers });
}

/** By lower-case name: a name that is given again replaces what it had. */
function readHeaders({ header = [], headers = {} }: OpenModelOptions): Record<string, string> {
  const given = header.map((line): [string, string] => {
    const colon = line.indexOf(":");
    if (colon > 0) return [line.slice(0, colon), line.slice(colon + 1)];
    // The line may be a key, so it is not shown.
    throw userError(
      "bad-header",
      "--header is given something without a name",
      "Write --header 'name: value', such as --header 'api-key: …'.",
    );
  });
  return Object.fromEntries(
    [...given, ...Object.entries(headers)].map(([name, value]) => [name.trim().toLowerCase(), value.trim()]),
  );
}

/** Fields that a request may have of ours. */
const ownFields = [
  "temperature",
  "max_tokens",
  "max_completion_tokens",
  "seed",
  "top_p",
  "top_k",
  "stop",
  "n",
  "logprobs",
  "top_logprobs",
  "stream",
  "stream_options",
];

/** A field that is null is left out. */
function withLeftOut(extraBody: JsonObject | undefined, omit: string | undefined): JsonObject | undefined {
  if (omit === undefined) return extraBody;
  const names = omit
    .split(",")
    .map((name) => name.trim())
    .filter((name) => name !== "");
  const unknown = names.find((name) => !ownFields.includes(name) && name !== "model" && name !== "messages");
  if (names.length === 0 || unknown !== undefined) {
    throw userError(
      "bad-omit",
      unknown === undefined ? "--omit names no field" : `requests have no field “${shortened(unknown)}” that could be left out`,
      `${unknown === undefined ? "" : meant(unknown, ownFields)}Name some of ${ownFields.join(", ")}, with commas between.`,
    );
  }
  const given = names.find((name) => (extraBody?.[name] ?? null) !== null);
  if (given !== undefined) {
    throw userError("bad-omit", `--omit and --extra-body both name ${given}`, "Leave it out, or give it a value.");
  }
  return { ...extraBody, ...Object.fromEntries(names.map((name) => [name, null])) };
}

function readExtraBody(text: string | undefined): JsonObject | undefined {
  if (text === undefined) return undefined;
  const value = jsonIn(text);
  if (isRecord(value)) {
    keepSecretsOfFields(value, "--extra-body");
    return value as JsonObject;
  }
  throw userError("bad-extra-body", "--extra-body is not a JSON object", `Quote it for the shell: --extra-body '{"top_k":20}'.`);
}
