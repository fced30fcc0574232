/** What help a method gets on one item of a benchmark, and why it may lack what it needs. */

import type { Grader, Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import type { BoundMethod, MethodNeed, MethodTools, TestReport } from "#kernel/trace.ts";
import type { Task } from "#tasks/task.ts";

/** What the whole run offers, whatever the item. */
export interface MethodHelp {
  runPython?: MethodTools["runPython"];
  /** Runs the program in a completion against the examples that the item's question shows. */
  runVisibleTests?: ((item: Item, completion: string, signal?: AbortSignal) => Promise<TestReport>) | undefined;
  scoreCompletion?: MethodTools["scoreCompletion"];
}

/** Why the method cannot run on this task; undefined when it can. */
export function missingHelp(bound: BoundMethod, task: Task, help: MethodHelp): string | undefined {
  for (const need of bound.needs ?? []) {
    const reason = lacks(need, task, help);
    if (reason) return reason;
  }
  return undefined;
}

function lacks(need: MethodNeed, task: Task, help: MethodHelp): string | undefined {
  const isProgram = task.answerKind === "program";
  if (need === "visible-tests" && !isProgram) return "it repairs programs, and the task asks for none";
  if (need === "visible-tests" && !help.runVisibleTests) return "it runs programs, and there is no sandbox";
  if (need === "python" && !help.runPython) return "it runs Python, and there is no sandbox";
  if (need === "scorer" && !help.scoreCompletion) return "it needs a scorer; name a model with --scorer";
  if (need === "read-answer" && (isProgram || task.answerKind === "summary")) {
    return "it compares answers, and those of this task cannot be compared";
  }
  return undefined;
}

/** How the answer in a completion is read and compared. */
export function formOf(task: Task, item: Item): Pick<MethodTools, "readAnswer" | "sameAnswer"> {
  return {
    readAnswer: (completion) => task.readAnswer(completion, item),
    sameAnswer: (first, second) => task.sameAnswer(first, second),
  };
}

/** The reference answer stays behind `oracle`, which reaches only methods that say they use it. */
export function toolsFor(task: Task, item: Item, grade: Grader, help: MethodHelp): MethodTools {
  const { runPython, runVisibleTests, scoreCompletion } = help;
  const isProgram = item.program !== undefined;
  const gradeText = (text: string, signal?: AbortSignal) => grade(item, parseRefine(text).answerText, text, signal);
  return {
    ...formOf(task, item),
    runPython,
    runVisibleTests: runVisibleTests && isProgram ? (text, signal) => runVisibleTests(item, text, signal) : undefined,
    scoreCompletion,
    oracle: {
      isRight: async (text, signal) => (await gradeText(text, signal)).accuracy >= 1,
      runHiddenTests: isProgram ? (text, signal) => hiddenTests(gradeText, text, signal) : undefined,
    },
  };
}

async function hiddenTests(
  gradeText: (text: string, signal?: AbortSignal) => ReturnType<Grader>,
  text: string,
  signal?: AbortSignal | undefined,
): Promise<TestReport> {
  const { accuracy, status = "" } = await gradeText(text, signal);
  const passed = accuracy >= 1;
  const ending = status === "timeout" || status === "memory" || status === "refused" ? status : passed ? "ok" : "failed";
  return { passed, status: ending, output: passed ? "all hidden tests pass" : `hidden tests: ${status || "failed"}` };
}
