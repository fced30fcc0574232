/** The embedded engine: the kernel's Engine over a worker thread in which ONNX Runtime computes, so the caller's thread stays free. */
import { createRequire } from "node:module";
import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import { type CallSpecs, checkCall, seedOption, text, thing, whole } from "#kernel/call-options.ts";
import type {
  AdamWOptions,
  Engine,
  EngineInfo,
  PolicyLossOptions,
  PolicySequence,
  Sample,
  SampleOptions,
  Scorer,
  StepResult,
  TokenSequence,
  WeightedSequence,
} from "#kernel/engine.ts";
import { bugError, userError } from "#kernel/errors.ts";
import { onnxRuntime, requirePart } from "#kernel/optional-parts.ts";
import type { ModelSource } from "./run/language-model.ts";
import { fromWire, type Request, type Response } from "./run/messages.ts";

export type EmbeddedEngineOptions = ModelSource & {
  /** Cores one tensor operation may use; all of them up to 8 unless given. The same number gives the same tokens. */
  threads?: number | undefined;
};

const mostThreads = 8;

const openSpecs: CallSpecs<Every<EmbeddedEngineOptions>> = {
  folder: text("a Hugging Face checkpoint folder"),
  rawConfig: thing("a config.json's content, of a new model"),
  seed: seedOption,
  initialisation: thing("how the weights of a new model are drawn"),
  lora: thing("an adapter beside frozen weights"),
  threads: whole("cores that one tensor operation may use", 1),
};

/** The options of every alternative. */
type Every<Options> = { [Name in Options extends unknown ? keyof Options : never]?: unknown };

interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

/** Calls into the worker: matches answers to questions, carries aborts, and fails everything when the worker dies. */
class Connection {
  readonly #worker: Worker;
  readonly #pending = new Map<number, Pending>();
  readonly #exited: Promise<void>;
  #next = 0;
  #failure: Error | undefined;

  constructor(source: ModelSource, threads: number) {
    // The flags of the calling process are its own; some, such as --eval's, would keep the thread from starting.
    this.#worker = new Worker(new URL("./run/worker.ts", import.meta.url), { workerData: { source, threads }, execArgv: [] });
    this.#worker.on("message", (response: Response) => this.#settle(response));
    this.#worker.on("error", (cause) =>
      this.#fail(bugError("engine-crashed", `The engine's thread failed: ${cause.message}`, cause)),
    );
    this.#exited = new Promise((resolve) => {
      this.#worker.on("exit", () => {
        this.#fail(bugError("engine-closed", "The engine has been closed."));
        resolve();
      });
    });
    this.#worker.unref();
  }

  call(target: number, method: string, parameters: unknown[] = [], signal?: AbortSignal): Promise<unknown> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (signal?.aborted) return Promise.reject(signal.reason);
    const id = this.#next++;
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const abort = () => this.#post({ type: "abort", id });
    signal?.addEventListener("abort", abort, { once: true });
    this.#pending.set(id, {
      resolve,
      // The worker stops between batches; what the caller sees is its own reason.
      reject: (error) => reject(signal?.aborted ? signal.reason : error),
    });
    // An idle engine does not keep the process alive; a working one does.
    this.#worker.ref();
    this.#post({ type: "call", id, target, method, parameters });
    return promise.finally(() => signal?.removeEventListener("abort", abort));
  }

  async closed(): Promise<void> {
    this.#worker.ref();
    await this.#exited;
  }

  async terminate(): Promise<void> {
    await this.#worker.terminate();
  }

  #post(request: Request): void {
    this.#worker.postMessage(request);
  }

  #settle(response: Response): void {
    const pending = this.#pending.get(response.id);
    this.#pending.delete(response.id);
    if (this.#pending.size === 0) this.#worker.unref();
    if ("error" in response) pending?.reject(fromWire(response.error));
    else pending?.resolve(response.value);
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const pending of this.#pending.values()) pending.reject(this.#failure);
    this.#pending.clear();
  }
}

