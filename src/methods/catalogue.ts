/** All methods by their names on the command line, and building them from a line of text. */
import type { BoundMethod, MethodCard, MethodOptionValues } from "#kernel/method-card.ts";
import { bestOfNCard } from "./best-of-n.ts";
import { chainOfThoughtCard } from "./chain-of-thought.ts";
import { bindOptions, parseMethodList } from "./driver/bind.ts";
import { iortCard } from "./iort.ts";
import { magicoreCard } from "./magicore.ts";
import { mctsSelfRefineCard } from "./mcts-self-refine.ts";
import { pasrFormatCard } from "./pasr-format.ts";
import { progcoCard } from "./progco.ts";
import { ptrRoundsCard } from "./ptr-rounds.ts";
import { selfConsistencyCard } from "./self-consistency.ts";
import { selfPolishCard } from "./self-polish.ts";
import { selfRefineCard } from "./self-refine.ts";
import { selfRefineOracleCard } from "./self-refine-oracle.ts";
import { selfRepairCard, selfRepairOracleCard } from "./self-repair.ts";
import { vanillaCard } from "./vanilla.ts";

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
