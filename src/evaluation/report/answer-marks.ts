/** What a reader should see in an answer's text: its think, refine and answer spans, and the steps that decide. */
import type { Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import type { TagKind } from "#kernel/refine-tags.ts";
import { gradeSteps } from "#verifiers/answers/steps.ts";
import type { EvaluationRecord } from "../records/evaluation-record.ts";
import { isRight } from "../statistics/transitions.ts";

export interface PageSpan {
  kind: TagKind;
  start: number;
  end: number;
}

/** A stretch of the text a reader should see: the first wrong step, a slip that a refinement corrected, a right step it spoiled. */
export interface PageMark {
  kind: "wrong" | "corrected" | "spoiled";
  start: number;
  end: number;
}

/** In the order of their starts; a span that was never closed is coloured to the end. */
export function spansOf(text: string): PageSpan[] {
  const parsed = parseRefine(text);
  return [
    ...parsed.spans.map(({ kind, start, end }) => ({ kind, start, end })),
    ...parsed.open.map(({ kind, start }) => ({ kind, start, end: text.length })),
  ].sort((first, second) => first.start - second.start || second.end - first.end);
}

/** Where the steps a reader looks for stand in the text: by the item's reference steps, else by lines. */
export function markSteps(
  item: Partial<Item>,
  record: Pick<EvaluationRecord, "text" | "firstWrongStep" | "accuracy">,
): { marks: PageMark[]; stepMissing?: number } {
  const { text, firstWrongStep } = record;
  if (item.steps === undefined || item.steps.length === 0) {
    const line = firstWrongStep === undefined ? undefined : nonEmptyLines(text)[firstWrongStep];
    return { marks: line ? [{ kind: "wrong", ...line }] : [] };
  }
  const { steps, firstWrongStep: first } = gradeSteps(text, item.steps);
  // A right answer by other steps than the reference's has no wrong step, unless its own arithmetic is wrong somewhere.
  const otherWay = isRight(record.accuracy);
  const marks = steps.flatMap(({ start, end, refined, needed, right }, index): PageMark[] => {
    if (index === first && !(otherWay && right)) return [{ kind: "wrong", start, end }];
    if (refined && needed && right) return [{ kind: "corrected", start, end }];
    return refined && !needed && !right ? [{ kind: "spoiled", start, end }] : [];
  });
  return { marks, ...(first !== undefined && first >= steps.length && !otherWay ? { stepMissing: first } : {}) };
}

function nonEmptyLines(text: string): { start: number; end: number }[] {
  let end = -1;
  return text.split("\n").flatMap((line) => {
    const start = end + 1;
    end = start + line.length;
    return line.trim() === "" ? [] : [{ start, end }];
  });
}
