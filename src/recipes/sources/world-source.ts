/** The small world as a source of training problems. */
import { deriveSeed } from "#kernel/seed.ts";
import { worldCorpus } from "#tasks/world/corpus.ts";
import { type WorldItem, worldItems, worldStream } from "#tasks/world/items.ts";
import { worldPrompts, writePlain } from "#tasks/world/solutions.ts";
import { generatedStream } from "#training/stream.ts";
import { worldVerifier } from "../shared/world-methods.ts";
import { probeRefinement } from "../shared/world-probe.ts";
import type { Source } from "./source.ts";

export const worldSource: Source = {
  name: "small world",
  prompts: { plain: worldPrompts.plain, refine: worldPrompts.refine, improve: worldPrompts.improve },
  conversations: (seed) => generatedStream(() => worldCorpus(seed)),
  heldConversations(count, seed) {
    const held = this.conversations(deriveSeed(seed, "validation-examples"));
    return Array.from({ length: count }, (_, index) => held(index));
  },
  problems: (seed) => generatedStream(() => worldStream({ split: "train", seed })),
  validation: (count, seed) => worldItems(count, { split: "validation", seed }),
  test: (count, seed) => worldItems(count, { split: "test", seed }),
  verify: worldVerifier,
  solutionOf: (item) => ("chain" in item ? writePlain((item as WorldItem).chain) : undefined),
  probe: probeRefinement,
  maxTokens: 160,
};
