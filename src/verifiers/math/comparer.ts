/** Comparisons of mathematical answers, bounded in time and memory: cheap ones at once, the rest in threads that can be stopped. */
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { type CallSpecs, checkCall, whole } from "#kernel/call-options.ts";
import { bugError } from "#kernel/errors.ts";
import { computeEngine, requirePart } from "#kernel/optional-parts.ts";
import { quickValues } from "./numbers.ts";
import { decide, type MathVerdict } from "./verdict.ts";

export interface MathComparerOptions {
  /** Threads with an engine, about 100 MB each; started when first needed. */
  workers?: number;
  /** For one comparison; one that takes longer counts as different. The thread's start does not count. */
  milliseconds?: number;
  /** Heap of one thread in megabytes. */
  memory?: number;
}

const specs: CallSpecs<MathComparerOptions> = {
  workers: whole("threads with an engine", 1),
  milliseconds: whole("for one comparison", 1),
  memory: whole("heap of one thread in megabytes", 1),
};

export interface Comparison {
  id: number;
  gold: string;
  answer: string;
}

export type WorkerAnswer = { type: "ready" } | { type: "verdict"; id: number; verdict: MathVerdict };

interface Job extends Comparison {
  resolve(verdict: MathVerdict): void;
  reject(error: unknown): void;
  /** Nobody waits any more. */
  dropped: boolean;
}

/** Comparisons sent to a thread at a time. */
const batchSize = 64;
/** Threads that may fail to start, one after another, before comparisons fail. */
const mostStarts = 3;

/** One per run is enough. Keeps the process alive only while it has work. */
export class MathComparer {
  readonly #lanes: Lane[];
  #queue: Job[] = [];
  #next = 0;
  #dispatching = false;
  #closed = false;
  #failedStarts = 0;

  /** @throws userError where the engine is not installed: better now than at the first answer that needs it, in the middle of a run. */
  constructor(options: MathComparerOptions = {}) {
    checkCall("MathComparer", specs, options);
    requirePart(computeEngine, createRequire(import.meta.url).resolve);
    const { workers = 1, milliseconds = 2000, memory = 512 } = options;
    const settings = {
      milliseconds,
      memory,
      done: () => this.#dispatch(),
      failed: (jobs: Job[], cause?: Error) => this.#again(jobs, cause),
    };
    this.#lanes = Array.from({ length: workers }, () => new Lane(settings));
  }

