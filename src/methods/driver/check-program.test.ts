import { spawnSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { checkProgram, lastCodeBlock, readCheck } from "./check-program.ts";

const fenced = (code: string) => `Here:\n\`\`\`python\n${code}\n\`\`\`\nDone.`;

test.each([
  [fenced("x = 1"), "x = 1"],
  [`${fenced("x = 1")}\n${fenced("y = 2")}`, "y = 2"],
  ["```\n\n```", undefined],
  ["```python\nx = 1", undefined],
  ["no code", undefined],
  ["", undefined],
])("the code block of %j is %j", (text, code) => expect(lastCodeBlock(text)).toBe(code));

describe("reading a run", () => {
  const mark = "verdict-7";
  test.each([
    [{ status: "ok", output: "tested x\n\nverdict-7 pass" }, true],
    [{ status: "ok", output: "verdict-7 fail\n" }, false],
    [{ status: "ok", output: "verdict-7 passable" }, undefined],
    [{ status: "ok", output: "pass" }, undefined],
    [{ status: "ok", output: "" }, undefined],
    [{ status: "failed", output: "verdict-7 pass\nTraceback" }, undefined],
    [{ status: "timeout", output: "" }, undefined],
  ] as const)("%j says %s", (report, passed) => {
    const found = readCheck(report, mark);
    expect(found.passed).toBe(passed);
    expect(found.text).not.toContain(mark);
  });
});

const hasPython = spawnSync("python3", ["--version"]).status === 0;

describe.skipIf(!hasPython)("with Python (skipped where there is no python3)", () => {
  const run = (checker: string, answer: string) => {
    const { status, stdout, stderr } = spawnSync("python3", ["-I", "-"], {
      input: checkProgram(checker, answer, "m")!,
      encoding: "utf8",
    });
    return readCheck({ status: status === 0 ? "ok" : "failed", output: stdout + stderr }, "m");
  };

  test.each([
    ["def verify(answer):\n    return int(answer) / 7 == 6", "42", true],
    ["def verify(answer):\n    return int(answer) / 7 == 6", "41", false],
    ["def verify(answer):\n    return (False, 'not 42')", "42", false],
    ["def verify(answer):\n    return 'yes'", "42", false],
    ["def verify(answer):\n    return helper(answer)", "42", undefined],
    ["x = 1", "42", undefined],
  ])("%j on %j: %s", (checker, answer, passed) => expect(run(fenced(checker), answer).passed).toBe(passed));

  test("any answer arrives as it is", () => {
    const nasty = 'a"b\\n\n\'\'\'\u0000\u2028\u{1F600}\t"""';
    const checker = `def verify(answer):\n    return [ord(c) for c in answer] == ${JSON.stringify([...nasty].map((c) => c.codePointAt(0)))}`;
    expect(run(fenced(checker), nasty).passed).toBe(true);
    expect(run(fenced("def verify(answer):\n    return len(answer) == 2"), "x\uD800").passed).toBe(true);
  });
});

test("no answer breaks out of its text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (answer) => {
      const source = checkProgram(fenced("def verify(a): pass"), answer, "m")!;
      expect(source.split("\n").at(-2)).toMatch(/^print\("m", "pass" if verify\(".*"\) == True else "fail"\)$/s);
    }),
  );
});
