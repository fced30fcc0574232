/** `midcourse data convert`: one file of training data in another format, with a card of what it lost. */
import { DropTally, dataCard } from "#data/data-card.ts";
import type { PtrLimits } from "#data/ptr-layout.ts";
import { convert, formatNamed, readTrainingFile, writeRows } from "#data/training-formats.ts";
import { userError } from "#kernel/errors.ts";
import { printCard, typedCommand, writeCard } from "./data-files.ts";

export interface ConvertOptions {
  from?: string;
  to: string;
  out: string;
  minimumCharacters?: number;
  keepRepeats?: boolean;
  json?: boolean;
}

export async function dataConvert(file: string, options: ConvertOptions): Promise<void> {
  const limits: PtrLimits = {
    ...(options.minimumCharacters === undefined ? {} : { minimumAnswerCharacters: options.minimumCharacters }),
    ...(options.keepRepeats ? { keepRepeats: true } : {}),
  };
  const to = formatNamed(options.to, limits);
  const read = await readTrainingFile(file, { ...(options.from === undefined ? {} : { format: options.from }), limits });
  const { rows, tally } = convert(read.data, to);
  if (rows.length === 0) throw nothingFits(file, to.name, tally);
  writeRows(options.out, rows);
  const whole = new DropTally();
  whole.addDropsOf(read.tally);
  whole.addDropsOf(tally);
  whole.read += rows.length;
  whole.kept += rows.length;
  const card = dataCard(
    {
      title: `${file} as ${to.name}`,
      command: typedCommand(),
      figures: { formats: { from: read.format.name, to: to.name } },
      notes:
        to.name === "verl"
          ? [
              "verl reads Parquet: python -c \"import datasets,sys; datasets.load_dataset('json',data_files=sys.argv[1])['train'].to_parquet(sys.argv[2])\" in.jsonl out.parquet",
            ]
          : [],
    },
    whole,
  );
  printCard(card, options, { data: options.out, card: writeCard(options.out, card) });
}

function nothingFits(file: string, format: string, { dropped: [first] }: DropTally) {
  return userError(
    "data-not-representable",
    `${file} cannot be written as ${format}: ${first?.meaning} (${first?.examples[0]})`,
    "Take a format that keeps masks, such as midcourse, openai or trl-prompt-completion.",
  );
}
