/** The seeded stream of problems: items of one split, without repetition, the same for the same seed wherever they are drawn. */
import type { Item } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { canonicalChain, defaultWorldOptions, isHard, type Split, type Step, splitOf, type WorldOptions } from "./chains.ts";
import { drawArithmetic, drawWordProblem } from "./wordings.ts";

/** An item that knows its own chain, for writing solutions and for grading steps. */
export interface WorldItem extends Item {
  chain: readonly Step[];
}

export interface WorldStreamOptions extends Partial<WorldOptions> {
  split: Split;
  seed: number;
  /** Share of stories among the problems; the rest are bare chains. */
  storyShare?: number;
}

/** An endless stream without repeated problems. `group` is chain or story, with -hard when a product occurs. */
export function* worldStream(stream: WorldStreamOptions): Generator<WorldItem> {
  const options: WorldOptions = { ...defaultWorldOptions, ...stream };
  const seen = new Set<string>();
  for (let draw = 0; ; draw++) {
    const random = new Random(deriveSeed(stream.seed, "world", stream.split, draw));
    const story = random.chance(stream.storyShare ?? 0.5);
    const drawn = story ? drawWordProblem(options, random) : drawArithmetic(options, random);
    if (drawn === undefined || splitOf(drawn.steps) !== stream.split) continue;
    const canonical = canonicalChain(drawn.steps);
    if (seen.has(canonical)) continue;
    seen.add(canonical);
    yield {
      id: `${stream.split}-${stream.seed}-${draw}`,
      question: drawn.question,
      answer: String(drawn.steps.at(-1)!.result),
      group: `${story ? "story" : "chain"}${drawn.steps.some(isHard) ? "-hard" : ""}`,
      steps: drawn.steps.map((step) => `${step.left}${step.operator}${step.right}=${step.result}`),
      chain: drawn.steps,
    };
  }
}

/** The first `count` items of the stream. */
export function worldItems(count: number, stream: WorldStreamOptions): WorldItem[] {
  const items: WorldItem[] = [];
  if (!(count > 0)) return items;
  for (const item of worldStream(stream)) {
    items.push(item);
    if (items.length >= count) break;
  }
  return items;
}
