/** The world's worked solutions in the place of a teacher's, and PTR's examples that end in them. */
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Item } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { isHard } from "#tasks/world.ts";
import type { WorldItem } from "#tasks/world-items.ts";
import { worldPrompts, writeWorked } from "#tasks/world-solutions.ts";
import { gradedSamples, type Sampling } from "./graded-samples.ts";

/** Products worked out digit by digit, the rest in one go: how someone who knows better writes it. */
export function workedSolution(item: Item): string {
  return writeWorked((item as WorldItem).chain, isHard);
}

/** Question → attempts of the model → the worked solution, which alone is learned. The attempts are as they come, right or wrong. */
export async function workedPtrExamples(
  items: readonly WorldItem[],
  sampling: Sampling,
  mostAttempts: number,
  seed: number,
  run: RunDirectory,
): Promise<TrainingConversation[]> {
  const asked = items.map((item) => ({
    item,
    messages: [
      { role: "system" as const, content: worldPrompts.plain },
      { role: "user" as const, content: item.question },
    ],
    n: new Random(deriveSeed(seed, "attempts", item.id)).integer(1, mostAttempts),
    seed: deriveSeed(seed, "ptr", item.id),
  }));
  const drawn = await gradedSamples(sampling, asked);
  const examples = items.flatMap((item, index): TrainingConversation[] => {
    const attempts = drawn[index]!.filter(({ isCut, text }) => !isCut && text.trim() !== "");
    if (attempts.length === 0) return [];
    const messages = [
      ...asked[index]!.messages.map((message) => ({ ...message, trainable: false })),
      ...attempts.flatMap(({ text }) => [
        { role: "assistant" as const, content: text, trainable: false },
        { role: "user" as const, content: worldPrompts.improve, trainable: false },
      ]),
      { role: "assistant" as const, content: workedSolution(item), trainable: true },
    ];
    return [{ id: `${item.id}-ptr`, messages }];
  });
  run.writeFile("examples.json", `${JSON.stringify(examples)}\n`);
  return examples;
}
