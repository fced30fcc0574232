/** All benchmarks by their names on the command line. */
import { userError } from "#kernel/errors.ts";
import { meant } from "#kernel/options.ts";
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

/**
 * By name, `mmlu:abstract_algebra` for one subject of MMLU; throws a user error that offers the nearest name. `kinds` are what may be named
 * there besides.
 */
export function findTask(name: string, kinds: readonly string[] = []): Task {
  const wanted = name.trim().toLowerCase();
  const id = Object.hasOwn(aliases, wanted) ? aliases[wanted] : wanted;
  const found = tasks.find((task) => task.id === id);
  if (found) return found;
  const subject = /^mmlu[:/]([a-z][a-z0-9_ -]{2,60})$/.exec(wanted)?.[1];
  if (subject !== undefined) return mmluOf(subject.replaceAll(/[ -]/g, "_"));
  const names = [...new Set([...kinds, ...tasks.map((task) => task.id)])];
  throw userError(
    "unknown-task",
    `There is no ${kinds.length > 0 ? "kind of answers and no " : ""}benchmark called "${name.slice(0, 60)}".`,
    `${meant(wanted, names)}There are: ${names.join(", ")}, mmlu:SUBJECT.`,
  );
}
