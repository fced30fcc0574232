/**
 * The baseline every method has to beat: plain answers sampled again and again and put to the vote, at the method's own measured tokens.
 * One pool of samples an item gives the whole curve: for each k, the vote's accuracy over random k-subsets and what k samples cost.
 */
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { EvaluationRecord } from "../records/evaluation-record.ts";
import { bootstrapMean, type Interval, mean } from "./statistics.ts";

/** `generated`: sampled tokens alone. `all`: prompts too; k samples of one prompt pay for it once, as one call with k samples does. */
export type TokenConvention = "generated" | "all";

export interface PoolSample {
  /** Samples with equal votes agree; an empty vote is none. */
  vote: string;
  accuracy: number;
  outputTokens: number;
}

export interface PoolItem {
  item: string;
  promptTokens: number;
  samples: PoolSample[];
}

export interface ResamplingPoint {
  /** Samples k. */
  samples: number;
  accuracy: number;
  interval: Interval;
  /** Mean tokens of an answer, by both conventions. */
  generated: number;
  all: number;
  /** Expected accuracy of each item, in the pool's order. */
  perItem: number[];
}

export interface ResamplingAtCost {
  accuracy: number;
  interval: Interval;
  perItem: number[];
  /** How many samples the tokens pay for; between two whole numbers the accuracy is interpolated. */
  samples: number;
  /** The tokens pay for less than one sample, or for more than the pool holds: the nearest end of the curve stands in. */
  outside?: "below" | "above";
}

/**
 * Pool of each item from one voting method's records: the attempts are the samples. Items with unknown tokens are left out.
 * `normalise` should be what the voting method itself counts by.
 */
export function poolFromRecords(
  records: readonly EvaluationRecord[],
  normalise: (answer: string) => string = (answer) => answer.trim(),
): PoolItem[] {
  return records.flatMap(({ item, usage, attempts = [] }): PoolItem[] => {
    if (usage.inputTokens === undefined || attempts.length === 0) return [];
    const samples = attempts.flatMap(({ answer, extracted, accuracy, outputTokens }) =>
      outputTokens === undefined ? [] : [{ vote: normalise(extracted ?? answer), accuracy, outputTokens }],
    );
    return samples.length === attempts.length ? [{ item, promptTokens: usage.inputTokens, samples }] : [];
  });
}

export interface CurveOptions {
  seed: number;
  /** Random orders of each item's samples; every order gives one subset of each size. 200 when left out. */
  orders?: number;
}

/** Points k = 1 … size of the smallest pool. */
export function resamplingCurve(pool: readonly PoolItem[], options: CurveOptions): ResamplingPoint[] {
  const { seed, orders = 200 } = options;
  if (pool.length === 0) return [];
  const largest = Math.min(...pool.map((item) => item.samples.length));
  const votes = pool.map((item) =>
    expectedVotes(item.samples, largest, orders, new Random(deriveSeed(seed, "orders", item.item))),
  );
  const meanOutput = mean(pool.map((item) => mean(item.samples.map((sample) => sample.outputTokens))));
  const meanPrompt = mean(pool.map((item) => item.promptTokens));
  return Array.from({ length: largest }, (_, index) => {
    const samples = index + 1;
    const perItem = votes.map((accuracies) => accuracies[index]);
    return {
      samples,
      accuracy: mean(perItem),
      interval: bootstrapMean(perItem, { seed: deriveSeed(seed, "items", samples), draws: 2000 }),
      generated: samples * meanOutput,
      all: meanPrompt + samples * meanOutput,
      perItem,
    };
  });
}

/**
 * Expected accuracy of the vote over k = 1 … largest samples; the credit of a tie is split. In one random order a vote's count only
 * grows, so the leaders are kept up to date sample by sample.
 */
export function expectedVotes(
  samples: readonly Pick<PoolSample, "vote" | "accuracy">[],
  largest: number,
  orders: number,
  random: Random,
): number[] {
  const names = [...new Set(samples.map((sample) => sample.vote).filter((vote) => vote !== ""))];
  const classes = samples.map((sample) => ({ accuracy: sample.accuracy, vote: names.indexOf(sample.vote) }));
  const sums = new Array<number>(largest).fill(0);
  const counts = new Int32Array(names.length);
  const accuracies = new Float64Array(names.length);
  for (let order = 0; order < orders; order++) {
    counts.fill(0);
    let most = 0;
    let leaders = 0;
    let credit = 0;
    for (const [index, { vote, accuracy }] of random.shuffle(classes).slice(0, largest).entries()) {
      if (vote >= 0) {
        // Graded accuracies of one vote may differ: the first seen counts, as it would be the one returned.
        if (counts[vote] === 0) accuracies[vote] = accuracy;
        counts[vote]++;
        if (counts[vote] > most) [most, leaders, credit] = [counts[vote], 1, accuracies[vote]];
        else if (counts[vote] === most) [leaders, credit] = [leaders + 1, credit + accuracies[vote]];
      }
      if (leaders > 0) sums[index] += credit / leaders;
    }
  }
  return sums.map((sum) => sum / orders);
}

/** The curve at a method's mean tokens. The number of samples counts as fixed in the interval. */
export function resamplingAt(
  curve: readonly ResamplingPoint[],
  tokens: number,
  convention: TokenConvention,
  seed: number,
): ResamplingAtCost | undefined {
  const first = curve[0];
  const last = curve.at(-1);
  if (!first || !last) return undefined;
  if (tokens <= first[convention] || tokens >= last[convention]) {
    const { accuracy, interval, perItem, samples } = tokens <= first[convention] ? first : last;
    const outside = tokens < first[convention] ? "below" : tokens > last[convention] ? "above" : undefined;
    return { accuracy, interval, perItem, samples, ...(outside ? { outside } : {}) };
  }
  const index = curve.findIndex((point) => point[convention] > tokens);
  const [below, above] = [curve[index - 1], curve[index]];
  const share = (tokens - below[convention]) / (above[convention] - below[convention]);
  const perItem = below.perItem.map((value, item) => value + (above.perItem[item] - value) * share);
  return {
    accuracy: mean(perItem),
    interval: bootstrapMean(perItem, { seed: deriveSeed(seed, "between"), draws: 2000 }),
    perItem,
    samples: below.samples + share,
  };
}
