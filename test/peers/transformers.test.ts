/**
 * Checkpoints and adapters cross over between this package and Hugging Face's transformers and PEFT, and give the same numbers on both
 * sides. Needs a Python with torch, transformers and peft, named by MIDCOURSE_PYTHON (python3 otherwise); skips with the reason without.
 */
import { spawn } from "node:child_process";
import { cp, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCheckpoint, saveCheckpoint } from "#engines/embedded/checkpoint/checkpoint.ts";
import { parseConfig } from "#engines/embedded/checkpoint/config.ts";
import { initialiseParameters, newConfig } from "#engines/embedded/checkpoint/create.ts";
import { adaptableModules } from "#engines/embedded/checkpoint/lora-config.ts";
import { LanguageModel, type ModelSource } from "#engines/embedded/run/language-model.ts";
import { initialiseAdapter, loadAdapter, mergeAdapter, saveAdapter } from "#engines/embedded/run/lora.ts";
import { onnxRuntimeBackend } from "#engines/embedded/run/runtime.ts";
import { Random } from "#kernel/seed.ts";

const python = process.env.MIDCOURSE_PYTHON ?? "python3";
const peer = spawn(python, [join(import.meta.dirname, "peer.py")], { stdio: ["pipe", "pipe", "pipe"] });
const complaints: string[] = [];
peer.stderr.setEncoding("utf8").on("data", (text: string) => complaints.push(text));
const answers = createInterface({ input: peer.stdout })[Symbol.asyncIterator]();
const gone = new Promise<never>((_, reject) => {
  peer.on("error", reject);
  peer.on("close", () => reject(new Error(complaints.join("").trim().split("\n").at(-1))));
});
gone.catch(() => undefined);
peer.stdin.on("error", () => undefined);

async function ask(request: Record<string, unknown>): Promise<unknown> {
  peer.stdin.write(`${JSON.stringify(request)}\n`);
  const { value, done } = await Promise.race([answers.next(), gone]);
  if (done) return gone;
  const answer = JSON.parse(value) as { error?: string };
  if (answer.error !== undefined) throw new Error(`${python} failed: ${answer.error}`);
  return answer;
}

async function peerVersions(): Promise<{ peft: string | null } | undefined> {
  try {
    const found = (await ask({ command: "versions" })) as { peft: string | null };
    console.log(`Compared with ${JSON.stringify(found)}.`);
    return found;
  } catch (error) {
    console.log(
      `Skipped: ${python} cannot run torch and transformers (${(error as Error).message}); name one in MIDCOURSE_PYTHON.`,
    );
    return undefined;
  }
}

const versions = await peerVersions();
if (versions?.peft === null) console.log(`Adapter tests skipped: ${python} has no peft.`);

let root: string;
let counter = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "midcourse-peers-"));
});
afterAll(async () => {
  peer.stdin.end();
  await rm(root, { recursive: true, force: true });
});
const fresh = () => join(root, `folder-${counter++}`);

const sizes = {
  vocabularySize: 50,
  hiddenSize: 24,
  intermediateSize: 40,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headSize: 6,
  maxContextTokens: 64,
  stopIds: [1, 2],
};
const random = new Random(5);
const sequences = [9, 2, 40].map((length) => Array.from({ length }, () => random.integer(0, 49)));

/** Our own log-probs beside the peer's; both sides compute in float32. */
async function compare(source: string | ModelSource, other: { folder?: string; adapter?: string }): Promise<void> {
  const model = await LanguageModel.open(typeof source === "string" ? { folder: source } : source, onnxRuntimeBackend(1));
  try {
    const found = await model.logprobs(sequences.map((ids) => ({ ids, start: 1 })));
    const wanted = (await ask({ command: "logprobs", ...other, sequences })) as {
      logprobs: number[][];
      complaints: Record<string, string[]>;
      dtypes: string[];
    };
    expect(wanted.complaints).toEqual({});
    expect(wanted.dtypes).toEqual(["torch.float32"]);
    for (const [index, values] of wanted.logprobs.entries()) {
      expect(found[index].length).toBe(values.length);
      for (const [token, value] of values.entries()) expect(Math.abs(found[index][token] - value)).toBeLessThan(1e-4);
    }
  } finally {
    await model.close();
  }
}

const families: [string, Record<string, unknown>][] = [
  ["qwen3", newConfig(sizes)],
  ["qwen3 untied", newConfig({ ...sizes, tieEmbeddings: false })],
  ["qwen2", newConfig({ ...sizes, architecture: "qwen2", rotaryBase: 1e6 })],
  ["llama", newConfig({ ...sizes, architecture: "llama", tieEmbeddings: false })],
  [
    "llama with llama3 scaling",
    {
      ...newConfig({ ...sizes, architecture: "llama" }),
      rope_parameters: {
        rope_type: "llama3",
        rope_theta: 500,
        factor: 4,
        low_freq_factor: 1,
        high_freq_factor: 4,
        original_max_position_embeddings: 32,
      },
    },
  ],
  ["llama with biases", { ...newConfig({ ...sizes, architecture: "llama" }), attention_bias: true, mlp_bias: true }],
  ["qwen3 with biases", { ...newConfig(sizes), attention_bias: true }],
  [
    "qwen2 with the older yarn form",
    { ...newConfig({ ...sizes, architecture: "qwen2" }), rope_parameters: undefined, rope_scaling: { type: "yarn", factor: 2 } },
  ],
];

