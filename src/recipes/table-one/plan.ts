/**
 * What decides the table of PASR in miniature: one base, the questions every method is trained on, and each method's settings. `full` is the
 * table; `fast` runs the same code in ten minutes and proves nothing.
 */
import { defaultSkillsOptions, type SkillsOptions } from "#tasks/world/skills.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import type { WeightedRunOptions } from "#training/supervised/weighted-supervised-run.ts";
import { type IscOptions, smallIscOptions } from "../isc/recipe.ts";
import { type PasrOptions, smallWorldPasrOptions } from "../pasr/options.ts";
import { type PtrOptions, smallPtrOptions } from "../ptr/recipe.ts";
import { type RiseOptions, smallRiseOptions } from "../rise/recipe.ts";
import { type ScoreOptions, smallWorldScoreOptions } from "../score/options.ts";
import { type SftOptions, worldSftOptions } from "../sft/recipe.ts";
import { smallWeighted } from "../shared/option-groups.ts";
import { type StarOptions, smallStarOptions } from "../star/recipe.ts";

export interface TableOnePlan {
  /** Checkpoint folder the base is made from. */
  model: string;
  /** The base: `model` taught what the methods ask of it (tasks/world/skills.ts). Made once, for all seeds. */
  base: { training: SftOptions; skills: SkillsOptions };
  /** Test problems of each domain; the same for every row and seed. */
  items: number;
  /** Largest number of new tokens of an answer. */
  maxTokens: number;
  /** Sampled plain answers of the base per test problem, for the resampling baseline. */
  pool: { samples: number; temperature: number };
  /** Rounds of Self-Refine, of PTR in the table, of PTR in the table of rounds, and turns of RISE. */
  rounds: { selfRefine: number; ptr: number; ptrLong: number; rise: number };
  /** Training questions of the methods that collect data; PASR and SCoRe draw theirs from the same stream as they go. */
  questions: number;
  /** Second tries of the base, in the place of a teacher's solutions. */
  tries: { count: number; temperature: number };
  /** Held-out questions that decide between loops of STaR. */
  validation: number;
  pasr: PasrOptions;
  score: ScoreOptions;
  star: StarOptions;
  isc: IscOptions;
  rise: RiseOptions;
  /** `attempts`: largest number of attempts in an example. */
  ptr: PtrOptions & { attempts: number };
  ift: { samples: number; training: WeightedRunOptions };
}

export const maxAnswerTokens = 192;

export const fullTableOnePlan: Omit<TableOnePlan, "model"> = {
  base: { training: { ...worldSftOptions, steps: 2400, learningRate: 1.5e-3 }, skills: defaultSkillsOptions },
  items: 400,
  maxTokens: maxAnswerTokens,
  pool: { samples: 16, temperature: 0.9 },
  rounds: { selfRefine: 3, ptr: 3, ptrLong: 10, rise: 5 },
  questions: 1000,
  tries: { count: 16, temperature: 0.9 },
  validation: 200,
  pasr: smallWorldPasrOptions,
  score: { ...smallWorldScoreOptions, maxTokens: maxAnswerTokens },
  star: { ...smallStarOptions, maxTokens: maxAnswerTokens, instruction: worldPrompts.plain },
  isc: { ...smallIscOptions, maxTokens: maxAnswerTokens, askInstruction: worldPrompts.plain },
  rise: { ...smallRiseOptions, maxTokens: maxAnswerTokens },
  ptr: { ...smallPtrOptions, attempts: 3 },
  ift: { samples: 8, training: smallWeighted },
};

export const fastTableOnePlan: Omit<TableOnePlan, "model"> = {
  ...fullTableOnePlan,
  base: { ...fullTableOnePlan.base, training: { ...fullTableOnePlan.base.training, steps: 300 } },
  items: 60,
  pool: { samples: 8, temperature: 0.9 },
  questions: 200,
  validation: 40,
  pasr: { ...fullTableOnePlan.pasr, steps: 60 },
  score: { ...fullTableOnePlan.score, stageOneSteps: 5, stageTwoSteps: 10 },
  star: { ...fullTableOnePlan.star, loops: 2, firstSteps: 10 },
};
