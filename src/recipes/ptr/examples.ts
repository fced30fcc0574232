/** Training and validation examples from files of any known format, without a question on both sides. */
import { notAskedIn, questionOf } from "#data/filters/filters.ts";
import { questionKey } from "#data/filters/split.ts";
import { type Dropped, DropTally, dropReasons, isDropped } from "#data/training-files/data-card.ts";
import { asKind, type Datum, idOf } from "#data/training-files/datum.ts";
import { readTrainingFile } from "#data/training-files/formats.ts";
import type { PtrLimits } from "#data/training-files/ptr-layout.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { userError } from "#kernel/errors.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { LeftOutRow } from "../shared/left-out.ts";

export interface ExampleFiles {
  /** JSONL, JSON, CSV, TSV or Parquet; what they hold is put together. */
  data: readonly string[];
  /** Their format; told by the columns when left out. */
  format?: string | undefined;
  limits?: PtrLimits | undefined;
  /** A file, or the share of the questions that is held out, from 0 (none) to below 1. */
  validation: { file: string } | { share: number };
}

export interface Examples {
  train: TrainingConversation[];
  validation: TrainingConversation[];
  /** What was left out of the training files, and why. */
  tally: DropTally;
  /** The same row by row, of the validation file too. */
  leftOut: LeftOutRow[];
}

const places = new WeakMap<TrainingConversation, Pick<LeftOutRow, "file" | "line">>();

/** Where an example that was read from a file stands. */
export function placeOf(conversation: TrainingConversation): Pick<LeftOutRow, "file" | "line" | "id"> {
  return { file: "the examples", ...places.get(conversation), id: conversation.id };
}

export async function readExamples({ data, format, limits, validation }: ExampleFiles): Promise<Examples> {
  const tally = new DropTally();
  const options = { format, limits };
  const parts: TrainingConversation[][] = [];
  const leftOut: LeftOutRow[] = [];
  for (const file of data) parts.push(await readConversations(file, options, tally, leftOut));
  const all = parts.flat();
  if ("share" in validation) {
    const { train, held } = holdOut(all, validation.share);
    return { train, validation: held, tally, leftOut };
  }
  const held = await readConversations(validation.file, options, new DropTally(), leftOut, "validation");
  const isOther = notAskedIn(new Set(held.map((conversation) => questionKey(questionOf(conversation)))));
  const train = all.filter((conversation) => {
    const dropped = isOther(conversation);
    if (dropped) {
      tally.dropKept(conversation.id, dropped);
      leftOut.push({ ...placeOf(conversation), use: "training", because: dropReasons[dropped.dropped] });
    }
    return dropped === undefined;
  });
  if (train.length > 0) return { train, validation: held, tally, leftOut };
  throw userError(
    "data-empty",
    `every question of ${data.join(", ")} stands in ${validation.file} too, so none is left to train on`,
    "Give files of different questions, or a share to hold out.",
  );
}

/** Examples of weight 0 are left out here, where they are counted. */
async function readConversations(
  file: string,
  options: Pick<ExampleFiles, "format" | "limits">,
  tally: DropTally,
  leftOut: LeftOutRow[],
  use: LeftOutRow["use"] = "training",
): Promise<TrainingConversation[]> {
  const read = await readTrainingFile(file, options);
  tally.addDropsOf(read.tally);
  const leave = (line: number, { dropped, detail }: Dropped) =>
    leftOut.push({ file, line, use, because: `${dropReasons[dropped]}${detail === undefined ? "" : ` (${detail})`}` });
  for (const { line, dropped } of read.leftOut) leave(line, dropped);
  return read.data.flatMap((datum, index) => {
    const same = asKind(datum, "conversation");
    const isUnlearned = !isDropped(same) && same.kind === "conversation" && same.conversation.weight === 0;
    const outcome: Datum | Dropped = isUnlearned ? { dropped: "weight-zero" } : same;
    if (isDropped(outcome)) leave(read.lines[index], outcome);
    const taken = tally.take<Datum>(idOf(datum), outcome);
    if (taken?.kind !== "conversation") return [];
    places.set(taken.conversation, { file, line: read.lines[index] });
    return [taken.conversation];
  });
}

/** Fixed, so that every run holds out the same questions. */
const splitSeed = 2410;

/** Examples of one question fall on the same side; which are held out follows from their text alone. */
export function holdOut(
  conversations: readonly TrainingConversation[],
  share: number,
): { train: TrainingConversation[]; held: TrainingConversation[] } {
  const keyOf = (conversation: TrainingConversation) => questionKey(questionOf(conversation)) || questionOf(conversation);
  const ranks = new Map(conversations.map((each) => [keyOf(each), deriveSeed(splitSeed, "held-out", keyOf(each))]));
  const count = Math.ceil(ranks.size * share);
  if (share > 0 && count >= ranks.size) {
    throw userError(
      "data-too-small",
      `with a share of ${share} held out, none of ${ranks.size} questions is left to train on`,
      "Give more examples, a smaller share, or a validation file.",
    );
  }
  const order = [...ranks].sort(([a, first], [b, second]) => first - second || (a < b ? -1 : 1));
  const held = new Set(order.slice(0, count).map(([key]) => key));
  const isHeld = (conversation: TrainingConversation) => held.has(keyOf(conversation));
  return { train: conversations.filter((each) => !isHeld(each)), held: conversations.filter(isHeld) };
}

/** “0.1” is a share, anything that is no number a file. */
export function validationOf(text: string): ExampleFiles["validation"] {
  const share = Number(text);
  if (text.trim() === "" || Number.isNaN(share)) return { file: text };
  if (share >= 0 && share < 1) return { share };
  throw userError("validation-share", `${text} is no share of the questions`, "Give a number from 0 to below 1, or a file.");
}
