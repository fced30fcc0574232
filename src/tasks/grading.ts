/**
 * Grades answers that stand in lines, `{gold, answer}` or `{item, answer}`, as the benchmarks do. Records come in the order of the lines, each
 * as soon as it and those before it are there; a bad line is a record, never the end.
 */
import { messageOf, userError } from "#kernel/errors.ts";
import type { Grader, Score } from "#kernel/item.ts";
import { isRecord } from "#kernel/values.ts";
import { visibleText } from "#verifiers/answers/extract.ts";
import { parseNumber } from "#verifiers/answers/number.ts";
import { writtenNumberGrader } from "#verifiers/answers/number-extract.ts";
import { withoutThoughts } from "#verifiers/answers/thoughts.ts";
import { MathComparer } from "#verifiers/math/comparer.ts";
import { openSandbox } from "#verifiers/sandbox/open.ts";
import type { Fields } from "./fields.ts";
import { ownPattern } from "./own-pattern.ts";
import { itemOfLine, taskOfKind } from "./references.ts";
import type { GradingTools, Task } from "./task.ts";

/**
 * For `{gold, answer}`: `equal`. For `{item, answer}`: `correct`, and `status`, which for programs is how they ended. `extracted` is the
 * answer that was read, absent where none was. Graded accuracies (F1, ROUGE) stand beside as `accuracy` and `measures`.
 */
export type GradeRecord =
  | (GradeDetails & { equal: boolean })
  | (GradeDetails & { correct: boolean; status: string })
  | { error: string };

interface GradeDetails {
  extracted?: string | undefined;
  /** Right in the form that the benchmark asks for. */
  strict?: boolean | undefined;
  accuracy?: number | undefined;
  measures?: Readonly<Record<string, number>> | undefined;
  status?: string | undefined;
}

export interface GradingOptions {
  /** Of answers, or the name of a benchmark. */
  kind: string;
  /** Lines graded at a time, where grading takes its time; when left out 4, and 64 comparisons of mathematical answers. */
  concurrency?: number | undefined;
  sandbox?: "auto" | "process" | "pyodide" | undefined;
  allowBare?: boolean | undefined;
  /** Largest difference of two numbers that still counts, as a decimal; of kind number only. */
  tolerance?: string | undefined;
  /** A regular expression that finds the answer: its last match, of that the first group where it has one. */
  extract?: string | undefined;
  /** Names of further tags in which thoughts stand, beside the known ones. */
  thoughtTags?: readonly string[] | undefined;
  signal?: AbortSignal | undefined;
}

/** A line of a file by its number, from 1; one that is too long to be read has no text. */
export interface Line {
  number: number;
  text: string | undefined;
}

/** A record for each line that is not blank. */
export async function* gradeRecords(lines: AsyncIterable<Line>, options: GradingOptions): AsyncGenerator<GradeRecord> {
  const task = taskOfKind(options.kind);
  const read = answerReader(options);
  const byTolerance = options.tolerance === undefined ? undefined : tolerantGrader(task, options.tolerance);
  const tools = await openTools(task, options);
  try {
    const grade = lineGrader(task, byTolerance ?? task.grader(tools), read, options.signal);
    yield* inOrder(written(lines), grade, options.concurrency ?? (tools.comparer ? 64 : 4));
  } finally {
    await tools.sandbox?.close();
    await tools.comparer?.close();
  }
}

/** What of an answer is graded: without thoughts in tags of one's own, and what one's own pattern finds. */
function answerReader({ thoughtTags = [], extract }: GradingOptions): (answer: string) => string {
  const find = extract === undefined ? undefined : ownPattern(extract);
  return (answer) => {
    const { text, isUnended } =
      thoughtTags.length === 0 ? { text: answer, isUnended: false } : withoutThoughts(answer, thoughtTags);
    const visible = isUnended ? "" : text;
    return find === undefined ? visible : (find(visibleText(visible)) ?? "");
  };
}

function tolerantGrader(task: Task, tolerance: string): Grader {
  const margin = parseNumber(tolerance);
  if (margin === undefined || margin.numerator < 0n)
    throw userError(
      "grade-tolerance",
      `The tolerance "${tolerance}" is no number, 0 or above.`,
      "Write it as a decimal, such as 0.01.",
    );
  if (task.answerKind === "number") return writtenNumberGrader(margin);
  throw userError("grade-tolerance", `Answers of kind ${task.answerKind} have no tolerance.`, "It is for --kind number.");
}

async function openTools(task: Task, { sandbox = "auto", allowBare = false }: GradingOptions): Promise<GradingTools> {
  if (task.answerKind === "math") return { comparer: new MathComparer() };
  return task.answerKind === "program" ? { sandbox: await openSandbox({ prefer: sandbox, allowBare }) } : {};
}

async function* written(lines: AsyncIterable<Line>): AsyncGenerator<Line> {
  for await (const line of lines) if (line.text?.trim() !== "") yield line;
}

function lineGrader(
  task: Task,
  grade: Grader,
  read: (answer: string) => string,
  signal: AbortSignal | undefined,
): (line: Line) => Promise<GradeRecord> {
  return async ({ number, text: line }) => {
    try {
      if (line === undefined) throw new Error("the line is too long");
      const fields = parse(line);
      const answer = fields.answer ?? "";
      if (typeof answer !== "string" && typeof answer !== "number") throw new Error('"answer" is no text');
      if (fields.answer === undefined) throw new Error('no "answer"');
      const { item, published } = itemOfLine(task, fields, number - 1);
      const text = read(String(answer));
      const score = await grade(item, text, text, signal);
      return published ? itemRecord(task, score) : goldRecord(task, score);
    } catch (error) {
      if (signal?.aborted) throw error;
      return { error: `line ${number}: ${messageOf(error)}` };
    }
  };
}

function parse(text: string): Fields {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new Error(`not JSON: ${(cause as Error).message}`);
  }
  if (isRecord(value)) return value;
  throw new Error("not a JSON object");
}

/** A short answer is the reference when its words are, whatever share of words two others have in common. */
function isRight(task: Task, score: Score): boolean {
  return task.answerKind === "span" ? score.measures?.exactMatch === 1 : score.accuracy >= 1 - 1e-9;
}

function details(task: Task, score: Score): Omit<GradeDetails, "status"> {
  const { extracted, strictAccuracy, accuracy, measures } = score;
  const isGraded = task.answerKind === "span" || task.answerKind === "summary";
  return {
    extracted,
    strict: strictAccuracy === undefined ? undefined : strictAccuracy >= 1 - 1e-9 && isRight(task, score),
    accuracy: isGraded ? accuracy : undefined,
    measures: isGraded ? measures : undefined,
  };
}

function goldRecord(task: Task, score: Score): GradeRecord {
  return { equal: isRight(task, score), ...details(task, score), status: score.status || undefined };
}

/** A program is long, and its ending says more. */
function itemRecord(task: Task, score: Score): GradeRecord {
  const correct = isRight(task, score);
  const { extracted, ...rest } = details(task, score);
  const status = score.status ?? (correct ? "pass" : "fail");
  return { correct, status, extracted: task.answerKind === "program" ? undefined : extracted, ...rest };
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
