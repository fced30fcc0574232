/** The inference-time methods with the short prompts that the shipped model was taught, and how its world is graded. */
import type { Item, Verifier } from "#kernel/item.ts";
import type { Message } from "#kernel/model.ts";
import type { Method } from "#kernel/trace.ts";
import { pasrFormat } from "#methods/plain/pasr-format.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { numberVerifier } from "#verifiers/answers/number.ts";
import { withFirstWrongStep } from "#verifiers/answers/steps.ts";
import { saysAllRightInWorld } from "../benchmark/task-methods.ts";

/** Samples of the resampling pool: enough to be dearer than any other method in the table. */
const poolSamples = 8;

/** Votes need samples that differ; the training temperature of PASR. */
export const samplingTemperature = 0.9;

export const worldVerifier: Verifier = withFirstWrongStep(numberVerifier());

export function askWorld(item: Item): Message[] {
  return [{ role: "user", content: item.question }];
}

/** Everything that needs no training, on the base model. */
export function untrainedMethods(): Method[] {
  return [plainMethod("vanilla"), refiningMethod("pasr-prompt"), postHoc(1), postHoc(3), voting()];
}

/** What `midcourse eval` calls them, where that is another name; the trained model is one of its own there. */
export const evalNames: Readonly<Record<string, string>> = {
  "pasr-prompt": "pasr-format",
  "self-refine-1": "self-refine(rounds=1)",
  "self-refine-3": "self-refine(rounds=3)",
  pasr: "pasr-format of the trained model",
  "pasr-plain-prompt": "vanilla of the trained model",
};

export function plainMethod(id: string): Method {
  return vanilla({ id, instruction: worldPrompts.plain });
}

export function refiningMethod(id: string): Method {
  return pasrFormat({ id, instruction: worldPrompts.refine });
}

function postHoc(rounds: number): Method {
  return selfRefine({
    rounds,
    instruction: worldPrompts.plain,
    feedbackPrompt: worldPrompts.feedback,
    refinePrompt: worldPrompts.improve,
    isAllRight: saysAllRightInWorld,
  });
}

function voting(): Method {
  return selfConsistency({ samples: poolSamples, instruction: worldPrompts.plain, temperature: samplingTemperature });
}
