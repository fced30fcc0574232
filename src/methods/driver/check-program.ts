/** Runs a checking function that a model wrote on an answer: the Python to run, and the verdict in what it printed. */
import type { ExecutionReport } from "#kernel/trace.ts";

/**
 * The code block of `checker` and a call of its `verify` on the answer, which prints `mark` with the verdict; undefined where there is no
 * code block. Only True is a pass, not whatever Python takes for true.
 */
export function checkProgram(checker: string, answer: string, mark: string): string | undefined {
  const code = lastCodeBlock(checker);
  if (code === undefined) return undefined;
  // A JSON text without lone surrogates is a Python text of the same value.
  const literal = JSON.stringify(answer.toWellFormed());
  const verdict = `"pass" if verify(${literal}) == True else "fail"`;
  return `${code}\n\nprint()\nprint(${JSON.stringify(mark)}, ${verdict})\n`;
}

/** No verdict where the program did not end well, whatever it has printed. */
export function readCheck({ status, output }: ExecutionReport, mark: string): { passed?: boolean; text: string } {
  const lines = output.split("\n");
  const last = lines.findLast((line) => line.startsWith(`${mark} `))?.trim();
  const said = lines
    .filter((line) => !line.startsWith(`${mark} `))
    .join("\n")
    .trim();
  const text = [`The run ended: ${status}.`, said].filter((part) => part !== "").join("\n");
  if (status !== "ok" || (last !== `${mark} pass` && last !== `${mark} fail`)) return { text };
  const passed = last === `${mark} pass`;
  return { passed, text: `${text}\nverify returned ${passed ? "True" : "something else than True"}.` };
}

/** What stands between the last two fences of a text; undefined where it holds no code. */
export function lastCodeBlock(text: string): string | undefined {
  const lines = text.split("\n");
  const isFence = (line: string) => line.trimStart().startsWith("```");
  const end = lines.findLastIndex(isFence);
  const start = end < 1 ? -1 : lines.findLastIndex((line, index) => index < end && isFence(line));
  const code = start < 0 ? "" : lines.slice(start + 1, end).join("\n");
  return code.trim() === "" ? undefined : code;
}
