/**
 * How fast the embedded engine trains, scores and samples, as a share of the runtime's own rate of matrix products, and side by side with
 * PyTorch on the same cores in the same run. Usage: node bench/engine.ts [--json] [--sizes S,M] [--rounds 5] [--threads 2]
 *
 * The two sides take turns, round by round, so that a machine that slows down slows both; medians are compared. PyTorch runs when the
 * python that MIDCOURSE_PYTHON names (python3 otherwise) can load it.
 */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { parseArgs } from "node:util";
import { matrixProductOperations } from "./engine-gemm.ts";
import { type EngineSizes, engineSizes, trainingOperationsPerToken } from "./engine-sizes.ts";

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    sizes: { type: "string", default: "S,M" },
    rounds: { type: "string", default: "5" },
    threads: { type: "string", default: "2" },
  },
});
const python = process.env.MIDCOURSE_PYTHON ?? "python3";

/** A child that answers one JSON line per request. */
class Side {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(command: string, script: string, sizes: EngineSizes) {
    const file = new URL(script, import.meta.url).pathname;
    this.#child = spawn(command, [file, JSON.stringify(sizes), values.threads], { stdio: ["pipe", "pipe", "inherit"] });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async answer(): Promise<Record<string, never>> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("A side of the benchmark ended early.");
    return JSON.parse(value);
  }

  async ask(task: string, count = 1): Promise<Record<string, never>> {
    this.#child.stdin!.write(`${JSON.stringify({ task, count })}\n`);
    return this.answer();
  }

  async end(): Promise<void> {
    this.#child.stdin!.end();
    if (this.#child.exitCode === null) await once(this.#child, "exit");
  }
}

function whyNoPeer(): string | undefined {
  const probe = spawnSync(python, ["-c", "import torch"], { encoding: "utf8" });
  if (probe.error) return `${python} does not start`;
  return probe.status === 0 ? undefined : `${python} has no torch`;
}

const median = (numbers: number[]) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function measure(name: string, sizes: EngineSizes, withPeer: boolean) {
  const rounds = Number(values.rounds);
  const tokens: Record<string, number> = {
    train: sizes.batch * sizes.time,
    score: sizes.batch * sizes.time,
    decode: sizes.decodeRows * sizes.newTokens,
  };
  const own = new Side(process.execPath, "./engine-self.ts", sizes);
  const { parameters } = await own.answer();
  const peer = withPeer ? new Side(python, "./engine-peer.py", sizes) : undefined;
  const { version } = peer ? await peer.answer() : {};
  const sides = [{ id: "own", side: own }, ...(peer ? [{ id: "peer", side: peer }] : [])];
  const seconds: Record<string, Record<string, number[]>> = {};
  const peaks: Record<string, number> = {};
  const products: number[] = [];
  for (const task of ["train", "score", "decode"]) {
    seconds[task] = Object.fromEntries(sides.map(({ id }) => [id, []]));
    for (const { side } of sides) await side.ask(task, 2);
    for (let round = 0; round < rounds; round++) {
      for (const { id, side } of sides)
        seconds[task][id].push(...((await side.ask(task, task === "decode" ? 1 : 2)).seconds as number[]));
      if (task === "train") for (const { id, side } of sides) peaks[id] = (await side.ask("peak")).bytes;
    }
  }
  for (let round = 0; round < rounds; round++) {
    // Training again beside the bare products, because the share is wanted at one moment's speed of the machine.
    seconds.train.own.push(...((await own.ask("train", 1)).seconds as number[]));
    products.push(...((await own.ask("gemm", 1)).seconds as number[]));
  }
  for (const { side } of sides) await side.end();
  const rates = Object.fromEntries(
    Object.entries(seconds).map(([task, bySide]) => [
      task,
      Object.fromEntries(Object.entries(bySide).map(([id, list]) => [id, tokens[task] / median(list)])),
    ]),
  );
  const productRate = matrixProductOperations(sizes) / median(products);
  const trainingRate = trainingOperationsPerToken(sizes) * rates.train.own;
  return { name, parameters, peer: version, rates, peaks, productRate, trainingRate, share: trainingRate / productRate };
}

const reason = whyNoPeer();
const results = [];
for (const name of values.sizes.split(",")) results.push(await measure(name, engineSizes[name], reason === undefined));
if (values.json) console.log(JSON.stringify({ threads: Number(values.threads), skipped: reason, results }, null, 2));
else {
  if (reason !== undefined) console.log(`PyTorch is left out: ${reason}.`);
  for (const { name, parameters, peer, rates, peaks, productRate, trainingRate, share } of results) {
    console.log(`\n${name}: ${(parameters / 1e6).toFixed(2)} M parameters, ${values.threads} threads`);
    const gigaflops = (rate: number) => `${(rate / 1e9).toFixed(0)} GFLOP/s`;
    console.log(
      `  training ${gigaflops(trainingRate)} = ${(100 * share).toFixed(0)} % of the runtime's matrix products at ${gigaflops(productRate)}`,
    );
    for (const [task, { own, peer: other }] of Object.entries(rates)) {
      const beside =
        other === undefined ? "" : `   PyTorch ${peer} ${other.toFixed(0).padStart(7)}   ratio ${(own / other).toFixed(2)}`;
      console.log(`  ${task.padEnd(7)} ${own.toFixed(0).padStart(7)} tokens/s${beside}`);
    }
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
    console.log(
      `  peak memory while training ${megabytes(peaks.own)}${peaks.peer === undefined ? "" : `   PyTorch ${megabytes(peaks.peer)}`}`,
    );
  }
}
