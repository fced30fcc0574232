/** All benchmarks by their names on the command line. */
import { userError } from "#kernel/errors.ts";
import { aime24 } from "./aime24.ts";
import { arcChallenge, arcEasy } from "./arc.ts";
import { commonsenseQa } from "./commonsenseqa.ts";
import { drop } from "./drop.ts";
import { gpqaDiamond, gpqaMain } from "./gpqa.ts";
import { gsm8k } from "./gsm8k.ts";
import { hellaSwag } from "./hellaswag.ts";
import { humanEval } from "./humaneval.ts";
import { math, math500 } from "./math.ts";
import { mmlu, mmluOf } from "./mmlu.ts";
import type { Task } from "./task.ts";
import { winoGrande } from "./winogrande.ts";
import { worldTask } from "./world/task.ts";
import { xsum } from "./xsum.ts";

export const tasks: readonly Task[] = [
  aime24,
  arcChallenge,
  arcEasy,
  commonsenseQa,
  drop,
  gpqaDiamond,
  gpqaMain,
  gsm8k,
  hellaSwag,
  humanEval,
  math,
  math500,
  mmlu,
  winoGrande,
  worldTask,
  xsum,
];

/** Other names that people type. */
const aliases: Readonly<Record<string, string>> = {
  arc: "arc-challenge",
  csqa: "commonsenseqa",
  "gpqa-diamond": "gpqa",
  "human-eval": "humaneval",
  math500: "math-500",
  "mmlu:all": "mmlu",
  "aime-2024": "aime24",
  aime: "aime24",
};

/** By name, `mmlu:abstract_algebra` for one subject of MMLU; throws a user error that offers the nearest name. */
export function findTask(name: string): Task {
  const wanted = name.trim().toLowerCase();
  const id = aliases[wanted] ?? wanted;
  const found = tasks.find((task) => task.id === id);
  if (found) return found;
  const subject = /^mmlu[:/]([a-z][a-z0-9_ -]{2,60})$/.exec(wanted)?.[1];
  if (subject !== undefined) return mmluOf(subject.replaceAll(/[ -]/g, "_"));
  const nearest = tasks
    .map((task) => ({ id: task.id, edits: distance(wanted, task.id) }))
    .sort((one, other) => one.edits - other.edits)[0];
  const offer = nearest !== undefined && nearest.edits <= 3 ? `Did you mean ${nearest.id}? ` : "";
  throw userError(
    "unknown-task",
    `There is no benchmark called "${name.slice(0, 60)}".`,
    `${offer}There are: ${tasks.map((task) => task.id).join(", ")}, mmlu:SUBJECT.`,
  );
}

/** Insertions, deletions and replacements from one word to the other. */
function distance(first: string, second: string): number {
  if (first.length > 60) return first.length;
  let row = Array.from({ length: second.length + 1 }, (_, column) => column);
  for (let line = 1; line <= first.length; line++) {
    const next = [line];
    for (let column = 1; column <= second.length; column++) {
      const replaced = (row[column - 1] as number) + (first[line - 1] === second[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] as number) + 1, (next[column - 1] as number) + 1));
    }
    row = next;
  }
  return row[second.length] as number;
}
