/**
 * HumanEval: complete a Python function so that its hidden tests pass. "Evaluating Large Language Models Trained on Code", Chen et al.,
 * 2021, arXiv 2107.03374. 164 problems, run in a sandbox; pass@1 is the accuracy of one answer.
 *
 *   def double(n): """Twice n. >>> double(2) → 4"""   →   return 2 * n
 */
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { extractCode } from "#verifiers/programs/extract.ts";
import { programGrader } from "#verifiers/programs/grader.ts";
import { answerRequests, asker } from "./asking.ts";
import { optionalText, rowError, type TaskRow, textField } from "./fields.ts";
import type { Task } from "./task.ts";

export const humanEval: Task = {
  id: "humaneval",
  title: "HumanEval",
  version: "humaneval/1",
  answerKind: "program",
  source: {
    dataset: "openai/openai_humaneval",
    config: "openai_humaneval",
    split: "test",
    revision: "7dce6050a7d6d172f3cc5c32aa97f52fa1a2e544",
    files: ["openai_humaneval/test-00000-of-00001.parquet"],
  },
  maxTokens: 1024,
  readRow: (fields, index) => readHumanEval({ task: "humaneval", fields, index }),
  ask: asker(
    ({ program, question }) => `${answerRequests.program}\n\n${fenced(program?.prompt ?? question)}`,
    ({ program, answer }) => fenced(`${program?.prompt ?? ""}${answer}`),
  ),
  readAnswer: (completion, item) => extractCode(completion, item.program?.entryPoint ?? ""),
  sameAnswer: (first, second) => withoutBlanks(first) === withoutBlanks(second),
  grader({ sandbox }) {
    if (sandbox !== undefined) return programGrader(sandbox);
    throw userError(
      "grader-sandbox",
      "Programs can only be graded by running them, and no sandbox is open.",
      "Open a sandbox first.",
    );
  },
};

const fenced = (code: string): string => `\`\`\`python\n${code.trimEnd()}\n\`\`\``;

/** Lines that say nothing do not make programs different. */
function withoutBlanks(code: string): string {
  return code
    .split("\n")
    .map((line) => line.trimEnd())
    .filter((line) => line !== "" && !line.trimStart().startsWith("#"))
    .join("\n");
}

function readHumanEval(row: TaskRow): Item {
  const { fields, index } = row;
  const prompt = textField(row, "prompt");
  const entryPoint = textField(row, "entry_point").trim();
  if (!/^[A-Za-z_]\w*$/.test(entryPoint)) throw rowError(row, 'the field "entry_point" names no Python function');
  const tests = textField(row, "test", "tests");
  if (!/\bdef\s+check\s*\(/.test(tests)) throw rowError(row, 'the field "test" does not define check()');
  return {
    id: optionalText(fields, "task_id", "id") ?? `humaneval-${index}`,
    question: prompt,
    answer: optionalText(fields, "canonical_solution") ?? "",
    program: { prompt, entryPoint, tests },
  };
}
