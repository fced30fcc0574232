/**
 * XSum: one sentence that says what a BBC article is about. "Don't Give Me the Details, Just the Summary!", Narayan et al., 2018, arXiv
 * 1808.08745. 11,334 test articles. There is no right answer: a judge, embeddings or ROUGE grade it (see verifiers/text/summary),
 * and figures of one do not compare with those of another.
 *
 *   The bridge at Selby, closed since May, will open on Monday, the council says. …  →  Selby's bridge is to reopen on Monday.
 */
import { gradedText, visibleAnswer } from "#verifiers/answers/extract.ts";
import { summaryGrader } from "#verifiers/text/summary.ts";
import { answerRequests, asker } from "./asking.ts";
import { optionalText, textField } from "./fields.ts";
import type { GradingTools, HubSource, Task } from "./task.ts";

const source = (split: string): HubSource => ({
  dataset: "EdinburghNLP/xsum",
  split,
  revision: "30802a38d3f89b2fa8f19276008459e8c2b8b8e6",
  files: [`data/${split}-00000-of-00001.parquet`],
});

export const xsum: Task = {
  id: "xsum",
  title: "XSum",
  version: "xsum/1",
  answerKind: "summary",
  source: source("test"),
  shots: { source: source("validation"), usual: 0 },
  maxTokens: 256,
  readRow(fields, index) {
    const row = { task: "xsum", fields, index };
    return {
      id: optionalText(fields, "id") ?? `xsum-${index}`,
      question: textField(row, "document", "question").trim(),
      answer: textField(row, "summary", "answer").trim(),
    };
  },
  ask: asker(
    ({ question }) => `Article:\n${question}\n\n${answerRequests.summary}`,
    ({ answer }) => answer,
  ),
  readAnswer: (completion) => visibleAnswer(completion) || undefined,
  sameAnswer: (first, second) => words(first) === words(second),
  grader({ judge, embed }: GradingTools) {
    const grade = summaryGrader({ judge, embed });
    return (item, answer, completion, signal) => grade(item, gradedText(answer, completion), "", signal);
  },
};

const words = (text: string): string => (text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? []).join(" ");
