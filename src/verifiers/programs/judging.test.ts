import { afterAll, describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { openSandbox } from "../sandbox/open.ts";
import { hiddenTestRunner, programGrader } from "./grader.ts";

const pyodide = await openSandbox({ prefer: "pyodide", isolation: "none", workers: 1 });
const python = await openSandbox({ prefer: "process" }).catch(() => undefined);
if (python === undefined) console.log("Programs are not judged in python3 here: nothing on this machine can hold it.");
const sandboxes = [pyodide, python]
  .filter((sandbox) => sandbox !== undefined)
  .map((sandbox) => ({ kind: sandbox.kind, sandbox }));
afterAll(() => Promise.all(sandboxes.map(({ sandbox }) => sandbox.close())));

const block = (code: string) => `\`\`\`python\n${code}\n\`\`\``;
const itemOf = (tests: string, prompt = "def f(x):\n"): Item => ({
  id: "f",
  question: "",
  answer: "",
  program: { prompt, entryPoint: "f", tests: `def check(candidate):\n${tests.replace(/^/gm, "    ")}\n` },
});

describe.each(sandboxes)("judged by $kind", ({ sandbox }) => {
  const grade = programGrader(sandbox, { seconds: 3 });
  const verdict = async (tests: string, code: string, prompt?: string) => {
    const answer = block(code);
    return (await grade(itemOf(tests, prompt), answer, answer)).status;
  };

  test("what a program returns is compared by the value that came over, never by its own equality or class", async () => {
    const tests = "assert candidate(1) == [1, 2]\nassert candidate(2) == 'no'";
    for (const base of ["object", "list", "dict", "str", "int", "tuple"]) {
      const own = `class Own(${base}):\n    __eq__ = lambda a, b: True\n    __ne__ = lambda a, b: False\n    __class__ = list\n    __hash__ = None\n`;
      expect(await verdict(tests, `${own}def f(x): return Own()`), base).toBe("fail");
    }
    // Of an honest subclass the content counts.
    const honest = "class Own(list): pass\ndef f(x): return Own([1, 2]) if x == 1 else 'no'";
    expect(await verdict(tests, honest)).toBe("pass");
  });

  test("a program sees calls and no expected value, whatever it looks through", async () => {
    const code = `import gc, sys
def f(x):
    frame, texts = sys._getframe(), []
    while frame is not None:
        texts.append(repr(frame.f_globals) + repr(frame.f_locals))
        frame = frame.f_back
    for each in gc.get_referents(*gc.get_referents(sys.modules)): texts.append(repr(each)[:10000])
    return 4 * 1234 if any(str(4 * 1234) in text for text in texts) else x`;
    expect(["fail", "refused"]).toContain(await verdict("assert candidate(1) == 4936", code));
  });

  test.each([
    [
      "plain data of every kind",
      "assert candidate(1) == {'a': (1, [2.5, None, True]), 2: {3}, (4, 5): b'x', 'big': 10 ** 50, 'c': 1j}",
      "def f(x): return {'a': (x, [2.5, None, True]), 2: {3}, (4, 5): b'x', 'big': 10 ** 50, 'c': 1j}",
    ],
    [
      "containers and numbers of the standard library",
      "from fractions import Fraction\nfrom collections import Counter\nassert candidate(3) == (Fraction(1, 3), Counter('aab'), range(3))",
      "from fractions import Fraction\nfrom collections import Counter\ndef f(x): return (Fraction(1, x), Counter('aab'), range(x))",
    ],
    [
      "named tuples",
      "p = candidate(2)\nassert p == (2, 3) and p.b == 3",
      "from collections import namedtuple\nP = namedtuple('P', 'a b')\ndef f(x): return P(x, x + 1)",
    ],
    [
      "lists changed in place",
      "values = [3, 1, 2]\nassert candidate(values) is None\nassert values == [1, 2, 3]",
      "def f(x): x.sort()",
    ],
    [
      "functions handed over",
      "seen = []\nassert candidate(lambda v: seen.append(v) or v * 2) == 6\nassert seen == [3]",
      "def f(x): return x(3)",
    ],
    ["functions handed back", "add = candidate(2)\nassert add(3) == 5 and add(10) == 12", "def f(x): return lambda y: x + y"],
    [
      "generators without end",
      "import itertools\nassert list(itertools.islice(candidate(1), 3)) == [1, 2, 3]",
      "def f(x):\n    while True:\n        yield x\n        x += 1",
    ],
    [
      "objects of the program",
      "s = candidate(5)\ns.push(1)\nassert len(s) == 1 and s.pop() == 1 and s.size == 5",
      "class S:\n    def __init__(self, n): self.size, self.kept = n, []\n    def push(self, v): self.kept.append(v)\n    def pop(self): return self.kept.pop()\n    def __len__(self): return len(self.kept)\ndef f(x): return S(x)",
    ],
    [
      "objects of the tests",
      "class N:\n    def __init__(self, v, n=None): self.v, self.n = v, n\nassert candidate(N(1, N(2))) == 3",
      "def f(x): return x.v + x.n.v",
    ],
    [
      "exceptions",
      "try:\n    candidate(-1)\nexcept ValueError as error:\n    assert str(error) == 'negative'\nelse:\n    assert False",
      "def f(x): raise ValueError('negative')",
    ],
    [
      "results of asynchronous functions",
      "async def go(): return await candidate(4)\nco = go()\ntry:\n    co.send(None)\nexcept StopIteration as end:\n    assert end.value == 5",
      "async def f(x): return x + 1",
    ],
    [
      "modules that only the program imported",
      "assert candidate(2) == math.sqrt(2)",
      "import math\ndef f(x): return math.sqrt(x)",
    ],
  ])("%s come over to the tests", async (name, tests, code) => {
    // Pyodide has no loop of its own to wait in: such a program is refused there, never passed unseen.
    const cannotWait = name.includes("asynchronous") && sandbox.kind.startsWith("Pyodide");
    expect(await verdict(tests, code)).toBe(cannotWait ? "refused" : "pass");
  });

  test("helpers of the prompt are the prompt's own, whatever the program makes of them", async () => {
    const prompt = 'def twice(x):\n    return x * 2\n\ndef f(x):\n    """ Undo twice. """\n';
    const tests = "assert candidate(twice(3)) == 3";
    expect(await verdict(tests, "def f(x): return x // 2", prompt)).toBe("pass");
    expect(await verdict(tests, "def twice(x): return x\ndef f(x): return x", prompt)).toBe("fail");
  });

  test("what stops an iteration of the tests is no end of it", async () => {
    const tests = "assert all(map(lambda v: candidate(v) == v + 1, [1, 2]))";
    expect(await verdict(tests, "def f(x): raise StopIteration")).toBe("fail");
    expect(await verdict(tests, "def f(x): return x + 1")).toBe("pass");
  });

  test("an end that the tests swallow is an end all the same", async () => {
    const tests = "try:\n    candidate(1)\nexcept BaseException:\n    pass";
    for (const end of ["raise SystemExit", "raise KeyboardInterrupt", "import os; os._exit(0)"])
      expect(await verdict(tests, `def f(x):\n    ${end}`), end).toBe("fail");
  });

  test("where a program answers for its own objects, the result says so", async () => {
    const code = "class V:\n    def __init__(self, n): self.n = n\n    def __eq__(self, o): return True\ndef f(x): return V(x)";
    const report = await hiddenTestRunner(sandbox, itemOf("assert candidate(1) == V(2)"))!(block(code));
    expect(report.output).toContain("compared by the program itself");
    expect(report.output).toContain("the tests use the program's own V");
  });
});
