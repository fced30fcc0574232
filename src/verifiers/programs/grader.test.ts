import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { openSandbox } from "../sandbox/open.ts";
import { visibleTestRunner, visibleTests } from "./examples.ts";
import { completeProgram, extractCode } from "./extract.ts";
import { hiddenTestRunner, programGrader, pythonRunner } from "./grader.ts";

// Plain Pyodide is what every machine has; python3 joins where the system can hold it.
const pyodide = await openSandbox({ prefer: "pyodide", isolation: "none", workers: 1 });
const python = await openSandbox({ prefer: "process" }).catch(() => undefined);
if (python === undefined) console.log("Programs are not graded by python3 here: nothing on this machine can hold it.");
const sandboxes = [pyodide, python]
  .filter((sandbox) => sandbox !== undefined)
  .map((sandbox) => ({ kind: sandbox.kind, sandbox }));
afterAll(() => Promise.all(sandboxes.map(({ sandbox }) => sandbox.close())));

const half: Item = {
  id: "half",
  question: "",
  answer: "",
  program: {
    prompt: `from typing import List
import math

def helper(x):
    return x / 2

def halve(values: List[float]) -> List[float]:
    """ Halve every value.
    >>> halve([2, 4])
    [1.0, 2.0]
    >>> values = [6]
    >>> halve(values)
    [3.0]
    """
`,
    entryPoint: "halve",
    tests: "def check(candidate):\n    assert candidate([2, 4]) == [1, 2]\n    assert candidate([]) == []\n",
  },
};
const body = "    return [helper(value) for value in values]\n";
const whole = "def halve(values: List[float]) -> List[float]:\n    return [helper(math.floor(value)) for value in values]";

describe("finding the code", () => {
  const found = (completion: string) => extractCode(completion, "halve");

  test("the last block that defines the function is the one", () => {
    const completion = `First:\n\`\`\`python\n${whole}  # first\n\`\`\`\nBetter:\n\`\`\`python\n${whole}  # second\n\`\`\`\nRun it:\n\`\`\`bash\npython x.py\n\`\`\``;
    expect(found(completion)).toContain("# second");
    expect(found("```\nhello\n```\n~~~py\nx = 1\n~~~\n```text\nout\n```")).toBe("x = 1");
    expect(found("```text\nonly\n```")).toBe("only");
  });

  test("fences may be indented, nested in longer ones, unclosed or end in CRLF", () => {
    expect(found(`1. Code:\n   \`\`\`python\n   def halve(v):\n       return v\n   \`\`\``)).toBe("def halve(v):\n    return v");
    expect(found(`\`\`\`\`python\ndef halve(v):\n    """\n    \`\`\`\n    """\n\`\`\`\``)).toBe(
      'def halve(v):\n    """\n    ```\n    """',
    );
    expect(found("```python\ndef halve(v):\n    return")).toBe("def halve(v):\n    return");
    expect(found("```python\r\ndef halve(v):\r\n    return v\r\n```\r\n")).toBe("def halve(v):\n    return v");
  });

  test("definitions among prose, and what was thought beforehand", () => {
    const prose = `Here is my solution.\n\nimport os\n\n${whole}\n\nThis works because it halves.`;
    expect(found(prose)).toBe(`import os\n\n${whole}\n`);
    expect(found(`<think>\`\`\`python\ndef halve(v): bad\n\`\`\`</think>${whole}`)).toBe(whole);
    expect(found(`<think>x</think><answer>\n\`\`\`python\n${whole}\n\`\`\`\n</answer>`)).toBe(whole);
  });

  test("nothing is nothing", () => {
    for (const empty of ["", "  \n\t", "```python\n```"])
      expect(found(empty) ?? "").toSatisfy((code: string) => !/\w{7}/.test(code));
    expect(found("")).toBeUndefined();
  });

  test("never throws, whatever comes, and long input ends", () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.constantFrom("```", "~~~", "python", "\n", "    ", "def halve(v):", "return", "<think>", "</think>", "é", ":"),
        ),
        (parts) => {
          const code = found(parts.join(""));
          if (code !== undefined) completeProgram(half.program!, code);
        },
      ),
    );
    for (const piece of ["`", "```\n", "    ", "def halve", "\n", "<think>"]) found(piece.repeat(1_000_000));
  });
});