describe.skipIf(versions === undefined)("transformers", () => {
  it.each(families)("loads a %s folder written here unchanged, with the same log-probs", async (_, rawConfig) => {
    const folder = fresh();
    await saveCheckpoint(folder, { rawConfig, parameters: initialised(rawConfig) });
    await compare(folder, { folder });
  });

  it("loads what training here left behind", async () => {
    const rawConfig = newConfig(sizes);
    const [start, trained] = [fresh(), fresh()];
    await saveCheckpoint(start, { rawConfig, parameters: initialised(rawConfig) });
    const model = await LanguageModel.open({ folder: start }, onnxRuntimeBackend(1));
    await model.accumulate(sequences.map((ids) => ({ ids, start: 1, weights: new Float32Array(ids.length - 1).fill(1) })));
    model.step({ learningRate: 0.01, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0.1, maxGradientNorm: 1 });
    await model.save(trained, { optimizer: true });
    await model.close();
    await compare(trained, { folder: trained });
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["qwen3", "float32", { tie_word_embeddings: true, head_dim: 8 }],
    ["qwen3", "bfloat16", { tie_word_embeddings: false, head_dim: 8 }],
    ["qwen2", "float16", { tie_word_embeddings: true }],
    ["llama", "float32", { rope_parameters: { rope_type: "linear", rope_theta: 1e4, factor: 2 } }],
  ])("writes a %s folder in %s that loads here, whole and in shards", async (architecture, dtype, change) => {
    const config = {
      model_type: architecture,
      vocab_size: 50,
      hidden_size: 24,
      intermediate_size: 40,
      num_hidden_layers: 2,
      num_attention_heads: 4,
      num_key_value_heads: 2,
      max_position_embeddings: 64,
      ...change,
    };
    for (const shard of [undefined, "8KB"]) {
      const folder = fresh();
      await ask({ command: "create", folder, config, dtype, seed: 3, shard });
      expect((await readdir(folder)).includes("model.safetensors.index.json")).toBe(shard !== undefined);
      await compare(folder, { folder });
      const copy = fresh();
      await saveCheckpoint(copy, { ...(await loadCheckpoint(folder)), companionsFrom: [folder] });
      await compare(copy, { folder: copy });
    }
  });
});

describe.skipIf(!versions?.peft)("PEFT", () => {
  const rawConfig = newConfig({ ...sizes, architecture: "qwen2" });
  const config = parseConfig(rawConfig, "config.json");
  let base: string;
  beforeAll(async () => {
    base = fresh();
    await saveCheckpoint(base, { rawConfig, parameters: initialised(rawConfig) });
  });

  async function merged(adapter: string): Promise<string> {
    const folder = fresh();
    const { parameters } = await loadCheckpoint(base);
    await saveCheckpoint(folder, { rawConfig, parameters: mergeAdapter(config, parameters, await loadAdapter(adapter, config)) });
    return folder;
  }

  it("loads an adapter written here", async () => {
    const folder = fresh();
    const adapter = initialiseAdapter(config, { rank: 3, alpha: 12, targetModules: ["q_proj", "v_proj", "up_proj"] }, 1);
    randomise(adapter.parameters);
    await saveAdapter(folder, { ...adapter, baseModel: base });
    await compare(await merged(folder), { folder: base, adapter: folder });
  });

  it("loads an adapter trained here, over a base that stayed as it was", async () => {
    const folder = fresh();
    const lora = { rank: 2, alpha: 8, targetModules: adaptableModules, seed: 3 };
    const model = await LanguageModel.open({ folder: base, lora }, onnxRuntimeBackend(1));
    const before = await model.logprobs([{ ids: sequences[0], start: 1 }]);
    for (let step = 0; step < 3; step++) {
      await model.accumulate(sequences.map((ids) => ({ ids, start: 1, weights: new Float32Array(ids.length - 1).fill(1) })));
      model.step({ learningRate: 0.05, beta1: 0.9, beta2: 0.95, epsilon: 1e-8, weightDecay: 0, maxGradientNorm: 1 });
    }
    expect(await model.logprobs([{ ids: sequences[0], start: 1 }])).not.toEqual(before);
    await model.save(folder);
    await model.close();
    await compare({ folder: base, lora: { folder } }, { folder: base, adapter: folder });
    // PEFT finds the base by itself too, from where the adapter lies.
    const { base_model_name_or_path: named } = JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8"));
    expect(isAbsolute(named)).toBe(false);
    expect(resolve(folder, named)).toBe(resolve(base));
    await compare({ folder: base, lora: { folder } }, { adapter: folder });
  });

  it.each([["all-linear"], [["k_proj", "o_proj"]], [[...adaptableModules]]])(
    "writes an adapter over %j that loads here",
    async (targets) => {
      const adapter = fresh();
      await ask({ command: "create-adapter", folder: base, adapter, rank: 4, alpha: 6, targets, seed: 9 });
      await compare(await merged(adapter), { folder: base, adapter });
      await compare({ folder: base, lora: { folder: adapter } }, { folder: base, adapter });
      // The folder is also good to overwrite and to read again.
      const copy = fresh();
      await cp(adapter, copy, { recursive: true });
      await saveAdapter(copy, await loadAdapter(adapter, config));
      await compare(await merged(copy), { folder: base, adapter: copy });
    },
  );
});

function initialised(rawConfig: Record<string, unknown>) {
  const parameters = initialiseParameters(parseConfig(rawConfig, "config.json"), 7);
  randomise(parameters);
  return parameters;
}

/** Norms away from 1, biases away from 0, everything large enough to matter. */
function randomise(parameters: ReadonlyMap<string, { data: Float32Array }>): void {
  const draw = new Random(11);
  for (const { data } of parameters.values())
    for (let index = 0; index < data.length; index++) data[index] += draw.normal() * 0.2;
}
