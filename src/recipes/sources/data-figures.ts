/** What is in a file of training data: kinds, lengths, weights, repeats, and with a tokenizer how full the steps of a training are. */
import { withoutDuplicates } from "#data/filters/filters.ts";
import { type NearDuplicateFilter, nearDuplicateFigures, withoutNearDuplicates } from "#data/filters/near-duplicates.ts";
import { type DataCard, DropTally, dataCard, weightFigures } from "#data/training-files/data-card.ts";
import { conversationsOf } from "#data/training-files/datum.ts";
import { readTrainingFile } from "#data/training-files/formats.ts";
import { packByTokens, paddingShare } from "#data/training-files/packing.ts";
import { median } from "#evaluation/statistics/statistics.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { MidcourseError } from "#kernel/errors.ts";
import { sum } from "#kernel/numbers.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { toExample } from "./source.ts";

export interface FileFiguresWanted {
  /** Told by the columns when left out. */
  format?: string | undefined;
  /** Checkpoint whose tokenizer counts. */
  model?: string | undefined;
  tokensPerStep: number;
  /** Counts what it would leave out. */
  nearDuplicates?: NearDuplicateFilter | undefined;
}

export async function fileFigures(file: string, wanted: FileFiguresWanted): Promise<DataCard> {
  const { model, tokensPerStep, nearDuplicates } = wanted;
  const { data, format, tally } = await readTrainingFile(file, { format: wanted.format });
  const conversations = conversationsOf(data);
  const tokens = model === undefined ? {} : tokenFigures(conversations, await Tokenizer.load(model), tokensPerStep);
  const repeats = new DropTally();
  if (nearDuplicates) withoutNearDuplicates(data, nearDuplicates, repeats);
  const near = nearDuplicates ? nearDuplicateFigures(nearDuplicates, repeats.read, "found") : {};
  const figures = { contents: contents(conversations), ...weightFigures(conversations), ...near, ...tokens };
  return dataCard({ title: file, figures: { format: { name: format.name }, ...figures } }, tally);
}

function contents(conversations: readonly TrainingConversation[]) {
  const repeats = withoutDuplicates();
  const lengths = conversations.map(({ messages }) => messages.reduce((sum, { content }) => sum + content.length, 0));
  const learned = conversations.map(({ messages }) =>
    messages.reduce((sum, { content, trainable, masked = [] }) => {
      if (!trainable) return sum;
      return sum + content.length - masked.reduce((hidden, [start, end]) => hidden + end - start, 0);
    }, 0),
  );
  return {
    "messages, mean": Number((sum(conversations.map(({ messages }) => messages.length)) / conversations.length).toFixed(2)),
    "characters, median": median(lengths),
    "learned characters, median": median(learned),
    "learned share of the characters": Number((sum(learned) / Math.max(1, sum(lengths))).toFixed(4)),
    "duplicates of earlier ones": conversations.filter((conversation) => repeats(conversation)).length,
  };
}

function tokenFigures(
  conversations: readonly TrainingConversation[],
  tokenizer: Tokenizer,
  tokensPerStep: number,
): DataCard["figures"] {
  const lengths: number[] = [];
  let learned = 0;
  let refused = 0;
  for (const conversation of conversations) {
    try {
      const { ids, mask } = toExample(tokenizer, conversation);
      if (conversation.weight === 0) continue; // Never in a step.
      lengths.push(ids.length);
      learned += sum(Array.from(mask));
    } catch (error) {
      // A template may refuse roles or rewrite earlier turns; that is a figure here, not the end.
      if (!MidcourseError.isInstance(error) || error.family !== "user") throw error;
      refused++;
    }
  }
  const total = sum(lengths);
  const { steps, tooLong, fill } = packByTokens(lengths, tokensPerStep);
  const byLength = [...lengths].sort((first, second) => second - first);
  return {
    tokens: {
      all: total,
      learned,
      "longest example": Math.max(0, ...byLength.slice(0, 1)),
      "examples the chat template refuses": refused,
    },
    packing: {
      "tokens of a step": tokensPerStep,
      steps: steps.length,
      "examples longer than a step": tooLong.length,
      "fill of the steps": fill === undefined ? null : Number(fill.toFixed(4)),
      "padding in file order": Number(paddingShare(lengths, tokensPerStep).toFixed(4)),
      "padding by length": Number(paddingShare(byLength, tokensPerStep).toFixed(4)),
    },
  };
}