describe("making the program whole", () => {
  const complete = (code: string) => completeProgram(half.program!, code);

  test("a body follows the prompt, at its depth or put back to it", () => {
    expect(complete(body)).toContain(`"""\n${body}`);
    expect(complete("return [value / 2\n            for value in values]")).toContain('"""\n    return [value / 2\n');
    const loop = ["    out = []", "    for value in values:", "        out.append(value)", "    return out"];
    for (const trimmed of [loop.join("\n").trim(), loop.map((line) => line.slice(4)).join("\n")]) {
      expect(complete(trimmed)).toContain(loop.join("\n"));
    }
    const nested = ["    for value in values:", "        print(value)"];
    for (const trimmed of [nested.join("\n").trim(), nested.map((line) => line.slice(4)).join("\n")]) {
      expect(complete(trimmed)).toContain(nested.join("\n"));
    }
  });

  test("a definition keeps the prompt's imports and helpers and does not repeat its signature", () => {
    const program = complete(whole);
    expect(program).toContain("import math");
    expect(program).toContain("def helper");
    expect(program.match(/def halve/g)).toHaveLength(1);
    expect(complete(`from __future__ import annotations\n${whole}`).startsWith("from __future__")).toBe(true);
    // A longer name, or a method, is not the function.
    expect(complete("def halved(x):\n    return x")).toContain("Halve every value");
  });

  test("a raw continuation ends with the function", () => {
    expect(extractCode(`${body}\n\ndef other():\n    pass\nprint(halve([1]))`, "halve")!.trimEnd()).toBe(body.trimEnd());
  });
});

describe.each(sandboxes)("graded by $kind", ({ sandbox }) => {
  const grade = programGrader(sandbox, { seconds: 2 });
  const score = async (completion: string) => grade(half, completion, completion);

  test("every way of giving the right program passes", async () => {
    for (const completion of [body, body.trim(), whole, `\`\`\`python\n${whole}\n\`\`\``, `${half.program!.prompt}${body}`]) {
      expect(await score(completion), completion).toMatchObject({ accuracy: 1, status: "pass" });
    }
  });

  test("what is wrong has a name", async () => {
    const fenced = (code: string) => `\`\`\`python\n${code}\n\`\`\``;
    const cases: [string, string][] = [
      ["    return values", "fail"],
      [fenced("def halve(values):\n    while True: pass"), "timeout"],
      [fenced("def halve(values):\n    import os\n    os._exit(0)"), "fail"],
      [fenced("import sys\ndef halve(values): return []\nsys.exit(0)"), "fail"],
      [fenced("def halve(values):\n    return open('/etc/passwd').read()"), "refused"],
      [fenced("def halve(values)\n    return"), "fail"],
      ["", "no-code"],
    ];
    for (const [completion, status] of cases) expect(await score(completion), completion).toMatchObject({ accuracy: 0, status });
    expect(await grade(withoutProgram(half), body, body)).toMatchObject({ accuracy: 0, status: "no-tests" });
  });

  test("a demonstration at the end is not run, and a redefined check is not used", async () => {
    expect(await score(`\`\`\`python\n${whole}\nif __name__ == "__main__":\n    halve(input())\n\`\`\``)).toMatchObject({
      accuracy: 1,
    });
    expect(await score("```python\ndef halve(values): return 0\ndef check(candidate): pass\n```")).toMatchObject({ accuracy: 0 });
  });

  test("visible examples tell which one failed", async () => {
    const run = visibleTestRunner(sandbox, half)!;
    expect(await run(whole)).toMatchObject({ passed: true, status: "ok", output: "All 2 examples pass." });
    const wrong = await run("```python\ndef halve(values): return [1.0, 2.0]\n```");
    expect(wrong).toMatchObject({ passed: false, status: "failed" });
    expect(wrong.output).toBe(
      "1 of 2 examples pass. The first that does not:\nvalues = [6]\nhalve(values)\nexpected: [3.0]\ngot: [1.0, 2.0]",
    );
    expect((await run("```python\ndef halve(values): return values.x\n```")).output).toContain("got: AttributeError");
    const stuck = await visibleTestRunner(sandbox, half, { seconds: 0.5 })!(
      "```python\ndef halve(values):\n    while True: pass\n```",
    );
    expect(stuck).toMatchObject({ passed: false, status: "timeout" });
    expect((await run("")).passed).toBe(false);
    expect((await run("```python\ndef halve(values): raise SystemExit\n```")).passed).toBe(false);
  });

  test("hidden tests and plain programs report in the words of methods", async () => {
    expect(await hiddenTestRunner(sandbox, half)!(whole)).toMatchObject({ passed: true, status: "ok" });
    expect(await hiddenTestRunner(sandbox, half)!("    return 1")).toMatchObject({ passed: false, status: "failed" });
    expect(hiddenTestRunner(sandbox, withoutProgram(half))).toBeUndefined();
    const run = pythonRunner(sandbox, { seconds: 1 });
    expect(await run("print(6 * 7)")).toEqual({ status: "ok", output: "42\n" });
    expect(await run("if __name__ == '__main__': print('main')")).toEqual({ status: "ok", output: "main\n" });
    expect((await run("1 / 0")).status).toBe("failed");
    expect((await run("while True: pass")).status).toBe("timeout");
    await expect(run("pass", AbortSignal.abort(new Error("off")))).rejects.toThrow("off");
  });
});

