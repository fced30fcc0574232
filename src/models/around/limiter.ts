/**
 * How many calls run at once, first come first served, one limiter for everything that asks one server. The limit adapts: a server that
 * refuses (429, 503) halves it and may set a pause; each answer lets it grow slowly again, up to the most that was allowed
 * (additive increase, multiplicative decrease).
 */
import { type CallSpecs, checkCall, most, needed } from "#kernel/call-options.ts";
import { MidcourseError } from "#kernel/errors.ts";
import type { CallPolicy } from "./retry.ts";

export interface LimiterOptions {
  /** Most calls at once. */
  most: number;
}

const specs: CallSpecs<LimiterOptions> = { most: needed(most("most calls at once", 1)) };

export class Limiter {
  readonly most: number;
  /** Calls that run now. */
  running = 0;
  /** How often a server refused. */
  refusals = 0;
  /** What starts each call that waits. */
  readonly #waiting = new Set<() => void>();
  #limit: number;
  /** Refusals of calls begun before the last decrease say nothing new. */
  #generation = 0;
  #pausedUntil = 0;
  #wake: NodeJS.Timeout | undefined;

  constructor(options: LimiterOptions) {
    checkCall("Limiter", specs, options);
    this.most = options.most;
    this.#limit = this.most;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls allowed at once now. */
  get limit(): number {
    return Math.floor(this.#limit);
  }

  /** The same as `run`, in the form that models and the retry policy take. */
  readonly policy: CallPolicy = (call, signal) => this.run(call, signal);

  /** A call whose signal aborts while it waits never starts. */
  async run<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    await this.#turn(signal);
    const generation = this.#generation;
    try {
      const result = await work();
      this.#limit = Math.min(this.most, this.#limit + 1 / this.#limit);
      return result;
    } catch (error) {
      this.#heed(error, generation);
      throw error;
    } finally {
      this.running--;
      this.#startNext();
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<void> | undefined {
    if (this.#waiting.size === 0 && this.#mayStart()) {
      this.running++;
      return undefined;
    }
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        this.#waiting.delete(start);
        reject(signal?.reason);
      };
      const start = () => {
        signal?.removeEventListener("abort", onAbort);
        resolve();
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#waiting.add(start);
      this.#startNext();
    });
  }

  #mayStart(): boolean {
    return this.running < Math.floor(this.#limit) && performance.now() >= this.#pausedUntil;
  }

  #startNext(): void {
    for (const start of this.#waiting) {
      if (!this.#mayStart()) break;
      this.#waiting.delete(start);
      this.running++;
      start();
    }
    if (this.#waiting.size > 0) this.#wakeAfterPause();
  }

  #wakeAfterPause(): void {
    const pause = this.#pausedUntil - performance.now();
    if (pause <= 0 || this.#wake !== undefined) return;
    this.#wake = setTimeout(() => {
      this.#wake = undefined;
      this.#startNext();
    }, Math.ceil(pause));
  }

  #heed(error: unknown, generation: number): void {
    const remote = MidcourseError.isInstance(error) ? error.remote : undefined;
    if (remote?.status !== 429 && remote?.status !== 503) return;
    this.refusals++;
    const pause = Math.min(remote.retryAfterSeconds ?? 0, longestPauseSeconds);
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + pause * 1000);
    if (generation !== this.#generation) return;
    this.#generation++;
    // What ran is what was too much; the limit may be far above it.
    this.#limit = Math.max(1, Math.floor(Math.min(this.#limit, this.running) / 2));
  }
}

/** A server that asks for longer is left to the retry policy, which gives up on it. */
const longestPauseSeconds = 300;
