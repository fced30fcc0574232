/**
 * How much the harness adds to the server's own time.
 *
 *   node bench/evaluation.ts [--delays 250,500,1000] [--concurrency 256] [--rounds 3] [--seconds 10]
 *
 * A server on loopback (a process of its own) answers every request after a fixed delay, so the ideal is items × delay / concurrency.
 * The whole path runs: method, client, limiter, grading, trace, one line on the disk for each answer. Beside it, in the same round and
 * against the same server: a bare loop over node:http that only sends and reads, which shows what the machine itself takes; and, where
 * MIDCOURSE_PYTHON names a Python that has it, lm-evaluation-harness with the same items (`evaluation-lm-eval.py`).
 */
import { execFileSync, fork } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import http from "node:http";
import { availableParallelism, cpus, tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { evaluate } from "#evaluation/records/evaluate.ts";
import { median } from "#evaluation/statistics/statistics.ts";
import { HttpConnections } from "#http/connections.ts";
import type { Item } from "#kernel/item.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { Limiter } from "#models/around/limiter.ts";
import { OpenAiModel } from "#models/openai/openai.ts";
import { carefulQuirks, serverQuirks } from "#models/openai/server-quirks.ts";
import { RecordStore } from "#recipes/benchmark/store.ts";
import { gsm8k } from "#tasks/gsm8k.ts";

const { values } = parseArgs({
  options: {
    delays: { type: "string", default: "250,500,1000" },
    concurrency: { type: "string", default: "256" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "10" },
  },
});
const concurrency = Number(values.concurrency);
const python = process.env.MIDCOURSE_PYTHON;
const maxTokens = 64;

interface Taken {
  seconds: number;
  /** Of this process alone, user and system. */
  processorSeconds: number;
  /** Of `seconds`, those from the first request to the last answer, where loading and grading stand apart. */
  askingSeconds?: number;
}

/** Everything is warm before it is measured: connections are opened and code is compiled once, not once an answer. */
interface Contender {
  name: string;
  run(url: string, items: readonly Item[], folder: string): Promise<Taken>;
}

async function timed(work: () => Promise<unknown>): Promise<Taken> {
  const before = process.cpuUsage();
  const startedAt = performance.now();
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(before);
  return { seconds, processorSeconds: (user + system) / 1e6 };
}

const midcourse: Contender = {
  name: "midcourse",
  async run(url, items, folder) {
    const connections = new HttpConnections();
    const store = new RecordStore(folder);
    const model = new OpenAiModel({
      model: "fixed-delay",
      address: { baseUrl: url },
      connections,
      quirks: carefulQuirks(serverQuirks.other),
      policy: new Limiter({ most: concurrency }).policy,
    });
    const answer = (task: string, some: readonly Item[]) =>
      evaluate({
        model,
        tasks: [{ task, items: some, methods: [{ method: vanilla(), samples: 1 }], verify: gsm8k.grader({}), maxTokens }],
        temperature: 0,
        seed: 1,
        concurrency,
        keepTrace: true,
        keepTime: true,
        onRecord: (record) => store.append(record),
      });
    try {
      await answer("warm-up", items.slice(0, concurrency * 4));
      return await timed(() => answer("measured", items));
    } finally {
      connections.close();
      store.close();
    }
  },
};

const bareClient: Contender = {
  name: "bare client",
  async run(url, items) {
    const agent = new http.Agent({ keepAlive: true, maxFreeSockets: 1024, scheduling: "lifo" });
    const target = new URL(`${url}/chat/completions`);
    const sendAll = async (some: readonly Item[]) => {
      const queue = some.values();
      const work = async () => {
        for (const { question } of queue) await post(target, agent, question);
      };
      await Promise.all(Array.from({ length: concurrency }, work));
    };
    try {
      await sendAll(items.slice(0, concurrency * 4));
      return await timed(() => sendAll(items));
    } finally {
      agent.destroy();
    }
  },
};

function post(url: URL, agent: http.Agent, content: string): Promise<unknown> {
  const body = JSON.stringify({ model: "fixed-delay", messages: [{ role: "user", content }], max_tokens: maxTokens });
  const headers = { "content-type": "application/json", "content-length": Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method: "POST", agent, headers }, (response) => {
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (piece: string) => (text += piece));
      response.on("end", () => resolve(JSON.parse(text)));
      response.on("error", reject);
    });
    request.on("error", reject);
    request.end(body);
  });
}

