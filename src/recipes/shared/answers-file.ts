/** Answers on the disk, one line each as they come, so that a later call asks only for those that are missing. */
import path from "node:path";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { JsonLines, readLines } from "#files/json-lines.ts";

/** `name` tells answers to one thing from those to another, such as `base` or a domain. */
export function answersFile(folder: string, name: string): string {
  return path.join(folder, `answers-${name}.jsonl`);
}

/** The measured questions with their reference answers, for a page. */
export function itemsFile(folder: string): string {
  return path.join(folder, "test-items.jsonl");
}

export interface KeptAnswers {
  /** What an earlier call wrote. */
  known: readonly EvaluationRecord[];
  onRecord: (record: EvaluationRecord) => void;
}

/** `ask` gets what is in the file and adds to it. */
export async function keepingAnswers<Result>(file: string, ask: (kept: KeptAnswers) => Promise<Result>): Promise<Result> {
  const known = readLines<EvaluationRecord>(file);
  const lines = new JsonLines(file);
  try {
    return await ask({ known, onRecord: (record) => lines.append(record) });
  } finally {
    lines.close();
  }
}
