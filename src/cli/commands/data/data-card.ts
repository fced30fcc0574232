/** `midcourse data card`: a card that was written, or the figures of a file of training data. */
import { readFileSync, statSync } from "node:fs";
import path from "node:path";
import { withoutDuplicates } from "#data/filters/filters.ts";
import { type NearDuplicateScope, nearDuplicateFigures, withoutNearDuplicates } from "#data/filters/filters-near-duplicates.ts";
import { type DataCard, DropTally, dataCard, weightFigures } from "#data/training-files/data-card.ts";
import { packByTokens, paddingShare } from "#data/training-files/packing.ts";
import { asKind, type Datum } from "#data/training-files/training-datum.ts";
import { readTrainingFile } from "#data/training-files/training-formats.ts";
import { median } from "#evaluation/statistics/statistics.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { MidcourseError, userError } from "#kernel/errors.ts";
import { sum } from "#kernel/numbers.ts";
import { toExample } from "#recipes/sources/source.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { printCard } from "./data-files.ts";

export interface CardOptions {
  from?: string;
  model?: string;
  tokensPerStep: number;
  nearDuplicates?: number;
  nearDuplicatesOf: NearDuplicateScope;
  json?: boolean;
}

export async function dataCardCommand(file: string, options: CardOptions): Promise<void> {
  const written = writtenCard(file);
  printCard(written ?? (await measured(file, options)), options);
}

function writtenCard(file: string): DataCard | undefined {
  const isFolder = statSync(file, { throwIfNoEntry: false })?.isDirectory() === true;
  const place = isFolder ? path.join(file, "card.json") : file;
  if (!isFolder && !place.endsWith(".json")) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(place, "utf8"));
  } catch (cause) {
    if (!isFolder) return undefined;
    throw userError(
      "no-card",
      `${place} cannot be read: ${(cause as Error).message}`,
      "Give a folder whose data is complete, or a file.",
      cause,
    );
  }
  const { title, dropped, figures, notes } = Object(value) as Partial<DataCard>;
  const isCard = typeof title === "string" && Array.isArray(dropped) && Array.isArray(notes) && typeof figures === "object";
  if (isCard) return value as DataCard;
  if (!isFolder) return undefined;
  throw userError("no-card", `${place} is no data card`, "Give a run directory of `midcourse data ptr`.");
}

async function measured(
  file: string,
  { from, model, tokensPerStep, nearDuplicates: threshold, nearDuplicatesOf: of }: CardOptions,
): Promise<DataCard> {
  const { data, format, tally } = await readTrainingFile(file, from === undefined ? {} : { format: from });
  const conversations = data.flatMap((datum: Datum) => {
    const same = asKind(datum, "conversation");
    return "kind" in same && same.kind === "conversation" ? [same.conversation] : [];
  });
  const tokens = model === undefined ? {} : tokenFigures(conversations, await Tokenizer.load(model), tokensPerStep);
  const repeats = new DropTally();
  if (threshold !== undefined) withoutNearDuplicates(data, { threshold, of }, repeats);
  const near = threshold === undefined ? {} : nearDuplicateFigures({ threshold, of }, repeats.read, "found");
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
