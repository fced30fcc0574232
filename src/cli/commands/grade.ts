/** `midcourse grade`: reads JSON lines, `{gold, answer}` or `{item, answer}`, and says of each answer whether it is right. */

import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { type Command, Option } from "commander";
import type { GradeRecord, GradingOptions } from "#tasks/grading.ts";
import { percentSign } from "#text/numbers.ts";
import { harmlessJson } from "#text/signs.ts";
import { alignedRows } from "#text/table.ts";
import { fromOne } from "../options/option-numbers.ts";
import { exitCodesHelp } from "../terminal/failure.ts";
import { numberedLines } from "../terminal/input.ts";
import { interruptSignal } from "../terminal/process.ts";

/** Beside the benchmarks. */
export const gradeKinds = ["math", "number", "integer", "choice", "drop", "humaneval", "summary"] as const;

export function registerGrade(program: Command): void {
  program
    .command("grade")
    .description(
      "read JSON lines {gold, answer} or {item, answer} from standard input and say of each answer whether it is right",
    )
    .requiredOption("--kind <kind>", `${gradeKinds.join(", ")}, or the name of any benchmark`)
    .option("--json", "one JSON record for each line, in order: {equal} for a gold answer, {correct, status} for an item")
    .option("--tolerance <number>", "largest difference of two numbers that still counts as equal (--kind number; default: none)")
    .option(
      "--extract <regex>",
      "your own pattern for the answer: its last match counts, of that the first group where it has one",
    )
    .option("--thought-tags <names>", "further tags in which thoughts stand, beside think, reasoning and other known ones: a,b")
    .option("--concurrency <number>", "lines graded at a time, where programs are run (default: 4)", fromOne)
    .addOption(
      new Option("--sandbox <kind>", "where programs run (midcourse sandbox shows what this machine has)")
        .choices(["auto", "process", "pyodide"])
        .default("auto"),
    )
    .option("--allow-bare", "run programs under your own account when nothing safer works")
    .addHelpText(
      "after",
      `
Lines:
  {"gold": "3/4", "answer": "So the answer is $\\\\boxed{0.75}$."}
  {"gold": "B", "choices": ["red", "blue"], "answer": "It must be blue."}
  {"item": {"task_id": …, "prompt": …, "entry_point": …, "test": …}, "answer": "def f(n): …"}

How answers are read (docs/grading.md has every kind with examples):
  every kind   thoughts in tags are left out, and thoughts that never ended are no answer. What a text denies, takes back, supposes or says of others
               is not its answer; who names several gives none
  number       the number as a whole: 1,234 = 1 234 = 1234.0; 12,5 = 12.5; 1.234.567 = 1234567; 3 1/2 = 3.5; 1.5e3 = 1500; 3 million; $5k.
               Percent signs, degrees and units do not count (50% = 50, not 0.5); nothing is converted; number words are not numbers
  math         equal as mathematics. 50% is 0.5 or 50; a unit may be left out, two units must agree; in a reference 2,7 is a list
  integer      as math, and only whole numbers: 016 = 16.0 = 16; 16% and 16! are not
  choice       a letter, an option's text or its place; letters within names ("vitamin C") are none
  drop         exact match and F1 over words; signs belong to numbers, units and number words are words
  humaneval    the last block that defines the function, with what it uses of other blocks, against the hidden tests
  summary      ROUGE against the reference

Examples:
  midcourse grade --kind math --json < answers.jsonl
  midcourse grade --kind humaneval < programs.jsonl.gz
${exitCodesHelp("graded, right or wrong; lines that cannot be graded are counted", "or lines of which none could be graded")}`,
    )
    .action(async ({ json = false, thoughtTags, ...options }) => {
      const tags = thoughtTags
        ?.split(",")
        .map((tag) => tag.trim().replace(/^[<[]|[>\]]$/g, ""))
        .filter((tag) => tag !== "");
      const grading = { ...options, thoughtTags: tags, json, signal: interruptSignal({ goesOn: false }) };
      const { total, errors } = await gradeLines(process.stdin, process.stdout, grading);
      if (total > 0 && errors === total) process.exitCode = 1;
    });
}

export interface GradeCounts {
  /** Lines that are not blank. */
  total: number;
  right: number;
  /** Answers in which nothing could be read. */
  unread: number;
  /** Lines that could not be graded. */
  errors: number;
}

export async function gradeLines(
  input: AsyncIterable<string | Uint8Array>,
  output: Writable,
  { json, ...options }: GradingOptions & { json: boolean },
): Promise<GradeCounts> {
  const { gradeRecords } = await import("#tasks/grading.ts");
  const tally = new Tally(options.kind);
  async function* report() {
    for await (const record of gradeRecords(numberedLines(input), options)) {
      options.signal?.throwIfAborted();
      tally.add(record);
      if (json) yield `${harmlessJson(record)}\n`;
    }
    if (!json) yield tally.summary();
  }
  await pipeline(Readable.from(report()), output, { end: false });
  return tally.counts;
}

class Tally {
  readonly counts: GradeCounts = { total: 0, right: 0, unread: 0, errors: 0 };
  readonly #kind: string;
  readonly #statuses = new Map<string, number>();
  #firstError: string | undefined;
  #strict = 0;
  #accuracy = 0;
  #graded = 0;

  constructor(kind: string) {
    this.#kind = kind;
  }

  add(record: GradeRecord): void {
    this.counts.total += 1;
    if ("error" in record) {
      this.counts.errors += 1;
      this.#firstError ??= record.error;
      return;
    }
    if ("equal" in record ? record.equal : record.correct) this.counts.right += 1;
    if (record.status === "no-answer" || record.status === "no-code") this.counts.unread += 1;
    if (record.strict) this.#strict += 1;
    if (record.accuracy !== undefined) {
      this.#accuracy += record.accuracy;
      this.#graded += 1;
    }
    if ("correct" in record) this.#statuses.set(record.status, (this.#statuses.get(record.status) ?? 0) + 1);
  }

  summary(): string {
    const { total, right, unread, errors } = this.counts;
    if (total === 0) return "No lines to grade.\n";
    const graded = total - errors;
    const share = (count: number) => (graded === 0 ? "" : percentSign(count / graded));
    const rows = [
      ["answers", String(graded), ""],
      ["right", String(right), share(right)],
      ...(this.#strict > 0 ? [["right in the form asked for", String(this.#strict), share(this.#strict)]] : []),
      ...(this.#graded > 0 ? [["mean accuracy", (this.#accuracy / this.#graded).toFixed(3), ""]] : []),
      ["no answer found", String(unread), share(unread)],
      ...[...this.#statuses].map(([status, count]) => [`ended as ${status}`, String(count), share(count)]),
      ...(errors > 0 ? [["lines not graded", String(errors), ""]] : []),
    ];
    const error = this.#firstError === undefined ? "" : `\n\nFirst line not graded: ${this.#firstError}`;
    return `${this.#kind}\n${alignedRows(rows).join("\n")}${error}\n`;
  }
}
