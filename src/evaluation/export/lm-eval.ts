/**
 * A run as lm-evaluation-harness writes its own: for each method a folder with `results_DATE.json` and `samples_TASK_DATE.jsonl`, as
 * `--output_path --log_samples` does for one model. The layout is that of version 0.4 (one line for each document and filter).
 *
 * Two filters where a task grades strictly too: `flexible-extract` reads any clear statement of an answer, `strict-match` only the form
 * asked for. Several answers to an item are its repeats, and its metric is their mean.
 */
import type { Item } from "#kernel/item.ts";
import { mean } from "#kernel/numbers.ts";
import { getOrMake } from "#kernel/values.ts";
import { type EvaluationRecord, knownFields } from "../records/evaluation-record.ts";
import { z95 } from "../statistics/statistics.ts";
import { honouredTemperature } from "../summary/asked-in-vain.ts";
import type { MethodResult, TaskResult } from "../summary/results.ts";
import { type ExportPlan, exportedRecords, fileName, GrowingFiles, promptOf, sha256 } from "./files.ts";

/** Returns the files it wrote. */
export function exportLmEval(plan: ExportPlan): string[] {
  const { results, folder, date } = plan;
  const stamp = date.toISOString().replace("Z", "").replaceAll(":", "-");
  const files = new GrowingFiles(folder);
  const waiting = new Map<string, { item: Item; index: number; task: string; records: EvaluationRecord[] }>();
  const settings = generationSettings(results);
  try {
    const write = (key: string) => {
      const { item, index, task, records } = waiting.get(key)!;
      waiting.delete(key);
      const lines = sampleLines(item, index, records, settings);
      const text = lines.map((line) => `${JSON.stringify(line)}\n`).join("");
      files.write(`${fileName(records[0].method)}/samples_${fileName(task)}_${stamp}.jsonl`, text);
    };
    for (const { task, item, index, record } of exportedRecords(plan)) {
      const key = JSON.stringify([task, record.method, item.id]);
      const entry = getOrMake(waiting, key, () => ({ item, index, task, records: [] }));
      entry.records.push(record);
      if (entry.records.length >= results.samples) write(key);
    }
    // Items whose answers are not all there.
    for (const key of [...waiting.keys()]) write(key);
    for (const { id } of results.overall) {
      files.write(`${fileName(id)}/results_${stamp}.json`, `${JSON.stringify(resultsOf(plan, id), null, 2)}\n`);
    }
  } finally {
    files.close();
  }
  return files.written;
}

/** Without the temperature where it was asked for in vain: nobody knows what it was. */
function generationSettings(results: ExportPlan["results"]): object {
  const temperature = honouredTemperature(results);
  return { ...(temperature === undefined ? {} : { do_sample: temperature > 0, temperature }), until: [] };
}

function sampleLines(item: Item, index: number, records: EvaluationRecord[], settings: object): object[] {
  records.sort((first, second) => first.sample - second.sample);
  const [first] = records;
  const { id, question, answer, group, choices, alternatives } = item;
  const doc = { id, question, answer, ...knownFields({ group, choices, alternatives }) };
  const prompt = JSON.stringify(promptOf(first!, item).map(({ role, content }) => ({ role, content })));
  const common = {
    doc_id: index,
    doc,
    target: answer,
    arguments: { gen_args_0: { arg_0: prompt, arg_1: settings } },
    resps: [records.map((record) => record.text)],
  };
  const hashes = { doc_hash: sha256(JSON.stringify(doc, null, 2)), prompt_hash: sha256(prompt), target_hash: sha256(answer) };
  const line = (filter: string, accuracies: readonly number[]) => ({
    ...common,
    filtered_resps: records.length === 1 ? [found(first!)] : [records.map(found)],
    filter,
    metrics: ["acc"],
    ...hashes,
    acc: mean(accuracies),
  });
  const strict = records.flatMap((record) => record.strictAccuracy ?? []);
  return [
    line(
      "flexible-extract",
      records.map((record) => record.accuracy),
    ),
    ...(strict.length === records.length ? [line("strict-match", strict)] : []),
  ];
}

function found({ extracted }: EvaluationRecord): string {
  return extracted ?? "[invalid]";
}

function resultsOf({ results, itemsOf, date }: ExportPlan, method: string): object {
  const tasks = results.tasks.flatMap((task): [TaskResult, MethodResult][] => {
    const own = task.methods.find(({ id }) => id === method);
    return own ? [[task, own]] : [];
  });
  const byTask = (of: (task: TaskResult, own: MethodResult) => unknown) =>
    Object.fromEntries(tasks.map(([task, own]) => [task.task, of(task, own)]));
  const name = `${results.model}, ${method}`;
  return {
    results: byTask((task, own) => ({
      name: task.task,
      alias: task.task,
      sample_len: own.items,
      "acc,flexible-extract": own.accuracy,
      // Half the width of the 95 % interval, which allows for clusters and repeats, over 1.96.
      "acc_stderr,flexible-extract": (own.interval[1] - own.interval[0]) / 2 / z95,
      ...(own.strictAccuracy === undefined ? {} : { "acc,strict-match": own.strictAccuracy, "acc_stderr,strict-match": "N/A" }),
    })),
    group_subtasks: byTask(() => []),
    configs: byTask((task) => ({
      task: task.task,
      output_type: "generate_until",
      repeats: results.samples,
      metadata: { version: task.promptVersion ?? null, midcourse_method: method },
    })),
    versions: byTask((task) => task.promptVersion ?? null),
    "n-shot": byTask(() => 0),
    higher_is_better: byTask(() => ({ acc: true })),
    "n-samples": byTask((task, own) => ({ original: itemsOf(task.task).length, effective: own.items })),
    config: {
      model: "midcourse",
      model_args: { model: results.model, method },
      gen_kwargs: knownFields({ temperature: honouredTemperature(results) }),
      ...knownFields({ not_honoured: results.notHonoured }),
      limit: null,
      random_seed: results.seed,
    },
    git_hash: results.commit ?? null,
    date: date.getTime() / 1000,
    model_source: "midcourse",
    model_name: name,
    model_name_sanitized: fileName(name),
    system_instruction: null,
    chat_template: null,
  };
}
