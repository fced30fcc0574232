/**
 * `midcourse`: methods over any model of a server or of the AI SDK, with budgets and meters. Reaches nothing native, no Python and no algebra
 * system; what needs those stands in `midcourse/engine`, `midcourse/evaluation`, `midcourse/training` and `midcourse/verifiers`.
 */

export { HttpConnections } from "#http/connections.ts";
export { type Budget, withinBudget } from "#kernel/budget.ts";
export { MidcourseError } from "#kernel/errors.ts";
export type { Item, Score, Verifier } from "#kernel/item.ts";
export type { MethodCard } from "#kernel/method-card.ts";
export type { Completion, GenerateOptions, Message, Model, Usage } from "#kernel/model.ts";
export { type ParsedAnswer, parseRefine, RefineParser } from "#kernel/refine-grammar.ts";
export type { BoundMethod, Method, MethodRequest, MethodTools, Outcome, TraceEvent } from "#kernel/trace.ts";
export { bindMethod, methodCards, parseMethods } from "#methods/catalogue.ts";
export { type Candidate, countVotes, mostAgreed } from "#methods/driver/candidates.ts";
export {
  type Choice,
  type DefinedMethod,
  defineMethod,
  type MethodDefinition,
  type MethodRun,
} from "#methods/driver/define-method.ts";
export { asking, readScore, readVerdict } from "#methods/driver/judging.ts";
export { withNote, withReply, withTurn } from "#methods/driver/turns.ts";
export { chainOfThought } from "#methods/plain/chain-of-thought.ts";
export { pasrFormat } from "#methods/plain/pasr-format.ts";
export { vanilla } from "#methods/plain/vanilla.ts";
export { iort } from "#methods/refinement/iort.ts";
export { magicore } from "#methods/refinement/magicore.ts";
export { progco } from "#methods/refinement/progco.ts";
export { ptrRounds } from "#methods/refinement/ptr-rounds.ts";
export { selfRefine } from "#methods/refinement/self-refine.ts";
export { selfRefineOracle } from "#methods/refinement/self-refine-oracle.ts";
export { selfRepair, selfRepairOracle } from "#methods/refinement/self-repair.ts";
export { selfPolish } from "#methods/rewriting/self-polish.ts";
export { bestOfN } from "#methods/sampling/best-of-n.ts";
export { selfConsistency } from "#methods/sampling/self-consistency.ts";
export { mctsSelfRefine } from "#methods/search/mcts-self-refine.ts";
export { type AiSdkCallOptions, fromAiSdk } from "#models/ai-sdk/from-ai-sdk.ts";
export { type RefineOptions, refine } from "#models/ai-sdk/refine.ts";
export { toAiSdk } from "#models/ai-sdk/to-ai-sdk.ts";
export { CachedModel } from "#models/around/cache.ts";
export { Limiter } from "#models/around/limiter.ts";
export { MeteredModel } from "#models/around/meter.ts";
export { PricedModel } from "#models/around/prices.ts";
export { retrying, withPolicy } from "#models/around/retry.ts";
export { type FakeCall, FakeModel, type FakeReply } from "#models/fake.ts";
export { OpenAiModel } from "#models/openai/openai.ts";
export { probeServer } from "#models/openai/server-probe.ts";
export { ResponseStore } from "#record/response-store.ts";
