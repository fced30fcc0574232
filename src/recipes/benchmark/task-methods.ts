/**
 * The methods of the catalogue as a task needs them. Most tasks take them as they are; the shipped model was taught a few short prompts
 * and no others, so that on its own world the PASR format and Self-Refine speak with those.
 */
import { loadModule, moduleContent } from "#files/outside-module.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import type { BoundMethod, Method, MethodRequest } from "#kernel/trace.ts";
import { methodCards } from "#methods/catalogue.ts";
import { bindOptions } from "#methods/driver/bind.ts";
import { cardIn, loadMethods } from "#methods/outside.ts";
import { pasrFormat } from "#methods/plain/pasr-format.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import type { Task } from "#tasks/task.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { worldTask } from "#tasks/world/task.ts";

/**
 * The methods a text names, of the catalogue or of modules (`./mine.ts`, a package), which are loaded. Throws user errors for methods and
 * options that do not exist and for modules that hold no method. Without a task they are as the catalogue has them. `onModule` is told what
 * the modules hold.
 */
export function bindFor(
  task: Task | undefined,
  methods: string,
  onModule?: (method: string, content: string) => void,
): Promise<BoundMethod[]> {
  return loadMethods(methods, cardsFor(task), async (module) => {
    const exported = await loadModule(module);
    if (exported) onModule?.(cardIn(exported, module).id, moduleContent(module));
    return exported;
  });
}

/** Plain samples for the resampling baseline: n of them in one call, where the server can, as a user who resamples would ask. */
export function resamplingFor(task: Task, id: string, samples: number, temperature: number): Method {
  const cards = cardsFor(task);
  const card = cards.find((each) => each.id === "self-consistency")!;
  return bindOptions(card, { samples, temperature }, cards, id).method;
}

function cardsFor(task: Task | undefined): readonly MethodCard[] {
  return task === worldTask ? worldCards : methodCards;
}

const worldCards: readonly MethodCard[] = methodCards.map((card) => {
  if (card.id === selfRefine.card.id)
    return { ...card, create: (options, id) => card.create({ ...options, ...worldReview }, id) };
  return card.id === pasrFormat.card.id ? { ...card, create: worldPasrFormat } : card;
});

const worldReview = {
  feedbackPrompt: worldPrompts.feedback,
  refinePrompt: worldPrompts.improve,
  isAllRight: saysAllRightInWorld,
};

/** Its instruction stands in place of the plain one that the task's conversation brings. */
function worldPasrFormat(options: Readonly<Record<string, unknown>>, id: string): Method {
  const method = pasrFormat.card.create({ ...options, instruction: options.instruction ?? worldPrompts.refine }, id);
  const withoutSystem = (request: MethodRequest) => ({
    ...request,
    messages: request.messages.filter(({ role }) => role !== "system"),
  });
  return { ...method, run: (request) => method.run(withoutSystem(request)) };
}

/** The words of the world's reviews (see `tasks/world/solutions.ts`). */
export function saysAllRightInWorld(feedback: string): boolean {
  return /\bAll right\.\s*$/.test(feedback);
}
