/** Reads the tokenizer's files of a checkpoint folder: tokenizer.json, tokenizer_config.json, and what else may stand beside them. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { userError } from "#kernel/errors.ts";
import { jsonIn } from "#kernel/values.ts";

interface AddedToken {
  id: number;
  content: string;
  special?: boolean;
}

export interface DecoderJson {
  type: string;
  decoders?: DecoderJson[];
  prepend_scheme?: string;
  add_prefix_space?: boolean;
  start?: number;
  content?: string;
}

export interface TokenizerJson {
  added_tokens?: AddedToken[];
  decoder: DecoderJson | null;
  model: { vocab: Record<string, number> | [string, number][] };
}

export interface TokenizerConfig {
  [key: string]: unknown;
  bos_token?: SpecialToken;
  eos_token?: SpecialToken;
  pad_token?: SpecialToken;
  unk_token?: SpecialToken;
  chat_template?: string | { name: string; template: string }[] | null;
}

type SpecialToken = string | { content: string } | null;

export interface TokenizerFiles {
  json: TokenizerJson;
  jsonFile: string;
  config: TokenizerConfig;
  configFile: string;
  template: string | undefined;
  templateFile: string;
  /** End-of-sequence ids of generation_config.json, where that file is. */
  generationStopIds: number[];
}

export async function readTokenizerFiles(folder: string): Promise<TokenizerFiles> {
  const jsonFile = join(folder, "tokenizer.json");
  const configFile = join(folder, "tokenizer_config.json");
  const separateTemplate = join(folder, "chat_template.jinja");
  const json = await requiredJson<TokenizerJson>(jsonFile);
  if (typeof json !== "object" || json === null || typeof json.model?.vocab !== "object") {
    throw userError(
      "tokenizer-invalid",
      `${jsonFile} holds no vocabulary (model.vocab)`,
      "Take the file from the original checkpoint.",
    );
  }
  const config = await requiredJson<TokenizerConfig>(configFile);
  const separate = await optionalText(separateTemplate);
  const generation = await optionalText(join(folder, "generation_config.json"));
  return {
    json,
    jsonFile,
    config,
    configFile,
    template: separate ?? templateOf(config),
    templateFile: separate === undefined ? configFile : separateTemplate,
    generationStopIds: generation === undefined ? [] : stopIdsOf(generation),
  };
}

/** The text of a special token, which is written as a string or as an object with its content. */
export function specialToken(token: SpecialToken | undefined): string | undefined {
  if (typeof token === "string") return token;
  return token?.content;
}

function templateOf(config: TokenizerConfig): string | undefined {
  const template = config.chat_template;
  if (typeof template === "string") return template;
  if (!Array.isArray(template)) return undefined;
  return (template.find((entry) => entry.name === "default") ?? template[0])?.template;
}

function stopIdsOf(generationConfig: string): number[] {
  const { eos_token_id: ids } = Object(jsonIn(generationConfig)) as { eos_token_id?: unknown };
  return [ids].flat().filter((id): id is number => Number.isInteger(id));
}

async function requiredJson<T>(file: string): Promise<T> {
  const text = await optionalText(file);
  if (text === undefined) {
    throw userError(
      "tokenizer-file-missing",
      `${file} is missing`,
      "Give a checkpoint folder that holds tokenizer.json and tokenizer_config.json.",
    );
  }
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw userError(
      "tokenizer-file-invalid",
      `${file} is not JSON: ${(cause as Error).message}`,
      "The file may be cut off; copy it again.",
      cause,
    );
  }
}

async function optionalText(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw userError(
      "tokenizer-file-unreadable",
      `${file} cannot be read: ${(cause as Error).message}`,
      "Check the folder and its permissions.",
      cause,
    );
  }
}
