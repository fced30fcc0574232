/** A stand-in for the Hugging Face hub on this machine: real requests, files from memory, and failures where a test wants them. */
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface HubDataset {
  /** Commits by the branches that name them. */
  branches?: Record<string, string>;
  /** Contents of files, by commit and path. */
  commits: Record<string, Record<string, Uint8Array | string>>;
  /** Only those who bring this token may read. */
  token?: string;
}

export interface HubServer {
  url: string;
  /** Paths asked for, in order. */
  requests: string[];
  /** May answer a request itself, by giving true back. */
  intercept?: (request: IncomingMessage, response: ServerResponse, path: string) => boolean;
  close(): Promise<void>;
}

export async function hubServer(datasets: Record<string, HubDataset>): Promise<HubServer> {
  const hub: HubServer = { url: "", requests: [], close: async () => {} };
  const server = createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url ?? "/", "http://hub").pathname);
    hub.requests.push(path);
    if (hub.intercept?.(request, response, path) === true) return;
    answer(datasets, request, response, path);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  hub.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  hub.close = () =>
    new Promise((closed) => {
      server.closeAllConnections();
      server.close(() => closed());
    });
  return hub;
}

function answer(
  datasets: Record<string, HubDataset>,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
): ServerResponse {
  const match = /^\/(?:api\/)?datasets\/([^/]+\/[^/]+)\/(revision|tree|resolve)\/(.+)$/.exec(path);
  const [, name, verb, rest] = match ?? [];
  const dataset = datasets[name ?? ""];
  if (dataset === undefined || rest === undefined) return end(response, 404, { error: "Repository not found" });
  if (dataset.token !== undefined && request.headers.authorization !== `Bearer ${dataset.token}`) {
    return end(response, 401, { error: "Access to this dataset is restricted" });
  }
  if (verb === "revision") {
    const sha = dataset.branches?.[rest];
    return sha === undefined ? end(response, 404, { error: "Revision not found" }) : end(response, 200, { sha });
  }
  const slash = rest.indexOf("/");
  const commit = verb === "tree" ? rest : rest.slice(0, slash);
  const files = dataset.commits[commit];
  if (files === undefined) return end(response, 404, { error: "Revision not found" });
  if (verb === "tree") return end(response, 200, [{ type: "directory", path: "data" }, ...Object.entries(files).map(listed)]);
  const content = files[rest.slice(slash + 1)];
  if (content === undefined) return end(response, 404, { error: "Entry not found" });
  return response.writeHead(200, { "content-type": "application/octet-stream" }).end(content);
}

/** Parquet files as large ones are kept, others in Git itself. */
function listed([path, content]: [string, Uint8Array | string]) {
  const bytes = Buffer.from(content);
  const oid = createHash("sha1").update(`blob ${bytes.length}\0`).update(bytes).digest("hex");
  const lfs = { oid: createHash("sha256").update(bytes).digest("hex"), size: bytes.length };
  return { type: "file", path, size: bytes.length, ...(path.endsWith(".parquet") ? { oid: "0".repeat(40), lfs } : { oid }) };
}

function end(response: ServerResponse, status: number, body: unknown): ServerResponse {
  return response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}
