/** Questions with answers from any file as training material: worked solutions become thoughts, answers are graded by their kind. */

import type { QuestionAnswerItem } from "#data/files/question-answer.ts";
import { answerConversation, answerPrompts, defaultAnswerTeaching } from "#data/sources/answer-conversations.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { shuffledStream } from "#training/stream.ts";
import { answerVerifier } from "./file-verifiers.ts";
import type { FileMaterial } from "./source.ts";

/** New tokens: never fewer than a short answer with its tags needs, never more than a long solution. */
const fewestTokens = 48;
const mostTokens = 1500;

export function questionAnswerMaterial(all: readonly QuestionAnswerItem[]): FileMaterial<QuestionAnswerItem> {
  return {
    prompts: answerPrompts,
    questionOf: (item) => item.question,
    item: (item) => item,
    conversations(problems, seed) {
      const stream = shuffledStream(problems, deriveSeed(seed, "problems"));
      return (index) => {
        const random = new Random(deriveSeed(seed, "conversation", index));
        return answerConversation(stream(index), random.pick(problems).answer, defaultAnswerTeaching, random);
      };
    },
    problems: (problems, seed) => shuffledStream(problems, deriveSeed(seed, "problems")),
    verify: answerVerifier,
    maxTokens: tokensNeeded(all),
  };
}

/**
 * Room for the longest answer but the longest one in a hundred, at two characters a token: vocabularies trained on small files have
 * short entries. A step may be written twice, so half as much again.
 */
function tokensNeeded(items: readonly QuestionAnswerItem[]): number {
  const lengths = items
    .map(({ solution, answer, completion }) => completion?.length ?? (solution ?? answer).length + answer.length)
    .sort((first, second) => first - second);
  const long = lengths[Math.floor(0.99 * (lengths.length - 1))] ?? 0;
  return Math.min(mostTokens, Math.max(fewestTokens, Math.ceil((long / 2) * 1.5) + 16));
}
