/**
 * How solutions of the small world are written: plain (each result in one go), refined (some results worked out again inside
 * `<refine>`), and conversations of drafts, feedback and revisions. Refinement is placed without regard to need, on purpose:
 * finding out where it pays is what training is for.
 */
import type { CharacterRange, TrainingConversation, TrainingMessage } from "#kernel/conversation.ts";
import type { Random } from "#kernel/seed.ts";
import { applyOperator, drawChain, isHard, resultOf, type Step, type WorldOptions, writeStep } from "./chains.ts";
import type { WorldItem } from "./items.ts";

/** The words that ask for each way of answering. Short, since the model that reads them is small. */
export const worldPrompts = {
  plain: "Solve step by step.",
  refine: "Solve step by step. Refine steps.",
  feedback: "Check each step.",
  improve: "Solve again.",
  drill: "Calculate.",
  workedDrill: "Work out.",
  carefulDrill: "Calculate carefully.",
} as const;

export interface SolutionOptions {
  /** Probability that a step is followed by a refinement, whatever the step. */
  refineShare: number;
  /** Probability that a refinement only writes the step again in one go instead of working it out. */
  shallowShare: number;
  /** Probability that the attempt before a refinement is wrong (its result then carries no loss), for hard and for easy steps. */
  wrongHard: number;
  wrongEasy: number;
}

export const defaultSolutionOptions: SolutionOptions = { refineShare: 0.4, shallowShare: 0.3, wrongHard: 0.5, wrongEasy: 0.15 };

/** The step worked out on digits: products digit by digit with the carry, sums and differences by tens and units. Always right. */
export function writeCarefully(step: Step): string {
  const { left, operator, right, result } = step;
  if (operator !== "*") {
    const tens = right - (right % 10);
    const units = right % 10;
    if (tens === 0 || units === 0) return writeStep({ ...step, result });
    const middle = applyOperator(left, operator, tens);
    return `${left}${operator}${tens}=${middle},${middle}${operator}${units}=${result}`;
  }
  const parts: string[] = [];
  let carry = 0;
  for (const digit of [...String(left)].reverse().map(Number)) {
    const value = digit * right + carry;
    parts.push(`${digit}*${right}${carry > 0 ? `+${carry}` : ""}=${value}`);
    carry = Math.floor(value / 10);
  }
  return `${parts.join(",")},${left}*${right}=${result}`;
}

/** Worked out without a first attempt: a product is named, then done, "810*7:0*7=0,1*7=7,8*7=56,810*7=5670". */
export function writeWorkedStep(step: Step): string {
  return isHard(step) ? `${step.left}${step.operator}${step.right}:${writeCarefully(step)}` : writeCarefully(step);
}

/** A believable wrong result: one digit is off. Never negative, never the right one. */
export function corruptResult(step: Step, random: Random): Step {
  const digits = String(step.result).length;
  for (;;) {
    const place = 10 ** random.integer(0, digits - 1);
    const result = step.result + (random.chance(0.5) ? 1 : -1) * place * random.integer(1, 3);
    if (result > 0 && result !== step.result) return { ...step, result };
  }
}

/** Text with the ranges that carry no loss. */
interface Written {
  text: string;
  masked: CharacterRange[];
}

function finish(thought: string, answer: number): string {
  return `<think>${thought}</think><answer>${answer}</answer>`;
}

export function writePlain(steps: readonly Step[]): string {
  return finish(steps.map((step) => `${writeStep(step)};`).join(""), resultOf(steps));
}

/** Some steps worked out on digits in place of one go, without a first attempt: what a careful second try looks like. */
export function writeWorked(steps: readonly Step[], isWorked: (step: Step) => boolean): string {
  const lines = steps.map((step) => `${isWorked(step) ? writeWorkedStep(step) : writeStep(step)};`);
  return finish(lines.join(""), resultOf(steps));
}

export function writeRefined(steps: readonly Step[], options: SolutionOptions, random: Random): Written {
  let text = "<think>";
  const masked: CharacterRange[] = [];
  for (const step of steps) {
    if (!random.chance(options.refineShare)) {
      text += `${writeStep(step)};`;
      continue;
    }
    const wrong = random.chance(isHard(step) ? options.wrongHard : options.wrongEasy);
    const attempt = `${writeStep(wrong ? corruptResult(step, random) : step)};`;
    if (wrong) masked.push([text.length + attempt.indexOf("=") + 1, text.length + attempt.length]);
    const work = random.chance(options.shallowShare) ? writeStep(step) : writeCarefully(step);
    text += `${attempt}<refine>${work}</refine>`;
  }
  return { text: `${text}</think><answer>${resultOf(steps)}</answer>`, masked };
}

