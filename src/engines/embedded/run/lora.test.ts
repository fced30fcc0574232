import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { Random } from "#kernel/seed.ts";
import { parseConfig } from "../checkpoint/config.ts";
import { initialiseParameters, newConfig } from "../checkpoint/create.ts";
import { adaptableModules, type LoraOptions } from "../checkpoint/lora-config.ts";
import { loadOptimizerState } from "../checkpoint/optimizer.ts";
import { writeSafetensors } from "../checkpoint/safetensors.ts";
import {
  type Adapter,
  adaptedModules,
  adapterTensors,
  describeAdapter,
  initialiseAdapter,
  loadAdapter,
  mergeAdapter,
  saveAdapter,
} from "./lora.ts";

let root: string;
let counter = 0;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "midcourse-lora-"));
});
afterAll(() => rm(root, { recursive: true, force: true }));
const fresh = () => join(root, `adapter-${counter++}`);

const config = parseConfig(
  newConfig({
    vocabularySize: 12,
    hiddenSize: 8,
    intermediateSize: 10,
    layers: 2,
    heads: 4,
    keyValueHeads: 2,
    maxContextTokens: 32,
  }),
  "config.json",
);
const options: LoraOptions = { rank: 3, alpha: 6, targetModules: ["down_proj", "k_proj", "self_attn.q_proj"] };

function trained(): Adapter {
  const adapter = initialiseAdapter(config, options, 1);
  const random = new Random(2);
  for (const { data } of adapter.parameters.values())
    for (let index = 0; index < data.length; index++) data[index] = random.normal();
  return adapter;
}

async function errorOf(work: Promise<unknown>): Promise<MidcourseError> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (MidcourseError.isInstance(error)) return error;
  throw error ?? new Error("no error was thrown");
}

