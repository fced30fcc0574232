/**
 * Tests that a programming question shows itself: the examples in its docstring, as `>>> f(1)` with the expected lines below or as `f(1) == 2`,
 * `f(1) => 2`, `f(1) ➞ 2`, `f(1) -> 2`, `f(1) returns 2`. For methods that repair a program from feedback without looking at hidden tests.
 */
import { randomBytes } from "node:crypto";
import type { Item } from "#kernel/item.ts";
import type { TestReport } from "#kernel/trace.ts";
import { jsonIn } from "#kernel/values.ts";
import type { Sandbox, SandboxLimits } from "../sandbox/sandbox.ts";
import { completeProgram, extractCode } from "./extract.ts";
import { toReport } from "./grader.ts";

export interface VisibleExample {
  /** Python to run; the value of its last expression is what is compared. */
  source: string;
  /** What the question says comes out, as written. */
  expected: string;
  /** `transcript`: Python's own prompt, compared as printed or by value. `statement`: one call and a literal, compared by value. */
  form: "transcript" | "statement";
}

const longestPrompt = 50_000;
const longestExample = 1000;
const mostExamples = 20;

/** In the order shown, at most 20; empty for an item that is no programming problem. */
export function visibleTests(item: Item): VisibleExample[] {
  if (item.program === undefined) return [];
  const prompt = item.program.prompt.slice(0, longestPrompt);
  const transcript = transcriptExamples(prompt);
  return (transcript.length > 0 ? transcript : statementExamples(prompt, item.program.entryPoint)).slice(0, mostExamples);
}

