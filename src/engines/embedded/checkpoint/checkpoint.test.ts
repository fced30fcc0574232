import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { loadCheckpoint, type Parameters, saveCheckpoint } from "./checkpoint.ts";
import { expectedTensors, parseConfig } from "./config.ts";
import { initialiseParameters, newConfig, newGenerationConfig } from "./create.ts";
import { loadOptimizerState } from "./optimizer.ts";
import { type Tensor, writeSafetensors } from "./safetensors.ts";

let root: string;
let counter = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "midcourse-checkpoint-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));

const fresh = () => join(root, `checkpoint-${counter++}`);
const rawConfig = newConfig({
  vocabularySize: 12,
  hiddenSize: 8,
  intermediateSize: 10,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headSize: 6,
  maxContextTokens: 32,
  stopIds: [1, 3],
});
const config = parseConfig(rawConfig, "config.json");
const parameters = initialiseParameters(config, 1);

/** A checkpoint whose files were written one by one, so that any of them may be wrong. */
async function handMade(tensors: ReadonlyMap<string, Tensor>, json: unknown = rawConfig): Promise<string> {
  const folder = fresh();
  await mkdir(folder);
  await writeFile(join(folder, "config.json"), typeof json === "string" ? json : JSON.stringify(json));
  await writeSafetensors(join(folder, "model.safetensors"), tensors);
  return folder;
}

async function errorOf(work: Promise<unknown>): Promise<MidcourseError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (MidcourseError.isInstance(error)) return error;
  throw error ?? new Error("no error was thrown");
}

function changed(change: (tensors: Parameters) => void): Parameters {
  const copy: Parameters = new Map(parameters);
  change(copy);
  return copy;
}

function expectEqual(found: ReadonlyMap<string, Tensor>, wanted: ReadonlyMap<string, Tensor>): void {
  expect([...found.keys()]).toEqual([...wanted.keys()]);
  for (const [name, { shape, data }] of wanted) {
    expect(found.get(name)!.shape).toEqual(shape);
    expect(found.get(name)!.data).toEqual(data);
  }
}

