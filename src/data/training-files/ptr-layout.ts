/**
 * PTR's refinement sequence and the layout of its published sample.
 *
 * “Think Thrice Before You Act: Progressive Thought Refinement in Large Language Models”, Chengyu Du, Jinyi Han, Yizhou Ying, Aili Chen,
 * Qianyu He, Haokun Zhao and others, 2024, arXiv 2410.13413; ICLR 2025.
 *
 * The sequence is question, attempt, fixed request to refine, …, final answer. Everything but the final answer (and the token that ends it)
 * carries weight 0: the model learns to improve on an attempt and never to make one. The sample is a JSON array of
 * `{question, output1, output2}`; with n attempts, `output1` … `outputN` are the attempts and the last output is the final answer.
 */
import { refineRequest, type TrainingConversation } from "#kernel/conversation.ts";
import type { Dropped } from "./data-card.ts";

export interface PtrExample {
  id: string;
  question: string;
  /** Oldest first; at least one. */
  attempts: readonly string[];
  answer: string;
}

export interface PtrLimits {
  /** Shorter final answers are left out; 1 when left out, so that an answer such as “7” stays. */
  minimumAnswerCharacters?: number | undefined;
  /** Keep final answers that repeat an attempt word for word. */
  keepRepeats?: boolean | undefined;
}

/** For the published sample, whose answers are texts and not results: its six-character answer, “Given.”, answers nothing. */
export const publishedSampleLimits: PtrLimits = { minimumAnswerCharacters: 8 };

/** The example without its empty attempts, or why it cannot be learned from. Texts stay as they are, white space included. */
export function checkPtr(example: PtrExample, limits: PtrLimits = {}): PtrExample | Dropped {
  const { minimumAnswerCharacters = 1, keepRepeats = false } = limits;
  if (example.question.trim() === "") return { dropped: "question-empty" };
  const attempts = example.attempts.filter((attempt) => attempt.trim() !== "");
  if (attempts.length === 0) return { dropped: "attempt-empty" };
  const answer = example.answer.trim();
  if (answer === "") return { dropped: "answer-empty" };
  if (answer.length < minimumAnswerCharacters) return { dropped: "answer-too-short", detail: JSON.stringify(answer) };
  if (!keepRepeats && attempts.some((attempt) => attempt.trim() === answer)) return { dropped: "answer-repeats-attempt" };
  return { ...example, attempts };
}

/** Reads `{question, output1, output2, …}`. */
export function readPtr(values: Readonly<Record<string, unknown>>, id: string): PtrExample | Dropped {
  const { question } = values;
  const outputs: string[] = [];
  for (let number = 1; values[`output${number}`] !== undefined; number++) {
    const output = values[`output${number}`];
    if (typeof output !== "string") return { dropped: "malformed", detail: `output${number} is no text` };
    outputs.push(output);
  }
  if (typeof question !== "string") return { dropped: "malformed", detail: "question is no text" };
  if (outputs.length < 2) return { dropped: "malformed", detail: "output1 and output2 are needed" };
  return { id, question, attempts: outputs.slice(0, -1), answer: outputs.at(-1)! };
}

export function writePtr({ question, attempts, answer }: PtrExample): Record<string, string> {
  const outputs = [...attempts, answer].map((text, index) => [`output${index + 1}`, text]);
  return { question, ...Object.fromEntries(outputs) };
}

export interface PtrSequenceOptions {
  /** `refineRequest` when left out. */
  request?: string | undefined;
  /** System message; none when left out. */
  system?: string | undefined;
}

export function ptrConversation(
  { id, question, attempts, answer }: PtrExample,
  options: PtrSequenceOptions = {},
): TrainingConversation {
  const { request = refineRequest, system } = options;
  return {
    id,
    messages: [
      ...(system === undefined ? [] : [{ role: "system" as const, content: system, trainable: false }]),
      { role: "user", content: question, trainable: false },
      ...attempts.flatMap((attempt) => [
        { role: "assistant" as const, content: attempt, trainable: false },
        { role: "user" as const, content: request, trainable: false },
      ]),
      { role: "assistant", content: answer, trainable: true },
    ],
  };
}

/** The inverse of `ptrConversation` with the same options; anything that is not exactly its sequence has no place in the layout. */
export function ptrExampleOf(conversation: TrainingConversation, options: PtrSequenceOptions = {}): PtrExample | Dropped {
  const { messages, id } = conversation;
  const [first, ...rest] = messages;
  const example: PtrExample = {
    id,
    question: first?.content ?? "",
    attempts: rest.slice(0, -1).flatMap(({ role, content }) => (role === "assistant" ? [content] : [])),
    answer: rest.at(-1)?.content ?? "",
  };
  if (example.attempts.length === 0) return { dropped: "not-representable", detail: "it has no attempt before the answer" };
  const same = JSON.stringify(plain(ptrConversation(example, options))) === JSON.stringify(plain(conversation));
  return same
    ? example
    : { dropped: "not-representable", detail: "it is no question, attempts, refine requests and one learned answer" };
}

function plain({ messages }: TrainingConversation) {
  return messages.map(({ role, content, trainable, masked, parts }) => [role, content, trainable, masked ?? [], parts ?? null]);
}
