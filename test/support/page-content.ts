/** All that a page carries of one task, as it reads it piece by piece: what a test compares the page with. */
import { pageContent, type ReportData } from "#evaluation/report/page-data.ts";
import type { PageEvent, PageIndex, PageTask, PageTrace } from "#evaluation/report/page-shape.ts";

export interface WholeTask extends PageTask {
  index: PageIndex;
  items: { id: string; question: string; answer?: string }[];
  /** By set and item, with the texts themselves. */
  answers: (WholeAnswer | null)[][];
  /** Texts of every part, one after the other. */
  texts: string[][];
}

export interface WholeAnswer extends Omit<PageTrace, "text" | "events"> {
  text: string;
  events: PageEvent[];
}

export function wholeTasks(runs: readonly ReportData[]): WholeTask[] {
  const { data, tasks } = pageContent(runs);
  return data.browser.map((task, list) => {
    const { index, parts } = tasks[list];
    const all = [...parts()];
    const items = all.flatMap((part) => part.items.map((item) => ({ item, texts: part.texts })));
    return {
      ...task,
      index,
      items: items.map(({ item, texts }, at) => ({
        id: index.ids[at],
        question: texts[item.question],
        ...(item.answer === undefined ? {} : { answer: item.answer }),
      })),
      answers: task.sets.map((_, set) =>
        items.map(({ item, texts }) => {
          const answer = item.answers[set];
          return answer && { ...answer, text: texts[answer.text] };
        }),
      ),
      texts: all.map((part) => part.texts),
    };
  });
}

/** A page as one text. */
export function wholePage(pieces: Iterable<string>): string {
  return [...pieces].join("");
}
