/**
 * A run as logs of Inspect (inspect_ai, log version 2): one JSON file for each task and method, which its viewer and `read_eval_log`
 * open. Every call of a method is a `model` event with its prompt and output, every verdict and choice an `info` event; several answers
 * to an item are its epochs.
 */
import type { Item } from "#kernel/item.ts";
import type { Message, Usage } from "#kernel/model.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { type EvaluationRecord, knownFields } from "../records/evaluation-record.ts";
import { withSettledUsage } from "../records/settled-record.ts";
import { z95 } from "../statistics/statistics.ts";
import { honouredSeed, honouredTemperature } from "../summary/asked-in-vain.ts";
import type { MethodResult, TaskResult } from "../summary/results.ts";
import { type ExportPlan, exportedRecords, fileName, GrowingFiles, promptOf, sha256 } from "./files.ts";

/** Returns the files it wrote. */
export function exportInspect(plan: ExportPlan): string[] {
  const { results, folder, date } = plan;
  const stamp = date
    .toISOString()
    .replace(/\.\d+Z$/, "+00-00")
    .replaceAll(":", "-");
  const files = new GrowingFiles(folder);
  const begun = new Set<string>();
  try {
    for (const { task, item, record } of exportedRecords(plan)) {
      const name = `${stamp}_${fileName(task)}_${fileName(record.method)}.json`;
      const taskResult = results.tasks.find((candidate) => candidate.task === task);
      const method = taskResult?.methods.find(({ id }) => id === record.method);
      if (!taskResult || !method) continue;
      files.write(name, begun.has(name) ? ",\n" : logHead(plan, taskResult, method));
      begun.add(name);
      const counted = withSettledUsage(record, results.reasoning?.convention);
      files.write(name, JSON.stringify(sampleOf(item, counted, results.model, date)));
    }
    for (const name of begun) files.write(name, "\n]}\n");
  } finally {
    files.close();
  }
  return files.written;
}

/** Everything before the samples, so that readers of headers need not read on. */
function logHead({ results, itemsOf, date }: ExportPlan, task: TaskResult, method: MethodResult): string {
  const id = (kind: string) => sha256(JSON.stringify([kind, results.run, results.seed, task.task, method.id])).slice(0, 22);
  const items = itemsOf(task.task);
  const log = {
    version: 2,
    status: method.items < task.items ? "cancelled" : "success",
    eval: {
      eval_id: id("eval"),
      run_id: sha256(JSON.stringify([results.run, results.seed])).slice(0, 22),
      created: date.toISOString(),
      task: task.task,
      task_id: id("task"),
      task_version: task.promptVersion ?? 0,
      task_display_name: task.title ?? task.task,
      task_args: {},
      solver: method.id,
      tags: ["midcourse", ...(method.oracle ? ["oracle"] : [])],
      dataset: { name: task.task, samples: items.length, shuffled: false },
      model: results.model,
      model_generate_config: knownFields({ temperature: honouredTemperature(results), seed: honouredSeed(results) }),
      model_args: {},
      config: { epochs: results.samples, log_samples: true },
      packages: { midcourse: results.version },
      metadata: {
        command: results.command,
        run: results.run,
        commit: results.commit,
        ...knownFields({ not_honoured: results.notHonoured, reasoning: results.reasoning }),
      },
    },
    plan: {
      name: "plan",
      steps: [{ solver: method.id, params: {} }],
      config: knownFields({ temperature: honouredTemperature(results) }),
    },
    results: {
      total_samples: task.items * results.samples,
      completed_samples: method.answers,
      scores: [
        score("accuracy", method.items, method.accuracy, (method.interval[1] - method.interval[0]) / 2 / z95),
        ...(method.strictAccuracy === undefined ? [] : [score("strict accuracy", method.items, method.strictAccuracy)]),
      ],
    },
    stats: statsOf(method, results.model, date),
  };
  return `${JSON.stringify(log).slice(0, -1)},"samples":[\n`;
}

function score(name: string, items: number, value: number, error?: number): object {
  const metric = (metricName: string, figure: number) => ({ name: metricName, value: figure, params: {} });
  const metrics = { mean: metric("mean", value), ...(error === undefined ? {} : { stderr: metric("stderr", error) }) };
  return { name, scorer: name, scored_samples: items, params: {}, metrics };
}

