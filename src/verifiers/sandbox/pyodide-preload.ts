/** Python that Pyodide runs once, before any program: modules that programs ask for, and what does not work in WebAssembly said plainly. */

/** Goes after the harness. Pyodide reads modules from an archive, slowly, so the usual ones are loaded beforehand. */
export const preload = `
import collections, copy, dataclasses, decimal, enum, fractions, functools, hashlib, heapq, itertools, json, math, operator, os
import asyncio, random, re, statistics, string, sys, time, types, typing, unittest, doctest, datetime, bisect, cmath, textwrap, inspect
def _midcourse_as_text(run, dumps):
    return lambda source, name, guard: dumps(run(source, name, guard))
def _midcourse_exit(code=0):
    raise SystemExit(code)
def _midcourse_no_loop(*arguments, **options):
    raise RuntimeError("asyncio does not run in Pyodide; a sandbox with python3 has it")
asyncio.run = _midcourse_no_loop
import subprocess
def _midcourse_popen(self, *arguments, **options):
    sys.audit("subprocess.Popen", arguments, options)
    raise OSError("there are no processes here")
subprocess.Popen.__init__ = _midcourse_popen
midcourse_run = _midcourse_as_text(midcourse_run, json.dumps)
os._exit = sys.modules["posix"]._exit = _midcourse_exit
os.environ.clear()
del _midcourse_as_text, _midcourse_exit, _midcourse_no_loop, _midcourse_popen
`;
