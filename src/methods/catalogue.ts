/** All methods by their names on the command line, and building them from a line of text. */
import { checkCall, checkIsObject, list } from "#kernel/call-options.ts";
import type { MethodCard, MethodOptionValues } from "#kernel/method-card.ts";
import type { BoundMethod } from "#kernel/trace.ts";
import { isRecord } from "#kernel/values.ts";
import { bindOptions, parseMethodList } from "./driver/bind.ts";
import { withCards } from "./outside.ts";
import { chainOfThought } from "./plain/chain-of-thought.ts";
import { pasrFormat } from "./plain/pasr-format.ts";
import { vanilla } from "./plain/vanilla.ts";
import { iort } from "./refinement/iort.ts";
import { magicore } from "./refinement/magicore.ts";
import { progco } from "./refinement/progco.ts";
import { ptrRounds } from "./refinement/ptr-rounds.ts";
import { selfRefine } from "./refinement/self-refine.ts";
import { selfRefineOracle } from "./refinement/self-refine-oracle.ts";
import { selfRepair, selfRepairOracle } from "./refinement/self-repair.ts";
import { selfPolish } from "./rewriting/self-polish.ts";
import { bestOfN } from "./sampling/best-of-n.ts";
import { selfConsistency } from "./sampling/self-consistency.ts";
import { mctsSelfRefine } from "./search/mcts-self-refine.ts";

/** In the order they are shown. */
export const methodCards: readonly MethodCard[] = [
  vanilla,
  chainOfThought,
  pasrFormat,
  selfConsistency,
  bestOfN,
  selfRefine,
  selfRefineOracle,
  ptrRounds,
  selfPolish,
  iort,
  progco,
  mctsSelfRefine,
  magicore,
  selfRepair,
  selfRepairOracle,
].map(({ card }) => card);

/**
 * `vanilla,self-refine(rounds=2),mine=best-of-n(self-refine(rounds=1),n=4)` as methods (the grammar: `driver/expression.ts`). Throws user
 * errors alone, which name what is unknown, offer what was probably meant and show what is allowed. `cards` are methods of your own.
 */
export function parseMethods(words: string, options: { cards?: readonly MethodCard[] } = {}): BoundMethod[] {
  checkCall("parseMethods", { cards: list("methods of your own", isRecord) }, options);
  const { cards = [] } = options;
  return parseMethodList(words, withCards(methodCards, cards));
}

/** A method with the options given, the others at their defaults. `id` names it in results; the canonical text when left out. */
export function bindMethod(card: MethodCard, options: MethodOptionValues = {}, id?: string): BoundMethod {
  checkIsObject(card.id, options, Object.keys(card.options));
  return bindOptions(card, options, methodCards, id);
}
