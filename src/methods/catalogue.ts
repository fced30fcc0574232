/** All methods by their names on the command line, and building them from a line of text. */
import type { BoundMethod, MethodCard, MethodOptionValues } from "#kernel/method-card.ts";
import { bindOptions, parseMethodList } from "./driver/bind.ts";
import { chainOfThoughtCard } from "./plain/chain-of-thought.ts";
import { pasrFormatCard } from "./plain/pasr-format.ts";
import { vanillaCard } from "./plain/vanilla.ts";
import { iortCard } from "./refinement/iort.ts";
import { magicoreCard } from "./refinement/magicore.ts";
import { progcoCard } from "./refinement/progco.ts";
import { ptrRoundsCard } from "./refinement/ptr-rounds.ts";
import { selfRefineCard } from "./refinement/self-refine.ts";
import { selfRefineOracleCard } from "./refinement/self-refine-oracle.ts";
import { selfRepairCard, selfRepairOracleCard } from "./refinement/self-repair.ts";
import { selfPolishCard } from "./rewriting/self-polish.ts";
import { bestOfNCard } from "./sampling/best-of-n.ts";
import { selfConsistencyCard } from "./sampling/self-consistency.ts";
import { mctsSelfRefineCard } from "./search/mcts-self-refine.ts";

/** In the order they are shown. */
export const methodCards: readonly MethodCard[] = [
  vanillaCard,
  chainOfThoughtCard,
  pasrFormatCard,
  selfConsistencyCard,
  bestOfNCard,
  selfRefineCard,
  selfRefineOracleCard,
  ptrRoundsCard,
  selfPolishCard,
  iortCard,
  progcoCard,
  mctsSelfRefineCard,
  magicoreCard,
  selfRepairCard,
  selfRepairOracleCard,
];

/**
 * `vanilla,self-refine(rounds=2),mine=best-of-n(self-refine(rounds=1),n=4)` as methods (the grammar: `driver/expression.ts`). Throws user
 * errors alone, which name what is unknown, offer what was probably meant and show what is allowed.
 */
export function parseMethods(text: string): BoundMethod[] {
  return parseMethodList(text, methodCards);
}

/** A method with the options given, the others at their defaults. `id` names it in results; the canonical text when left out. */
export function bindMethod(card: MethodCard, options: MethodOptionValues = {}, id?: string): BoundMethod {
  return bindOptions(card, options, methodCards, id);
}
