/**
 * pass@t (Olausson et al. 2023, "Is Self-Repair a Silver Bullet for Code Generation?", arXiv 2306.09896): the share of items with at
 * least one right attempt against the tokens sampled for them, by the number of attempts. Finding the right attempt takes an oracle, or
 * tests that decide: an upper bound of every way to choose among the attempts, never what a method reaches by itself.
 *
 * All attempts are paid for, right ones before the last too, as for the plain samples beside them; a method that stopped of its own
 * accord stays as it was.
 *
 * Our deviation: the paper draws sub-trees of one large tree of repairs; here each recorded answer is a path, read up to every length.
 */
import { mean } from "#kernel/numbers.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import { isRight } from "../statistics/transitions.ts";
import type { CurvePoint, PassAtTokens } from "./results.ts";

const mostAttempts = 64;

/** Undefined where no answer has several attempts, or their tokens are unknown. */
export function passAtTokens(id: string, records: readonly SlimRecord[]): PassAtTokens | undefined {
  const paths = records.map(pathOf);
  if (paths.some((path) => path === undefined)) return undefined;
  const known = paths as Path[];
  const longest = known.reduce((most, { marks }) => Math.max(most, marks.length), 0);
  if (longest < 2) return undefined;
  const byItem = [...Map.groupBy(known, (path) => path.item).values()];
  const overItems = (of: (path: Path) => number) => mean(byItem.map((own) => mean(own.map(of))));
  const points = Array.from({ length: Math.min(longest, mostAttempts) }, (_, index) => ({
    attempts: index + 1,
    tokens: overItems(({ marks }) => marks[Math.min(index, marks.length - 1)]),
    share: overItems(({ firstRight }) => (firstRight <= index ? 1 : 0)),
  }));
  return { id, oracle: true, points };
}

/** The pool's: k samples in any order, exactly. */
export function passOfPool(id: string, points: readonly CurvePoint[]): PassAtTokens {
  return {
    id,
    oracle: true,
    points: points.map(({ samples, generated, passAtK }) => ({ attempts: samples, tokens: generated, share: passAtK })),
  };
}

interface Path {
  item: string;
  /** Tokens sampled by the end of each attempt. */
  marks: number[];
  /** Infinite when none is right. */
  firstRight: number;
}

function pathOf({ item, attempts, accuracy, usage }: SlimRecord): Path | undefined {
  if (!attempts) {
    if (usage.outputTokens === undefined) return undefined;
    return { item, marks: [usage.outputTokens], firstRight: isRight(accuracy) ? 0 : Number.POSITIVE_INFINITY };
  }
  const marks = attempts.flatMap(({ spentTokens }) => (spentTokens === undefined ? [] : [spentTokens]));
  if (marks.length < attempts.length) return undefined;
  const first = attempts.findIndex((attempt) => isRight(attempt.accuracy));
  return { item, marks, firstRight: first < 0 ? Number.POSITIVE_INFINITY : first };
}
