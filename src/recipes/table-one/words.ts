/** The settings of each row in a line. */
import { percent } from "#text/numbers.ts";
import type { WeightedRunOptions } from "#training/supervised/weighted-supervised-run.ts";
import type { TableOnePlan } from "./plan.ts";

export function settingsLines({
  questions,
  pasr,
  score,
  star,
  isc,
  rise,
  ptr,
  ift,
  tries,
  rounds,
  base,
}: TableOnePlan): string[] {
  const supervised = ({ epochs, tokensPerStep, learningRate }: WeightedRunOptions) =>
    `${epochs} ${epochs === 1 ? "epoch" : "epochs"} of ${tokensPerStep} tokens a step, rate ${learningRate}`;
  const { refineShare, shallowShare, workShare } = base.skills;
  return [
    `- Base: its corpus refines ${percent(refineShare, 0)} % of the steps (${percent(shallowShare, 0)} % of those only by writing them again), and works ${percent(workShare, 0)} % of the products out in second tries, in feedback and towards a given answer; all by chance, whatever the need. Plain answers write everything in one go.`,
    `- PASR, and its two ablations: ${pasr.steps} steps of ${pasr.questionsPerStep} questions, ${pasr.refinedSamples} refined and ${pasr.plainSamples} plain answers each, rate ${pasr.learningRate}, ζ ${pasr.tolerance}, ${pasr.normaliser}.`,
    `- SCoRe: ${score.stageOneSteps} + ${score.stageTwoSteps} steps of ${score.questionsPerStep} questions, ${score.samples} conversations each, rate ${score.learningRate}, α ${score.progressBonus}, β ${score.stageOneKl} and ${score.stageTwoKl}.`,
    `- The other trained rows collect their data from the first ${questions} questions of the stream that PASR and SCoRe take ${pasr.steps * pasr.questionsPerStep} and ${(score.stageOneSteps + score.stageTwoSteps) * score.questionsPerStep} from.`,
    `- STaR: up to ${star.loops} loops of ${star.firstSteps} steps and ${Math.round(100 * (star.growth - 1))} % more each, from the base each time, rate ${star.training.learningRate}; the loop with the best plain accuracy on held-out questions is kept.`,
    `- ISC: ${isc.samples} answers to each question; wrong ones are corrected by a right one of ${tries.count} second tries; ${supervised(isc.training)}.`,
    `- RISE: ${rise.iterations} iterations, ${rise.samplesPerTurn.join(" and ")} samples a turn, τ ${rise.rewardTemperature}; ${supervised(rise.training)}; at test ${rounds.rise} turns that each see all before them, and a vote.`,
    `- PTR: 1 to ${ptr.attempts} attempts of the base, then its first right one of ${tries.count} further tries at temperature ${tries.temperature}, unless it repeats an attempt; ${supervised(ptr)}; at test ${rounds.ptr} rounds.`,
    `- PASR+IFT: ${ift.samples} refined answers of the PASR model to each question, the best right one whose refinement paid; ${supervised(ift.training)}. Its cost is beside that of the PASR training it needs.`,
    `- Self-Refine: at most ${rounds.selfRefine} rounds.`,
  ];
}