class EmbeddedScorer implements Scorer {
  readonly info: EngineInfo;
  protected readonly connection: Connection;
  protected readonly target: number;
  #closing: Promise<void> | undefined;

  constructor(connection: Connection, info: EngineInfo, target: number) {
    this.connection = connection;
    this.info = info;
    this.target = target;
  }

  sample(prompts: readonly (readonly number[])[], options: SampleOptions, signal?: AbortSignal): Promise<Sample[][]> {
    return this.call("sample", [prompts, options], signal) as Promise<Sample[][]>;
  }

  logprobs(sequences: readonly TokenSequence[], signal?: AbortSignal): Promise<Float32Array[]> {
    return this.call("logprobs", [sequences], signal) as Promise<Float32Array[]>;
  }

  /** Closing twice is allowed, and so is closing after the engine it came from. */
  close(): Promise<void> {
    this.#closing ??= this.call("close").then(
      () => undefined,
      () => undefined,
    );
    return this.#closing;
  }

  protected call(method: string, parameters: unknown[] = [], signal?: AbortSignal): Promise<unknown> {
    return this.connection.call(this.target, method, parameters, signal);
  }
}

export class EmbeddedEngine extends EmbeddedScorer implements Engine {
  /** For work that prepares something first. @throws userError where ONNX Runtime is not installed */
  static requireRuntime(): void {
    requirePart(onnxRuntime, createRequire(import.meta.url).resolve);
  }

  /**
   * Opens a Hugging Face checkpoint folder, or makes a new model from a config.json's content and a seed.
   *
   * @throws userError when the folder cannot be read as a model this engine runs, or ONNX Runtime is not installed
   */
  static async open(options: EmbeddedEngineOptions): Promise<EmbeddedEngine> {
    const { threads = Math.min(mostThreads, availableParallelism()), ...source } = options;
    checkCall("EmbeddedEngine.open", openSpecs, options);
    if (!("folder" in source) && !("rawConfig" in source)) {
      throw userError(
        "option-missing",
        "EmbeddedEngine.open: neither folder nor rawConfig is given",
        "Name a checkpoint folder.",
      );
    }
    EmbeddedEngine.requireRuntime();
    const connection = new Connection(source, threads);
    try {
      const info = (await connection.call(0, "open")) as EngineInfo;
      return new EmbeddedEngine(connection, info, 0);
    } catch (error) {
      await connection.terminate();
      throw error;
    }
  }

  /** An abort between batches leaves the gradient of the batches done so far; `clearGradient` forgets it. */
  accumulate(sequences: readonly WeightedSequence[], signal?: AbortSignal): Promise<Float32Array[]> {
    return this.call("accumulate", [sequences], signal) as Promise<Float32Array[]>;
  }

  accumulatePolicy(
    sequences: readonly PolicySequence[],
    options: PolicyLossOptions,
    signal?: AbortSignal | undefined,
  ): Promise<Float32Array[]> {
    return this.call("accumulatePolicy", [sequences, options], signal) as Promise<Float32Array[]>;
  }

  step(options: AdamWOptions): Promise<StepResult> {
    return this.call("step", [options]) as Promise<StepResult>;
  }

  async clearGradient(): Promise<void> {
    await this.call("clearGradient");
  }

  async freeze(): Promise<Scorer> {
    return new EmbeddedScorer(this.connection, this.info, (await this.call("freeze")) as number);
  }

  async save(folder: string, options: { optimizer?: boolean } = {}): Promise<void> {
    await this.call("save", [folder, options]);
  }

  async restore(folder: string): Promise<void> {
    await this.call("restore", [folder]);
  }

  /** Ends the thread at once; calls that wait fail. */
  terminate(): Promise<void> {
    return this.connection.terminate();
  }

  /** Ends the thread; frozen copies end with it. */
  override async close(): Promise<void> {
    await super.close();
    await this.connection.closed();
  }
}
