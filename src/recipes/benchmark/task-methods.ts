/**
 * The methods of the catalogue as a task needs them. Most tasks take them as they are; the shipped model was taught a few short prompts
 * and no others, so that on its own world the PASR format and Self-Refine speak with those.
 */
import type { BoundMethod, MethodCard } from "#kernel/method-card.ts";
import type { Method, MethodRequest } from "#kernel/trace.ts";
import { methodCards } from "#methods/catalogue.ts";
import { bindOptions, parseMethodList } from "#methods/driver/bind.ts";
import { optionsOf } from "#methods/driver/options.ts";
import { pasrFormatCard } from "#methods/plain/pasr-format.ts";
import { type SelfRefineOptions, selfRefine, selfRefineCard } from "#methods/refinement/self-refine.ts";
import type { Task } from "#tasks/task.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { worldTask } from "#tasks/world/task.ts";

/** Throws user errors for methods and options that do not exist. */
export function bindFor(task: Task, methods: string): BoundMethod[] {
  return parseMethodList(methods, cardsFor(task));
}

/** Plain samples for the resampling baseline: n of them in one call, where the server can, as a user who resamples would ask. */
export function resamplingFor(task: Task, id: string, samples: number, temperature: number): Method {
  const cards = cardsFor(task);
  const card = cards.find((each) => each.id === "self-consistency")!;
  return bindOptions(card, { samples, temperature }, cards, id).method;
}

function cardsFor(task: Task): readonly MethodCard[] {
  return task === worldTask ? worldCards : methodCards;
}

const worldSelfRefine: MethodCard["create"] = (options, id) =>
  selfRefine({
    ...optionsOf<SelfRefineOptions>(options, "rounds", "variant", "choose", "feedbackTemperature"),
    id,
    feedbackPrompt: worldPrompts.feedback,
    refinePrompt: worldPrompts.improve,
    isAllRight: options.stop !== false && saysAllRightInWorld,
  });

/** Its instruction stands in place of the plain one that the task's conversation brings. */
const worldPasrFormat: MethodCard["create"] = (options, id) => {
  const method = pasrFormatCard.create({ ...options, instruction: options.instruction ?? worldPrompts.refine }, id);
  const withoutSystem = (request: MethodRequest) => ({
    ...request,
    messages: request.messages.filter(({ role }) => role !== "system"),
  });
  return { ...method, run: (request) => method.run(withoutSystem(request)) };
};

const worldCards: readonly MethodCard[] = methodCards.map((card) => {
  if (card.id === selfRefineCard.id) return { ...card, create: worldSelfRefine };
  return card.id === pasrFormatCard.id ? { ...card, create: worldPasrFormat } : card;
});

/** The words of the world's reviews (see `tasks/world/solutions.ts`). */
export function saysAllRightInWorld(feedback: string): boolean {
  return /\bAll right\.\s*$/.test(feedback);
}