/** Sums over the run; readers of headers stop at the samples, so they stand before them. Nothing where a part is unknown. */
function statsOf(method: MethodResult, model: string, date: Date): object {
  const { tokensPerAnswer, allTokensPerAnswer, unknownTokens, answers } = method;
  const known = unknownTokens === 0 && tokensPerAnswer !== undefined && allTokensPerAnswer !== undefined;
  const total = known ? Math.round(allTokensPerAnswer * answers) : 0;
  const output = known ? Math.round(tokensPerAnswer * answers) : 0;
  const usage = { input_tokens: total - output, output_tokens: output, total_tokens: total };
  return { started_at: date.toISOString(), completed_at: date.toISOString(), model_usage: known ? { [model]: usage } : {} };
}

function sampleOf(item: Item, record: EvaluationRecord, model: string, date: Date): object {
  const prompt = promptOf(record, item).map(messageOf);
  const usage = usageOf(record.usage);
  const scoreOf = (value: number) => ({
    value,
    answer: record.extracted,
    explanation: record.text,
    metadata: knownFields({ status: record.status, reason: record.reason, measures: record.measures }),
  });
  return {
    id: item.id,
    epoch: record.sample + 1,
    input: prompt,
    ...(item.choices ? { choices: item.choices.map(({ text }) => text) } : {}),
    target: item.alternatives ? [item.answer, ...item.alternatives] : item.answer,
    messages: [...prompt, { role: "assistant", content: record.text, source: "generate", model }],
    output: outputOf(model, record.text, record.usage, record.reason),
    scores: {
      accuracy: scoreOf(record.accuracy),
      ...(record.strictAccuracy === undefined ? {} : { "strict accuracy": scoreOf(record.strictAccuracy) }),
    },
    metadata: knownFields({
      method: record.method,
      calls: record.usage.calls,
      dollars: record.usage.dollars,
      group: item.group,
      cluster: item.cluster,
      uses_oracle: record.usesOracle,
      prompt_version: record.promptVersion,
    }),
    store: {},
    events: (record.events ?? []).flatMap((event) => eventsOf(event, model, date, [])),
    model_usage: usage ? { [model]: usage } : {},
    total_time: record.seconds,
    ...(record.error === undefined ? {} : { error: { message: record.error, traceback: "", traceback_ansi: "" } }),
    attachments: {},
  };
}

/** A call with its prompt and output, or what the method made of it. `inside` names the methods around it, outermost first. */
function eventsOf(event: TraceEvent, model: string, date: Date, inside: readonly string[]): object[] {
  if (event.type === "inner")
    return eventsOf(event.event, model, date, [...inside, `${event.method}, branch ${event.branch + 1}`]);
  const common = {
    timestamp: date.toISOString(),
    working_start: 0,
    metadata: knownFields({
      midcourse: event.type,
      attempt: "attempt" in event ? event.attempt : undefined,
      role: event.type === "step-end" ? event.role : undefined,
      inside: inside.length > 0 ? inside : undefined,
    }),
  };
  if ("messages" in event) {
    return [
      {
        ...common,
        event: "model",
        model,
        input: event.messages.map(messageOf),
        tools: [],
        tool_choice: "none",
        config: {},
        output: outputOf(model, event.text, event.usage, "done"),
      },
    ];
  }
  const { type: _, usage: __, ...data } = event as typeof event & { usage?: Usage };
  return [{ ...common, event: "info", source: "midcourse", data }];
}

function messageOf({ role, content }: Message): object {
  return { role, content };
}

function outputOf(model: string, text: string, usage: Usage, reason: EvaluationRecord["reason"]): object {
  const message = { role: "assistant", content: text, source: "generate", model };
  const known = usageOf(usage);
  return {
    model,
    choices: [{ message, stop_reason: reason === "done" ? "stop" : "unknown" }],
    completion: text,
    usage: known,
  };
}

/** Undefined where tokens are unknown: the format's own default would be 0. */
function usageOf({ inputTokens, outputTokens, cachedInputTokens, reasoningTokens, dollars }: Usage): object | undefined {
  if (inputTokens === undefined || outputTokens === undefined) return undefined;
  return knownFields({
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    total_tokens: inputTokens + outputTokens,
    input_tokens_cache_read: cachedInputTokens,
    reasoning_tokens: reasoningTokens,
    total_cost: dollars,
  });
}
