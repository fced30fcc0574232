/**
 * The config.json of PTR's evaluation (arXiv 2410.13413, github.com/cydu24/Progressive-Thought-Refinement, `PTR_evaluation/config.json`): by
 * task, how many worked examples (`num_fewshots`) and how many items (`limit`; null for all). `arc` and `gpqa` may have their subjects one
 * level deeper. The file that its `run.py` writes into a run's folder is read too: there the same stands under `tasks_config`, beside `tasks`.
 *
 * Deviations, each of them told where it matters: `limit` counts the items of a subject there and of the task here; prompts
 * (`instruction`, `question_template`, …) and subjects are this package's own; what the file leaves out is 0 examples and all items here, where
 * the release has values of its own for a task (`config_TASK.json`).
 */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { guarded } from "#files/file-failures.ts";
import { userError } from "#kernel/errors.ts";
import { meant } from "#kernel/options.ts";
import { isRecord, jsonIn } from "#kernel/values.ts";
import { findTask } from "#tasks/catalogue.ts";

export interface PublishedTasks {
  /** Benchmarks of ours that the file asks for. */
  names: string[];
  /** Worked examples, and most items, by those names. */
  shots: ReadonlyMap<string, number>;
  limit: ReadonlyMap<string, number>;
  /** What of the file is not heeded. */
  notes: string[];
}

/** Keys of a task that the release reads and this package has in its own words. */
const ownHere = ["instruction", "question_template", "question_template_cot", "use_cot", "subjects", "instruction_template"];

const entryKeys = ["num_fewshots", "limit"];

/** Tasks with their subjects one level deeper, under our names. */
const subjectsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  arc: { arc_e: "arc-easy", arc_c: "arc-challenge" },
  gpqa: { gpqa: "gpqa" },
};

/** Named in the release, and no benchmarks here. */
const absentHere = ["cfinbench", "cmmlu", "icleval", "rgb", "xiezhi"];

/** Those with several subjects in one task. */
const manySubjects = ["mmlu"];

/** What its worked examples are where the file says nothing. */
const releaseShots: Readonly<Record<string, number>> = {
  "arc-challenge": 25,
  commonsenseqa: 7,
  gsm8k: 8,
  hellaswag: 4,
  mmlu: 5,
  winogrande: 5,
  xsum: 1,
};

/** Throws user errors for a file that cannot be read, and for tasks, keys and values that the release does not know either. */
export function readPtrEvaluationConfig(file: string): PublishedTasks {
  const whole = readJson(file);
  const isOfRun = isRecord(whole.tasks_config);
  const tasks = isRecord(whole.tasks_config) ? whole.tasks_config : whole;
  const reader = new ConfigReader(path.basename(file));
  if (isOfRun) {
    const rest = Object.keys(whole).filter((key) => key !== "tasks_config" && key !== "tasks");
    if (rest.length > 0) reader.notes.push(`${reader.file}: not read: ${rest.join(", ")}; give them as options.`);
  }
  for (const [task, entry] of Object.entries(tasks)) reader.task(task, entry);
  const { tasks: asked } = whole;
  const wanted = isOfRun && Array.isArray(asked) ? new Set(asked.flatMap((task) => reader.namesOf(String(task)))) : undefined;
  return reader.published(wanted);
}

class ConfigReader {
  readonly file: string;
  readonly notes: string[] = [];
  readonly #names: string[] = [];
  readonly #shots = new Map<string, number>();
  readonly #limit = new Map<string, number>();
  readonly #absent: string[] = [];
  readonly #unread = new Map<string, string[]>();

  constructor(file: string) {
    this.file = file;
  }

  task(task: string, entry: unknown): void {
    if (absentHere.includes(task)) {
      this.#absent.push(task);
      return;
    }
    const subjects = Object.hasOwn(subjectsOf, task) ? subjectsOf[task] : undefined;
    if (subjects === undefined) {
      this.#entry(findTask(task).id, task, entry);
      return;
    }
    if (!isRecord(entry)) throw this.#notAnObject(task);
    // What stands beside the subjects is meant for all of them; the release's own file has gpqa so.
    const inner = Object.entries(entry).filter(([key]) => Object.hasOwn(subjects, key));
    const outer = Object.entries(entry).filter(([key]) => !Object.hasOwn(subjects, key));
    const known = [...Object.keys(subjects), ...entryKeys];
    const all = inner.length > 0 ? inner : Object.keys(subjects).map((key): [string, unknown] => [key, {}]);
    for (const [key, value] of all) this.#entry(subjects[key], `${task}.${key}`, value, known);
    for (const name of all.map(([key]) => subjects[key])) {
      this.#counts(name, task, Object.fromEntries(outer.filter(([key]) => !this.#has(name, key))), known);
    }
  }

