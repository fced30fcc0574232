/**
 * Grades summaries (XSum). ROUGE is always computed; the cosine of embeddings, as PTR has it (arXiv 2410.13413 uses bge-m3), and a judge, as
 * PASR has it, where they are given. The three do not compare with one another, so the status says which one `accuracy` is.
 */
import { failedCallUsage } from "#kernel/call.ts";
import { MidcourseError } from "#kernel/errors.ts";
import type { Grader, Score } from "#kernel/item.ts";
import { addUsage, noUsage, type Usage } from "#kernel/model.ts";
import { referencesOf } from "../answers/extract.ts";
import { type JudgeOptions, judgeGrader } from "../judges/judge.ts";
import { type RougeScores, rouge } from "./rouge.ts";
import { cosine, type EmbeddingClient } from "./similarity.ts";

export interface SummaryGraderOptions {
  judge?: Omit<JudgeOptions, "kind"> | undefined;
  embed?: EmbeddingClient | undefined;
}

/**
 * `accuracy` is the judge's score if there is a judge, else the cosine (not below 0) if there are embeddings, else the F-measure of ROUGE-L.
 * `measures` has `rouge1`, `rouge2`, `rougeL` (F-measures against the closest reference), `cosine`, and what the judge measures. `status`: `rouge`,
 * `cosine`, or the judge's; `embedding-failed` with accuracy 0 when embeddings were to decide and could not be had; `no-answer`.
 */
export function summaryGrader(options: SummaryGraderOptions = {}): Grader {
  const judge = options.judge === undefined ? undefined : judgeGrader({ ...options.judge, kind: "summary" });
  return async (item, answer, completion, signal): Promise<Score> => {
    const summary = (answer.trim() === "" ? completion : answer).trim();
    if (summary === "") return { accuracy: 0, extracted: undefined, status: "no-answer" };
    const references = referencesOf(item);
    const rouges = bestRouge(references, summary);
    const measures: Record<string, number> = rouges;
    let verdict = { accuracy: rouges.rougeL, status: "rouge" };
    let usage: Usage | undefined;
    if (options.embed !== undefined) {
      const measured = await similarity(options.embed, references, summary, signal);
      usage = measured.usage;
      if (measured.cosine !== undefined) measures.cosine = measured.cosine;
      verdict =
        measured.cosine === undefined
          ? { accuracy: 0, status: "embedding-failed" }
          : { accuracy: Math.max(0, measured.cosine), status: "cosine" };
    }
    if (judge !== undefined) {
      const judged = await judge(item, summary, completion, signal);
      usage = judged.usage === undefined ? usage : addUsage(usage ?? noUsage, judged.usage);
      Object.assign(measures, judged.measures);
      verdict = { accuracy: judged.accuracy, status: judged.status ?? "judged" };
    }
    return { ...verdict, extracted: summary, measures, ...(usage === undefined ? {} : { usage }) };
  };
}

function bestRouge(references: readonly string[], summary: string): Record<keyof RougeScores, number> {
  const all = references.map((reference) => rouge(reference, summary));
  const best = (name: keyof RougeScores) => Math.max(...all.map((scores) => scores[name].f));
  return { rouge1: best("rouge1"), rouge2: best("rouge2"), rougeL: best("rougeL") };
}

async function similarity(
  client: EmbeddingClient,
  references: readonly string[],
  summary: string,
  signal: AbortSignal | undefined,
): Promise<{ cosine?: number; usage: Usage }> {
  try {
    const { vectors, usage } = await client.embed([summary, ...references], signal);
    const [own, ...others] = vectors;
    return { cosine: Math.max(...others.map((other) => cosine(own, other))), usage };
  } catch (error) {
    signal?.throwIfAborted();
    if (MidcourseError.isInstance(error) && error.family !== "remote") throw error;
    return { usage: failedCallUsage(error) };
  }
}