test("examples are read in the ways questions write them", () => {
  const examples = (doc: string) =>
    visibleTests({ ...half, program: { ...half.program!, entryPoint: "f", prompt: `def f(x):\n    """${doc}\n    """\n` } }).map(
      ({ source, expected }) => `${source} ${expected}`,
    );
  expect(
    examples("f(1) == 2\n f([1,\n 2]) ➞ [3,\n 4]\n * f('a)b') => 'c'\n f(2) -> 4\n f(3) returns 9\n f(4) should return 16."),
  ).toEqual(["f(1) 2", "f([1,\n 2]) [3,\n 4]", "f('a)b') 'c'", "f(2) 4", "f(3) 9", "f(4) 16."]);
  expect(examples("f(n) = f(n - 1) for any n; half(1) == 2; f(1) and f(2) differ; f(")).toEqual([]);
  expect(examples(">>> f(1)\n    Traceback (most recent call last):\n    ValueError\n    >>> f(2)\n    4")).toEqual(["f(2) 4"]);
  for (const piece of ["f(", ">>> f(1)\n", "f(1) == [", '"', "f(1) = "]) examples(piece.repeat(200_000));
});

function withoutProgram({ program: _, ...item }: Item): Item {
  return item;
}

const file = path.resolve(import.meta.dirname, "../../../../shared/data/humaneval/test.json");

describe.skipIf(!existsSync(file))("HumanEval itself (skipped where the data is absent)", () => {
  interface Row {
    task_id: string;
    prompt: string;
    entry_point: string;
    canonical_solution: string;
    test: string;
  }
  const rows = existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as Row[]) : [];
  const items = rows.map(
    (row): Item => ({
      id: row.task_id,
      question: row.prompt,
      answer: "",
      program: { prompt: row.prompt, entryPoint: row.entry_point, tests: row.test },
    }),
  );

  test.each(sandboxes)("all 164 canonical solutions pass in $kind", async ({ sandbox }) => {
    const grade = programGrader(sandbox, { seconds: 20 });
    const scores = await Promise.all(items.map((item, index) => grade(item, rows[index].canonical_solution, "")));
    expect(items).toHaveLength(164);
    expect(scores.flatMap((score, index) => (score.accuracy === 1 ? [] : [`${items[index].id} ${score.status}`]))).toEqual([]);
  });

  test("the examples that the questions show agree with the solutions, but for four that are misprinted", async () => {
    const failed: string[] = [];
    let shown = 0;
    await Promise.all(
      items.map(async (item, index) => {
        const run = visibleTestRunner(pyodide, item, { seconds: 20 });
        if (run === undefined) return;
        shown += 1;
        const report = await run(rows[index].canonical_solution);
        if (!report.passed) failed.push(item.id);
      }),
    );
    expect(shown).toBeGreaterThan(135);
    expect(failed.sort()).toEqual(["HumanEval/116", "HumanEval/130", "HumanEval/148", "HumanEval/47"]);
  });
});

