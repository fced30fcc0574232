/** An engine that counts what passes through it, so that trainings of different kinds can be set side by side by what they cost. */
import type {
  AdamWOptions,
  Engine,
  EngineInfo,
  PolicyLossOptions,
  PolicySequence,
  SampleOptions,
  StepResult,
  TokenSequence,
  WeightedSequence,
} from "#kernel/engine.ts";

export class MeteredEngine implements Engine {
  /** New tokens that were sampled, by `sample`. Frozen copies are not counted. */
  sampledTokens = 0;
  /** Tokens that went forwards and backwards, prompts included. */
  trainedTokens = 0;
  /** Optimiser steps. */
  steps = 0;
  readonly #engine: Engine;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get info(): EngineInfo {
    return this.#engine.info;
  }

  async sample(prompts: readonly (readonly number[])[], options: SampleOptions, signal?: AbortSignal) {
    const samples = await this.#engine.sample(prompts, options, signal);
    for (const { ids } of samples.flat()) this.sampledTokens += ids.length;
    return samples;
  }

  logprobs(sequences: readonly TokenSequence[], signal?: AbortSignal) {
    return this.#engine.logprobs(sequences, signal);
  }

  accumulate(sequences: readonly WeightedSequence[], signal?: AbortSignal) {
    this.#count(sequences);
    return this.#engine.accumulate(sequences, signal);
  }

  accumulatePolicy(sequences: readonly PolicySequence[], options: PolicyLossOptions, signal?: AbortSignal) {
    this.#count(sequences);
    return this.#engine.accumulatePolicy(sequences, options, signal);
  }

  step(options: AdamWOptions): Promise<StepResult> {
    this.steps++;
    return this.#engine.step(options);
  }

  clearGradient() {
    return this.#engine.clearGradient();
  }

  freeze() {
    return this.#engine.freeze();
  }

  save(folder: string, options?: { optimizer?: boolean }) {
    return this.#engine.save(folder, options);
  }

  restore(folder: string) {
    return this.#engine.restore(folder);
  }

  close() {
    return this.#engine.close();
  }

  #count(sequences: readonly TokenSequence[]): void {
    for (const { ids } of sequences) this.trainedTokens += ids.length;
  }
}
