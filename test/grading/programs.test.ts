/** Programs in answers, in the forms in which models hand them in: each runs against the hidden tests of a small problem. */
import { describe, test } from "vitest";
import { expectGrades } from "../support/grades.ts";

const item = {
  task_id: "Own/9",
  prompt: [
    "from typing import List, Optional",
    "import re",
    "",
    "",
    "def longest(words: List[str]) -> Optional[str]:",
    '    """ The longest of the words, the first of several; None when there are none.',
    "    >>> longest(['a', 'bcd', 'efg'])",
    "    'bcd'",
    '    """',
    "",
  ].join("\n"),
  entry_point: "longest",
  test: [
    "def check(candidate):",
    "    assert candidate(['a', 'bcd', 'efg']) == 'bcd'",
    "    assert candidate([]) is None",
    "    assert candidate(['x']) == 'x'",
    "    assert candidate(['', 'zz', 'y']) == 'zz'",
    "",
  ].join("\n"),
};
const whole =
  "def longest(words: List[str]) -> Optional[str]:\n    if not words:\n        return None\n    return max(words, key=len)\n";
const body = "    if not words:\n        return None\n    return max(words, key=len)\n";
const wrong = "def longest(words):\n    return ''\n";
const fence = (code: string, language = "python") => `\`\`\`${language}\n${code}\`\`\``;

const passes = (answers: readonly string[]) =>
  expectGrades(answers.map((answer) => ({ kind: "humaneval", item, answer, expected: true })));
const fails = (answers: readonly string[]) =>
  expectGrades(answers.map((answer) => ({ kind: "humaneval", item, answer, expected: false })));

describe("programs", () => {
  test("a fenced block is read whatever its fence and language", { timeout: 300_000 }, () =>
    passes([
      fence(whole),
      fence(whole, ""),
      fence(whole, "py"),
      fence(whole, "Python"),
      fence(whole, "python3.12"),
      fence(whole, "{.python}"),
      fence(whole, "pycon"),
      `~~~\n${whole}~~~`,
      `\`\`\`\`python\n${whole}\`\`\`\``,
      `\`\`\`python\n${whole}`,
      `\`\`\`python\n${whole.trimEnd()}\`\`\``,
      `${whole}\`\`\``,
      `${whole}\`\`\`\n\nIt takes the longest.`,
      `1. The code:\n   \`\`\`python\n${whole.replace(/^(?=.)/gm, "   ")}   \`\`\``,
      `<code>\n${whole}</code>`,
      `[PYTHON]\n${whole}[/PYTHON]`,
      `Here it is:\n\n${fence(whole)}\n\nTry it:\n${fence('print(longest(["a"]))\n')}`,
      `First:\n${fence(wrong)}\nThat is wrong. Better:\n${fence(whole)}`,
      `${fence(whole)}\n\nOutput:\n${fence("'bcd'\n", "")}`,
      `Shell:\n${fence("pip install nothing\n", "bash")}\n${fence(whole)}`,
      fence(whole.replaceAll("\n", "\r\n")),
    ]),
  );

  test("a body is read with or without its indentation, and with words around it", { timeout: 300_000 }, () =>
    passes([
      body,
      body.trimStart(),
      body.replace(/^ {4}/gm, ""),
      fence(body),
      fence(body.replace(/^ {4}/gm, "")),
      body.replaceAll("    ", "\t"),
      `Here is the body:\n${body}`,
      `${body}\n\nThis picks the longest word.`,
      `${body}\n# the end\n`,
      "    return (max(words, key=len)\n            if words\n            else None\n)\n",
      '    note = """\nno code here\n"""\n    return max(words, key=len) if words else None\n',
      "    if not words:\n        return None\n# comment in between\n    return max(words, key=len)\n",
      "return max(words, key=len, default=None)",
      "    return pick(words)\n\n\ndef pick(words):\n    return max(words, key=len) if words else None\n",
    ]),
  );

  test("helpers, decorators, imports, other kinds of definition and prose do not hinder", { timeout: 300_000 }, () =>
    passes([
      `We compare lengths.\n\n${whole}\nThis is all.`,
      `from the words we take one.\n\n${whole}`,
      `import the module first, then:\n\n${whole}`,
      fence(`${item.prompt}${body}`),
      fence(`from functools import reduce\n\n\n${whole}`),
      fence(`from __future__ import annotations\n${whole}`),
      fence("longest = lambda words: max(words, key=len) if words else None\n"),
      fence("def solve(words):\n    return max(words, key=len) if words else None\n\n\nlongest = solve\n"),
      `${fence("def pick(words):\n    return max(words, key=len)\n")}\nand\n${fence("def longest(words):\n    return pick(words) if words else None\n")}`,
      fence(`${whole}\n\nif __name__ == "__main__":\n    import doctest\n    doctest.testmod()\n`),
      fence(`${whole}\n\nprint(longest(["a"]))\nassert longest([]) is None\n`),
      fence(`class Box:\n    def longest(self):\n        return 1\n\n\n${whole}`),
      `<think>\nperhaps\n${fence(wrong)}\n</think>\n${fence(whole)}`,
      `<think>${"so ".repeat(80_000)}</think>\n${fence(whole)}`,
      `<answer>\n${fence(whole)}\n</answer>`,
    ]),
  );

  test("wrong programs, thoughts and nothing at all do not pass", { timeout: 300_000 }, () =>
    fails([
      fence(wrong),
      `${fence(whole)}\nNo, better:\n${fence(wrong)}`,
      `<think>\n${fence(whole)}\n</think>\n${fence(wrong)}`,
      `<think>\n${fence(whole)}`,
      `<think>\n${fence(whole)}\n</think>\nI do not know.`,
      `[THINK]${fence(whole)}[/THINK]`,
      "",
      "   ",
      "pass",
      "    pass",
      "I cannot do this.",
      fence("def other(words):\n    return max(words, key=len)\n"),
      fence('{"a": 1}\n', "json"),
      fence("import sys\nsys.exit(0)\n"),
      fence(`import sys\nsys.exit(0)\n${whole}`),
      fence("import os\ndef longest(words):\n    os._exit(0)\n"),
      fence("def longest(words):\n    raise SystemExit(0)\n"),
      fence("def longest(words):\n    while True: pass\n"),
      fence("def longest(words):\n    return longest(words)\n"),
      fence("def longest(words)\n    return max(words)\n"),
      fence("check = lambda candidate: None\ndef longest(words):\n    return 1\n"),
      fence("print('all tests passed')\ndef longest(words):\n    return 1\n"),
    ]),
  );
});
