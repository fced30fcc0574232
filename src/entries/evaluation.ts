/** `midcourse/evaluation`: methods × items → records, statistics and tables. Mathematical answers need @cortex-js/compute-engine. */

export { evaluate, evaluateTask } from "#evaluation/records/evaluate.ts";
export type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
export { slimRecord } from "#evaluation/records/slim-record.ts";
export { renderMeasurement, renderTable } from "#evaluation/report/table.ts";
export type { MethodResult, Results } from "#evaluation/summary/results.ts";
export { summarise } from "#evaluation/summary/summary.ts";
export type { Grader, Item, Score } from "#kernel/item.ts";
export { type TaskItems, taskItems } from "#recipes/benchmark/task-items.ts";
export { openRun, readRun, withRun } from "#record/run-directory.ts";
export { findTask, tasks } from "#tasks/catalogue.ts";
export type { Task } from "#tasks/task.ts";