describe("a checkpoint", () => {
  it("comes back as it was written, config and numbers", async () => {
    const folder = fresh();
    await saveCheckpoint(`${folder}/`, { rawConfig, parameters });
    const loaded = await loadCheckpoint(folder);
    expect(loaded.rawConfig).toEqual(rawConfig);
    expect(loaded.config).toEqual(config);
    expectEqual(loaded.parameters, parameters);
    expect((await readdir(folder)).sort()).toEqual(["config.json", "generation_config.json", "model.safetensors"]);
  });

  it("says how to generate where nothing else does: sampling from the model's own distribution, with its stop and padding ids", async () => {
    const generationOf = async (raw: Record<string, unknown>) => {
      const folder = fresh();
      await saveCheckpoint(folder, { rawConfig: raw, parameters });
      expect((await loadCheckpoint(folder)).config.stopIds).toEqual(parseConfig(raw, "config.json").stopIds);
      return JSON.parse(await readFile(join(folder, "generation_config.json"), "utf8"));
    };
    const sampling = { do_sample: true, temperature: 1, top_p: 1, top_k: 0 };
    expect(await generationOf(rawConfig)).toEqual({ ...sampling, eos_token_id: [1, 3] });
    expect(await generationOf({ ...rawConfig, eos_token_id: 2, pad_token_id: 0 })).toEqual({
      ...sampling,
      eos_token_id: 2,
      pad_token_id: 0,
    });
    expect(await generationOf({ ...rawConfig, eos_token_id: null })).toEqual(sampling);
  });

  it("leaves what is said of generation as it is", async () => {
    const [source, folder] = [fresh(), fresh()];
    const said = '{"do_sample": false, "eos_token_id": 7}';
    await mkdir(source);
    await writeFile(join(source, "generation_config.json"), said);
    const read = () => readFile(join(folder, "generation_config.json"), "utf8");
    await saveCheckpoint(folder, { rawConfig, parameters, companionsFrom: [source] });
    expect(await read()).toBe(said);
    await saveCheckpoint(folder, { rawConfig, parameters });
    expect(await read()).toBe(said);
  });

  it("of the shipped model is what would be written for it", async () => {
    const shipped = join(import.meta.dirname, "../../../../models/base");
    const read = async (name: string) => JSON.parse(await readFile(join(shipped, name), "utf8")) as Record<string, unknown>;
    const raw = await read("config.json");
    expect(await read("generation_config.json")).toEqual(newGenerationConfig(parseConfig(raw, "config.json"), raw));
  });

  it("takes its companions along and keeps other files of the folder it replaces", async () => {
    const source = fresh();
    const folder = fresh();
    await mkdir(source);
    await writeFile(join(source, "tokenizer.json"), "{}");
    await writeFile(join(source, "generation_config.json"), '{"eos_token_id":[5]}');
    await writeFile(join(source, "notes.txt"), "not a companion");
    await saveCheckpoint(folder, { rawConfig, parameters, optimizer: zeroState(0), companionsFrom: [source] });
    await writeFile(join(folder, "README.md"), "card");
    await saveCheckpoint(folder, { rawConfig, parameters });
    expect((await readdir(folder)).sort()).toEqual([
      "README.md",
      "config.json",
      "generation_config.json",
      "model.safetensors",
      "tokenizer.json",
    ]);
    expect((await loadCheckpoint(folder)).config.stopIds).toEqual([1, 3, 5]);
  });

  it("is not written over a folder that holds something else", async () => {
    const folder = fresh();
    await mkdir(folder);
    await writeFile(join(folder, "thesis.txt"), "years of work");
    expect((await errorOf(saveCheckpoint(folder, { rawConfig, parameters }))).message).toContain(folder);
    expect(await readdir(folder)).toEqual(["thesis.txt"]);
  });

  it("is found again when the process died between the two renames of a replacement", async () => {
    const folder = fresh();
    await saveCheckpoint(folder, { rawConfig, parameters });
    await rename(folder, `${folder}.previous`);
    expectEqual((await loadCheckpoint(folder)).parameters, parameters);
  });

  it("is read from shards, in whatever order the index names them", async () => {
    const folder = fresh();
    await mkdir(folder);
    await writeFile(join(folder, "config.json"), JSON.stringify(rawConfig));
    const shards: [string, Parameters][] = [
      ["model-00001-of-00002.safetensors", new Map()],
      ["model-00002-of-00002.safetensors", new Map()],
    ];
    const weightMap: Record<string, string> = {};
    [...parameters].reverse().forEach(([name, tensor], index) => {
      const [shard, tensors] = shards[index % 2];
      tensors.set(name, tensor);
      weightMap[name] = shard;
    });
    for (const [shard, tensors] of shards) await writeSafetensors(join(folder, shard), tensors);
    const index = join(folder, "model.safetensors.index.json");
    await writeFile(index, JSON.stringify({ metadata: {}, weight_map: weightMap }));
    expectEqual((await loadCheckpoint(folder)).parameters, parameters);

    const [name] = [...shards[1][1].keys()];
    await writeFile(index, JSON.stringify({ weight_map: { ...weightMap, [name]: shards[0][0] } }));
    const misplaced = await errorOf(loadCheckpoint(folder));
    expect(misplaced.message).toContain(name);
    expect(misplaced.message).toContain(shards[0][0]);
    await writeFile(index, JSON.stringify({ weight_map: { ...weightMap, [name]: "../elsewhere.safetensors" } }));
    expect((await errorOf(loadCheckpoint(folder))).message).toContain("../elsewhere.safetensors");
    await writeFile(index, "[]");
    expect((await errorOf(loadCheckpoint(folder))).message).toContain("weight_map");
    await writeFile(index, JSON.stringify({ weight_map: weightMap }));
    await rm(join(folder, shards[1][0]));
    expect((await errorOf(loadCheckpoint(folder))).message).toContain(shards[1][0]);
  });

  it("may repeat the embedding table as its head, but not contradict it", async () => {
    const table = parameters.get("model.embed_tokens.weight")!;
    const repeated = await handMade(changed((tensors) => tensors.set("lm_head.weight", table)));
    const loaded = await loadCheckpoint(repeated);
    expectEqual(loaded.parameters, parameters);
    const other = { shape: table.shape, data: table.data.map((value, index) => (index === 5 ? value + 1 : value)) };
    const contradicting = await handMade(changed((tensors) => tensors.set("lm_head.weight", other)));
    expect((await errorOf(loadCheckpoint(contradicting))).message).toMatch(/lm_head\.weight differs/);
  });

  it("stores a tied head once and an untied one apart", async () => {
    const folder = fresh();
    const head = parameters.get("model.embed_tokens.weight")!;
    const withHead = changed((tensors) => tensors.set("lm_head.weight", head));
    await saveCheckpoint(folder, { rawConfig, parameters: withHead });
    expectEqual((await loadCheckpoint(folder)).parameters, parameters);
    await saveCheckpoint(folder, { rawConfig: { ...rawConfig, tie_word_embeddings: false }, parameters: withHead });
    expectEqual((await loadCheckpoint(folder)).parameters, withHead);
  });

  it("may carry rotary buffers of older writers", async () => {
    const buffer = { shape: [3], data: Float32Array.of(1, 2, 3) };
    const folder = await handMade(changed((tensors) => tensors.set("model.layers.0.self_attn.rotary_emb.inv_freq", buffer)));
    expectEqual((await loadCheckpoint(folder)).parameters, parameters);
  });

  const norm = "model.layers.1.self_attn.k_norm.weight";
  it.each<[string, (tensors: Parameters) => void, RegExp]>([
    [
      "a missing tensor",
      (tensors) => tensors.delete(norm),
      /model\.safetensors: tensor .*1\.self_attn\.k_norm.* \[6\] is missing/,
    ],
    [
      "an extra tensor",
      (tensors) => tensors.set("model.layers.0.self_attn.q_proj.bias", vector(24)),
      /0\.self_attn\.q_proj\.bias/,
    ],
    ["a wrong shape", (tensors) => tensors.set(norm, vector(7)), /1\.self_attn\.k_norm.*shape \[7\].*calls for \[6\]/],
    [
      "a transposed matrix",
      (tensors) => tensors.set("model.layers.0.mlp.up_proj.weight", { shape: [8, 10], data: new Float32Array(80) }),
      /up_proj\.weight has shape \[8, 10\], but config\.json calls for \[10, 8\]/,
    ],
  ])("with %s is refused, naming file and tensor", async (_, change, message) => {
    const folder = await handMade(changed(change));
    const error = await errorOf(loadCheckpoint(folder));
    expect(error.family).toBe("user");
    expect(error.message).toContain(folder);
    expect(error.message).toMatch(message);
  });

  it("is refused when a file is missing or is not JSON", async () => {
    expect((await errorOf(loadCheckpoint(fresh()))).message).toMatch(/no checkpoint folder/);
    const broken = await handMade(parameters, "{");
    expect((await errorOf(loadCheckpoint(broken))).message).toMatch(/config\.json is not valid JSON/);
    await rm(join(broken, "config.json"));
    expect((await errorOf(loadCheckpoint(broken))).message).toMatch(/config\.json/);
    await writeFile(join(broken, "config.json"), JSON.stringify(rawConfig));
    await rm(join(broken, "model.safetensors"));
    expect((await errorOf(loadCheckpoint(broken))).message).toMatch(/neither model\.safetensors nor/);
  });
});

