/** Runs methods over items with many conversations in flight, one record each; failures are recorded, finished records are not run again. */
import type { Item } from "#kernel/item.ts";
import type { Method } from "#kernel/trace.ts";
import { type AnswerPlan, answerItem, type Job } from "./records/answer-item.ts";
import { type EvaluationRecord, recordKey } from "./records/evaluation-record.ts";

export interface EvaluationPlan extends AnswerPlan {
  items: readonly Item[];
  /** Their ids name the records, so they must differ. */
  methods: readonly Method[];
  /** Runs of each method on each item; 1 when left out. */
  samples?: number;
  /** Conversations in flight; 256 when left out, enough to fill an engine's batches. */
  concurrency?: number;
  /** Finished records of an earlier run by `recordKey`: taken as they are. Those with an error are run again. */
  known?: ReadonlyMap<string, EvaluationRecord>;
  /** Called with each new record as it comes, to store it. */
  onRecord?: (record: EvaluationRecord) => void;
  onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

export interface EvaluationProgress {
  done: number;
  total: number;
  failures: number;
  /** Method of the answer that has just been finished. */
  method: string;
}

export interface EvaluationResult {
  /** By method, then item, then sample; without those that an abort left undone. */
  records: EvaluationRecord[];
  /** False after an abort. */
  complete: boolean;
}

export async function evaluate(plan: EvaluationPlan): Promise<EvaluationResult> {
  const { methods, items, samples = 1, concurrency = 256, known, signal } = plan;
  const jobs: Job[] = methods.flatMap((method) =>
    items.flatMap((item) => Array.from({ length: samples }, (_, sample) => ({ item, method, sample }))),
  );
  const records = new Array<EvaluationRecord | undefined>(jobs.length);
  const waiting: number[] = [];
  for (const [index, { item, method, sample }] of jobs.entries()) {
    const earlier = known?.get(recordKey({ item: item.id, method: method.id, sample }));
    if (earlier && earlier.error === undefined) records[index] = earlier;
    else waiting.push(index);
  }
  let done = jobs.length - waiting.length;
  let failures = 0;
  let cursor = 0;

  async function work(): Promise<void> {
    while (cursor < waiting.length && !signal?.aborted) {
      const index = waiting[cursor++];
      const job = jobs[index];
      const record = await answerItem(plan, job);
      if (!record) return;
      records[index] = record;
      plan.onRecord?.(record);
      done++;
      if (record.error !== undefined) failures++;
      plan.onProgress?.({ done, total: jobs.length, failures, method: job.method.id });
    }
  }
  await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, work));
  const finished = records.filter((record) => record !== undefined);
  return { records: finished, complete: finished.length === jobs.length };
}
