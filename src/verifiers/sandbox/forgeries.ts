/**
 * Programs that do not solve their task and try to be called right: each leaves a function `double` that does not double. Harmless otherwise.
 * The self-test runs them beside a judge; none may pass, with or without the guard inside the interpreter.
 */

/** The judge of all of them: what an honest `double` passes. */
export const forgeryTests = `midcourse_candidate.ask("load")
double = midcourse_candidate.ask("name", "double")
assert double(21) == 42
assert abs(double(0.25) - 0.5) < 1e-9
assert double([1]) == [1, 1] and sorted(double([2])) == [2, 2]
assert double("ab") != "ab" and double("ab") in ("abab",)
`;

export const honest = "def double(value): return value * 2";

export interface Forgery {
  name: string;
  program: string;
}

const everyOperation = `class Anything:
    def yes(self, *rest, **named): return True
    def itself(self, *rest, **named): return self
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __bool__ = yes
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __abs__ = __getitem__ = __call__ = itself
    __hash__ = lambda self: 1
    __len__ = lambda self: 2
`;

export const forgeries: readonly Forgery[] = [
  { name: "an object equal to everything", program: `${everyOperation}def double(value): return Anything()` },
  {
    name: "an object that says it is of the right class",
    program: `${everyOperation}    __class__ = int\ndef double(value): return Anything()`,
  },
  {
    name: "numbers, texts and lists of its own that are equal to everything",
    program: ["int", "float", "list", "str"]
      .map(
        (base) =>
          `class Own${base}(${base}):\n    __eq__ = lambda a, b: True\n    __ne__ = __lt__ = __sub__ = __contains__ = __eq__\n    __hash__ = ${base}.__hash__\n`,
      )
      .concat("def double(value): return {int: Ownint, float: Ownfloat, list: Ownlist, str: Ownstr}[type(value)](value)")
      .join(""),
  },
  {
    name: "an object that learns what it is compared with",
    program: `class Learner:
    def __eq__(self, other): self.seen = other; return other == other
    def __rsub__(self, other): return 0.0
    __sub__ = __rsub__
def double(value): return Learner()`,
  },
  { name: "an iteration that stops at once", program: "def double(value): raise StopIteration" },
  { name: "leave early with a forged verdict", program: forging("os._exit(0)") },
  { name: "write a verdict to every descriptor", program: forging("") },
  { name: "write a verdict from a thread", program: forging("", true) },
  {
    name: "read what is expected from every descriptor",
    program: `import os
def double(value):
    for descriptor in range(3, 32):
        try:
            os.set_blocking(descriptor, False)
            data = os.read(descriptor, 65536)
            if data: print(data)
        except OSError: pass
    return value`,
  },
  {
    name: "walk the frames and put other functions there",
    program: `import sys
def patch():
    frame = sys._getframe()
    while frame is not None:
        for space in (frame.f_globals, frame.f_locals):
            for name, value in list(space.items()):
                if callable(value) and name[:2] != "__" and name != "double":
                    try: space[name] = lambda *a, **k: ("end", "")
                    except Exception: pass
                for cell in getattr(value, "__closure__", None) or ():
                    try: cell.cell_contents = (lambda *a, **k: ("end", "")) if callable(cell.cell_contents) else True
                    except Exception: pass
        frame = frame.f_back
def double(value):
    patch()
    return value`,
  },
  {
    name: "look for the tests among all objects",
    program: `import gc
found = [each for each in gc.get_objects() if isinstance(each, dict) and "forgeryTests" in each]
def double(value): return found[0]["answer"] if found else value`,
  },
  {
    name: "replace the built-in functions and exceptions",
    program: `import builtins, json, os, sys
builtins.AssertionError = builtins.TypeError
for name in ("abs", "sorted", "isinstance", "type", "len"): setattr(builtins, name, lambda *a: True)
json.dumps = lambda *a, **k: '{"value": true, "status": "end"}'
json.loads = lambda *a, **k: {"op": "call", "values": [], "named": {}}
os.write = lambda *a: len(a[-1])
def double(value): return value`,
  },
  {
    name: "take the judge's names",
    program: `import sys
class midcourse_candidate:
    ask = staticmethod(lambda *a: (lambda v: v * 2))
def check(candidate): pass
for module in list(sys.modules.values()):
    try: module.midcourse_candidate = midcourse_candidate; module.check = check
    except Exception: pass
def double(value): return value`,
  },
  {
    name: "trace the calls and register an end",
    program: `import atexit, os, sys
atexit.register(lambda: os._exit(0))
sys.settrace(lambda frame, event, rest: (frame.f_locals.update(status="end"), None)[1])
sys.excepthook = lambda *a: os._exit(0)
def double(value): return value`,
  },
  {
    name: "read its own process",
    program: `seen = []
for name in ("cmdline", "environ", "maps", "fd/3"):
    try: seen.append(open("/proc/self/" + name, "rb").read(65536))
    except Exception: pass
def double(value): return seen[0][:2] if seen else value`,
  },
  {
    name: "answer more than was asked",
    program: `import os
for descriptor in range(3, 32):
    try: os.write(descriptor, b'{"value": 42}\\n{"value": 0.5}\\n{"op": "attribute", "values": [["yours", 0], "__globals__"], "named": {}}\\n')
    except OSError: pass
def double(value): return value`,
  },
];

function forging(after: string, inThread = false): string {
  const forge = `def forge():
    verdict = b'\\nready\\n{"status": "end", "message": "", "secret": ""}\\n{"status": "end", "milliseconds": 1, "isSpent": false}\\n'
    for descriptor in range(1, 32):
        try: os.write(descriptor, verdict)
        except OSError: pass
    ${after || "pass"}
`;
  const call = inThread ? "threading.Thread(target=forge, daemon=True).start()" : "forge()";
  return `import os, threading\n${forge}def double(value):\n    try: ${call}\n    except RuntimeError: pass\n    return value`;
}