  namesOf(task: string): string[] {
    if (absentHere.includes(task)) return [];
    return Object.hasOwn(subjectsOf, task) ? Object.values(subjectsOf[task]) : [findTask(task).id];
  }

  published(wanted: ReadonlySet<string> | undefined): PublishedTasks {
    const { file, notes } = this;
    if (this.#absent.length > 0) notes.push(`${file}: no benchmarks here, and left out: ${this.#absent.join(", ")}.`);
    for (const [key, places] of this.#unread) {
      notes.push(`${file}: ${key} of ${places.join(", ")} is not read: benchmarks have prompts and subjects of their own here.`);
    }
    const names = this.#names.filter((name) => wanted === undefined || wanted.has(name));
    if (names.length === 0) throw userError("no-tasks", `${file} names no benchmark`, "Name them with --tasks.");
    const unsaid = names.filter((name) => Object.hasOwn(releaseShots, name) && !this.#shots.has(name));
    if (unsaid.length > 0) {
      const theirs = unsaid.map((name) => `${name}=${releaseShots[name]}`).join(",");
      notes.push(`${file} gives no num_fewshots for ${unsaid.join(", ")}: none here; the release's own are --shots ${theirs}.`);
    }
    const several = names.filter((name) => manySubjects.includes(name) && this.#limit.has(name));
    for (const name of several) {
      notes.push(
        `${file}: the limit of ${name} counts the items of all its subjects together here, and of each subject in the release.`,
      );
    }
    return { names, shots: this.#shots, limit: this.#limit, notes };
  }

  #has(name: string, key: string): boolean {
    return (key === "num_fewshots" && this.#shots.has(name)) || (key === "limit" && this.#limit.has(name));
  }

  #entry(name: string, place: string, entry: unknown, known: readonly string[] = entryKeys): void {
    if (!isRecord(entry)) throw this.#notAnObject(place);
    this.#names.push(name);
    this.#counts(name, place, entry, known);
  }

  #counts(name: string, place: string, entry: Readonly<Record<string, unknown>>, known: readonly string[]): void {
    for (const [key, value] of Object.entries(entry)) {
      if (key === "num_fewshots") this.#shots.set(name, this.#count(value, `${place}.${key}`));
      else if (key !== "limit") this.#otherKey(key, place, known);
      // 0 is no limit in the release, like null.
      else if (value !== null && value !== 0) this.#limit.set(name, this.#count(value, `${place}.${key}`));
    }
  }

  #count(value: unknown, place: string): number {
    if (typeof value === "number" && Number.isSafeInteger(value) && value >= 0) return value;
    throw userError("bad-config", `${this.file}: ${place} is ${JSON.stringify(value)}`, "It must be a whole number.");
  }

  #otherKey(key: string, place: string, known: readonly string[]): void {
    if (ownHere.includes(key)) {
      this.#unread.set(key, [...new Set([...(this.#unread.get(key) ?? []), place])]);
      return;
    }
    throw userError(
      "bad-config",
      `${this.file}: ${place} has a key “${key.slice(0, 60)}”, which is not known`,
      `${meant(key, [...known])}There are: ${known.join(", ")}.`,
    );
  }

  #notAnObject(place: string) {
    return userError("bad-config", `${this.file}: ${place} is no object`, 'Write {"num_fewshots": 4, "limit": 100}.');
  }
}

function readJson(file: string): Record<string, unknown> {
  if (!existsSync(file)) throw userError("no-such-file", `there is no file ${file}`, "Give --config a JSON file.");
  const value = jsonIn(guarded(`read ${file}`, () => readFileSync(file, "utf8")).replace(/^\uFEFF/, ""));
  if (isRecord(value)) return value;
  throw userError("bad-config", `${file} is not a JSON object`, 'Write {"gsm8k": {"num_fewshots": 8, "limit": 100}, …}.');
}
