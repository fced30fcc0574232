/** The seeded streams of problems: items of one split, without repetition, the same for the same seed wherever they are drawn. */
import type { Item } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import {
  canonicalChain,
  defaultWorldOptions,
  isHard,
  resultOf,
  type Split,
  type Step,
  splitOf,
  type WorldOptions,
  writeStep,
} from "./chains.ts";
import { drawArithmetic, drawStory, type Worded } from "./wordings.ts";

/** An item that knows its own chain, for writing solutions and for grading steps. */
export interface WorldItem extends Item {
  chain: readonly Step[];
}

/** A stream of one domain. */
export interface DomainStream extends Partial<WorldOptions> {
  split: Split;
  seed: number;
}

export interface WorldStreamOptions extends DomainStream {
  /** Share of stories among the problems; the rest are bare chains. */
  storyShare?: number;
}

/** An endless stream without repeated problems. `group` is chain or story, with -hard when a product occurs. */
export function worldStream(stream: WorldStreamOptions): Generator<WorldItem> {
  const { storyShare = 0.5 } = stream;
  return chainStream("world", stream, (options, random) =>
    random.chance(storyShare) ? drawStory(options, random) : drawArithmetic(options, random),
  );
}

/** Chains as one domain words them, endless and without repeated problems; `group` is the wording's, with -hard when a product occurs. */
export function* chainStream(
  domain: string,
  stream: DomainStream,
  draw: (options: WorldOptions, random: Random) => Worded | undefined,
): Generator<WorldItem> {
  const options: WorldOptions = { ...defaultWorldOptions, ...stream };
  const { split, seed } = stream;
  const prefix = domain === "world" ? "" : `${domain}-`;
  const seen = new Set<string>();
  for (let index = 0; ; index++) {
    const drawn = draw(options, new Random(deriveSeed(seed, domain, split, index)));
    if (drawn === undefined || splitOf(drawn.steps) !== split) continue;
    const { steps, question, group } = drawn;
    const canonical = canonicalChain(steps);
    if (seen.has(canonical)) continue;
    seen.add(canonical);
    yield {
      id: `${prefix}${split}-${seed}-${index}`,
      question,
      answer: String(resultOf(steps)),
      group: `${group}${steps.some(isHard) ? "-hard" : ""}`,
      steps: steps.map(writeStep),
      chain: steps,
    };
  }
}

/** The first `count` items of the world's stream. */
export function worldItems(count: number, stream: WorldStreamOptions): WorldItem[] {
  return firstItems(count, worldStream(stream));
}

export function firstItems(count: number, stream: Iterable<WorldItem>): WorldItem[] {
  const items: WorldItem[] = [];
  if (!(count > 0)) return items;
  for (const item of stream) if (items.push(item) >= count) break;
  return items;
}
