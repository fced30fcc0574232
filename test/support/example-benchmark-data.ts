/** The made-up benchmark run as a report takes it. */

import { recordKey } from "#evaluation/records/evaluation-record.ts";
import { slimRecord } from "#evaluation/records/slim-record.ts";
import type { ReportData } from "#evaluation/report/page-data.ts";
import { summarise } from "#evaluation/summary/summary.ts";
import { exampleBenchmark, exampleMethods, exampleTasks } from "./example-benchmark.ts";

export interface ExampleRun {
  run: string;
  seed?: number;
  skill?: number;
  samples?: number;
}

export function exampleBenchmarkData({ run, ...options }: ExampleRun): ReportData {
  const { items, records } = exampleBenchmark(options);
  const slim = records.map((record) => slimRecord(record));
  const whole = new Map(records.map((record) => [recordKey(record), record]));
  return {
    results: summarise({
      run,
      model: "example-7b at http://127.0.0.1:8000/v1",
      command: `midcourse eval --model example-7b --methods ${exampleMethods.join(",")} --tasks sums,programs --out runs/${run}`,
      version: "0.2.0",
      commit: "0123456789abcdef",
      seed: 1,
      temperature: 0.7,
      samples: options.samples ?? 1,
      tasks: exampleTasks,
      methods: exampleMethods,
      records: slim,
    }),
    records: slim,
    readTraces: (keys) => keys.flatMap((key) => whole.get(key) ?? []),
    itemsOf: (task, ids) => (items.get(task) ?? []).filter((item) => ids.includes(item.id)),
    title: run,
    methodNotes: { "self-refine": "up to one round of feedback", "best-of-n": "best of 4 by a reward model" },
  };
}
