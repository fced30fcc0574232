/** PEFT's adapter_config.json: the few fields of plain LoRA, and an error for every other kind of adapter. */
import { Fields } from "./fields.ts";

/** The matrices of a layer that an adapter may be laid over. */
export const adaptableModules: readonly string[] = ["q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"];

export interface LoraOptions {
  rank: number;
  /** The update is scaled by alpha / rank. */
  alpha: number;
  /**
   * Share of an adapter's inputs that is left out in each training pass, drawn anew for every token and matrix, the rest scaled up so that
   * the mean stays; from 0, which is the same as absent, to below 1. Scoring and sampling leave nothing out.
   */
  dropout?: number;
  /** As PEFT reads them: `q_proj` or `self_attn.q_proj` means that of every layer, `model.layers.0.self_attn.q_proj` that one. */
  targetModules: readonly string[];
}

export function writeAdapterConfig(options: LoraOptions, baseModel: string | undefined): string {
  const json = {
    peft_type: "LORA",
    task_type: "CAUSAL_LM",
    base_model_name_or_path: baseModel ?? null,
    r: options.rank,
    lora_alpha: options.alpha,
    lora_dropout: options.dropout ?? 0,
    target_modules: [...options.targetModules],
    bias: "none",
    fan_in_fan_out: false,
    inference_mode: true,
    init_lora_weights: true,
    modules_to_save: null,
    use_dora: false,
    use_rslora: false,
  };
  return `${JSON.stringify(json, null, 2)}\n`;
}

/** Fields that are harmless only at this value (or null, empty, false, absent), because they change which numbers the adapter means. */
const neutral = [
  "alpha_pattern",
  "rank_pattern",
  "modules_to_save",
  "layers_to_transform",
  "layer_replication",
  "exclude_modules",
  "target_parameters",
  "trainable_token_indices",
  "alora_invocation_tokens",
  "use_dora",
  "use_rslora",
  "use_qalora",
  "use_bdlora",
  "lora_bias",
  "fan_in_fan_out",
];

const plainOnly = "Only plain LoRA without bias is supported; merge the adapter with PEFT and load the merged model.";

/** @throws userError naming file and field */
export function parseAdapterConfig(json: unknown, file: string): LoraOptions {
  const fields = new Fields(json, file);
  if (fields.text("peft_type") !== "LORA") throw fields.unsupported("peft_type", "only LORA is supported.", plainOnly);
  if (fields.text("bias", "none") !== "none") throw fields.unsupported("bias", "trained biases are not supported.", plainOnly);
  for (const name of neutral) {
    if (!isEmpty(fields.raw(name))) throw fields.unsupported(name, "this is not supported.", plainOnly);
  }
  // Other ways to initialise also change the base weights that the adapter is relative to.
  if (![undefined, null, true, false, "gaussian"].includes(fields.raw("init_lora_weights") as boolean)) {
    throw fields.unsupported("init_lora_weights", "this way to initialise changes the base model.", plainOnly);
  }
  const dropout = readDropout(fields);
  return {
    rank: fields.count("r"),
    alpha: fields.positive("lora_alpha"),
    ...(dropout === 0 ? {} : { dropout }),
    targetModules: readTargets(fields),
  };
}

function readDropout(fields: Fields): number {
  const dropout = fields.raw("lora_dropout") ?? 0;
  if (typeof dropout === "number" && dropout >= 0 && dropout < 1) return dropout;
  throw fields.unsupported("lora_dropout", "it must be a number from 0 to below 1.", plainOnly);
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === false || value === 0) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

function readTargets(fields: Fields): string[] {
  const targets = fields.raw("target_modules");
  if (targets === "all-linear") return [...adaptableModules];
  if (!Array.isArray(targets) || !targets.every((target) => typeof target === "string")) {
    throw fields.unsupported("target_modules", "only a list of module names or all-linear is supported.", plainOnly);
  }
  return [...new Set(targets)].sort();
}
