import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { execPath } from "node:process";
import { afterAll, describe, expect, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { descendants, launchers } from "./launch.ts";
import { openEverySandbox, openSandbox } from "./open.ts";
import { composeOutput, OutputTail, Queue } from "./running.ts";
import { selfTest } from "./self-test.ts";

// Every kind that works on this machine is held to the same promises. Pyodide works everywhere; python3 where Linux lets it be held.
const { opened, failed } = await openEverySandbox({ workers: 1 });
if (failed.length > 0) console.log(`Not tested here: ${failed.join("; ").slice(0, 600)}`);
afterAll(() => Promise.all(opened.map((sandbox) => sandbox.close())));

test("Pyodide works wherever Node does", () => {
  expect(opened.map((sandbox) => sandbox.kind)).toContain("Pyodide");
});

// The first python3 and plain Pyodide stand for the interpreters; the other kinds change only what is around them.
const thorough = [
  opened.find((sandbox) => sandbox.kind.startsWith("python3")),
  opened.find((sandbox) => sandbox.kind === "Pyodide"),
];
const chosen = thorough.filter((sandbox) => sandbox !== undefined).map((sandbox) => ({ kind: sandbox.kind, sandbox }));
const others = opened.filter((sandbox) => !thorough.includes(sandbox)).map((sandbox) => ({ kind: sandbox.kind, sandbox }));

describe.each(others)("$kind", ({ sandbox }) => {
  test("runs programs, holds them without the guard, and stops them", async () => {
    expect(await sandbox.run("print(2 ** 10)")).toMatchObject({ status: "pass", output: "1024\n" });
    const look = "import os\nfound = [p for p in ('/etc/passwd', '/proc/1', '/root', '/tmp') if os.path.exists(p)]\nprint(found)";
    expect((await sandbox.run(look, { guard: false })).output).toMatch(/^\[('\/tmp')?\]\n$/);
    expect((await sandbox.run("open('/x', 'w')")).status).toBe("refused");
    expect((await sandbox.run("while True: pass", { seconds: 0.3 })).status).toBe("timeout");
  });
});

describe.each(chosen)("$kind", ({ sandbox }) => {
  const status = async (program: string, options = {}) => (await sandbox.run(program, options)).status;

  test("contains everything the self-test tries, without the guard too", async () => {
    const report = await selfTest(sandbox);
    expect(report.probes.filter((probe) => !probe.contained || probe.containedAlone === false)).toEqual([]);
    expect(report.probes.length).toBeGreaterThanOrEqual(35);
    // Pyodide starts anew after every probe that has to be stopped, some seconds each.
  }, 180_000);

  test("names how a program ended", async () => {
    expect(await status("x = 1\nassert x == 1")).toBe("pass");
    expect(await status("")).toBe("pass");
    expect(await status("assert False")).toBe("fail");
    expect(await status("def f(:")).toBe("fail");
    expect(await status("raise SystemExit(0)")).toBe("fail");
    expect(await status("class E(BaseException): pass\nraise E")).toBe("fail");
    expect(await status("def f(): f()\nf()")).toBe("fail");
    expect(await status("raise MemoryError")).toBe("memory");
    expect(await status("while True: pass", { seconds: 0.3 })).toBe("timeout");
    expect(await status("input()")).toBe("fail");
  });

  test("an attempt that the program swallows is refused all the same", async () => {
    const result = await sandbox.run("try:\n  open('/etc/hostname')\nexcept BaseException:\n  pass\nprint('went on')");
    expect(result.status).toBe("refused");
    expect(result.output).toContain("went on");
    expect(result.output).toContain("refused: file '/etc/hostname'");
  });

  test("a program cannot pass by printing, patching or exceptions that misbehave", async () => {
    expect(await status("import builtins\nbuiltins.print = builtins.exec = builtins.repr = None\nassert False")).toBe("fail");
    expect(await status('import json, os\njson.dumps = lambda *a, **k: \'["end", ""]\'\nassert False')).toBe("fail");
    expect(await status("class E(Exception):\n  def __str__(self): raise SystemExit\nraise E")).toBe("fail");
    expect(await status("import sys\nsys.stdout = sys.stderr = None\nassert False")).toBe("fail");
    expect(await status("import sys\nsys.stdout.close()\nassert False")).toBe("fail");
    expect(await status("import sys\nsys.modules.clear()\nassert False")).toBe("fail");
    expect(await status("import atexit, os\natexit.register(lambda: os._exit(0))\nassert False")).toBe("fail");
  });

  test("the module has the name that was asked for", async () => {
    const program = "if __name__ == '__main__': raise ValueError('main ran')";
    expect(await status(program)).toBe("fail");
    expect(await status(program, { moduleName: "solution" })).toBe("pass");
    expect(await status("from dataclasses import dataclass\n@dataclass\nclass P:\n  x: 'int'\nassert P(1) == P(1)")).toBe("pass");
    expect(await status("from __future__ import annotations\nimport typing")).toBe("pass");
  });

  test("output is short, and what cannot be text does no harm", async () => {
    const long = await sandbox.run("print('a' * 50000)\nprint('END')");
    expect(long.output.length).toBeLessThanOrEqual(4000);
    expect(long.output.startsWith("aaa")).toBe(true);
    expect(long.output.endsWith("END\n")).toBe(true);
    expect((await sandbox.run("import sys\nsys.stdout.buffer.write(bytes(range(256)))\nsys.stdout.flush()")).status).toBe("pass");
    expect((await sandbox.run("print('é😀')")).output).toBe("é😀\n");
    expect((await sandbox.run("x = '\ud800'")).status).not.toBe("error");
    expect((await sandbox.run("\0")).status).toBe("fail");
    const failure = await sandbox.run("print('before')\n1 / 0");
    expect(failure.output).toMatch(/^before\n[\s\S]*ZeroDivisionError: division by zero$/);
  });

  test("a program may be long", async () => {
    expect(await status(`x = """${"y".repeat(2_000_000)}"""\nassert len(x) == 2000000`)).toBe("pass");
  });

  test("programs side by side keep their own results", async () => {
    const results = await Promise.all(Array.from({ length: 8 }, (_, index) => sandbox.run(`print(${index})`)));
    expect(results.map((result) => result.output)).toEqual(Array.from({ length: 8 }, (_, index) => `${index}\n`));
  });

  test("can be called off while running and while waiting", async () => {
    const controller = new AbortController();
    const running = sandbox.run("while True: pass", { seconds: 60 }, controller.signal);
    const waiting = sandbox.run("pass", {}, controller.signal);
    setTimeout(() => controller.abort(new Error("enough")), 100);
    await Promise.all([expect(running).rejects.toThrow("enough"), expect(waiting).rejects.toThrow("enough")]);
    await expect(sandbox.run("pass", {}, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
    expect(await status("pass")).toBe("pass");
  });
});

test("refuses to run on the bare account unless told to, and says what to do", async () => {
  const impossible = { prefer: "process", python: "/nonexistent/python3" } as const;
  const refusal = await openSandbox(impossible).catch((error) => error);
  expect(MidcourseError.isInstance(refusal)).toBe(true);
  expect(refusal).toMatchObject({ family: "user", code: "no-sandbox", advice: expect.stringContaining("--allow-bare") });
  // A file of that name that is no Python.
  await expect(openSandbox({ prefer: "process", python: execPath })).rejects.toMatchObject({ code: "no-sandbox" });
});

test("a closed sandbox says so instead of hanging", async () => {
  const sandbox = await openSandbox({ prefer: "pyodide", isolation: "none", workers: 1 });
  const cut = sandbox.run("while True: pass", { seconds: 60 });
  setTimeout(() => sandbox.close(), 100);
  expect((await cut).status).not.toBe("pass");
  expect(await sandbox.run("pass")).toMatchObject({ status: "error" });
});

// Where the kernel can be told to: Linux with util-linux.
const canDieTogether =
  process.platform === "linux" && spawnSync("setpriv", ["--help"], { encoding: "utf8" }).stdout?.includes("--pdeathsig");

/** Every way of holding a process that works on this machine, not only the one that is chosen first. */
const processKinds: { kind: string; options: Parameters<typeof openSandbox>[0] }[] = [];
for (const { name } of launchers()) {
  const options = { prefer: "process", isolation: name } as const;
  const opened = await openSandbox(options).catch(() => undefined);
  if (opened) processKinds.push({ kind: `python3 in ${name}`, options });
  await opened?.close();
}

test
  .skipIf(!canDieTogether)
  .each([...processKinds, { kind: "Pyodide", options: { prefer: "pyodide", isolation: "none", workers: 1 } }])(
  "an endless loop in $kind does not outlive us",
  async ({ options }) => {
    const script = `const { openSandbox } = await import(${JSON.stringify(new URL("./open.ts", import.meta.url).href)});
const sandbox = await openSandbox(${JSON.stringify(options)});
void sandbox.run("while True: pass", { seconds: 600 });
setTimeout(() => console.log("running"), 500);`;
    const parent = spawn(execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
    await once(parent.stdout, "data");
    const family = descendants(parent.pid!);
    expect(family.length).toBeGreaterThan(0);
    parent.kill("SIGKILL");
    await expect.poll(() => family.filter(isAlive), { timeout: 20_000 }).toEqual([]);
  },
);

function isAlive(pid: number): boolean {
  try {
    // A process that has ended and waits to be collected is no longer there for anybody.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}

test("a queue keeps the order and its number of places", async () => {
  const queue = new Queue(2);
  const begun: number[] = [];
  let running = 0;
  let most = 0;
  await Promise.all(
    [0, 1, 2, 3, 4].map((index) =>
      queue
        .run(async () => {
          begun.push(index);
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running -= 1;
          if (index === 1) throw new Error("one failed");
        })
        .catch(() => {}),
    ),
  );
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
});

test("what is kept of an output is its beginning and its end", () => {
  const tail = new OutputTail();
  for (let index = 0; index < 100_000; index++) tail.add(Buffer.from(`${index}\n`));
  expect(tail.text().startsWith("0\n1\n")).toBe(true);
  expect(tail.text().endsWith("99999\n")).toBe(true);
  expect(tail.text().length).toBeLessThan(9000);
  expect(composeOutput("x".repeat(9000), "y".repeat(9000), "z".repeat(9000)).length).toBeLessThanOrEqual(4000);
  expect(composeOutput("", "", "")).toBe("");
  expect(composeOutput("out", "err", "end")).toBe("out\nerr\nend");
});
