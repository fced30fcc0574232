/**
 * How much the harness adds to the server's own time: `node bench/evaluation.ts [--delays 250,1000] [--concurrency 256]`.
 * A server on loopback (a process of its own) answers every request after a fixed delay, so the ideal is items × delay / concurrency.
 * The whole path runs: method, client, limiter, grading, trace, one line on the disk for each answer.
 */
import { fork } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import { runBenchmark } from "#evaluation/benchmark-run.ts";
import type { Item } from "#kernel/item.ts";
import { vanilla } from "#methods/vanilla.ts";
import { HttpConnections } from "#models/http-request.ts";
import { Limiter } from "#models/limiter.ts";
import { OpenAiModel } from "#models/openai.ts";
import { carefulQuirks, serverQuirks } from "#models/server-quirks.ts";
import { RecordStore } from "#recipes/benchmark-store.ts";
import { numberVerifier } from "#verifiers/number.ts";

const { values } = parseArgs({
  options: { delays: { type: "string", default: "250,1000" }, concurrency: { type: "string", default: "256" } },
});
const concurrency = Number(values.concurrency);

async function measure(delay: number): Promise<void> {
  const server = fork(path.join(import.meta.dirname, "evaluation-server.ts"), [String(delay)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  const folder = mkdtempSync(path.join(tmpdir(), "midcourse-bench-"));
  const connections = new HttpConnections();
  try {
    const port = await new Promise<string>((resolve) =>
      server.stdout!.once("data", (chunk: Buffer) => resolve(chunk.toString().trim())),
    );
    const model = new OpenAiModel({
      model: "fixed-delay",
      address: { baseUrl: `http://127.0.0.1:${port}/v1` },
      connections,
      quirks: carefulQuirks(serverQuirks.other),
      policy: new Limiter({ most: concurrency }).policy,
    });
    const store = new RecordStore(folder);
    const run = (name: string, count: number) =>
      runBenchmark({
        model,
        tasks: [
          {
            task: name,
            items: questions(count),
            methods: [{ method: vanilla(), samples: 1 }],
            verify: numberVerifier(),
            maxTokens: 64,
          },
        ],
        temperature: 0,
        seed: 1,
        concurrency,
        onRecord: (record) => store.append(record),
      });
    // Connections are opened and code is compiled once, not once an answer.
    await run("warm-up", concurrency * 4);
    const count = concurrency * Math.max(8, Math.ceil(10_000 / delay));
    const cpu = process.cpuUsage();
    const startedAt = performance.now();
    await run("measured", count);
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(cpu);
    const ideal = (count * delay) / 1000 / concurrency;
    console.log(
      `${String(delay).padStart(5)} ms  ${String(count).padStart(6)} answers  ${seconds.toFixed(2).padStart(7)} s  ideal ${ideal.toFixed(2)} s  ` +
        `${((100 * ideal) / seconds).toFixed(1)} % of ideal  ${((user + system) / 1000 / count).toFixed(3)} ms processor time a call`,
    );
    store.close();
  } finally {
    connections.close();
    server.disconnect();
    rmSync(folder, { recursive: true, force: true });
  }
}

function questions(count: number): Item[] {
  return Array.from({ length: count }, (_, index) => ({
    id: String(index),
    question: `A box holds ${index} pens and a second one ${index + 3}. How many pens are there? `.repeat(4),
    answer: String(2 * index + 3),
  }));
}

console.log(`concurrency ${concurrency}, node ${process.version}`);
for (const delay of values.delays.split(",").map(Number)) await measure(delay);
