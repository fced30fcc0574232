/** Where what comes from the hub is kept, and whose access is used: the environment variables of Hugging Face's own tools count. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { homedir } from "node:os";
import path from "node:path";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Our own cache: `MIDCOURSE_CACHE`, else the system's place for caches. */
export function cacheFolderOf(environment: Environment): string {
  const own = environment.MIDCOURSE_CACHE;
  return own ? path.resolve(own) : path.join(systemCache(environment), "midcourse");
}

function systemCache(environment: Environment): string {
  if (environment.XDG_CACHE_HOME) return path.resolve(environment.XDG_CACHE_HOME);
  if (process.platform === "win32" && environment.LOCALAPPDATA) return environment.LOCALAPPDATA;
  return path.join(environment.HOME || homedir(), ".cache");
}

function huggingFaceHome(environment: Environment): string {
  return environment.HF_HOME ? path.resolve(environment.HF_HOME) : path.join(systemCache(environment), "huggingface");
}

/** A file of a dataset that another tool has fetched already; undefined when there is none. It is only read. */
export function inHuggingFaceCache(environment: Environment, dataset: string, commit: string, name: string): string | undefined {
  const hub = environment.HF_HUB_CACHE ? path.resolve(environment.HF_HUB_CACHE) : path.join(huggingFaceHome(environment), "hub");
  const file = path.join(hub, `datasets--${dataset.replaceAll("/", "--")}`, "snapshots", commit, ...name.split("/"));
  return existsSync(file) ? file : undefined;
}

/** `HF_TOKEN`, else the token that `hf auth login` has stored. */
export async function hubToken(environment: Environment): Promise<string | undefined> {
  const given = (environment.HF_TOKEN ?? environment.HUGGING_FACE_HUB_TOKEN)?.trim();
  if (given) return given;
  try {
    const file = environment.HF_TOKEN_PATH || path.join(huggingFaceHome(environment), "token");
    return (await readFile(file, "utf8")).trim() || undefined;
  } catch {
    return undefined;
  }
}

export function hubEndpoint(environment: Environment): string {
  return (environment.HF_ENDPOINT || "https://huggingface.co").replace(/\/+$/, "");
}

export function isOffline(environment: Environment): boolean {
  const yes = (value: string | undefined) => value !== undefined && /^(1|true|yes|on)$/i.test(value.trim());
  return yes(environment.HF_HUB_OFFLINE) || yes(environment.HF_DATASETS_OFFLINE);
}
