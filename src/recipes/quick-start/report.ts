/** The report of a first run, made from its directory alone; of several, their training curves together. */

import { existsSync } from "node:fs";
import path from "node:path";
import { type EvaluationRecord, recordKey } from "#evaluation/records/evaluation-record.ts";
import { slimRecord } from "#evaluation/records/slim-record.ts";
import { renderReport } from "#evaluation/report/report.ts";
import type { Results } from "#evaluation/summary/results.ts";
import { summarise } from "#evaluation/summary/summary.ts";
import { readLines } from "#files/json-lines.ts";
import { nameOf } from "#files/model-content.ts";
import { userError } from "#kernel/errors.ts";
import { counted } from "#kernel/numbers.ts";
import { readRun } from "#record/run-directory.ts";
import { worldTask } from "#tasks/world/task.ts";

import { answersFile } from "../shared/answers-file.ts";
import { runNames } from "../shared/run-names.ts";
import { rolloutSections, trainingHistory } from "../shared/training-page.ts";
import { samplingTemperature } from "../shared/world-methods.ts";
import { type QuickStartOptions, quickStartItems } from "./plan.ts";

/** In the order of the rows. */
const methodNotes: Readonly<Record<string, string>> = {
  vanilla: "base, plain prompt",
  "pasr-prompt": "base, refine prompt, untrained",
  "self-refine-1": "base, draft, feedback and revision",
  "self-refine-3": "base, up to three rounds of feedback and revision",
  "self-consistency": "base, vote over 8 plain samples",
  pasr: "trained, refine prompt, one pass",
  "pasr-plain-prompt": "trained, plain prompt",
};

const greedyPhases = ["base-greedy", "trained-greedy"];
const sampledPhases = ["base-sampled", "trained-sampled"];

/** What the answers in a run's directory say. */
export function startResults(folder: string, options: QuickStartOptions): Results {
  const at = (temperature: number, phases: readonly string[]) => {
    const records = phases.flatMap((phase) => readLines<EvaluationRecord>(answersFile(folder, phase)));
    return summarise({
      run: path.basename(path.resolve(folder)),
      model: nameOf(options.model),
      command: commandOf(options),
      seed: options.seed,
      temperature,
      samples: 1,
      tasks: [{ id: worldTask.id, title: worldTask.title, items: options.items }],
      records: records.map((record) => slimRecord(record)),
      methods: Object.keys(methodNotes),
      comparisons: ["vanilla", "pasr-prompt", "self-refine-1", "self-refine-3", "self-consistency", "pasr-plain-prompt"].map(
        (other) => ["pasr", other] as const,
      ),
    });
  };
  return { ...at(0, greedyPhases), others: [at(samplingTemperature, sampledPhases)] };
}

function commandOf({ seed, pasr, items }: QuickStartOptions): string {
  return `midcourse start --seed ${seed} --steps ${pasr.steps} --items ${items}`;
}

/** `folders`: runs of `midcourse start`; results and answers are the first one's. */
export function reportRuns(folders: readonly string[]): Iterable<string> {
  const [first] = folders.map(readStartRun);
  const names = runNames(folders);
  if (first === undefined) throw userError("no-runs", "There is no run to report on", "Name at least one run directory.");
  const { folder, options } = first;
  const answers = greedyPhases.flatMap((phase) => readLines<EvaluationRecord>(answersFile(folder, phase)));
  const byKey = new Map(answers.map((record) => [recordKey(record), record]));
  const items = new Map(quickStartItems(options).map((item) => [item.id, item]));
  return renderReport({
    results: startResults(folder, options),
    records: answers.map((record) => slimRecord(record)),
    readTraces: (keys) => keys.flatMap((key) => byKey.get(key) ?? []),
    itemsOf: (_task, ids) => ids.flatMap((id) => items.get(id) ?? []),
    title: "PASR on the small world",
    facts: [
      ...(names.length === 1
        ? []
        : [{ label: "on this page", value: `training curves of ${names.join(", ")}; results and answers of ${names[0]} alone` }]),
      { label: "model", value: nameOf(options.model) },
      { label: "training", value: `${counted(options.pasr.steps, "step")} of PASR, seed ${options.seed}` },
      { label: "measured on", value: `${counted(options.items, "problem")} that training never saw` },
      { label: "command", value: commandOf(options) },
    ],
    methodNotes,
    subject: "pasr",
    compare: ["vanilla", "pasr"],
    sections: rolloutSections({ readLines: (name) => readLines(path.join(folder, `${name}.jsonl`)) }),
    training: folders.map((each, index) => {
      const { options: own } = readStartRun(each);
      const reader = { readLines: (name: string) => readLines(path.join(each, `${name}.jsonl`)) };
      return trainingHistory(`${names[index]}, seed ${own.seed}`, reader, own.pasr.refineReward);
    }),
  });
}

function readStartRun(folder: string): { folder: string; options: QuickStartOptions } {
  const { configuration } = readRun(folder);
  if (configuration.command !== "start")
    throw userError(
      "other-run",
      `${folder} is a run of "${configuration.command}"`,
      "Reports are made of runs of `midcourse start`.",
    );
  // Answers of a trained model are there before the last of them are.
  if (!existsSync(path.join(folder, "results.json")))
    throw userError(
      "unfinished-run",
      `${folder} has no results.json yet`,
      "Let the run finish: the same `midcourse start` goes on with it.",
    );
  return { folder, options: configuration.options as unknown as QuickStartOptions };
}
