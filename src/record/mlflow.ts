/**
 * A run on an MLflow tracking server, fed in the background. Nothing here ever fails a training: what cannot be delivered is tried
 * again, then counted as lost and told once. A process that resumes goes on with the same run and leaves out steps that are there.
 */
import { readFileSync } from "node:fs";
import { replaceFile } from "#files/durable.ts";
import { isPassingStatus, withTries } from "#http/tries.ts";
import { messageOf } from "#kernel/errors.ts";
import {
  type MlflowAddress,
  MlflowClient,
  type MlflowMetric,
  type MlflowStatus,
  mostMetricsPerRequest,
  statusOf,
} from "./mlflow-client.ts";
import type { Scalars } from "./tensorboard.ts";

export interface MlflowRunOptions extends MlflowAddress {
  experiment: string;
  runName?: string | undefined;
  /** Shown as the run's parameters. */
  parameters?: readonly (readonly [name: string, value: string])[] | undefined;
  /** Where the run's id is kept for a later process. Absent: every process makes a run of its own. */
  stateFile?: string | undefined;
  /** Waits before the second try, the third, and so on; a Retry-After of the server goes before them, up to a minute. */
  retrySeconds?: readonly number[] | undefined;
  /** How long `close` waits for what is not delivered yet. */
  closeSeconds?: number | undefined;
  /** Called with the first failure, in a sentence. */
  tell: (message: string) => void;
}

/** More than this many values on their way are not kept: the oldest are lost. */
const longestQueue = 100_000;
const longestWaitSeconds = 60;

export class MlflowRun {
  /** Values delivered or known to be there, and values lost. */
  sent = 0;
  lost = 0;
  firstFailure: string | undefined;
  readonly #client: MlflowClient;
  readonly #options: MlflowRunOptions;
  readonly #abort = new AbortController();
  #queue: MlflowMetric[] = [];
  #pump: Promise<void> | undefined;
  #runId: string | undefined;
  /** Steps up to this one are on the server from an earlier process. */
  #knownStep = -1;
  #lastFailed = false;

  /** @throws userError where the address cannot be one. Nothing is sent before the first `log`. */
  constructor(options: MlflowRunOptions) {
    this.#options = options;
    this.#client = new MlflowClient(options);
  }

  get place(): string {
    return this.#client.origin;
  }

  /** Returns at once. */
  log(step: number, scalars: Scalars): void {
    const timestamp = Date.now();
    for (const [key, value] of scalars) this.#queue.push({ key, value, timestamp, step });
    const over = this.#queue.length - longestQueue;
    if (over > 0) {
      this.#queue = this.#queue.slice(over);
      this.#lose(over, new Error("the server is too slow for the metrics it is sent"));
    }
    this.#start();
  }

  /** Waits a while for the rest, then says how the run ended. Never rejects. */
  async close(status: Exclude<MlflowStatus, "RUNNING">): Promise<void> {
    this.#start();
    const timer = setTimeout(() => this.#abort.abort(outOfTime(this.#client.origin)), 1000 * (this.#options.closeSeconds ?? 10));
    try {
      while (this.#pump !== undefined) await this.#pump;
      if (this.#runId !== undefined) await this.#client.setStatus(this.#runId, status, this.#abort.signal);
    } catch (error) {
      this.#tellOnce(error);
    } finally {
      clearTimeout(timer);
    }
  }

  #start(): void {
    if (this.#pump !== undefined || this.#queue.length === 0) return;
    this.#pump = this.#deliverAll().then(() => {
      this.#pump = undefined;
      // What was logged in the moment between the last look at the queue and this one.
      this.#start();
    });
  }

  async #deliverAll(): Promise<void> {
    while (this.#queue.length > 0) {
      const batch = this.#queue.slice(0, mostMetricsPerRequest);
      this.#queue = this.#queue.slice(batch.length);
      try {
        await this.#withRetries(() => this.#deliver(batch));
        this.sent += batch.length;
      } catch (error) {
        const isOver = this.#abort.signal.aborted;
        this.#lose(batch.length + (isOver ? this.#queue.length : 0), error);
        if (isOver) this.#queue = [];
      }
    }
  }

  async #deliver(batch: readonly MlflowMetric[]): Promise<void> {
    const { signal } = this.#abort;
    this.#runId ??= await this.#openRun(signal);
    const missing = batch.filter((metric) => metric.step > this.#knownStep);
    if (missing.length > 0) await this.#client.logMetrics(this.#runId, missing, signal);
  }

  async #openRun(signal: AbortSignal): Promise<string> {
    const { experiment, runName, parameters = [], stateFile } = this.#options;
    const client = this.#client;
    const earlier = stateFile === undefined ? undefined : readState(stateFile, client.origin, experiment);
    if (earlier !== undefined) {
      const lastStep = await client.lastStep(earlier, signal);
      if (lastStep !== undefined) {
        await client.setStatus(earlier, "RUNNING", signal);
        this.#knownStep = lastStep;
        return earlier;
      }
    }
    const made = await client.createRun(await client.experimentId(experiment, signal), runName, signal);
    if (stateFile !== undefined) this.#keepState(stateFile, { server: client.origin, experiment, runId: made });
    // What names a run is worth less than its metrics: a parameter the server does not like costs the parameters.
    await client.logParameters(made, parameters, signal).catch((error) => this.#tellOnce(error));
    return made;
  }

  /** A run that a later process cannot find is made anew; that is no reason to make it anew now. */
  #keepState(file: string, state: object): void {
    try {
      replaceFile(file, `${JSON.stringify(state, null, 2)}\n`);
    } catch (error) {
      this.#tellOnce(error);
    }
  }

  /** After a failure the server is tried once for every batch, until it answers again. */
  async #withRetries(work: () => Promise<void>): Promise<void> {
    const waits = this.#lastFailed ? [] : (this.#options.retrySeconds ?? [0.5, 1, 2, 4, 8]);
    this.#lastFailed = true;
    await withTries({ waits, longestWait: longestWaitSeconds, signal: this.#abort.signal, isPassing }, work);
    this.#lastFailed = false;
  }

  #lose(count: number, error: unknown): void {
    this.lost += count;
    this.#tellOnce(error);
  }

  #tellOnce(error: unknown): void {
    if (this.firstFailure !== undefined) return;
    this.firstFailure = messageOf(error);
    this.#options.tell(this.firstFailure);
  }
}

/** Worth another try: the server is busy or broken, or was not reached. */
function isPassing(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined ? error instanceof Error : isPassingStatus(status);
}

function outOfTime(origin: string): Error {
  return new Error(`${origin} was too slow to take the last metrics before the end`);
}

/** The run of an earlier process on the same server and in the same experiment; a damaged file is as good as none. */
function readState(file: string, server: string, experiment: string): string | undefined {
  try {
    const state = JSON.parse(readFileSync(file, "utf8")) as Record<string, unknown>;
    return state.server === server && state.experiment === experiment && typeof state.runId === "string"
      ? state.runId
      : undefined;
  } catch {
    return undefined;
  }
}