describe("optimiser state", () => {
  it("comes back with its step count", async () => {
    const folder = fresh();
    const state = zeroState(7);
    let value = 0;
    for (const moments of [state.firstMoments, state.secondMoments]) for (const data of moments.values()) data.fill(value++);
    await saveCheckpoint(folder, { rawConfig, parameters, optimizer: state });
    expect(await loadOptimizerState(folder, expectedTensors(config))).toEqual(state);
    await loadCheckpoint(folder);
  });

  it("is undefined where there is none, and refused where it belongs to another model", async () => {
    const folder = fresh();
    await saveCheckpoint(folder, { rawConfig, parameters });
    expect(await loadOptimizerState(folder, expectedTensors(config))).toBeUndefined();
    await saveCheckpoint(folder, { rawConfig, parameters, optimizer: zeroState(1) });
    const shapes = expectedTensors(config);
    expect((await errorOf(loadOptimizerState(folder, new Map([...shapes].slice(1))))).message).toMatch(/not being trained/);
    shapes.set("model.norm.weight", [9]);
    expect((await errorOf(loadOptimizerState(folder, shapes))).message).toMatch(/exp_avg\.model\.norm\.weight.*\[8\].*\[9\]/);
    await writeSafetensors(join(folder, "optimizer.safetensors"), new Map());
    expect((await errorOf(loadOptimizerState(folder, shapes))).message).toMatch(/step count/);
  });
});

