/** What calls cost in dollars, from a table of prices. Where a price or a count is missing the cost is unknown, never 0. */

import { z } from "zod";
import { type CallSpecs, checkCall, figure, needed } from "#kernel/call-options.ts";
import { userError } from "#kernel/errors.ts";
import type { Completion, GenerateOptions, Message, Model, Usage } from "#kernel/model.ts";

/** Dollars per million tokens. */
export interface Price {
  input: number;
  /** For input tokens that the server read from its cache; the price of other input tokens when left out. */
  cachedInput?: number | undefined;
  output: number;
}

/** Host of the server (`127.0.0.1:8000`, `api.openai.com`, or `*` for any) → name of the model (or `*`) → price. */
export type PriceTable = Readonly<Record<string, Readonly<Record<string, Price>>>>;

const price = z.strictObject({
  input: z.number().nonnegative(),
  cachedInput: z.number().nonnegative().optional(),
  output: z.number().nonnegative(),
});
const table = z.record(z.string(), z.record(z.string(), price));

/** Reads a table as JSON text; `file` is named in what goes wrong. */
export function parsePrices(text: string, file: string): PriceTable {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw userError("bad-prices", `${file} is not JSON`, form, cause);
  }
  const read = table.safeParse(value);
  if (read.success) return read.data;
  const issue = read.error.issues[0];
  throw userError("bad-prices", `${file}: ${issue?.path.join(" → ") || "the whole"}: ${issue?.message}`, form);
}

const form =
  'Prices are dollars per million tokens: { "api.openai.com": { "gpt-4o-mini": { "input": 0.15, "cachedInput": 0.075, "output": 0.6 } } }; "*" stands for any host or model.';

/** The user's rows go over the others. */
export function mergePrices(base: PriceTable, over: PriceTable): PriceTable {
  const hosts = new Set([...Object.keys(base), ...Object.keys(over)]);
  return Object.fromEntries([...hosts].map((host) => [host, { ...base[host], ...over[host] }]));
}

/** The price of a model at a server; a dated name (`gpt-4o-mini-2024-07-18`) has its undated one's. */
export function findPrice(prices: PriceTable, host: string, model: string): Price | undefined {
  const undated = model.replace(/-\d{4}-\d{2}-\d{2}$/, "");
  for (const rows of [prices[host], prices["*"]]) {
    for (const name of [model, undated, "*"]) {
      if (rows && Object.hasOwn(rows, name)) return rows[name];
    }
  }
  return undefined;
}

/** Undefined where a count that has a price is unknown. */
export function dollarsOf(usage: Usage, { input, cachedInput, output }: Price): number | undefined {
  if (usage.inputTokens === undefined || usage.outputTokens === undefined) return undefined;
  // A server that does not tell what it read from its cache may have charged less.
  const cached = cachedInput === undefined || cachedInput === input ? 0 : usage.cachedInputTokens;
  if (cached === undefined && usage.inputTokens > 0) return undefined;
  const read = Math.min(cached ?? 0, usage.inputTokens);
  return ((usage.inputTokens - read) * input + read * (cachedInput ?? input) + usage.outputTokens * output) / 1e6;
}

const dollars = { maximum: Number.MAX_VALUE };
const specs: CallSpecs<Price> = {
  input: needed(figure("dollars per million input tokens", dollars)),
  cachedInput: figure("dollars per million input tokens from the cache", dollars),
  output: needed(figure("dollars per million output tokens", dollars)),
};

/** Adds dollars to the usage of every completion that does not carry the server's own. */
export class PricedModel implements Model {
  readonly id: string;
  readonly #model: Model;
  readonly #price: Price;

  constructor(model: Model, price: Price) {
    checkCall("PricedModel", specs, price);
    this.id = model.id;
    this.#model = model;
    this.#price = price;
  }

  async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    const completions = await this.#model.generate(messages, options);
    return completions.map((completion) => ({ ...completion, usage: this.#priced(completion.usage) }));
  }

  #priced(usage: Usage): Usage {
    if (usage.dollars !== undefined) return usage;
    const dollars = dollarsOf(usage, this.#price);
    if (dollars === undefined) return usage;
    const { reasoningCount: count } = usage;
    if (!count?.untold) return { ...usage, dollars };
    const untoldDollars = (count.untoldTokens * this.#price.output) / 1e6;
    return { ...usage, dollars, reasoningCount: { ...count, untoldDollars } };
  }
}

/**
 * List prices in dollars per million tokens, as published for standard processing in mid-2026. Prices change without notice: a file given
 * with --prices goes over these, and a model that stands in neither has an unknown price.
 */
export const defaultPrices: PriceTable = {
  "api.openai.com": {
    "gpt-5.5": { input: 5, cachedInput: 0.5, output: 30 },
    "gpt-5.4": { input: 2.5, cachedInput: 0.25, output: 15 },
    "gpt-5.4-mini": { input: 0.75, cachedInput: 0.075, output: 4.5 },
    "gpt-5.4-nano": { input: 0.2, cachedInput: 0.02, output: 1.25 },
    "gpt-5": { input: 1.25, cachedInput: 0.125, output: 10 },
    "gpt-5-mini": { input: 0.25, cachedInput: 0.025, output: 2 },
    "gpt-4.1": { input: 2, cachedInput: 0.5, output: 8 },
    "gpt-4.1-mini": { input: 0.4, cachedInput: 0.1, output: 1.6 },
    "gpt-4.1-nano": { input: 0.1, cachedInput: 0.025, output: 0.4 },
    "gpt-4o": { input: 2.5, cachedInput: 1.25, output: 10 },
    "gpt-4o-mini": { input: 0.15, cachedInput: 0.075, output: 0.6 },
  },
};
