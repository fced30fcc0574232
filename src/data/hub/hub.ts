/**
 * Files of a dataset on the Hugging Face hub, fetched once and kept: under the commit they belong to, checked against the hub's checksums,
 * and moved into place in one step, so that a run that is killed, or two at once, leave nothing half-written. A branch such as `main` is
 * resolved to its commit at the first fetch and stays there.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { open, readFile, rename, rm, writeFile } from "node:fs/promises";
import type { IncomingHttpHeaders } from "node:http";
import path from "node:path";
import { makeFolder } from "#files/durable.ts";
import { type MidcourseError, userError } from "#kernel/errors.ts";
import {
  cacheFolderOf,
  type Environment,
  type HubAccess,
  type HubReading,
  hubEndpoint,
  hubGet,
  hubToken,
  inHuggingFaceCache,
  isOffline,
} from "./access.ts";

/** A table of a dataset. */
export interface HubTable {
  dataset: string;
  config?: string;
  split: string;
  /** A commit, or a branch that is resolved at the first fetch. */
  revision: string;
  /** Its files, where they are known; found by config and split otherwise. */
  files?: readonly string[];
}

export interface HubOptions {
  /** `MIDCOURSE_CACHE` or the system's place for caches when left out. */
  cacheFolder?: string | undefined;
  signal?: AbortSignal | undefined;
  /** The process's own when left out. */
  environment?: Environment | undefined;
  /** Called before each download. */
  onDownload?: ((file: { dataset: string; name: string; bytes: number | undefined }) => void) | undefined;
  firstWaitMilliseconds?: number;
  stallMilliseconds?: number;
}

export interface HubFiles {
  /** Which state of the dataset this is. */
  commit: string;
  /** Paths on this machine, in order. */
  files: { name: string; path: string }[];
}

/** Everything from the cache where it is complete: then nothing is asked of the network. */
export async function fetchHubFiles(table: HubTable, options: HubOptions = {}): Promise<HubFiles> {
  return new Fetching(table, options).files();
}

interface JsonReply<T> {
  value: T;
  headers: IncomingHttpHeaders;
}

const parquetBranch = "refs/convert/parquet";

class Fetching {
  readonly #table: HubTable;
  readonly #options: HubOptions;
  readonly #environment: Environment;
  readonly #folder: string;
  #access: HubAccess | undefined;

