/**
 * The bootstrap behind a table of trainings. One draw takes items with replacement, the same ones for every row, seed and sample of the
 * pool, and then seeds with replacement, the same ones for all rows that have the same seeds: a seed decides on the training questions too,
 * so runs of one seed are paired. With one seed only items are drawn.
 *
 * Drawing n seeds with replacement shows (n − 1)/n of their variance; with three seeds that is a third too little, so deviations of the drawn
 * seeds' mean from the mean are stretched by √(n/(n − 1)).
 */
import { mean } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { bootstrapColumns, intervalOfAlike, percentileInterval } from "../statistics/bootstrap.ts";
import type { Interval } from "../statistics/statistics.ts";
import { type CellAnswers, cellKey, type DomainAnswers, type TableAnswers } from "./cells.ts";

/** One quantity over several domains: its value on each item of each, and its mean in each draw. */
export interface Drawn {
  parts: { values: number[]; clusters: readonly string[] }[];
  draws: Float64Array;
  /** How many runs its values are means over. */
  seeds: number;
}

export class TableDraws {
  readonly count: number;
  readonly #seed: number;
  readonly #answers: TableAnswers;
  readonly #columns = new Map<string, { values: number[]; draws: Float64Array }>();
  readonly #seedShares = new Map<string, Float64Array>();
  readonly #rows = new Map<string, Drawn | undefined>();

  constructor(
    answers: TableAnswers,
    pools: ReadonlyMap<string, { perItem: number[][] }>,
    { seed, draws }: { seed: number; draws: number },
  ) {
    this.count = draws;
    this.#seed = seed;
    this.#answers = answers;
    for (const { domain, clusters, cells } of answers.domains) {
      const columns = [
        ...[...cells].map(([key, { values }]) => [`${domain} ${key}`, values] as const),
        ...(pools.get(domain)?.perItem ?? []).map((values, index) => [`${domain} samples ${index + 1}`, values] as const),
      ];
      if (columns.length === 0) continue;
      const options = { seed: deriveSeed(seed, "items", domain), draws };
      const resampled = bootstrapColumns(
        columns.map(([, values]) => values),
        clusters,
        options,
      );
      for (const [index, [name, values]] of columns.entries()) this.#columns.set(name, { values, draws: resampled[index].draws });
    }
  }

  /** Seeds of which a row has complete answers in all of these domains; `[undefined]` for an untrained row. */
  seedsOf(row: string, domains: readonly string[]): (number | undefined)[] {
    const within = this.#within(domains);
    if (within.length === 0) return [];
    return [undefined, ...this.#answers.seeds].filter((seed) => within.every(({ cells }) => cells.has(cellKey(row, seed))));
  }

  cells(row: string, seed: number | undefined, domains: readonly string[]): CellAnswers[] {
    return this.#within(domains).map(({ cells }) => cells.get(cellKey(row, seed))!);
  }

  /** A row's accuracy, mean over its seeds and the domains; undefined where it has no seed complete in all of them. */
  row(row: string, domains: readonly string[]): Drawn | undefined {
    const name = JSON.stringify([row, domains]);
    if (!this.#rows.has(name)) this.#rows.set(name, this.#drawRow(row, domains));
    return this.#rows.get(name);
  }

  #drawRow(row: string, domains: readonly string[]): Drawn | undefined {
    const seeds = this.seedsOf(row, domains);
    if (seeds.length === 0) return undefined;
    const bySeed = seeds.map((seed) => domains.map((domain) => this.#columns.get(`${domain} ${cellKey(row, seed)}`)!));
    const parts = this.#within(domains).map(({ clusters }, at) => ({
      values: averaged(bySeed.map((columns) => columns[at].values)),
      clusters,
    }));
    const shares = this.#sharesOf(seeds);
    const draws = Float64Array.from({ length: this.count }, (_, draw) => {
      let drawn = 0;
      let centre = 0;
      for (const [index, columns] of bySeed.entries()) {
        let sum = 0;
        for (const column of columns) sum += column.draws[draw];
        centre += sum / domains.length / seeds.length;
        if (shares) drawn += (sum / domains.length) * shares[draw * seeds.length + index];
      }
      return shares ? centre + (drawn - centre) * Math.sqrt(seeds.length / (seeds.length - 1)) : centre;
    });
    return { parts, draws, seeds: seeds.length };
  }

