/** PTR's table of rounds over several seeds. */
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { fixed, percent } from "#text/numbers.ts";
import { type RoundFigures, roundFigures } from "../ptr/round-figures.ts";

export interface MeanRound {
  round: number;
  accuracy: number;
  perSeed: number[];
  /** Sampled tokens of an answer up to this round; undefined when unknown. */
  generated: number | undefined;
  wrongToRight: number;
  rightToWrong: number;
}

export interface TableOneRounds {
  row: string;
  figures: MeanRound[];
}

/** One list of records a seed; none for none. */
export function meanRounds(records: readonly (readonly EvaluationRecord[])[], rounds: number): MeanRound[] {
  const bySeed = records.map((own) => roundFigures(own, { rounds, seed: 1 }));
  return Array.from({ length: bySeed.length > 0 ? rounds : 0 }, (_, index): MeanRound => {
    const now = bySeed.map((figures) => figures[index]);
    const mean = (of: (figures: RoundFigures) => number) => now.reduce((sum, each) => sum + of(each), 0) / now.length;
    const isKnown = now.every(({ generated }) => generated !== undefined);
    return {
      round: index + 1,
      accuracy: mean(({ accuracy }) => accuracy),
      perSeed: now.map(({ accuracy }) => accuracy),
      generated: isKnown ? mean(({ generated }) => generated!) : undefined,
      wrongToRight: mean(({ wrongToRight }) => wrongToRight),
      rightToWrong: mean(({ rightToWrong }) => rightToWrong),
    };
  });
}

/** Rows of text, three columns a model; undefined where there is nothing to show. */
export function roundsTable(rows: readonly TableOneRounds[], rounds: number): { head: string[]; rows: string[][] } | undefined {
  const shown = rows.filter(({ figures }) => figures.length > 0);
  if (shown.length === 0) return undefined;
  return {
    head: ["round", ...shown.flatMap(({ row }) => [row, "tokens", "wrong → right / right → wrong"])],
    rows: Array.from({ length: rounds }, (_, index) => [
      String(index + 1),
      ...shown.flatMap(({ figures }) => {
        const { accuracy, perSeed, generated, wrongToRight, rightToWrong } = figures[index];
        const seeds = perSeed.length > 1 ? ` (${perSeed.map((each) => percent(each)).join(", ")})` : "";
        const changes = index === 0 ? "–" : `${fixed(wrongToRight, 1)} / ${fixed(rightToWrong, 1)}`;
        return [`${percent(accuracy)}${seeds}`, fixed(generated, 0), changes];
      }),
    ]),
  };
}
