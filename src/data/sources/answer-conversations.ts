/**
 * Supervised conversations from questions with answers: the worked solution as the thought where there is one, the answer in its span. Under
 * the refine prompt one step is now and then written again inside `<refine>`, after a wrong attempt or a right one: a clumsy beginning,
 * which shows the format and leaves it to later training where refining pays.
 */
import { type CharacterRange, type TrainingConversation, taughtAnswer } from "#kernel/conversation.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { renderRefine } from "#kernel/refine-render.ts";
import type { Random } from "#kernel/seed.ts";
import type { QuestionAnswerItem } from "../files/question-answer.ts";

export const answerPrompts = { plain: "Answer the question.", refine: "Answer the question. Refine your steps." } as const;

export interface AnswerTeachingOptions {
  /** Share of conversations under the refine prompt. */
  refinedShare: number;
  /** Probability, under the refine prompt, that a step is refined. */
  refineShare: number;
  /** Probability that the attempt before a refinement is wrong; it then carries no loss. */
  wrongShare: number;
}

export const defaultAnswerTeaching: AnswerTeachingOptions = { refinedShare: 0.4, refineShare: 0.6, wrongShare: 0.5 };

/** `otherAnswer` is the answer to some other question: a believable wrong one where there is no number to get wrong. */
export function answerConversation(
  item: QuestionAnswerItem,
  otherAnswer: string,
  options: AnswerTeachingOptions,
  random: Random,
): TrainingConversation {
  const teach = (kind: keyof typeof answerPrompts, text: string, masked: CharacterRange[] = []) =>
    taughtAnswer(`${item.id}-${kind}`, answerPrompts[kind], item.question, text, masked);
  if (item.completion !== undefined) {
    const refined = parseRefine(item.completion).refines.length > 0;
    return teach(refined ? "refine" : "plain", item.completion);
  }
  const steps = stepsOf(item);
  if (!random.chance(options.refinedShare)) return teach("plain", write(steps, item.answer));
  if (!random.chance(options.refineShare)) return teach("refine", write(steps, item.answer));

  const place = random.integer(0, steps.length - 1);
  const step = steps[place];
  const wrong = random.chance(options.wrongShare) ? wrongStep(step, otherAnswer, random) : undefined;
  const thought = [...steps.slice(0, place), wrong ?? step].join("\n");
  const text = renderRefine({
    think: [thought, { refine: step }, ...after(steps.slice(place + 1))],
    answer: item.answer,
  });
  const end = "<think>".length + thought.length;
  return teach("refine", text, wrong === undefined ? [] : [[end - wrong.length, end]]);
}

/** Lines of the solution; the answer alone where nothing was worked out. */
function stepsOf({ solution, answer }: QuestionAnswerItem): string[] {
  const lines = (solution ?? "").split("\n").filter((line) => line.trim() !== "");
  return lines.length > 0 ? lines : [answer];
}

function write(steps: readonly string[], answer: string): string {
  return renderRefine({ think: [steps.join("\n")], answer });
}

function after(steps: readonly string[]): string[] {
  return steps.length > 0 ? [`\n${steps.join("\n")}`] : [];
}

/** The step with one digit of its last number changed, or another answer in its place; undefined when neither would be wrong. */
function wrongStep(step: string, otherAnswer: string, random: Random): string | undefined {
  const number = [...step.matchAll(/\d+/g)].at(-1);
  if (number === undefined) return otherAnswer !== step && otherAnswer !== "" ? otherAnswer : undefined;
  const at = number.index + random.integer(0, number[0].length - 1);
  const digit = (Number(step[at]) + random.integer(1, 9)) % 10;
  return `${step.slice(0, at)}${digit}${step.slice(at + 1)}`;
}
