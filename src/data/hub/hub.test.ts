import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HubServer, hubServer } from "../../../test/support/hub-server.ts";
import { fetchHubFiles } from "./hub.ts";

const commit = "a".repeat(40);
const later = "b".repeat(40);
const converted = "c".repeat(40);
const exam = readFileSync("test/parquet/exam-snappy.parquet");

let hub: HubServer;
let folder: string;

beforeEach(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-hub-"));
  hub = await hubServer({
    "some/exam": {
      branches: { main: commit },
      commits: {
        [commit]: {
          "README.md": "An exam.",
          "easy/test-00000-of-00001.parquet": exam,
          "hard/test-00000-of-00002.parquet": exam,
          "hard/test-00001-of-00002.parquet": exam,
          "hard/train-00000-of-00001.parquet": exam,
          "latest/test-00000-of-00001.parquet": exam,
          "plain.csv": "question,answer\nhow many,3\n",
        },
        [later]: { "hard/test-00000-of-00001.parquet": "changed" },
      },
    },
    "some/script": {
      branches: { main: commit, "refs/convert/parquet": converted },
      commits: { [commit]: { "script.py": "load()" }, [converted]: { "default/validation/0000.parquet": exam } },
    },
    "some/gated": { token: "hf_secret", commits: { [commit]: { "questions.csv": "a,b\n" } } },
  });
});

afterEach(async () => {
  await hub.close();
  rmSync(folder, { recursive: true, force: true });
});

const options = (environment: Record<string, string> = {}) => ({
  cacheFolder: path.join(folder, "cache"),
  environment: { HF_ENDPOINT: hub.url, HF_HOME: path.join(folder, "hf"), ...environment },
  firstWaitMilliseconds: 1,
});
const names = ({ files }: { files: { name: string }[] }) => files.map(({ name }) => name);

describe("fetching files of a dataset", () => {
  it("finds the files of a split, keeps them, and asks for nothing the second time", async () => {
    const table = { dataset: "some/exam", config: "hard", split: "test", revision: commit };
    const first = await fetchHubFiles(table, options());
    expect(names(first)).toEqual(["hard/test-00000-of-00002.parquet", "hard/test-00001-of-00002.parquet"]);
    expect(readFileSync(first.files[0].path).equals(exam)).toBe(true);
    hub.requests.length = 0;
    expect(await fetchHubFiles(table, options({ HF_HUB_OFFLINE: "1" }))).toEqual(first);
    expect(hub.requests).toEqual([]);
  });

  it("takes the files that are named", async () => {
    const table = { dataset: "some/exam", split: "test", revision: commit, files: ["plain.csv"] };
    const { files } = await fetchHubFiles(table, options());
    expect(readFileSync(files[0].path, "utf8")).toContain("how many");
    expect(files[0].path).toContain(commit);
  });

  it("resolves a branch once and stays with that commit", async () => {
    const table = { dataset: "some/exam", config: "easy", split: "test", revision: "main" };
    expect((await fetchHubFiles(table, options())).commit).toBe(commit);
    hub.intercept = (_request, response, at) => {
      if (!at.includes("/revision/")) return false;
      response.end(JSON.stringify({ sha: later }));
      return true;
    };
    expect((await fetchHubFiles(table, options())).commit).toBe(commit);
  });

  it("uses the branch of converted tables where a dataset is kept as a script", async () => {
    const table = { dataset: "some/script", split: "validation", revision: "main" };
    expect(await fetchHubFiles(table, options())).toMatchObject({
      commit: converted,
      files: [{ name: "default/validation/0000.parquet" }],
    });
  });

  it("uses what other tools have fetched", async () => {
    const there = path.join(folder, "hf", "hub", "datasets--some--exam", "snapshots", commit);
    mkdirSync(there, { recursive: true });
    writeFileSync(path.join(there, "plain.csv"), "from the other cache");
    const table = { dataset: "some/exam", split: "test", revision: commit, files: ["plain.csv"] };
    const { files } = await fetchHubFiles(table, options({ HF_HUB_OFFLINE: "true" }));
    expect(readFileSync(files[0].path, "utf8")).toBe("from the other cache");
    expect(hub.requests).toEqual([]);
  });

  it("lets two fetch at once", async () => {
    const table = { dataset: "some/exam", config: "hard", split: "test", revision: commit };
    const [first, second] = await Promise.all([fetchHubFiles(table, options()), fetchHubFiles(table, options())]);
    expect(first).toEqual(second);
    expect(readdirSync(path.dirname(first.files[0].path)).filter((name) => name.includes("partial"))).toEqual([]);
  });

  it("does not read what a killed run left", async () => {
    const at = path.join(folder, "cache", "datasets", "some--exam", commit);
    mkdirSync(at, { recursive: true });
    writeFileSync(path.join(at, "plain.csv.123-0.partial"), "half");
    writeFileSync(path.join(at, ".files.json"), "[{");
    const table = { dataset: "some/exam", split: "test", revision: commit, files: ["plain.csv"] };
    expect(readFileSync((await fetchHubFiles(table, options())).files[0].path, "utf8")).toContain("how many");
  });

  it("brings the token where a dataset is gated, from the environment or from the file of the other tools", async () => {
    const table = { dataset: "some/gated", split: "train", revision: commit, files: ["questions.csv"] };
    await expect(fetchHubFiles(table, options())).rejects.toMatchObject({
      family: "user",
      code: "hub-gated",
      advice: expect.stringMatching(/HF_TOKEN.*--data FILE/),
    });
    await expect(fetchHubFiles(table, options({ HF_TOKEN: "wrong" }))).rejects.toMatchObject({ code: "hub-gated" });
    expect(names(await fetchHubFiles(table, options({ HF_TOKEN: "hf_secret" })))).toEqual(["questions.csv"]);
    rmSync(path.join(folder, "cache"), { recursive: true });
    mkdirSync(path.join(folder, "hf"));
    writeFileSync(path.join(folder, "hf", "token"), "hf_secret\n");
    expect(names(await fetchHubFiles(table, options()))).toEqual(["questions.csv"]);
  });
});