  constructor(table: HubTable, options: HubOptions) {
    if (!/^[\w.-]+\/[\w.-]+$/.test(table.dataset) || table.dataset.split("/").some((part) => /^\.+$/.test(part))) {
      throw userError("hub-name", `"${table.dataset}" is no name of a dataset.`, "Names look like openai/gsm8k.");
    }
    this.#table = table;
    this.#options = options;
    this.#environment = options.environment ?? process.env;
    const root = options.cacheFolder ?? cacheFolderOf(this.#environment);
    this.#folder = path.join(root, "datasets", table.dataset.replace("/", "--"));
  }

  async files(): Promise<HubFiles> {
    const commit = await this.#commitOf(this.#table.revision);
    const found = await this.#filesAt(commit);
    if (found !== undefined) return found;
    // Datasets that are kept as a script have their tables on a branch that the hub makes itself.
    const converted = await this.#filesAt(await this.#commitOf(parquetBranch));
    if (converted !== undefined) return converted;
    const { dataset, config, split, revision } = this.#table;
    const wanted = config === undefined ? `split ${split}` : `split ${split} of ${config}`;
    throw userError(
      "hub-no-files",
      `${dataset} at ${revision} has no data files for ${wanted}.`,
      "Give the file yourself with --data FILE.",
    );
  }

  async #filesAt(commit: string): Promise<HubFiles | undefined> {
    const names = this.#table.files ?? chooseFiles(await this.#listing(commit), this.#table);
    if (names.length === 0) return undefined;
    const files: HubFiles["files"] = [];
    for (const name of names) files.push({ name, path: await this.#file(commit, name) });
    return { commit, files };
  }

  async #commitOf(revision: string): Promise<string> {
    if (aCommit.test(revision)) return revision;
    const kept = path.join(this.#folder, "refs", encodeURIComponent(revision));
    const known = await readFile(kept, "utf8").catch(() => "");
    if (aCommit.test(known.trim())) return known.trim();
    const url = `${await this.#api()}/revision/${encodeURIComponent(revision)}`;
    const { sha } = (await this.#json<{ sha?: unknown }>(url, `the revision ${revision}`)).value;
    if (typeof sha !== "string" || !aCommit.test(sha)) throw this.#strange(url);
    await this.#keep(kept, sha);
    return sha;
  }

  async #listing(commit: string): Promise<ListedFile[]> {
    const kept = path.join(this.#folder, commit, ".files.json");
    const known = await readFile(kept, "utf8").catch(() => undefined);
    if (known !== undefined) {
      try {
        return JSON.parse(known) as ListedFile[];
      } catch {
        await rm(kept, { force: true });
      }
    }
    const listed: ListedFile[] = [];
    let url: string | undefined = `${await this.#api()}/tree/${commit}?recursive=true`;
    const asked = new Set<string>();
    while (url !== undefined) {
      if (asked.has(url) || asked.size === mostPages) throw this.#endless(commit, asked.size);
      asked.add(url);
      const { value, headers }: JsonReply<unknown> = await this.#json(url, "the list of files");
      if (!Array.isArray(value)) throw this.#strange(url);
      for (const entry of value as (ListedFile & { type?: string })[]) {
        if (entry.type === "file" && isSafe(entry.path)) listed.push(entry);
      }
      const next: string | undefined = /<([^>]+)>;\s*rel="next"/.exec([headers.link].flat().join(", "))?.[1];
      url = next === undefined ? undefined : this.#onward(next, url);
    }
    await this.#keep(kept, JSON.stringify(listed));
    return listed;
  }

  /** The next page is one of the same hub: another would be told what is asked for, and could answer anything. */
  #onward(next: string, from: string): string {
    const url = URL.parse(next, from);
    if (url !== null && url.origin === new URL(from).origin) return url.href;
    throw userError(
      "hub-strange",
      `${new URL(from).origin} names ${url === null ? "no address" : url.origin} as the place of the next page of its list of files, which is not the hub.`,
      "Check HF_ENDPOINT. Or give the file yourself with --data FILE.",
    );
  }

  #endless(commit: string, pages: number): MidcourseError {
    return userError(
      "hub-strange",
      `The list of files of ${this.#table.dataset} at ${commit} does not end: after ${pages === 1 ? "1 page" : `${pages} pages`} the hub names ${pages < mostPages ? "one of them again" : "still another"}.`,
      "Check HF_ENDPOINT. Or give the file yourself with --data FILE.",
    );
  }

  async #file(commit: string, name: string): Promise<string> {
    if (!isSafe(name)) throw userError("hub-name", `"${name}" is no path of a file in a dataset.`);
    const { dataset } = this.#table;
    const kept = path.join(this.#folder, commit, ...name.split("/"));
    if (existsSync(kept)) return kept;
    const elsewhere = inHuggingFaceCache(this.#environment, dataset, commit, name);
    if (elsewhere !== undefined) return elsewhere;
    const listed = (await this.#listing(commit)).find((entry) => entry.path === name);
    if (listed === undefined) {
      throw userError("hub-missing", `${dataset} at ${commit} has no file ${name}.`, "Give the file yourself with --data FILE.");
    }
    this.#options.onDownload?.({ dataset, name, bytes: listed.lfs?.size ?? listed.size });
    await this.#download(commit, listed, kept);
    return kept;
  }

  /** Written beside its place under a name of this process alone, checked, and moved. What a killed run leaves is never read. */
  async #download(commit: string, listed: ListedFile, to: string): Promise<void> {
    const { dataset } = this.#table;
    const { endpoint } = await this.#reach();
    const name = listed.path.split("/").map(encodeURIComponent).join("/");
    const partial = `${to}.${process.pid}-${partials++}.partial`;
    try {
      await this.#writing(async () => makeFolder(path.dirname(to)));
      const size = listed.lfs?.size ?? listed.size;
      const handle = await this.#writing(() => open(partial, "w"));
      try {
        let bytes = 0;
        let check = checksum(listed, size);
        await this.#get(`${endpoint}/datasets/${dataset}/resolve/${commit}/${name}`, listed.path, {
          take: () => {
            bytes = 0;
            check = checksum(listed, size);
            return async (chunk) => {
              check.hash?.update(chunk);
              for (let from = 0; from < chunk.byteLength; ) {
                const left = chunk.byteLength - from;
                from += (await this.#writing(() => handle.write(chunk, from, left, bytes + from))).bytesWritten;
              }
              bytes += chunk.byteLength;
            };
          },
          read: async () => {
            await this.#writing(() => handle.truncate(bytes));
            const isWhole = size === undefined || bytes === size;
            if (isWhole && (check.hash === undefined || check.hash.digest("hex") === check.expected)) return;
            throw userError(
              "hub-broken-file",
              `${listed.path} of ${dataset} arrived damaged: ${isWhole ? "its checksum is wrong" : `${bytes} bytes instead of ${size}`}.`,
              "Try again. Or give the file yourself with --data FILE.",
            );
          },
        });
        await this.#writing(() => handle.sync());
      } finally {
        await handle.close();
      }
      await this.#writing(() => rename(partial, to));
    } finally {
      await rm(partial, { force: true }).catch(() => {});
    }
  }

  async #keep(file: string, content: string): Promise<void> {
    const partial = `${file}.${process.pid}-${partials++}.partial`;
    await this.#writing(async () => {
      makeFolder(path.dirname(file));
      await writeFile(partial, content);
      await rename(partial, file);
    });
  }

  async #writing<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      throw userError(
        "cache-unwritable",
        `The cache ${this.#folder} cannot be written: ${code === "ENOSPC" ? "the disk is full" : message}.`,
        "Make room, or set MIDCOURSE_CACHE to another folder.",
        cause,
      );
    }
  }

  async #reach(): Promise<HubAccess> {
    if (isOffline(this.#environment)) {
      throw userError(
        "hub-offline",
        `${this.#table.dataset} is not in the cache ${this.#folder}, and HF_HUB_OFFLINE forbids fetching it.`,
        "Unset HF_HUB_OFFLINE once, or give the file yourself with --data FILE.",
      );
    }
    this.#access ??= {
      endpoint: hubEndpoint(this.#environment),
      token: await hubToken(this.#environment),
      signal: this.#options.signal,
      firstWaitMilliseconds: this.#options.firstWaitMilliseconds ?? 500,
      stallMilliseconds: this.#options.stallMilliseconds ?? 60_000,
    };
    return this.#access;
  }

  async #api(): Promise<string> {
    return `${(await this.#reach()).endpoint}/api/datasets/${this.#table.dataset}`;
  }

  async #get<T>(url: string, what: string, reading: HubReading<T>): Promise<T> {
    return hubGet(await this.#reach(), url, { dataset: this.#table.dataset, what }, reading);
  }

  #json<T>(url: string, what: string): Promise<JsonReply<T>> {
    return this.#get(url, what, {
      read: ({ body, headers }) => {
        try {
          return { value: JSON.parse(body) as T, headers };
        } catch {
          throw this.#strange(url);
        }
      },
    });
  }

  #strange(url: string): MidcourseError {
    const advice = "Check HF_ENDPOINT. Or give the file yourself with --data FILE.";
    return userError("hub-strange", `${url} answered, but not as the Hugging Face hub does.`, advice);
  }
}

