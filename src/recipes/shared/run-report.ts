/** The report of a finished run, made from its directory alone; of several runs, their training curves together. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { renderReport } from "#evaluation/report.ts";
import type { AnswerSet } from "#evaluation/report-data.ts";
import type { Results } from "#evaluation/results.ts";
import { readLines } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import { readRun } from "#record/run-directory.ts";
import { type QuickStartOptions, quickStartItems } from "../quick-start/plan.ts";
import { pasrHistory } from "./training-history.ts";

/** Answers shown in the page's browser: the phase that wrote them, and the method. */
const shownAnswers: readonly (AnswerSet & { phase: string; method: string })[] = [
  { id: "base-plain", label: "base, plain prompt", phase: "base-greedy", method: "vanilla", records: [] },
  { id: "base-refine", label: "base, refine prompt", phase: "base-greedy", method: "pasr-prompt", records: [] },
  { id: "base-self-refine", label: "base, post-hoc self-refine", phase: "base-greedy", method: "self-refine-1", records: [] },
  { id: "trained", label: "trained with PASR", phase: "trained-greedy", method: "pasr", records: [] },
];

const methodNotes: Readonly<Record<string, string>> = {
  vanilla: "base, plain prompt",
  "pasr-prompt": "base, refine prompt, untrained",
  "self-refine-1": "base, draft, feedback and revision",
  "self-refine-3": "base, up to three rounds of feedback and revision",
  "self-consistency": "base, vote over 8 plain samples",
  pasr: "trained, refine prompt, one pass",
  "pasr-plain-prompt": "trained, plain prompt",
};

/** `folders`: runs of `midcourse start`; results and answers are the first one's. */
export function reportRuns(folders: readonly string[]): string {
  const [first] = folders.map(readStartRun);
  if (first === undefined) throw userError("no-runs", "There is no run to report on", "Name at least one run directory.");
  const { options, results } = first;
  return renderReport({
    run: results.run,
    title: "PASR on the small world",
    facts: [
      { label: "model", value: options.model },
      { label: "training", value: `${options.pasr.steps} steps of PASR, seed ${options.seed}` },
      { label: "measured on", value: `${options.items} problems that training never saw` },
      {
        label: "command",
        value: `midcourse start --seed ${options.seed} --steps ${options.pasr.steps} --items ${options.items}`,
      },
    ],
    results,
    training: folders.map((folder) => {
      const { options: own } = readStartRun(folder);
      const reader = { readLines: (name: string) => readLines(path.join(folder, `${name}.jsonl`)) };
      return pasrHistory(`${path.basename(folder)}, seed ${own.seed}`, reader, own.pasr.refineReward);
    }),
    items: quickStartItems(options),
    answers: shownAnswers.map(({ id, label, phase, method }) => ({
      id,
      label,
      records: readLines<EvaluationRecord>(path.join(first.folder, `answers-${phase}.jsonl`)).filter(
        (record) => record.method === method,
      ),
    })),
    compare: ["base-plain", "trained"],
    methodNotes,
  });
}

interface StartRun {
  folder: string;
  options: QuickStartOptions;
  results: Results;
}

function readStartRun(folder: string): StartRun {
  const { configuration } = readRun(folder);
  const resultsFile = path.join(folder, "results.json");
  if (configuration.command !== "start")
    throw userError(
      "other-run",
      `${folder} is a run of "${configuration.command}"`,
      "Reports are made of runs of `midcourse start`.",
    );
  if (!existsSync(resultsFile))
    throw userError(
      "unfinished-run",
      `${folder} has no results.json yet`,
      "Let the run finish: the same `midcourse start` goes on with it.",
    );
  return {
    folder,
    options: configuration.options as unknown as QuickStartOptions,
    results: JSON.parse(readFileSync(resultsFile, "utf8")) as Results,
  };
}
