/** `midcourse data from-run`: traces of an evaluation as training examples or preference pairs. */

import { notAskedIn } from "#data/filters/filters.ts";
import { type NearDuplicateScope, nearDuplicateFigures, withoutNearDuplicates } from "#data/filters/filters-near-duplicates.ts";
import type { PairKind } from "#data/sources/pairs.ts";
import type { ViewName } from "#data/sources/views.ts";
import { DropTally, joinDrops } from "#data/training-files/data-card.ts";
import { convert, formatNamed, rowsLayout, writeRows } from "#data/training-files/training-formats.ts";
import { userError } from "#kernel/errors.ts";
import { examplesFromRun } from "#recipes/benchmark/run-examples.ts";
import { printCard, questionKeys, typedCommand, writeCard } from "./data-files.ts";

export interface FromRunOptions {
  view?: ViewName;
  pairs?: PairKind | "flip";
  methods?: string;
  tasks?: string;
  minimumAccuracy?: number;
  learnUngraded?: boolean;
  oracle?: boolean;
  system?: string;
  leaveOut: string[];
  most: number;
  longestRatio?: number;
  nearDuplicates?: number;
  nearDuplicatesOf: NearDuplicateScope;
  to?: string;
  out: string;
  seed: number;
  json?: boolean;
}

export async function dataFromRun(run: string, options: FromRunOptions): Promise<void> {
  const { view, pairs, minimumAccuracy, learnUngraded, oracle, system, longestRatio, most, seed } = options;
  if (view !== undefined && pairs !== undefined) {
    throw userError("view-and-pairs", "--view and --pairs make different kinds of data", "Give one of them.");
  }
  rowsLayout(options.out);
  const to = formatNamed(options.to ?? (pairs === undefined ? "midcourse" : "midcourse-pairs"));
  const testQuestions = await questionKeys(options.leaveOut);
  const { data: made, card } = examplesFromRun(run, {
    make: pairs === undefined ? { view: view ?? "final-only" } : { pairs },
    ...(options.methods === undefined ? {} : { methods: names(options.methods) }),
    ...(options.tasks === undefined ? {} : { tasks: names(options.tasks) }),
    ...(minimumAccuracy === undefined ? {} : { minimumAccuracy }),
    ...(learnUngraded ? { learnUngraded } : {}),
    ...(oracle ? { oracle } : {}),
    ...(system === undefined ? {} : { system }),
    filter: notAskedIn(testQuestions),
    most,
    ...(longestRatio === undefined ? {} : { longestRatio }),
    seed,
  });
  const { nearDuplicates: threshold, nearDuplicatesOf: of } = options;
  const repeats = new DropTally();
  const data = threshold === undefined ? made : withoutNearDuplicates(made, { threshold, of }, repeats);
  const { rows, tally } = convert(data, to);
  writeRows(options.out, rows);
  const whole = {
    ...card,
    command: typedCommand(),
    // Of pairs a record may make several, or several records one; of views every example is counted by itself.
    kept: pairs === undefined ? rows.length : card.kept,
    examples: rows.length,
    figures: {
      ...card.figures,
      ...(threshold === undefined ? {} : nearDuplicateFigures({ threshold, of }, made.length - data.length)),
      format: { name: to.name, "examples it cannot hold": data.length - rows.length },
    },
    dropped: joinDrops(card.dropped, repeats.dropped, tally.dropped),
  };
  printCard(whole, options, { data: options.out, card: writeCard(options.out, whole) });
}

function names(text: string): string[] {
  return text.split(",").flatMap((name) => name.trim() || []);
}