function transcriptExamples(prompt: string): VisibleExample[] {
  const examples: VisibleExample[] = [];
  let setup: string[] = [];
  const lines = prompt.split("\n").map((line) => line.trim());
  for (let index = 0; index < lines.length; index++) {
    if (!lines[index].startsWith(">>>")) continue;
    const source = [lines[index].slice(3).trim()];
    while (lines[index + 1]?.startsWith("...")) source.push(lines[++index].slice(3).replace(/^ /, ""));
    const expected: string[] = [];
    while (lines[index + 1] && !lines[index + 1].startsWith(">>>") && !/^("""|''')/.test(lines[index + 1])) {
      expected.push(lines[++index].replace(/("""|''')$/, "").trim());
    }
    const whole = [...setup, ...source].join("\n");
    // A line without output prepares the next one.
    if (expected.length === 0) setup = [...setup, ...source];
    else if (!expected[0].startsWith("Traceback") && whole.length + expected.join().length <= longestExample) {
      examples.push({ source: whole, expected: expected.join("\n"), form: "transcript" });
      setup = [];
    }
  }
  return examples;
}

const verdict = /^\s*(?:#\s*)?(?:={1,3}>|={1,2}|➞|->|→|(?:should\s+)?returns?|is)\s*/;

function statementExamples(prompt: string, entryPoint: string): VisibleExample[] {
  const examples: VisibleExample[] = [];
  const call = `${entryPoint}(`;
  for (let at = prompt.indexOf(call); at >= 0 && examples.length < mostExamples; at = prompt.indexOf(call, at + 1)) {
    if (/[\w.]$|def\s+$/.test(prompt.slice(Math.max(0, at - 8), at))) continue;
    const end = closing(prompt, at + call.length - 1);
    if (end === undefined) continue;
    const after = prompt.slice(end, end + longestExample);
    const sign = verdict.exec(after)?.[0];
    if (sign === undefined) continue;
    const expected = literal(after.slice(sign.length));
    if (expected !== "" && hasOnlyValues(prompt.slice(at + call.length, end)))
      examples.push({ source: prompt.slice(at, end), expected, form: "statement" });
  }
  return examples;
}

/** No bare word among the arguments: `f(n)` speaks about any n and is no example. */
function hasOnlyValues(callArguments: string): boolean {
  const words = callArguments.replace(/"[^"\n]*"|'[^'\n]*'/g, "").match(/[A-Za-z_]\w*/g) ?? [];
  return words.every((word) => /^(?:True|False|None|[ej])$/.test(word));
}

/** The rest of the line, or more where brackets are still open. */
function literal(text: string): string {
  const first = text.trimStart()[0];
  const lineEnd = text.search(/\n|$/);
  const line = text.slice(0, lineEnd);
  if (first !== undefined && "[({".includes(first) && closing(line, line.indexOf(first)) === undefined) {
    const end = closing(text, text.indexOf(first));
    if (end !== undefined) return text.slice(0, end).trim();
  }
  return line.replace(/("""|''')\s*$/, "").trim();
}

/** Just after the bracket that closes the one at `start`; strings are stepped over. */
function closing(text: string, start: number): number | undefined {
  let depth = 0;
  let quote: string | undefined;
  for (let index = start; index < Math.min(text.length, start + longestExample); index++) {
    const character = text[index];
    if (quote !== undefined) {
      if (character === "\\") index += 1;
      else if (character === quote || character === "\n") quote = undefined;
    } else if (character === '"' || character === "'") quote = character;
    else if ("([{".includes(character)) depth += 1;
    else if (")]}".includes(character) && --depth === 0) return index + 1;
  }
  return undefined;
}

/** For MethodTools.runVisibleTests; undefined when the question shows no example. */
export function visibleTestRunner(
  sandbox: Sandbox,
  item: Item,
  limits: SandboxLimits = {},
): ((completion: string, signal?: AbortSignal) => Promise<TestReport>) | undefined {
  const examples = visibleTests(item);
  const { program } = item;
  if (program === undefined || examples.length === 0) return undefined;
  return async (completion, signal) => {
    const code = extractCode(completion, program.entryPoint);
    if (code === undefined) return { status: "failed", passed: false, output: "There is no code in the answer." };
    const mark = randomBytes(8).toString("hex");
    const driver = exampleDriver
      .replace("MARK", JSON.stringify(mark))
      .replace("EXAMPLES", JSON.stringify(JSON.stringify(examples)));
    const result = await sandbox.run(
      `${completeProgram(program, code)}\n${driver}`,
      { ...limits, moduleName: "solution" },
      signal,
    );
    const said = result.output.split("\n").filter((line) => line.includes(mark));
    const notes = said.map((line) => line.slice(line.indexOf(mark) + mark.length));
    const report = toReport(result);
    if (report.status !== "ok") {
      const begun = notes.findLast((note) => note.startsWith("@"));
      const where =
        begun === undefined ? "" : `\nThis happened in the example ${examples[Number(begun.slice(1))]?.source ?? "?"}`;
      return { ...report, passed: false, output: `${withoutMarks(report.output, mark)}${where}` };
    }
    return readSummary(notes, examples);
  };
}

interface Summary {
  passed: number;
  skipped: number;
  failed: { index: number; got: string } | null;
}

function readSummary(notes: readonly string[], examples: readonly VisibleExample[]): TestReport {
  const last = notes.findLast((note) => note.startsWith("{"));
  const broken: TestReport = { status: "failed", passed: false, output: "The examples did not run to their end." };
  const summary = jsonIn(last ?? "") as Summary | undefined;
  if (summary === undefined) return broken;
  const count = examples.length - summary.skipped;
  const example = summary.failed === null ? undefined : examples[summary.failed.index];
  if (summary.failed === null || example === undefined) {
    return { status: "ok", passed: true, output: count === 0 ? "No example could be read." : `All ${count} examples pass.` };
  }
  const lines = [`${summary.passed} of ${count} examples pass. The first that does not:`, example.source];
  return {
    status: "failed",
    passed: false,
    output: [...lines, `expected: ${example.expected}`, `got: ${summary.failed.got}`].join("\n"),
  };
}

function withoutMarks(output: string, mark: string): string {
  return output
    .split("\n")
    .filter((line) => !line.includes(mark))
    .join("\n");
}

/** Written so that names of the solution are left alone. Says `@n` before each example and a summary at the end. */
const exampleDriver = String.raw`
def _midcourse_examples(space, mark, text):
    import ast, contextlib, io, json
    def value_of(text):
        text = text.strip()
        tries = [text, text.rstrip("."), text.split(" #")[0], text.split("#")[0], text.rsplit("=", 1)[-1], text.split(" (")[0], text.split(", ")[0] if text[:1] not in "([{" else text]
        for attempt in tries:
            attempt = {"true": "True", "false": "False"}.get(attempt.strip(), attempt.strip())
            try:
                return True, ast.literal_eval(attempt)
            except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
                pass
        return False, None
    def is_plain(node):
        return all(not isinstance(inner, (ast.Name, ast.Attribute)) for part in [*node.args, *node.keywords] for inner in ast.walk(part))
    passed = skipped = 0
    failed = None
    for index, example in enumerate(json.loads(text)):
        try:
            tree = ast.parse(example["source"])
            known, wanted = value_of(example["expected"])
            is_statement = example["form"] == "statement"
            last = tree.body[-1]
            if is_statement and not (known and isinstance(last, ast.Expr) and isinstance(last.value, ast.Call) and is_plain(last.value)):
                raise SyntaxError
        except (SyntaxError, ValueError, IndexError):
            skipped += 1
            continue
        print(mark + "@" + str(index), flush=True)
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                value = None
                # A copy, so that one example's names are not the next one's.
                names = dict(space)
                if isinstance(last, ast.Expr):
                    exec(compile(ast.Module(tree.body[:-1], []), "<example>", "exec"), names)
                    value = eval(compile(ast.Expression(last.value), "<example>", "eval"), names)
                else:
                    exec(compile(tree, "<example>", "exec"), names)
            shown = printed.getvalue() + (repr(value) + "\n" if value is not None else "")
            same = shown.split() == example["expected"].split() and not is_statement
            if not same and known:
                same = value == wanted or isinstance(wanted, float) and isinstance(value, (int, float)) and abs(value - wanted) < 1e-6
            got = repr(value) if not printed.getvalue() else shown
        except Exception as error:
            same, got = False, type(error).__name__ + ": " + str(error)
        if same is True:
            passed += 1
        elif failed is None:
            failed = {"index": index, "got": got[:600]}
    print(mark + json.dumps({"passed": passed, "skipped": skipped, "failed": failed}))
_midcourse_examples(globals(), MARK, EXAMPLES)
`;
