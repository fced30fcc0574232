/**
 * MATH: competition problems with answers in LaTeX. "Measuring Mathematical Problem Solving With the MATH Dataset", Hendrycks et al., 2021,
 * arXiv 2103.03874. 5,000 test problems of seven subjects and five levels; MATH-500 is the 500 of them that "Let's Verify Step by Step"
 * (Lightman et al., 2023, arXiv 2305.20050) kept for testing. Examples are worked solutions of the training split.
 *
 *   What is $\frac12+\frac13$?  →  We add $\frac36+\frac26$ and get $\boxed{\frac56}$.
 */
import type { Item } from "#kernel/item.ts";
import { lastBoxed } from "#verifiers/answers/boxes.ts";
import { visibleAnswer } from "#verifiers/answers/extract.ts";
import { extractMath, mathReference } from "#verifiers/math/extract.ts";
import { mathGrader, readInteger } from "#verifiers/math/graders.ts";
import { sameMath } from "#verifiers/math/verdict.ts";
import { answerRequests, asker } from "./asking.ts";
import { optionalText, rowError, type TaskRow, textField } from "./fields.ts";
import type { HubSource, Task } from "./task.ts";

const subjects = [
  "algebra",
  "counting_and_probability",
  "geometry",
  "intermediate_algebra",
  "number_theory",
  "prealgebra",
  "precalculus",
] as const;

/** All seven subjects, one after the other. */
const whole = (split: string): HubSource => ({
  dataset: "EleutherAI/hendrycks_math",
  split,
  revision: "21a5633873b6a120296cce3e2df9d5550074f4a3",
  files: subjects.map((subject) => `${subject}/${split}-00000-of-00001.parquet`),
});

export const math500 = mathTask("math-500", "MATH-500", {
  dataset: "HuggingFaceH4/MATH-500",
  split: "test",
  revision: "6e4ed1a2a79af7d8630a6b768ec859cb5af4d3be",
  files: ["test.jsonl"],
});

export const math = mathTask("math", "MATH", whole("test"));

function mathTask(id: string, title: string, source: HubSource): Task {
  return {
    id,
    title,
    version: `${id}/2`,
    answerKind: "math",
    source,
    shots: { source: whole("train"), usual: 4 },
    maxTokens: 2048,
    readRow: (fields, index) => readProblem({ task: id, fields, index }),
    ask: asker(
      ({ question }) => `${question}\n\n${answerRequests.math}`,
      ({ steps, answer }) => steps?.join("\n") ?? `The answer is $\\boxed{${answer}}$.`,
    ),
    readAnswer: mathIn,
    sameAnswer: sameMath,
    grader: mathGrader,
  };
}

/** Also read for AIME: problem, solution with a box, and an answer where the file has one. */
export function readProblem(row: TaskRow): Item {
  const { fields, task, index } = row;
  const question = textField(row, "problem", "question", "Problem").trim();
  const solution = optionalText(fields, "solution", "Solution");
  const box = solution === undefined ? undefined : lastBoxed(solution);
  const given = optionalText(fields, "answer", "Answer") ?? (box === undefined ? undefined : solution);
  if (solution === undefined && given === undefined) textField(row, "answer", "solution");
  if (given === undefined) throw rowError(row, 'no field "answer", and no \\boxed{…} in the solution');
  const level = optionalText(fields, "level")?.match(/\d/)?.[0];
  const isWorked = solution !== undefined && box !== undefined && box !== solution.trim();
  return {
    id: optionalText(fields, "unique_id", "id", "ID") ?? `${task}-${index}`,
    question,
    // Two-key files hold the whole solution as the answer.
    answer: mathReference(given.trim()),
    group: level === undefined ? undefined : `level ${level}`,
    steps: isWorked ? solution.trim().split("\n") : undefined,
  };
}

/** The integer in a completion, for votes and convergence, without leading zeros. */
export function integerIn(completion: string): string | undefined {
  const answer = mathIn(completion);
  return answer === undefined ? undefined : readInteger(answer)?.toString();
}

/** LaTeX, for votes and convergence, as it stands in the completion. */
function mathIn(completion: string): string | undefined {
  return extractMath(visibleAnswer(completion)).flexible;
}