/** The chain as someone would write it who gets some results wrong and goes on with them. */
export function slip(steps: readonly Step[], random: Random, wrongHard: number, wrongEasy: number): Step[] {
  let left = steps[0].left;
  return steps.map((step) => {
    const right = { ...step, left, result: applyOperator(left, step.operator, step.right) };
    const written = random.chance(isHard(step) ? wrongHard : wrongEasy) ? corruptResult(right, random) : right;
    left = written.result;
    return written;
  });
}

/** Feedback on a draft: every step done again from the draft's own numbers, now and then carefully, with a verdict. */
export function writeFeedback(draft: readonly Step[], carefulShare: number, random: Random, write = writeCarefully): string {
  const verdicts = draft.map((written) => {
    const step = { ...written, result: applyOperator(written.left, written.operator, written.right) };
    const work = random.chance(carefulShare) ? write(step) : writeStep(step);
    return { work, right: step.result === written.result };
  });
  const lines = verdicts.map(({ work, right }) => `${work} ${right ? "right" : "wrong"};`);
  return `${lines.join("")}${verdicts.every(({ right }) => right) ? "All right." : "Not right."}`;
}

export const system = (content: string): TrainingMessage => ({ role: "system", content, trainable: false });
export const user = (content: string): TrainingMessage => ({ role: "user", content, trainable: false });
export const assistant = (content: string, trainable = true): TrainingMessage => ({ role: "assistant", content, trainable });

export function plainConversation(item: WorldItem): TrainingConversation {
  return {
    id: `${item.id}-plain`,
    messages: [system(worldPrompts.plain), user(item.question), assistant(writePlain(item.chain))],
  };
}

export function refinedConversation(item: WorldItem, random: Random, options = defaultSolutionOptions): TrainingConversation {
  const { text, masked } = writeRefined(item.chain, options, random);
  return {
    id: `${item.id}-refine`,
    messages: [system(worldPrompts.refine), user(item.question), { ...assistant(text), masked }],
  };
}

/** Draft, then rounds of feedback and revision. Drafts and wrong revisions carry no loss; feedback and right revisions do. */
export function selfRefineConversation(
  item: WorldItem,
  rounds: number,
  random: Random,
  carefulShare = 0.4,
  writeWork = writeCarefully,
): TrainingConversation {
  const messages = [system(worldPrompts.plain), user(item.question)];
  let draft = slip(item.chain, random, 0.5, 0.1);
  messages.push(assistant(writePlain(draft), false));
  for (let round = 1; round <= rounds; round++) {
    messages.push(
      user(worldPrompts.feedback),
      assistant(writeFeedback(draft, carefulShare, random, writeWork)),
      user(worldPrompts.improve),
    );
    const wrongAgain = round < rounds && random.chance(0.6);
    draft = wrongAgain ? slip(item.chain, random, 0.5, 0.1) : [...item.chain];
    const right = draft.every((step, index) => step.result === item.chain[index].result);
    messages.push(assistant(writePlain(draft), right));
  }
  return { id: `${item.id}-self-refine-${rounds}`, messages };
}

/** Unrelated steps to calculate, in one go or all of them refined carefully: dense practice, under prompts of its own. */
export function drillConversation(
  id: string,
  options: WorldOptions,
  careful: boolean,
  hardShare: number,
  random: Random,
): TrainingConversation {
  const steps = drillSteps(random.integer(3, 6), options, hardShare, random);
  // Mostly wrong attempts, which carry no loss: what is practised here is working a product out, not knowing it.
  const share = { refineShare: careful ? 1 : 0, shallowShare: 0, wrongHard: 0.85, wrongEasy: 0.2 };
  const { text, masked } = writeRefined(steps, share, random);
  const prompt = careful ? worldPrompts.carefulDrill : worldPrompts.drill;
  return { id: `${id}-drill`, messages: [system(prompt), user(drillQuestion(steps)), { ...assistant(text), masked }] };
}

/** The same with every step worked out without a first attempt. */
export function workedDrillConversation(
  id: string,
  options: WorldOptions,
  hardShare: number,
  random: Random,
): TrainingConversation {
  const steps = drillSteps(random.integer(3, 6), options, hardShare, random);
  const text = writeWorked(steps, () => true);
  return { id: `${id}-drill`, messages: [system(worldPrompts.workedDrill), user(drillQuestion(steps)), assistant(text)] };
}

function drillSteps(count: number, options: WorldOptions, hardShare: number, random: Random): Step[] {
  const steps: Step[] = [];
  while (steps.length < count) {
    const operator = random.chance(hardShare) ? "*" : random.pick(["+", "-"] as const);
    const step = drawChain([operator], options, random, 9999)?.[0];
    if (step !== undefined) steps.push(step);
  }
  return steps;
}

function drillQuestion(steps: readonly Step[]): string {
  return steps.map((step) => `${step.left}${step.operator}${step.right}`).join(";");
}
