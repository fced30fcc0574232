/** The page of a training, or of several, made from run directories of `midcourse train` alone: several are compared where they answered the same. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { type EvaluationRecord, recordKey } from "#evaluation/records/evaluation-record.ts";
import { slimRecord } from "#evaluation/records/slim-record.ts";
import { compareRuns } from "#evaluation/report/compare-runs.ts";
import type { ReportData } from "#evaluation/report/page-data.ts";
import { renderReport } from "#evaluation/report/report.ts";
import type { TrainingHistory } from "#evaluation/report/training-history.ts";
import type { Results } from "#evaluation/summary/results.ts";
import { guarded } from "#files/file-failures.ts";
import { type JsonObject, readLines } from "#files/json-lines.ts";
import { nameOf } from "#files/model-content.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { isRecord, jsonIn } from "#kernel/values.ts";
import { type RunRecord, readRun } from "#record/run-directory.ts";
import { answersFile, itemsFile } from "./shared/answers-file.ts";
import { runNames } from "./shared/run-names.ts";
import { roundFolders } from "./shared/self-training.ts";
import { rolloutSections, trainingHistory } from "./shared/training-page.ts";

export function isTraining(folder: string): boolean {
  return existsSync(path.join(folder, "config.json")) && readRun(folder).configuration.command.startsWith("train ");
}

/** `table`: what several differ by, for a terminal of so many columns. */
export function trainingReport(
  folders: readonly string[],
  screen: { width?: number } = {},
): { html: Iterable<string>; table: string | undefined } {
  if (folders.length === 0) throw userError("no-runs", "There is no run to report on", "Name at least one run directory.");
  const names = runNames(folders);
  const runs = folders.map((folder, index): ReportData => {
    const name = names[index];
    const sections = rolloutSections({ readLines: (lines) => linesOf(folder, lines) }, folders.length > 1 ? name : undefined);
    const own = reportOf(folder, name);
    return { ...own, ...(folders.length > 1 ? { title: name } : {}), training: historiesOf(folder, name), sections };
  });
  if (runs.length === 1) return { html: renderReport(runs[0]), table: undefined };
  return compareRuns(runs, screen);
}

function linesOf(folder: string, name: string): JsonObject[] {
  return readLines(path.join(folder, `${name}.jsonl`));
}

/** Of the run, or where it trained in rounds, of each of them. */
function historiesOf(folder: string, name: string): TrainingHistory[] {
  const group = readRun(folder).configuration.command.replace(/^train /, "");
  const rounds = roundFolders(folder);
  const own = (of: string) => ({ readLines: (lines: string) => linesOf(of, lines) });
  if (rounds.length === 0) return [trainingHistory(name, own(folder), group)];
  return rounds.map((round, index) => trainingHistory(`${name}, round ${index + 1}`, own(round), group));
}

const phases = { base: "before training", trained: "after training" } as const;

function reportOf(folder: string, name: string): ReportData {
  const record = readRun(folder);
  const answers = Object.keys(phases).flatMap((phase) => readLines<EvaluationRecord>(answersFile(folder, phase)));
  const byKey = new Map(answers.map((answer) => [recordKey(answer), answer]));
  const items = new Map(readLines<Item & object>(itemsFile(folder)).map((item) => [item.id, item]));
  const results = readResults(folder, name, record);
  const idsOf = (phase: keyof typeof phases) => [
    ...new Set(readLines<EvaluationRecord>(answersFile(folder, phase)).map(({ method }) => method)),
  ];
  const [subject, before] = [idsOf("trained").at(-1), idsOf("base")[0]];
  const notes = (phase: keyof typeof phases) => idsOf(phase).map((id) => [id, phases[phase]]);
  return {
    results,
    records: answers.map((answer) => slimRecord(answer)),
    readTraces: (keys) => keys.flatMap((key) => byKey.get(key) ?? []),
    itemsOf: (_task, ids) => ids.flatMap((id) => items.get(id) ?? []),
    title: `${name}, ${record.configuration.command}`,
    facts: factsOf(record),
    methodNotes: Object.fromEntries([...notes("base"), ...notes("trained")]),
    ...(subject === undefined ? {} : { subject }),
    ...(subject === undefined || before === undefined ? {} : { compare: [before, subject] as const }),
  };
}

/** Measured answers where there are any; the others have a page of their curves alone. */
function readResults(folder: string, name: string, { configuration }: RunRecord): Results {
  const file = path.join(folder, "results.json");
  const found = existsSync(file) ? jsonIn(guarded(`read ${file}`, () => readFileSync(file, "utf8"))) : undefined;
  if (isRecord(found) && found.schema === 2 && Array.isArray(found.tasks)) return found as unknown as Results;
  const seed = Number(configuration.options.seed ?? 0);
  return { schema: 2, run: name, model: name, seed, temperature: 0, samples: 1, tasks: [], overall: [], times: [] };
}

function factsOf({ configuration: { command, options }, events }: RunRecord): { label: string; value: string }[] {
  const { model, seed, source, data, test } = options as Record<string, unknown>;
  const named = (value: unknown) => (isRecord(value) && typeof value.name === "string" ? value.name : undefined);
  const from = model === null || model === undefined ? "nothing" : nameOf(model as Parameters<typeof nameOf>[0]);
  const isFinished = events.some(({ type }) => type === "finished");
  return [
    { label: "training", value: `${command}, seed ${String(seed)}${isFinished ? "" : ", not finished"}` },
    { label: "began with", value: from },
    ...[
      { label: "learned from", value: named(data) ?? (typeof source === "string" ? source : undefined) },
      { label: "measured on", value: named(test) },
    ].flatMap(({ label, value }) => (value === undefined ? [] : [{ label, value }])),
  ];
}
