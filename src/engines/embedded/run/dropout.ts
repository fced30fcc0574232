/** Dropout on the inputs of adapters: which numbers a training pass keeps. */
import { deriveSeed, Random } from "#kernel/seed.ts";

export interface AdapterDropout {
  /** Share that is left out, above 0 and below 1. */
  rate: number;
  seed: number;
  /** Numbers in a row of each adapted module's input, by the module's name. */
  inputs: ReadonlyMap<string, number>;
}

/**
 * Truth values for `rows` rows of every module's input. They follow from the seed, the number of optimiser steps before and the passes
 * since, so that a run that was stopped goes on with the same ones.
 */
export function keptInputs(dropout: AdapterDropout, rows: number, steps: number, pass: number): Map<string, Uint8Array> {
  const { rate, seed, inputs } = dropout;
  return new Map(
    [...inputs].map(([module, width]) => [module, kept(rows * width, rate, deriveSeed(seed, "dropout", steps, pass, module))]),
  );
}

/** 1 where a number is kept. The distance from one that is left out to the next is geometric, which needs a draw for those alone. */
function kept(count: number, rate: number, seed: number): Uint8Array {
  const result = new Uint8Array(count).fill(1);
  const random = new Random(seed);
  const perLog = 1 / Math.log1p(-rate);
  const gap = () => Math.floor(Math.log(1 - random.uniform()) * perLog);
  for (let index = gap(); index < count; index += 1 + gap()) result[index] = 0;
  return result;
}
