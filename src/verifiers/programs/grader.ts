/**
 * Grades programs by running them in a sandbox, as HumanEval does (Chen et al. 2021, arXiv 2107.03374): prompt, solution, the hidden tests
 * and a call of `check`. A program passes when the tests reach their last line.
 *
 * The tests run in another process than the program (judging.ts), so it can neither see what they expect nor speak for them.
 */
import { type CallSpecs, checkCall, figure } from "#kernel/call-options.ts";
import type { Grader, Item } from "#kernel/item.ts";
import type { ExecutionReport, TestReport } from "#kernel/trace.ts";
import { visibleAnswer } from "../answers/extract.ts";
import type { Sandbox, SandboxLimits, SandboxResult } from "../sandbox/sandbox.ts";
import { completeProgram, extractCode } from "./extract.ts";
import { judgeOf } from "./judging.ts";

/** Programs under test are not run as `__main__`, so that a demonstration at their end stays out of it, as in the original evaluation. */
const moduleName = "solution";

const limitSpecs: CallSpecs<SandboxLimits> = {
  seconds: figure("wall time", { above: 0 }),
  megabytes: figure("memory", { above: 0 }),
};

/**
 * Score.status is how the program ended (`pass`, `fail`, `timeout`, `memory`, `refused`, `error`), `no-code` when there was none, or `no-tests`
 * for an item that is no programming problem. Aborting rejects.
 */
export function programGrader(sandbox: Sandbox, limits: SandboxLimits = {}): Grader {
  checkCall("programGrader", limitSpecs, limits);
  return async (item, answer, completion, signal) => {
    if (item.program === undefined) return { accuracy: 0, extracted: undefined, status: "no-tests" };
    const code = codeOf(item, answer, completion);
    if (code === undefined) return { accuracy: 0, extracted: undefined, status: "no-code" };
    const result = await runTests(sandbox, item.program, code, limits, signal);
    return { accuracy: result.status === "pass" ? 1 : 0, extracted: code, status: result.status };
  };
}

/** The hidden tests as methods with an oracle see them; undefined for an item without. */
export function hiddenTestRunner(
  sandbox: Sandbox,
  item: Item,
  limits: SandboxLimits = {},
): ((completion: string, signal?: AbortSignal) => Promise<TestReport>) | undefined {
  const { program } = item;
  if (program === undefined) return undefined;
  return async (completion, signal) => {
    const code = extractCode(completion, program.entryPoint);
    if (code === undefined) return { status: "failed", passed: false, output: "There is no code in the answer." };
    const report = toReport(await runTests(sandbox, program, code, limits, signal));
    return { ...report, passed: report.status === "ok" };
  };
}

/** For MethodTools.runPython: any program, run by itself. */
export function pythonRunner(
  sandbox: Sandbox,
  limits: SandboxLimits = {},
): (source: string, signal?: AbortSignal) => Promise<ExecutionReport> {
  return async (source, signal) => toReport(await sandbox.run(source, limits, signal));
}

/** A sandbox that failed is a failed run whose output says so. */
export function toReport({ status, output }: SandboxResult): ExecutionReport {
  if (status === "error") return { status: "failed", output: `The sandbox itself failed: ${output}` };
  return { status: status === "pass" ? "ok" : status === "fail" ? "failed" : status, output };
}

/**
 * The answer as the user sees it comes first; a method may have left the code in the completion alone. Where the answer is what the completion
 * says, the completion is read: an answer was trimmed, and a body needs its indentation. Thoughts alone hold no code.
 */
function codeOf(item: Item, answer: string, completion: string): string | undefined {
  const { entryPoint } = item.program!;
  const whole = visibleAnswer(completion);
  if (whole === "" && completion.trim() !== "") return undefined;
  const isSame = answer === completion || visibleAnswer(answer) === whole;
  return (isSame ? undefined : extractCode(answer, entryPoint)) ?? extractCode(completion, entryPoint);
}

function runTests(
  sandbox: Sandbox,
  program: NonNullable<Item["program"]>,
  code: string,
  limits: SandboxLimits,
  signal: AbortSignal | undefined,
): Promise<SandboxResult> {
  const options = { ...limits, moduleName, candidate: completeProgram(program, code) };
  return sandbox.run(judgeOf(program), options, signal);
}