  /** Never rejects on account of what the texts hold; rejects with the signal's reason, and when the engine cannot be started. */
  compare(gold: string, answer: string, signal?: AbortSignal): Promise<MathVerdict> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    if (this.#closed)
      return Promise.reject(bugError("math-comparer-closed", "The comparer of mathematical answers has been closed."));
    const quick = decide(gold, answer, quickValues);
    if (quick.equal !== undefined) return Promise.resolve({ equal: quick.equal, by: quick.by });
    const { promise, resolve, reject } = Promise.withResolvers<MathVerdict>();
    const job: Job = { id: this.#next++, gold, answer, resolve, reject, dropped: false };
    const abort = () => {
      job.dropped = true;
      reject(signal!.reason);
    };
    signal?.addEventListener("abort", abort, { once: true });
    this.#queue.push(job);
    // What is asked in one turn goes out together.
    if (!this.#dispatching) queueMicrotask(() => this.#dispatch());
    this.#dispatching = true;
    return promise.finally(() => signal?.removeEventListener("abort", abort));
  }

  /** Stops the threads. Comparisons under way are rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    const left = this.#queue;
    this.#queue = [];
    const running = await Promise.all(this.#lanes.map((lane) => lane.close()));
    const error = bugError("math-comparer-closed", "The comparer of mathematical answers was closed before it had answered.");
    for (const job of [...running.flat(), ...left]) job.reject(error);
  }

  #dispatch(): void {
    this.#dispatching = false;
    this.#queue = this.#queue.filter((job) => !job.dropped);
    const idle = this.#lanes.filter((lane) => lane.idle);
    for (const [index, lane] of idle.entries()) {
      const share = Math.ceil(this.#queue.length / (idle.length - index));
      if (share > 0 && !this.#closed) lane.run(this.#queue.splice(0, Math.min(batchSize, share)));
    }
  }

  /** Jobs of a thread that ended; `cause` when it never began. */
  #again(jobs: Job[], cause?: Error): void {
    this.#failedStarts = cause ? this.#failedStarts + 1 : 0;
    if (this.#failedStarts >= mostStarts) {
      const error = bugError("math-engine-start", `The engine for mathematical answers does not start: ${cause!.message}`, cause);
      for (const job of [...jobs, ...this.#queue.splice(0)]) job.reject(error);
      this.#failedStarts = 0;
      return;
    }
    this.#queue.unshift(...jobs);
    this.#dispatch();
  }
}

interface LaneSettings {
  milliseconds: number;
  memory: number;
  done(): void;
  failed(jobs: Job[], cause?: Error): void;
}

/** One thread and what it works on, in order. A thread that was stopped is replaced when there is work again. */
class Lane {
  readonly #settings: LaneSettings;
  #worker: Worker | undefined;
  #ready = false;
  #running: Job[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(settings: LaneSettings) {
    this.#settings = settings;
  }

  get idle(): boolean {
    return this.#running.length === 0;
  }

  run(jobs: Job[]): void {
    if (jobs.length === 0) return;
    this.#running = jobs;
    this.#worker ??= this.#start();
    const worker = this.#worker;
    worker.ref();
    worker.postMessage(jobs.map(({ id, gold, answer }): Comparison => ({ id, gold, answer })));
    if (this.#ready) this.#watch();
  }

  async close(): Promise<Job[]> {
    const left = this.#running;
    await this.#stop();
    return left;
  }

  #start(): Worker {
    const { memory } = this.#settings;
    const resourceLimits = { maxOldGenerationSizeMb: memory, maxYoungGenerationSizeMb: 32 };
    // The flags of the calling process are its own; some would keep the thread from starting.
    const worker = new Worker(new URL("./math-worker.ts", import.meta.url), { execArgv: [], resourceLimits, name: "math" });
    worker.on("message", (answer: WorkerAnswer) => this.#hear(worker, answer));
    worker.on("error", (cause) => this.#ended(worker, cause as Error));
    worker.on("exit", (code) => this.#ended(worker, new Error(`its thread ended with code ${code}`)));
    return worker;
  }

  #hear(worker: Worker, answer: WorkerAnswer): void {
    if (worker !== this.#worker) return;
    if (answer.type === "ready") {
      this.#ready = true;
      this.#watch();
      return;
    }
    const job = this.#running.shift();
    if (job?.id === answer.id && !job.dropped) job.resolve(answer.verdict);
    this.#watch();
    if (this.#running.length > 0) return;
    worker.unref();
    this.#settings.done();
  }

  /** Gives the comparison in front its time. */
  #watch(): void {
    clearTimeout(this.#timer);
    const front = this.#running[0];
    if (front === undefined) return;
    // When this thread was busy itself, the answer may already be here: it is read before the clock is believed.
    this.#timer = setTimeout(() => setImmediate(() => setImmediate(() => this.#late(front))), this.#settings.milliseconds);
  }

  #late(front: Job): void {
    if (this.#running[0] !== front) return;
    const [, ...rest] = this.#running;
    void this.#stop();
    if (!front.dropped) front.resolve({ equal: false, by: "time" });
    this.#settings.failed(rest);
  }

  #ended(worker: Worker, cause: Error): void {
    if (worker !== this.#worker) return;
    const [front, ...rest] = this.#running;
    const started = this.#ready;
    void this.#stop();
    if (started && front && !front.dropped) front.resolve({ equal: false, by: "memory" });
    this.#settings.failed(started || !front ? rest : [front, ...rest], started ? undefined : cause);
  }

  async #stop(): Promise<void> {
    clearTimeout(this.#timer);
    const worker = this.#worker;
    this.#worker = undefined;
    this.#ready = false;
    this.#running = [];
    await worker?.terminate();
  }
}