describe("initialiseParameters", () => {
  const large = parseConfig(
    newConfig({
      vocabularySize: 200,
      hiddenSize: 64,
      intermediateSize: 96,
      layers: 2,
      heads: 4,
      maxContextTokens: 8,
      architecture: "qwen2",
    }),
    "config.json",
  );

  it("draws normal matrices, ones for norms and zeros for biases, the same for the same seed", () => {
    const drawn = initialiseParameters(large, 5);
    expect([...drawn].map(([name, { shape }]) => [name, shape])).toEqual([...expectedTensors(large)]);
    for (const [name, { data }] of drawn) {
      if (name.endsWith(".bias")) expect(data.every((value) => value === 0)).toBe(true);
      else if (name.endsWith("norm.weight")) expect(data.every((value) => value === 1)).toBe(true);
      else expect(deviation(data) / 0.02).toBeCloseTo(1, 1);
    }
    expectEqual(initialiseParameters(large, 5), drawn);
    expect(initialiseParameters(large, 6).get("model.embed_tokens.weight")!.data).not.toEqual(
      drawn.get("model.embed_tokens.weight")!.data,
    );
    const layers = [0, 1].map((layer) => drawn.get(`model.layers.${layer}.mlp.up_proj.weight`)!.data);
    expect(layers[0]).not.toEqual(layers[1]);
  });

  it("scales what writes into the residual stream when asked", () => {
    const drawn = initialiseParameters(large, 5, { deviation: 0.1, scaleResidual: true });
    expect(deviation(drawn.get("model.layers.0.mlp.down_proj.weight")!.data) / 0.05).toBeCloseTo(1, 1);
    expect(deviation(drawn.get("model.layers.0.self_attn.o_proj.weight")!.data) / 0.05).toBeCloseTo(1, 1);
    expect(deviation(drawn.get("model.layers.0.self_attn.q_proj.weight")!.data) / 0.1).toBeCloseTo(1, 1);
  });
});

it("reads the golden folders, bfloat16 included", async () => {
  const golden = join(import.meta.dirname, "../../../../test/golden");
  for (const name of ["qwen3", "qwen2", "llama", "qwen3-yarn-bfloat16", "llama-linear"]) {
    const loaded = await loadCheckpoint(join(golden, name));
    expect([...loaded.parameters.keys()]).toEqual([...expectedTensors(loaded.config).keys()]);
    const { inverseFrequencies, attentionFactor } = JSON.parse(await readFile(join(golden, name, "golden.json"), "utf8")) as {
      inverseFrequencies: number[];
      attentionFactor: number;
    };
    inverseFrequencies.forEach((wanted, index) => {
      expect(Math.abs(loaded.config.inverseFrequencies[index] / wanted - 1)).toBeLessThan(5e-7);
    });
    expect(loaded.config.attentionFactor).toBeCloseTo(attentionFactor, 12);
  }
});

function zeroState(step: number) {
  const zeros = () => new Map([...parameters].map(([name, { data }]) => [name, new Float32Array(data.length)]));
  return { step, firstMoments: zeros(), secondMoments: zeros() };
}

function vector(length: number): Tensor {
  return { shape: [length], data: new Float32Array(length).fill(1) };
}

function deviation(data: Float32Array): number {
  return Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
}