/** Tells the partial files of one process apart. */
let partials = 0;

/** One entry of the hub's list of a repository's files. */
interface ListedFile {
  path: string;
  size?: number;
  /** Git's name of the content. */
  oid?: string;
  lfs?: { oid?: string; size?: number };
}

/** Of a list of files, each of a thousand on the hub itself. */
const mostPages = 1000;

/** The name of a state of a repository. */
const aCommit = /^[0-9a-f]{40}$/;

/** Stays inside of the folder it is kept in. */
function isSafe(name: unknown): name is string {
  return (
    typeof name === "string" && name !== "" && !path.isAbsolute(name) && !name.split(/[/\\]/).some((part) => /^\.*$/.test(part))
  );
}

/** How the content is checked: by its SHA-256, or by the name Git has for it. */
function checksum({ lfs, oid }: ListedFile, size: number | undefined) {
  if (lfs?.oid !== undefined && /^[0-9a-f]{64}$/.test(lfs.oid)) return { hash: createHash("sha256"), expected: lfs.oid };
  if (lfs === undefined && oid !== undefined && aCommit.test(oid) && size !== undefined) {
    // Small files stand in Git itself, which names them by this.
    return { hash: createHash("sha1").update(`blob ${size}\0`), expected: oid };
  }
  return { hash: undefined, expected: "" };
}

const tableKinds = [".parquet", ".jsonl", ".json", ".csv"];

/** The files of a split by the hub's habits: in a folder of the config, or named after it; Parquet before other kinds. */
function chooseFiles(listed: readonly ListedFile[], { config, split }: HubTable): string[] {
  const isSplit = new RegExp(`(?:^|[-_./])${escaped(split)}(?:[-_./]|$)`, "i");
  const isConfig =
    config === undefined || config === "default" ? undefined : new RegExp(`(?:^|[-_./])${escaped(config)}(?:[-_./]|$)`, "i");
  for (const kind of tableKinds) {
    const ofKind = listed.map((file) => file.path).filter((name) => name.toLowerCase().endsWith(kind) && isSplit.test(name));
    const ofConfig = isConfig ? ofKind.filter((name) => isConfig.test(name)) : ofKind;
    if (ofConfig.length > 0) return ofConfig.sort();
  }
  return [];
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
