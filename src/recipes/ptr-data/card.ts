/** The data card of PTR's phase 1: counts, drops and reasons, lengths, agreement, the gap, cost. Two equal runs give the same bytes. */

import { type CardUsage, type DataCard, type DropTally, dataCard, weightFigures } from "#data/training-files/data-card.ts";
import { median } from "#evaluation/statistics/statistics.ts";
import { refineRequest } from "#kernel/conversation.ts";
import { counted, mean } from "#kernel/numbers.ts";
import { formatP } from "#text/numbers.ts";

import { type GapReport, gapLevel } from "./gap.ts";
import type { Selection } from "./selection.ts";
import type { MixedExamples, PtrDataSetup } from "./setup.ts";

export interface CardMaterial {
  setup: PtrDataSetup;
  tally: DropTally;
  selections: readonly Selection[];
  mixed: MixedExamples;
  gap: GapReport | undefined;
  usage: Record<string, CardUsage>;
}

export function ptrCard({ setup, tally, selections, mixed, gap, usage }: CardMaterial): DataCard {
  const { settings, names, command } = setup;
  const { system, refineRequest: request, gap: chosenBy, weakTopK, strongTopK, ...others } = settings;
  const topK = { ...(weakTopK === undefined ? {} : { weakTopK }), ...(strongTopK === undefined ? {} : { strongTopK }) };
  return dataCard(
    {
      title: "PTR refinement data",
      command,
      examples: mixed.examples.length,
      sources: mixed.counts.map(({ name, taken }) => ({ name, examples: taken })),
      figures: {
        models: { weak: names.weak, strong: names.strong, "chosen by a gap in": chosenBy ?? null },
        settings: { ...others, ...topK, "system message": system ?? "none", "refine request": request ?? refineRequest },
        ...(gap ? { gap: gapFigures(gap) } : {}),
        ...(selections.length > 0 ? { lengths: lengths(selections) } : {}),
        ...agreementFigures(selections),
        ...weightFigures(mixed.examples),
      },
      usage,
      notes: notesOf(setup, selections, mixed, gap),
    },
    tally,
  );
}

function gapFigures({ questions, weakAccuracy, strongAccuracy, pValue, differing, isThere }: GapReport) {
  return {
    questions,
    "weak accuracy": rounded(weakAccuracy),
    "strong accuracy": rounded(strongAccuracy),
    "questions that differ": differing,
    "Wilcoxon p (two-sided)": formatP(pValue),
    [`gap at p < ${gapLevel}`]: isThere,
  };
}

/** In characters. */
function lengths(selections: readonly Selection[]) {
  const last = selections.map(({ example }) => example.attempts.at(-1)!.length);
  const answers = selections.map(({ example }) => example.answer.length);
  return {
    "question, median characters": median(selections.map(({ example }) => example.question.length)),
    "last attempt, median characters": median(last),
    "answer, median characters": median(answers),
    "answers shorter than the last attempt, share": rounded(mean(answers.map((answer, index) => (answer < last[index] ? 1 : 0)))),
    "attempts cut at their largest length": selections.reduce((sum, { cutAttempts }) => sum + cutAttempts, 0),
  };
}

function agreementFigures(selections: readonly Selection[]): DataCard["figures"] {
  const values = selections.flatMap(({ agreement }) => agreement ?? []);
  if (values.length === 0) return {};
  return {
    "agreement of what was kept": {
      lowest: rounded(Math.min(...values)),
      median: rounded(median(values)),
      mean: rounded(mean(values)),
    },
  };
}

function notesOf(
  { settings, gapItems }: PtrDataSetup,
  selections: readonly Selection[],
  { counts }: MixedExamples,
  gap: GapReport | undefined,
): string[] {
  const notes: string[] = [
    "Question, attempts and the request to refine carry weight 0; the final answer and its end carry weight 1.",
  ];
  if (gap === undefined)
    notes.push("Whether the strong model is stronger was not tested: give questions with answers to test it on.");
  else if (!gap.isThere)
    notes.push("The test found no gap between the two models: the answers may be no better than the attempts.");
  if (gap && gapItems && gap.questions < gapItems.length) {
    notes.push(
      `${counted(gapItems.length - gap.questions, "question is", "questions are")} left out of the gap test, because a call failed.`,
    );
  }
  if (settings.agreement === "none") notes.push("No consistency filter was used.");
  const short = counts.find(({ name, wanted, taken }) => name === "plain" && taken < wanted);
  if (short)
    notes.push(
      `The plain data ran out: ${short.taken} of ${short.wanted} examples, so their share is smaller than was asked for.`,
    );
  if (selections.length === 0) notes.push("Nothing is left to train on.");
  return notes;
}

function rounded(value: number): number {
  return Number(value.toFixed(4));
}