describe("programs in answers as models write them", () => {
  const item: Item = {
    id: "top",
    question: "",
    answer: "",
    program: {
      prompt: 'def top(values, count=2):\n    """ Sum of the largest. """\n',
      entryPoint: "top",
      tests: "def check(candidate):\n    assert candidate([1, 5, 3]) == 8\n    assert candidate([]) is None\n",
    },
  };
  const definition = "def top(values, count=2):\n";
  const body = "    if not values:\n        return None\n    return sum(sorted(values)[-count:])\n";
  const whole = definition + body;
  const block = (code: string) => `\`\`\`python\n${code}\`\`\`\n`;
  const grade = async (answer: string, completion = answer) => (await programGrader(pyodide)(item, answer, completion)).status;

  test.each([
    ["a long thought before it", `<think>${"hm ".repeat(70_000)}</think>\n${block(whole)}`],
    ["words behind a body", `${body}\n\nThis function sorts the values.`],
    [
      "a helper behind a body",
      "    return best(values, count)\n\ndef best(v, c):\n    return sum(sorted(v)[-c:]) if v else None\n",
    ],
    ["a comment at the margin", body.replace("    return sum", "# now the sum\n    return sum")],
    ["a bracket at the margin", "    return (sum(sorted(values)[-count:])\n            if values\n            else None\n)\n"],
    ["a string at the margin", `    note = """\nWords here.\n"""\n${body}`],
    ["a string at the margin within a definition", `${definition}    note = """\nWords here.\n"""\n${body}`],
    ["words before a body", `Here's the completion:\n${body}`],
    ["words like code before it", `import the module first and then go.\n\n${whole}`],
    ["words like code behind it", `${whole}\nfor each value it does the right thing.`],
    ["a fence that the prompt opened", `${whole}\`\`\`\nThis sums them.`],
    ["a fence behind a body", `${body}\`\`\`\n\nExplanation: it sorts.`],
    ["a fence on the last line", `\`\`\`python\n${whole.trimEnd()}\`\`\``],
    [
      "a helper in a block of its own",
      `${block("def best(v, c):\n    return sum(sorted(v)[-c:])\n")}and\n${block(`${definition}    return best(values, count) if values else None\n`)}`,
    ],
    ["a lambda", block("top = lambda values, count=2: sum(sorted(values)[-count:]) if values else None\n")],
    ["another name", block(`${whole.replace("def top", "def solve")}\ntop = solve\n`)],
    ["its own docstring tests", block(`${whole}\nimport doctest\ndoctest.testmod()\n`)],
  ])("%s", async (_name, answer) => expect(await grade(answer)).toBe("pass"));

  test("a generic function is a definition", () => {
    const code = `def top[T](values: list[T], count=2):\n${body}`;
    expect(completeProgram(item.program!, extractCode(block(code), "top") ?? "").trim()).toBe(code.trim());
  });

  test("thoughts hold no code", async () => {
    for (const answer of [`<think>\n${block(whole)}`, `<think>\n${block(whole)}</think>\n`, `<reasoning>${whole}`])
      expect(await grade(answer)).toBe("no-code");
    expect(await grade(`[THINK]${block(whole)}[/THINK]\nI could not solve it.`)).not.toBe("pass");
    expect(await grade(whole, `<think>${whole}`)).toBe("no-code");
  });

  test("an answer that was trimmed is read as it was written", async () => {
    const answer = `${body}\n\nThis function sorts the values.`;
    expect(await grade(answer.trim(), answer)).toBe("pass");
  });
});