describe("an adapter", () => {
  it("has A and B under PEFT's names for each target module of each layer", () => {
    expect([...adapterTensors(config, options)].slice(0, 6)).toEqual([
      ["base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", [3, 8]],
      ["base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight", [8, 3]],
      ["base_model.model.model.layers.0.self_attn.k_proj.lora_A.weight", [3, 8]],
      ["base_model.model.model.layers.0.self_attn.k_proj.lora_B.weight", [4, 3]],
      ["base_model.model.model.layers.0.mlp.down_proj.lora_A.weight", [3, 10]],
      ["base_model.model.model.layers.0.mlp.down_proj.lora_B.weight", [8, 3]],
    ]);
    expect(adaptedModules(config, { ...options, targetModules: adaptableModules }).size).toBe(14);
    const single = { ...options, targetModules: ["model.layers.1.mlp.up_proj", "up_proj", "v_proj"] };
    expect([...adaptedModules(config, single).keys()]).toEqual(
      [0, 1].flatMap((layer) => [`model.layers.${layer}.self_attn.v_proj`, `model.layers.${layer}.mlp.up_proj`]),
    );
    expect([...adaptedModules(config, { ...options, targetModules: ["model.layers.1.mlp.up_proj"] }).keys()]).toEqual([
      "model.layers.1.mlp.up_proj",
    ]);
    const described = describeAdapter(config, options);
    expect(described.scale).toBe(2);
    expect(described.modules.has("model.layers.1.mlp.down_proj")).toBe(true);
    expect(described.modules.has("model.layers.1.mlp.up_proj")).toBe(false);
  });

  it("starts at zero effect, with A uniform within 1/√inputs, the same for the same seed", () => {
    const wide = parseConfig(
      newConfig({ vocabularySize: 4, hiddenSize: 128, intermediateSize: 8, layers: 1, heads: 4, maxContextTokens: 8 }),
      "config.json",
    );
    const { parameters } = initialiseAdapter(wide, { rank: 32, alpha: 1, targetModules: ["q_proj"] }, 3);
    const [down, up] = [...parameters.values()].map(({ data }) => data);
    expect(up.every((value) => value === 0)).toBe(true);
    const bound = 1 / Math.sqrt(128);
    expect(Math.max(...down.map(Math.abs))).toBeLessThanOrEqual(bound);
    const variance = down.reduce((sum, value) => sum + value * value, 0) / down.length;
    expect(variance / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    expect(initialiseAdapter(config, options, 3)).toEqual(initialiseAdapter(config, options, 3));
    expect(initialiseAdapter(config, options, 3)).not.toEqual(initialiseAdapter(config, options, 4));
    const base = initialiseParameters(config, 1);
    expect(mergeAdapter(config, base, initialiseAdapter(config, options, 3))).toEqual(base);
  });

  it("merges into W + (alpha / rank) · B · A and leaves the base alone", () => {
    const base = initialiseParameters(config, 1);
    const untouched = initialiseParameters(config, 1);
    const adapter = trained();
    const merged = mergeAdapter(config, base, adapter);
    expect(base).toEqual(untouched);
    for (const [name, { shape, data }] of merged) {
      const down = adapter.parameters.get(`base_model.model.${name.replace(".weight", ".lora_A.weight")}`);
      const up = adapter.parameters.get(`base_model.model.${name.replace(".weight", ".lora_B.weight")}`);
      if (down === undefined || up === undefined) {
        expect(data).toBe(base.get(name)!.data);
        continue;
      }
      const [outputs, inputs] = shape;
      for (let output = 0; output < outputs; output++) {
        for (let input = 0; input < inputs; input++) {
          let wanted = base.get(name)!.data[output * inputs + input];
          for (let k = 0; k < 3; k++) wanted += 2 * up.data[output * 3 + k] * down.data[k * inputs + input];
          expect(data[output * inputs + input]).toBeCloseTo(wanted, 5);
        }
      }
    }
  });

  it("comes back as it was written, optimiser state included", async () => {
    const folder = fresh();
    const adapter = trained();
    await saveAdapter(folder, { ...adapter, baseModel: "some/model" });
    expect(await loadAdapter(folder, config)).toEqual(adapter);
    expect((await readdir(folder)).sort()).toEqual(["adapter_config.json", "adapter_model.safetensors"]);
    expect(JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8"))).toMatchObject({
      peft_type: "LORA",
      base_model_name_or_path: "some/model",
      r: 3,
      lora_alpha: 6,
      target_modules: options.targetModules,
    });
    const dropped = { ...adapter, options: { ...options, dropout: 0.05 } };
    await saveAdapter(folder, dropped);
    expect(JSON.parse(await readFile(join(folder, "adapter_config.json"), "utf8"))).toMatchObject({ lora_dropout: 0.05 });
    expect(await loadAdapter(folder, config)).toEqual(dropped);
    const moments = () => new Map([...adapter.parameters].map(([name, { data }]) => [name, data.map((value) => value + 1)]));
    const optimizer = { step: 4, firstMoments: moments(), secondMoments: moments() };
    await saveAdapter(folder, { ...adapter, optimizer });
    expect(await loadAdapter(folder, config)).toEqual(adapter);
    expect(await loadOptimizerState(folder, adapterTensors(config, options))).toEqual(optimizer);
  });

  it.each<[string, Record<string, unknown>]>([
    ["peft_type", { peft_type: "IA3" }],
    ["bias", { bias: "all" }],
    ["lora_dropout", { lora_dropout: 1 }],
    ["lora_dropout", { lora_dropout: "0.1" }],
    ["use_dora", { use_dora: true }],
    ["use_rslora", { use_rslora: true }],
    ["rank_pattern", { rank_pattern: { q_proj: 4 } }],
    ["modules_to_save", { modules_to_save: ["lm_head"] }],
    ["layers_to_transform", { layers_to_transform: [0] }],
    ["init_lora_weights", { init_lora_weights: "pissa" }],
    ["target_modules", { target_modules: "q_proj|k_proj" }],
    ["target_modules", { target_modules: [3] }],
    ["r", { r: 0 }],
    ["lora_alpha", { lora_alpha: "x" }],
  ])("is refused for %s in %j", async (field, change) => {
    const folder = fresh();
    await saveAdapter(folder, trained());
    const file = join(folder, "adapter_config.json");
    const json = JSON.parse(await readFile(file, "utf8")) as Record<string, unknown>;
    await writeFile(file, JSON.stringify({ ...json, ...change }));
    const error = await errorOf(loadAdapter(folder, config));
    expect(error.message).toContain(file);
    expect(error.message).toContain(`${field} `);
  });

  it("is refused when it does not fit the model", async () => {
    const folder = fresh();
    const adapter = trained();
    await saveAdapter(folder, adapter);
    const file = join(folder, "adapter_model.safetensors");
    const [first, ...rest] = [...adapter.parameters];
    await writeSafetensors(file, new Map(rest));
    expect((await errorOf(loadAdapter(folder, config))).message).toContain(`${first[0]} is missing`);
    await writeSafetensors(file, new Map([[first[0], { shape: [8, 3], data: first[1].data }], ...rest]));
    expect((await errorOf(loadAdapter(folder, config))).message).toMatch(/\[8, 3\], expected shape \[3, 8\]/);
    await writeSafetensors(file, new Map([...adapter.parameters, [first[0].replace("q_proj", "v_proj"), first[1]]]));
    expect((await errorOf(loadAdapter(folder, config))).message).toMatch(/v_proj.*belongs to no module/);
    await saveAdapter(folder, { options: { ...options, targetModules: ["lm_head"] }, parameters: adapter.parameters });
    expect((await errorOf(loadAdapter(folder, config))).message).toMatch(/no module lm_head/);
    expect((await errorOf(loadAdapter(fresh(), config))).message).toMatch(/no adapter/);
  });

  it.each<[string, Partial<LoraOptions>]>([
    ["rank", { rank: 1.5 }],
    ["alpha", { alpha: 0 }],
    ["dropout", { dropout: 1 }],
    ["dropout", { dropout: Number.NaN }],
    ["target modules", { targetModules: [] }],
    ["embed_tokens", { targetModules: ["q_proj", "embed_tokens"] }],
    ["no module x_proj", { targetModules: ["q_proj", "x_proj"] }],
    ["no module proj", { targetModules: ["proj"] }],
  ])("is not made with a wrong %s", (what, change) => {
    expect(() => initialiseAdapter(config, { ...options, ...change }, 1)).toThrow(what);
  });
});
