/** Which questions training may see: never those of the test file, never the held-out tenth; the same questions whatever the run's seed. */
import { userError } from "#kernel/errors.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { getOrMake } from "#kernel/values.ts";

export interface QuestionSplit<T> {
  train: T[];
  /** All rows of the held-out questions. */
  held: T[];
  /** Rows whose question stands in the test file too, and that were therefore left out. */
  overlap: T[];
}

/** Questions that differ in case, spacing or punctuation alone are one question. */
export function questionKey(text: string): string {
  return text
    .normalize("NFKC")
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, " ")
    .trim();
}

/** One question in ten is held out for validation. */
const heldOutShare = 0.1;

/** Fixed, so that a model trained under one seed is never measured on its own training questions under another. */
const splitSeed = 2103;

/**
 * Rows with the same question always fall on the same side. Which questions are held out follows from their text alone: neither their
 * order in the file nor any seed matters, and every command that reads the file agrees.
 */
export function splitByQuestion<T>(
  path: string,
  rows: readonly T[],
  questionOf: (row: T) => string,
  testQuestions: ReadonlySet<string> = new Set(),
): QuestionSplit<T> {
  const split: QuestionSplit<T> = { train: [], held: [], overlap: [] };
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const key = questionKey(questionOf(row));
    if (testQuestions.has(key)) split.overlap.push(row);
    else getOrMake(groups, key, () => []).push(row);
  }
  if (groups.size < 2) {
    throw userError(
      "data-too-small",
      `${path} has ${groups.size} question${groups.size === 1 ? "" : "s"} to train on${split.overlap.length > 0 ? " that the test file does not hold too" : ""}; one in ten is held out.`,
      "Give a file with at least two different questions.",
    );
  }
  const held = new Set(
    [...groups.keys()]
      .map((key) => ({ key, rank: deriveSeed(splitSeed, "held-out", key) }))
      .sort((first, second) => first.rank - second.rank || (first.key < second.key ? -1 : 1))
      .slice(0, Math.ceil(groups.size * heldOutShare))
      .map(({ key }) => key),
  );
  for (const [key, group] of groups) (held.has(key) ? split.held : split.train).push(...group);
  return split;
}
