/**
 * `midcourse grade`: reads JSON lines, `{gold, answer}` or `{item, answer}`, and says of each answer whether it is right, as the benchmarks
 * do. Records come in the order of the lines, each as soon as it and those before it are there; a bad line is a record, never the end.
 */

import { Readable, type Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { messageOf } from "#kernel/errors.ts";
import type { Grader, Score } from "#kernel/item.ts";
import type { GradingTools, Task } from "#tasks/task.ts";
import { percentSign } from "#text/numbers.ts";
import { alignedRows } from "#text/table.ts";
import { MathComparer } from "#verifiers/math/comparer.ts";
import { openSandbox } from "#verifiers/sandbox/open.ts";
import { lines } from "./check-format.ts";
import { gradeKinds, itemOfLine, taskOfKind } from "./grade-items.ts";

/**
 * For `{gold, answer}`: `equal`. For `{item, answer}`: `correct`, and `status`, which for programs is how they ended. `extracted` is the
 * answer that was read, absent where none was. Graded accuracies (F1, ROUGE) stand beside as `accuracy` and `measures`.
 */
export type GradeRecord =
  | (GradeDetails & { equal: boolean })
  | (GradeDetails & { correct: boolean; status: string })
  | { error: string };

interface GradeDetails {
  extracted?: string;
  /** Right in the form that the benchmark asks for. */
  strict?: boolean;
  accuracy?: number;
  measures?: Readonly<Record<string, number>>;
  status?: string;
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

export interface GradeOptions {
  kind: string;
  json: boolean;
  /** Lines graded at a time, where grading takes its time; when left out 4, and 64 comparisons of mathematical answers. */
  concurrency?: number;
  sandbox?: "auto" | "process" | "pyodide";
  allowBare?: boolean;
  signal?: AbortSignal | undefined;
}

export { gradeKinds };

export async function gradeLines(
  input: AsyncIterable<string | Uint8Array>,
  output: Writable,
  options: GradeOptions,
): Promise<GradeCounts> {
  const task = taskOfKind(options.kind);
  const tools = await openTools(task, options);
  try {
    const line = lineGrader(task, task.grader(tools), options.signal);
    const tally = new Tally(options.kind);
    async function* report() {
      for await (const record of inOrder(numbered(input), line, options.concurrency ?? (tools.comparer ? 64 : 4))) {
        options.signal?.throwIfAborted();
        tally.add(record);
        if (options.json) yield `${JSON.stringify(record)}\n`;
      }
      if (!options.json) yield tally.summary();
    }
    await pipeline(Readable.from(report()), output, { end: false });
    return tally.counts;
  } finally {
    await tools.sandbox?.close();
    await tools.comparer?.close();
  }
}

async function openTools(task: Task, { sandbox = "auto", allowBare = false }: GradeOptions): Promise<GradingTools> {
  if (task.answerKind === "math") return { comparer: new MathComparer() };
  return task.answerKind === "program" ? { sandbox: await openSandbox({ prefer: sandbox, allowBare }) } : {};
}

interface Line {
  number: number;
  text: string | undefined;
}

async function* numbered(input: AsyncIterable<string | Uint8Array>): AsyncGenerator<Line> {
  for await (const line of lines(input)) if (line.text?.trim() !== "") yield line;
}

function lineGrader(task: Task, grade: Grader, signal: AbortSignal | undefined): (line: Line) => Promise<GradeRecord> {
  return async ({ number, text }) => {
    try {
      if (text === undefined) throw new Error("the line is too long");
      const fields = parse(text);
      const answer = fields.answer ?? "";
      if (typeof answer !== "string" && typeof answer !== "number") throw new Error('"answer" is no text');
      if (fields.answer === undefined) throw new Error('no "answer"');
      const { item, published } = itemOfLine(task, fields, number - 1);
      const score = await grade(item, String(answer), String(answer), signal);
      return published ? itemRecord(task, score) : goldRecord(task, score);
    } catch (error) {
      if (signal?.aborted) throw error;
      return { error: `line ${number}: ${messageOf(error)}` };
    }
  };
}

function parse(text: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`not JSON: ${(cause as Error).message}`);
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Error("not a JSON object");
}

/** A short answer is the reference when its words are, whatever share of words two others have in common. */
function isRight(task: Task, score: Score): boolean {
  return task.answerKind === "span" ? score.measures?.exactMatch === 1 : score.accuracy >= 1 - 1e-9;
}

function details(task: Task, score: Score): GradeDetails {
  const isGraded = task.answerKind === "span" || task.answerKind === "summary";
  return {
    ...(score.extracted === undefined ? {} : { extracted: score.extracted }),
    ...(score.strictAccuracy === undefined ? {} : { strict: score.strictAccuracy >= 1 - 1e-9 }),
    ...(isGraded ? { accuracy: score.accuracy, ...(score.measures ? { measures: score.measures } : {}) } : {}),
  };
}

function goldRecord(task: Task, score: Score): GradeRecord {
  return { equal: isRight(task, score), ...details(task, score), ...(score.status ? { status: score.status } : {}) };
}

/** A program is long, and its ending says more. */
function itemRecord(task: Task, score: Score): GradeRecord {
  const correct = isRight(task, score);
  const { extracted, ...rest } = details(task, score);
  const status = score.status ?? (correct ? "pass" : "fail");
  return { correct, status, ...(extracted === undefined || task.answerKind === "program" ? {} : { extracted }), ...rest };
}

/** Works on several at a time and gives them out in order, without waiting for more input once one is ready. */
async function* inOrder<T, R>(source: AsyncIterable<T>, work: (value: T) => Promise<R>, concurrency: number): AsyncGenerator<R> {
  const iterator = source[Symbol.asyncIterator]();
  const running: Promise<R>[] = [];
  let next: Promise<IteratorResult<T>> | undefined;
  let isOver = false;
  try {
    while (!isOver || running.length > 0) {
      const first = running[0];
      if (!isOver && running.length < concurrency) next ??= iterator.next();
      const arrived = next === undefined ? undefined : next.then((value) => ({ value }));
      const done = first?.then((result) => ({ result }));
      const event = await Promise.race([arrived, done].filter((promise) => promise !== undefined));
      if (event === undefined) continue;
      if ("result" in event) {
        running.shift();
        yield event.result;
      } else {
        next = undefined;
        if (event.value.done) isOver = true;
        else running.push(quiet(work(event.value.value)));
      }
    }
  } finally {
    await iterator.return?.();
  }
}

/** A failure is met when its turn comes; until then it must not count as unhandled. */
function quiet<R>(promise: Promise<R>): Promise<R> {
  promise.catch(() => {});
  return promise;
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
