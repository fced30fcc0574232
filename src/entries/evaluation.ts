/** `midcourse/evaluation`: methods × items → records, statistics and tables. Mathematical answers need @cortex-js/compute-engine. */

export { runBenchmark } from "#evaluation/records/benchmark-run.ts";
export type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
export type { MethodResult, Results } from "#evaluation/results.ts";
export { evaluate } from "#evaluation/run.ts";
export type { BenchmarkResults } from "#evaluation/summary/benchmark-results.ts";
export { summarise } from "#evaluation/summary.ts";
export { renderTable } from "#evaluation/table.ts";
export type { Grader, Item, Score } from "#kernel/item.ts";
export { type TaskItems, taskItems } from "#recipes/benchmark/task-items.ts";
export { openRun, readRun, withRun } from "#record/run-directory.ts";
export { findTask, tasks } from "#tasks/catalogue.ts";
export type { Task } from "#tasks/task.ts";