  /** The vote over k samples, a different k for each domain; between two whole numbers it is interpolated. */
  samples(domains: readonly string[], samples: readonly number[]): Drawn {
    const mixed = domains.map((domain, index) => {
      const [low, high] = [Math.floor(samples[index]), Math.ceil(samples[index])];
      const [below, above] = [low, high].map((k) => this.#columns.get(`${domain} samples ${k}`)!);
      return { below: below!, above: above!, share: samples[index] - low };
    });
    const parts = this.#within(domains).map(({ clusters }, at) => {
      const { below, above, share } = mixed[at];
      return { values: below.values.map((value, item) => value + (above.values[item] - value) * share), clusters };
    });
    const draws = Float64Array.from({ length: this.count }, (_, draw) =>
      mean(mixed.map(({ below, above, share }) => below.draws[draw] * (1 - share) + above.draws[draw] * share)),
    );
    return { parts, draws, seeds: 1 };
  }

  #within(domains: readonly string[]): DomainAnswers[] {
    return domains.map((domain) => this.#answers.domains.find((answers) => answers.domain === domain)!);
  }

  /** How often each seed is in each draw, as shares; undefined for a single one. */
  #sharesOf(seeds: readonly (number | undefined)[]): Float64Array | undefined {
    if (seeds.length < 2) return undefined;
    const name = JSON.stringify(seeds);
    const known = this.#seedShares.get(name);
    if (known) return known;
    const random = new Random(deriveSeed(this.#seed, "seeds", name));
    const shares = new Float64Array(this.count * seeds.length);
    for (let draw = 0; draw < this.count; draw++)
      for (let taken = 0; taken < seeds.length; taken++)
        shares[draw * seeds.length + Math.floor(random.uniform() * seeds.length)] += 1 / seeds.length;
    this.#seedShares.set(name, shares);
    return shares;
  }
}

export function difference(first: Drawn, second: Drawn): Drawn {
  return {
    parts: first.parts.map(({ values, clusters }, part) => ({
      values: values.map((value, item) => value - second.parts[part].values[item]),
      clusters,
    })),
    draws: first.draws.map((value, draw) => value - second.draws[draw]),
    seeds: Math.max(first.seeds, second.seeds),
  };
}

/**
 * Mean over the domains and its 95 % interval, inside [lowest, 1]. Of a domain whose items are all alike every draw is the same; the doubt
 * that remains about other items is added to both sides.
 */
export function estimate({ parts, draws }: Drawn, lowest: -1 | 0): { value: number; interval: Interval } {
  const value = mean(parts.map(({ values }) => mean(values)));
  const [low, high] = percentileInterval(draws);
  const sides = [Math.max(0, value - low) ** 2, Math.max(0, high - value) ** 2];
  let alike = 0;
  for (const { values, clusters } of parts) {
    if (values.some((other) => Math.abs(other - values[0]) > 1e-12)) continue;
    alike++;
    const [least, most] = intervalOfAlike(values[0], new Set(clusters).size, lowest);
    sides[0] += ((values[0] - least) / parts.length) ** 2;
    sides[1] += ((most - values[0]) / parts.length) ** 2;
  }
  const interval: Interval = alike === 0 ? [low, high] : [value - Math.sqrt(sides[0]), value + Math.sqrt(sides[1])];
  return { value, interval: [Math.max(lowest, interval[0]), Math.min(1, interval[1])] };
}

function averaged(columns: readonly (readonly number[])[]): number[] {
  return columns[0].map((_, item) => mean(columns.map((values) => values[item])));
}
