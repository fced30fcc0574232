/**
 * What a reply of an OpenAI-compatible server tells of its cost. Usage may stand beside the answer (OpenAI), in the choices (Moonshot) or under
 * `x_groq` (Groq), once, with every piece as the sum so far, or its parts in different pieces (gateways to Anthropic's).
 */
import type { Usage } from "#kernel/model.ts";
import { isRecord } from "#kernel/values.ts";
import { ReasoningMemory, type ToldTokens } from "../around/reasoning-memory.ts";

type Told = ToldTokens & { dollars: number | undefined };

/** The usage of one reply, whole or in pieces. */
export class ToldUsage {
  #whole: Told | undefined;
  readonly #byChoice = new Map<number, Told>();

  /** Takes a reply's JSON or one piece of a stream; true where it told something. */
  add(document: Readonly<Record<string, unknown>>): boolean {
    const own = isRecord(document.x_groq) ? (document.usage ?? document.x_groq.usage) : document.usage;
    if (isRecord(own)) {
      this.#whole = later(this.#whole, toldIn(own));
      return true;
    }
    let found = false;
    for (const [place, choice] of (Array.isArray(document.choices) ? document.choices : []).entries()) {
      if (!isRecord(choice) || !isRecord(choice.usage)) continue;
      const index = count(choice.index) ?? place;
      this.#byChoice.set(index, later(this.#byChoice.get(index), toldIn(choice.usage)));
      found = true;
    }
    return found;
  }

  get isTold(): boolean {
    return this.#whole !== undefined || this.#byChoice.size > 0;
  }

  /** Tokens that were not told are unknown. So is a prompt of 0 tokens, which no conversation has, and an output of 0 beside text. */
  read(milliseconds: number, hasText: boolean, memory = new ReasoningMemory()): Usage {
    const told = this.#whole ?? sumOf([...this.#byChoice.values()]);
    const { inputTokens, outputTokens, reasoningTokens, reasoningCount } = told === undefined ? nothing : memory.read(told);
    const isKnown = outputTokens !== undefined && !(outputTokens === 0 && hasText);
    return {
      calls: 1,
      inputTokens: inputTokens || undefined,
      outputTokens: isKnown ? outputTokens : undefined,
      ...(told?.cached === undefined ? {} : { cachedInputTokens: told.cached }),
      ...(reasoningTokens === undefined ? {} : { reasoningTokens }),
      ...(reasoningCount === undefined || !isKnown ? {} : { reasoningCount }),
      ...(told?.dollars === undefined ? {} : { dollars: told.dollars }),
      milliseconds,
    };
  }
}

const nothing = { inputTokens: undefined, outputTokens: undefined, reasoningTokens: undefined, reasoningCount: undefined };

function toldIn(usage: Readonly<Record<string, unknown>>): Told {
  const inside = (name: string): Readonly<Record<string, unknown>> => (isRecord(usage[name]) ? usage[name] : {});
  const prompts = [inside("prompt_tokens_details"), inside("input_tokens_details")];
  const sampled = [inside("completion_tokens_details"), inside("output_tokens_details")];
  return {
    prompt: count(usage.prompt_tokens) ?? count(usage.input_tokens),
    completion: count(usage.completion_tokens) ?? count(usage.output_tokens),
    reasoning: first([...sampled.map((details) => details.reasoning_tokens), usage.reasoning_tokens]),
    total: count(usage.total_tokens),
    // The last two are DeepSeek's own name and Anthropic's, which gateways hand on.
    cached: first([
      ...prompts.map((details) => details.cached_tokens),
      usage.prompt_cache_hit_tokens,
      usage.cache_read_input_tokens,
    ]),
    beside: [
      count(usage.cache_creation_input_tokens),
      count(usage.tool_use_prompt_tokens),
      ...prompts.flatMap((details) => [details.audio_tokens, details.image_tokens].map(count)),
    ].filter((tokens) => tokens !== undefined && tokens > 0) as number[],
    dollars: dollarsIn(usage),
  };
}

/**
 * OpenRouter's. Where the user's own key at a provider was used it charges nothing, or a fee alone, and what the provider charges stands beside
 * that (forgecode#1641); otherwise the cost holds it (PageSpace#1561).
 */
function dollarsIn(usage: Readonly<Record<string, unknown>>): number | undefined {
  const charged = amount(usage.cost);
  if (usage.is_byok !== true) return charged;
  const upstream = isRecord(usage.cost_details) ? amount(usage.cost_details.upstream_inference_cost) : undefined;
  return upstream === undefined ? charged || undefined : upstream + (charged ?? 0);
}

function amount(value: unknown): number | undefined {
  return typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;
}

/** What is no whole number from 0 is not told. */
function count(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && (value as number) >= 0 ? (value as number) : undefined;
}

function first(values: readonly unknown[]): number | undefined {
  return values.map(count).find((value) => value !== undefined);
}

const names = ["prompt", "completion", "reasoning", "total", "cached", "dollars"] as const;

/** Field by field the newest, save that an empty last word does not take back what was told. */
function later(before: Told | undefined, after: Told): Told {
  if (before === undefined) return after;
  const fields = names.map((name) => [name, after[name] || (before[name] ?? after[name])]);
  return { ...Object.fromEntries(fields), beside: after.beside?.length ? after.beside : before.beside } as Told;
}

function sumOf(all: readonly Told[]): Told | undefined {
  if (all.length === 0) return undefined;
  const sum = (name: (typeof names)[number]) =>
    all.some((each) => each[name] === undefined) ? undefined : all.reduce((total, each) => total + each[name]!, 0);
  // The prompt is one and the same for all choices.
  const own = Object.fromEntries(names.map((name) => [name, sum(name)])) as unknown as Told;
  const [{ prompt, cached, beside }] = all;
  const others = prompt === undefined ? 0 : prompt * (all.length - 1);
  return { ...own, prompt, cached, beside, total: own.total === undefined ? undefined : own.total - others };
}