describe("when the hub fails", () => {
  const table = { dataset: "some/exam", split: "test", revision: commit, files: ["plain.csv"] };
  const wholeTable = { dataset: "some/exam", split: "test", revision: commit };
  const isFile = (at: string) => at.includes("/resolve/");

  it("tries again after a busy server, a broken connection and damaged files", async () => {
    const failures = [
      (response: import("node:http").ServerResponse) => response.writeHead(429, { "retry-after": "0" }).end("slow down"),
      (response: import("node:http").ServerResponse) => response.destroy(),
      (response: import("node:http").ServerResponse) => response.end("question,answer\nhow many,4\n"),
    ];
    hub.intercept = (_request, response, at) => {
      const fail = isFile(at) ? failures.shift() : undefined;
      fail?.(response);
      return fail !== undefined;
    };
    const { files } = await fetchHubFiles(table, options());
    expect(readFileSync(files[0].path, "utf8")).toContain("how many,3");
    expect(hub.requests.filter(isFile)).toHaveLength(4);
  });

  it("gives up with a remote error, and leaves nothing behind", async () => {
    hub.intercept = (_request, response, at) => isFile(at) && Boolean(response.writeHead(503).end("down"));
    await expect(fetchHubFiles(table, options())).rejects.toMatchObject({
      family: "remote",
      code: "hub-failed",
      remote: { status: 503 },
    });
    expect(existsSync(path.join(folder, "cache", "datasets", "some--exam", commit, "plain.csv"))).toBe(false);
  });

  it("never keeps a damaged file", async () => {
    hub.intercept = (_request, response, at) => isFile(at) && Boolean(response.end("short"));
    await expect(fetchHubFiles(table, options())).rejects.toMatchObject({ code: "hub-broken-file" });
    expect(readdirSync(path.join(folder, "cache", "datasets", "some--exam", commit))).toEqual([".files.json"]);
  });

  it("gives up on a server that stops sending", async () => {
    hub.intercept = (_request, response, at) => isFile(at) && response.writeHead(200).write("question");
    const impatient = { ...options(), stallMilliseconds: 30 };
    await expect(fetchHubFiles(table, impatient)).rejects.toMatchObject({ code: "hub-offline" });
  });

  it("says what to do without a connection", async () => {
    await hub.close();
    const advice = expect.stringContaining("--data FILE");
    await expect(fetchHubFiles(table, options())).rejects.toMatchObject({ family: "user", code: "hub-offline", advice });
    await expect(fetchHubFiles(table, options({ HF_HUB_OFFLINE: "1" }))).rejects.toMatchObject({ code: "hub-offline", advice });
  });

  it.each(["hf-mirror.local", "localhost:8080", "ftp://hf-mirror.local", "http://"])(
    "says how to write an endpoint that is no address: %s",
    async (endpoint) => {
      await expect(fetchHubFiles(table, options({ HF_ENDPOINT: endpoint }))).rejects.toMatchObject({
        family: "user",
        code: "hub-address",
        message: expect.stringContaining("HF_ENDPOINT="),
        advice: expect.stringMatching(/^Write HF_ENDPOINT=https:\/\/(hf-mirror\.local|localhost:8080|HOST)$/),
      });
      expect(hub.requests).toEqual([]);
    },
  );

  it("names what is not there", async () => {
    const fetching = (part: object) => fetchHubFiles({ ...table, ...part }, options());
    await expect(fetching({ dataset: "some/nothing" })).rejects.toMatchObject({ code: "hub-missing" });
    await expect(fetching({ files: ["other.csv"] })).rejects.toMatchObject({
      code: "hub-missing",
      message: expect.stringContaining("other.csv"),
    });
    await expect(fetching({ revision: "branch" })).rejects.toMatchObject({
      code: "hub-missing",
      message: expect.stringContaining("branch"),
    });
    await expect(fetching({ files: undefined, split: "dev" })).rejects.toMatchObject({ family: "user" });
    await expect(fetching({ files: ["../../etc/passwd"] })).rejects.toMatchObject({ code: "hub-name" });
    await expect(fetching({ dataset: "../x" })).rejects.toMatchObject({ code: "hub-name" });
  });

  it("ends when it is cancelled", async () => {
    const stop = new AbortController();
    hub.intercept = (_request, response, at) => {
      if (!isFile(at)) return false;
      response.writeHead(200).write("question");
      stop.abort(new Error("enough"));
      return true;
    };
    await expect(fetchHubFiles(table, { ...options(), signal: stop.signal })).rejects.toThrow("enough");
  });

  it("sends the token to the hub's own origin alone: a next page elsewhere is refused, and what files redirect to is asked without it", async () => {
    const told: (string | undefined)[] = [];
    const other = createServer((request, response) => {
      told.push(request.headers.authorization);
      response.end("question,answer\nhow many,3\n");
    });
    await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
    const elsewhere = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    try {
      hub.intercept = (_request, response, at) => {
        if (!at.includes("/tree/")) return false;
        response.writeHead(200, { link: `<${elsewhere}/more>; rel="next"` }).end("[]");
        return true;
      };
      const reading = fetchHubFiles(wholeTable, options({ HF_TOKEN: "hf_planted_1" }));
      await expect(reading).rejects.toMatchObject({
        code: "hub-strange",
        message: expect.stringContaining(`${elsewhere} as the place of the next page`),
      });
      expect(told).toEqual([]);
      hub.intercept = (_request, response, at) => {
        if (!isFile(at)) return false;
        response.writeHead(302, { location: `${elsewhere}/plain.csv` }).end();
        return true;
      };
      const { files } = await fetchHubFiles(table, options({ HF_TOKEN: "hf_planted_1" }));
      expect(readFileSync(files[0].path, "utf8")).toContain("how many");
      expect(told).toEqual([undefined]);
    } finally {
      other.close();
    }
  });

  it.each([
    ["itself", () => "?recursive=true", 1],
    ["ever more pages", (page: number) => `?recursive=true&page=${page}`, 1000],
  ])("ends a list of files that names %s as its next page, with an error", async (_what, next, pages) => {
    let page = 0;
    hub.intercept = (_request, response, at) => {
      if (!at.includes("/tree/")) return false;
      response.writeHead(200, { link: `<${next(++page)}>; rel="next"` }).end("[]");
      return true;
    };
    await expect(fetchHubFiles(wholeTable, options())).rejects.toMatchObject({
      code: "hub-strange",
      message: expect.stringContaining("does not end"),
    });
    expect(page).toBe(pages);
  });

  it("says that a cache cannot be written", async () => {
    writeFileSync(path.join(folder, "file"), "");
    const blocked = { ...options(), cacheFolder: path.join(folder, "file") };
    await expect(fetchHubFiles(table, blocked)).rejects.toMatchObject({
      code: "cache-unwritable",
      advice: expect.stringContaining("MIDCOURSE_CACHE"),
    });
  });
});
