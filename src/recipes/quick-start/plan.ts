/** What decides the result of the first run, as its config.json keeps it, and the problems that follow from it. */

import type { NamedContent } from "#files/model-content.ts";
import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { type WorldItem, worldItems } from "#tasks/world/items.ts";
import type { PasrOptions } from "../pasr/options.ts";

export interface QuickStartOptions {
  /** What training starts from. */
  model: NamedContent | string;
  seed: number;
  /** Held-out problems each method answers. */
  items: number;
  pasr: PasrOptions;
}

export function quickStartItems({ seed, items }: Pick<QuickStartOptions, "seed" | "items">): WorldItem[] {
  return worldItems(items, { split: "test", seed: deriveSeed(seed, "quick-start-test") });
}

/** Fewer than these say nothing, so they are refused rather than reported. */
export function checkQuickStart({ items, pasr }: QuickStartOptions): void {
  if (!Number.isInteger(items) || items < 2)
    throw userError("quick-start-items", `${counted(items, "problem")} cannot be compared`, "Give --items 2 or more.");
  if (!Number.isInteger(pasr.steps) || pasr.steps < 1)
    throw userError("quick-start-steps", `${pasr.steps} training steps are not a training`, "Give --steps 1 or more.");
}
