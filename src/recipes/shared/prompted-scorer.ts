/** A model that scores answers without the reference: the verifier of best-of-n and of MAgICoRe where no trained reward model is at hand. */
import type { Message, Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { MethodTools } from "#kernel/trace.ts";
import { readScore } from "#methods/driver/judging.ts";

const instruction = [
  "You check answers. Below stand a question and one answer to it. Go through the answer and look for mistakes: wrong steps, wrong",
  "calculation, misread conditions, a conclusion that does not follow, a question left unanswered.",
  'End with a line that reads "Score: N/10", where 10 means surely right and 0 surely wrong, and nothing after it.',
].join(" ");

/** An answer whose score cannot be read counts as 0: a verifier that says nothing has accepted nothing. */
export function promptedScorer(
  model: Model,
  options: { seed: number; maxTokens?: number },
): NonNullable<MethodTools["scoreCompletion"]> {
  const { seed, maxTokens = 1024 } = options;
  return async (messages, text, signal) => {
    const conversation: Message[] = [
      { role: "system", content: instruction },
      { role: "user", content: `Question:\n${questionOf(messages)}\n\nAnswer:\n${text}` },
    ];
    const [completion] = await model.generate(conversation, {
      n: 1,
      temperature: 0,
      maxTokens,
      seed: deriveSeed(seed, "scorer", text),
      signal,
    });
    return { score: readScore(completion!.text, 0, 10) ?? 0, usage: completion!.usage };
  };
}

/** What was asked last, with what the user said before where there is more than one turn. */
function questionOf(messages: readonly Message[]): string {
  return messages
    .filter(({ role }) => role === "user")
    .map(({ content }) => content)
    .join("\n\n");
}