const lmEval = (interpreter: string): Contender => ({
  name: "lm-evaluation-harness",
  async run(url, items, folder) {
    const file = path.join(folder, "items.jsonl");
    writeFileSync(
      file,
      items.map(({ question, answer }) => `${JSON.stringify({ question, answer: `#### ${answer}` })}\n`).join(""),
    );
    const script = path.join(import.meta.dirname, "evaluation-lm-eval.py");
    const output = execFileSync(interpreter, [script, "throughput", url, file, String(concurrency), String(maxTokens)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      maxBuffer: 1e8,
    });
    const reply = JSON.parse(output.trimEnd().split("\n").at(-1)!) as Taken & { missing?: string };
    if (reply.missing !== undefined) throw new Error(`${interpreter} has no lm-evaluation-harness: ${reply.missing}`);
    return reply;
  },
});

function questions(count: number): Item[] {
  return Array.from({ length: count }, (_, index) => ({
    id: String(index),
    question: `A box holds ${index} pens and a second one ${index + 3}. How many pens are there? `.repeat(4),
    answer: String(2 * index + 3),
  }));
}

async function measure(delay: number, contenders: readonly Contender[]): Promise<void> {
  const waves = Math.max(8, Math.ceil((Number(values.seconds) * 1000) / delay));
  const items = questions(concurrency * waves);
  const ideal = (waves * delay) / 1000;
  const taken = new Map(contenders.map(({ name }) => [name, [] as Taken[]]));
  const server = fork(path.join(import.meta.dirname, "evaluation-server.ts"), [String(delay)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  try {
    const port = await new Promise<string>((resolve) =>
      server.stdout!.once("data", (chunk: Buffer) => resolve(chunk.toString().trim())),
    );
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const { name, run } of contenders) {
        const folder = mkdtempSync(path.join(tmpdir(), "midcourse-bench-"));
        taken.get(name)!.push(await run(`http://127.0.0.1:${port}/v1`, items, folder));
        rmSync(folder, { recursive: true, force: true });
      }
    }
  } finally {
    server.disconnect();
  }
  for (const [name, runs] of taken) {
    const shares = runs.map(({ seconds }) => (100 * ideal) / seconds);
    const perCall = runs.map(({ processorSeconds }) => (1000 * processorSeconds) / items.length);
    const columns = [
      `${delay} ms`.padStart(8),
      String(items.length).padStart(8),
      `${ideal.toFixed(2)} s`.padStart(9),
      `${median(runs.map(({ seconds }) => seconds)).toFixed(2)} s`.padStart(9),
      `${median(shares).toFixed(1)} %`.padStart(8),
      `${Math.min(...shares).toFixed(1)}–${Math.max(...shares).toFixed(1)} %`.padStart(15),
      `${median(perCall).toFixed(3)} ms`.padStart(10),
    ];
    const asking = runs.flatMap(({ askingSeconds }) => askingSeconds ?? []);
    const apart = asking.length > 0 ? `  (requests alone ${median(asking).toFixed(2)} s)` : "";
    console.log(`${name.padEnd(22)} ${columns.join(" ")}${apart}`);
  }
}

const contenders = [midcourse, bareClient, ...(python ? [lmEval(python)] : [])];
console.log(`${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, concurrency ${concurrency}`);
if (!python) console.log("MIDCOURSE_PYTHON is not set: lm-evaluation-harness is left out.");
console.log(`\nmedian of ${values.rounds} rounds     delay  answers     ideal      took    share          range   CPU/call`);
for (const delay of values.delays.split(",").map(Number)) await measure(delay, contenders);
