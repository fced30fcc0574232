/**
 * pass@t (Olausson et al. 2023, "Is Self-Repair a Silver Bullet for Code Generation?", arXiv 2306.09896): the expected share of items
 * with at least one right attempt, for tokens sampled so far. It stops at the first right attempt, which takes an oracle (or tests that
 * decide): an upper bound of every way to choose among the attempts, never what a method reaches by itself.
 *
 * Our deviation: the paper draws sub-trees of one large tree of repairs; here each recorded answer is a path, read up to every length.
 */
import type { CurvePoint, PassAtTokens } from "./benchmark-results.ts";
import type { SlimRecord } from "./slim-record.ts";
import { mean } from "./statistics.ts";
import { isRight } from "./transitions.ts";

const largestGrid = 24;

/** Undefined where fewer than two attempts were made or tokens are unknown. */
export function passAtTokens(id: string, records: readonly SlimRecord[]): PassAtTokens | undefined {
  const paths = records.map(pathOf);
  if (paths.length === 0 || paths.some((path) => path === undefined)) return undefined;
  const known = paths as Path[];
  if (!known.some((path) => path.marks.length > 1)) return undefined;
  const grid = gridOver(known.flatMap((path) => path.marks));
  const byItem = [...Map.groupBy(known, (path) => path.item).values()];
  const points = grid.map((tokens) => ({
    tokens,
    share: mean(byItem.map((own) => mean(own.map((path) => (path.solvedAt <= tokens ? 1 : 0))))),
  }));
  return { id, oracle: true, points };
}

/** The pool's: k samples in any order, exactly. */
export function passOfPool(id: string, points: readonly CurvePoint[]): PassAtTokens {
  return { id, oracle: true, points: points.map(({ generated, passAtK }) => ({ tokens: generated, share: passAtK })) };
}

interface Path {
  item: string;
  /** Tokens sampled by the end of each attempt. */
  marks: number[];
  /** By the end of the first right one; infinite when none is. */
  solvedAt: number;
}

function pathOf({ item, attempts, accuracy, usage }: SlimRecord): Path | undefined {
  if (!attempts) {
    if (usage.outputTokens === undefined) return undefined;
    return { item, marks: [usage.outputTokens], solvedAt: isRight(accuracy) ? usage.outputTokens : Number.POSITIVE_INFINITY };
  }
  const marks = attempts.flatMap(({ spentTokens }) => (spentTokens === undefined ? [] : [spentTokens]));
  if (marks.length < attempts.length) return undefined;
  const first = attempts.findIndex((attempt) => isRight(attempt.accuracy));
  return { item, marks, solvedAt: first < 0 ? Number.POSITIVE_INFINITY : marks[first]! };
}

/** Token counts evenly spread on a logarithmic scale, ends included. */
function gridOver(marks: readonly number[]): number[] {
  const low = Math.max(
    1,
    marks.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY),
  );
  const high = Math.max(
    low,
    marks.reduce((most, value) => Math.max(most, value), 0),
  );
  const steps = Array.from({ length: largestGrid }, (_, step) => low * (high / low) ** (step / (largestGrid - 1)));
  return [...new Set([...steps.map(Math.round), Math.ceil(high)])].sort((first, second) => first - second);
}
