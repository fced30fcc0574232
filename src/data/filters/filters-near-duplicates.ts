/** Leaves out examples that have nearly the words of another one, by the question they ask or by all that is said in them. */
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Message } from "#kernel/model.ts";
import type { DataCard, DropTally } from "../training-files/data-card.ts";
import { asKind, type Datum, idOf } from "../training-files/training-datum.ts";
import { questionOf } from "./filters.ts";
import { nearDuplicates } from "./near-duplicates.ts";

export interface NearDuplicateFilter {
  /** Least similarity of two examples of which one is left out, in (0, 1]. */
  threshold: number;
  /** What is compared: the user's messages before the first answer, or every message; never the system's, which many examples share. */
  of: NearDuplicateScope;
}

export type NearDuplicateScope = "conversation" | "question";

/** The examples in their order without near-duplicates; of each cluster the one of the largest weight stays, the first of equals. */
export function withoutNearDuplicates(data: readonly Datum[], filter: NearDuplicateFilter, tally: DropTally): Datum[] {
  const weights = data.map((datum) => (datum.kind === "conversation" ? (datum.conversation.weight ?? 1) : 1));
  const texts = data.map((datum) => comparedText(datum, filter.of));
  const found = nearDuplicates(texts, { threshold: filter.threshold, rank: (index) => weights[index] });
  const dropped = new Set<number>();
  for (const { index, kept, similarity } of found) {
    dropped.add(index);
    const detail = `${idOf(data[kept])} is kept, similarity ${similarity.toFixed(2)}`;
    tally.drop(idOf(data[index]), { dropped: "near-duplicate", detail });
  }
  return data.filter((_, index) => !dropped.has(index));
}

/** For the card: how many were left out, or would be. */
export function nearDuplicateFigures(
  { threshold, of }: NearDuplicateFilter,
  count: number,
  what: "dropped" | "found" = "dropped",
): DataCard["figures"] {
  return { "near-duplicates": { compared: of, "similarity from": threshold, [what]: count } };
}

function comparedText(datum: Datum, of: NearDuplicateScope): string {
  if (of === "question") return questionOf(asConversation(datum));
  const said = (messages: readonly Message[]) => messages.flatMap(({ role, content }) => (role === "system" ? [] : [content]));
  if (datum.kind === "conversation") return said(datum.conversation.messages).join("\n");
  if (datum.kind === "question") return [...said(datum.question.messages), datum.question.answer].join("\n");
  return [...said(datum.pair.prompt), datum.pair.chosen, datum.pair.rejected].join("\n");
}

function asConversation(datum: Datum): TrainingConversation {
  const same = asKind(datum, "conversation");
  return "kind" in same && same.kind === "conversation" ? same.conversation : { id: idOf(datum), messages: [] };
}
