/** `midcourse data convert`: one file of training data in another format, with a card of what it lost. */

import { type NearDuplicateScope, nearDuplicateFigures, withoutNearDuplicates } from "#data/filters/filters-near-duplicates.ts";
import { DropTally, dataCard, weightFigures } from "#data/training-files/data-card.ts";
import type { PtrLimits } from "#data/training-files/ptr-layout.ts";
import type { Datum } from "#data/training-files/training-datum.ts";
import { convert, formatNamed, readTrainingFile, rowsLayout, writeRows } from "#data/training-files/training-formats.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { userError } from "#kernel/errors.ts";
import { printCard, typedCommand, writeCard } from "./data-files.ts";

export interface ConvertOptions {
  from?: string;
  to: string;
  out: string;
  minimumCharacters?: number;
  keepRepeats?: boolean;
  nearDuplicates?: number;
  nearDuplicatesOf: NearDuplicateScope;
  ignoreWeights?: boolean;
  json?: boolean;
}

export async function dataConvert(file: string, options: ConvertOptions): Promise<void> {
  rowsLayout(options.out);
  const limits: PtrLimits = {
    ...(options.minimumCharacters === undefined ? {} : { minimumAnswerCharacters: options.minimumCharacters }),
    ...(options.keepRepeats ? { keepRepeats: true } : {}),
  };
  const to = formatNamed(options.to, limits);
  const read = await readTrainingFile(file, { ...(options.from === undefined ? {} : { format: options.from }), limits });
  const whole = new DropTally();
  whole.addDropsOf(read.tally);
  const { nearDuplicates: threshold, nearDuplicatesOf: of, ignoreWeights = false } = options;
  const data = threshold === undefined ? read.data : withoutNearDuplicates(read.data, { threshold, of }, whole);
  const near = threshold === undefined ? {} : nearDuplicateFigures({ threshold, of }, read.data.length - data.length);
  const { rows, tally, weightsIgnored } = convert(data, to, { ignoreWeights });
  if (rows.length === 0) throw nothingFits(file, to.name, tally);
  writeRows(options.out, rows);
  whole.addDropsOf(tally);
  whole.read += rows.length;
  whole.kept += rows.length;
  const card = dataCard(
    {
      title: `${file} as ${to.name}`,
      command: typedCommand(),
      figures: { formats: { from: read.format.name, to: to.name }, ...near, ...weightFigures(conversationsOf(data)) },
      notes: [
        ...(to.name === "verl" && !/\.parquet$/i.test(options.out)
          ? ["verl reads Parquet: give a file that ends in .parquet."]
          : []),
        ...(weightsIgnored > 0 ? [`${weightsIgnored} examples were written without the weight they have.`] : []),
      ],
    },
    whole,
  );
  printCard(card, options, { data: options.out, card: writeCard(options.out, card) });
}

function conversationsOf(data: readonly Datum[]): TrainingConversation[] {
  return data.flatMap((datum) => (datum.kind === "conversation" ? [datum.conversation] : []));
}

function nothingFits(file: string, format: string, { dropped: [first] }: DropTally) {
  return userError(
    "data-not-representable",
    `${file} cannot be written as ${format}: ${first?.meaning} (${first?.examples[0]})`,
    first?.reason === "weighted"
      ? "Take the format midcourse, which keeps weights, or go without them with --ignore-weights."
      : "Take a format that keeps masks, such as midcourse, openai or trl-prompt-completion.",
  );
}
