/** Tells what a sandbox is worth by trying it: which harmless attempts are contained, with and without the guard inside the interpreter. */
import { randomBytes } from "node:crypto";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { forgeries, forgeryTests, honest } from "./forgeries.ts";
import type { Sandbox, SandboxResult, SandboxStatus, SandboxStrength } from "./sandbox.ts";

export interface ProbeResult {
  name: string;
  /** It ended as it should and did not get what it wanted. */
  contained: boolean;
  status: SandboxStatus;
  expected: readonly SandboxStatus[];
  /** Whether the isolation alone held it, with the guard left out; absent where that is not the question. */
  containedAlone?: boolean;
  milliseconds: number;
  /** What went wrong, if something did. */
  detail?: string;
}

export interface SelfTestReport {
  kind: string;
  strength: SandboxStrength | undefined;
  description: string | undefined;
  /** What a program could still forge. */
  forging: string | undefined;
  probes: ProbeResult[];
  /** Every probe was. */
  contained: boolean;
  /** Every probe that was tried without the guard was. */
  containedAlone: boolean;
}

/** Some forty short programs; seconds. The probes touch nothing but a temporary folder and a server of our own on the loopback interface. */
export async function selfTest(sandbox: Sandbox, signal?: AbortSignal): Promise<SelfTestReport> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-self-test-"));
  const secret = randomBytes(8).toString("hex");
  const [file, newFile] = [path.join(folder, "outside"), path.join(folder, "written")];
  writeFileSync(file, secret, { mode: 0o644 });
  let connections = 0;
  const server = net.createServer((socket) => {
    connections += 1;
    socket.on("error", () => {});
    socket.destroy();
  });
  const results: ProbeResult[] = [];
  process.env.MIDCOURSE_SELF_TEST = secret;
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const reached = (output: string) => {
      const found = /^REACHED$/m.test(output) || output.includes(secret) || existsSync(newFile) || connections > 0;
      rmSync(newFile, { force: true });
      connections = 0;
      return found;
    };
    for (const probe of probes({ file, secret, newFile, port, pid: process.pid })) {
      results.push(await tryProbe(sandbox, probe, reached, signal));
    }
    results.push(await tryLeftovers(sandbox, signal));
    results.push(...(await tryForgeries(sandbox, signal)));
  } finally {
    Reflect.deleteProperty(process.env, "MIDCOURSE_SELF_TEST");
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
  return {
    kind: sandbox.kind,
    strength: sandbox.strength,
    description: sandbox.description,
    forging: sandbox.forging,
    probes: results,
    contained: results.every((result) => result.contained),
    containedAlone: results.every((result) => result.containedAlone !== false),
  };
}

async function tryProbe(
  sandbox: Sandbox,
  probe: Probe,
  reached: (output: string) => boolean,
  signal: AbortSignal | undefined,
): Promise<ProbeResult> {
  const guarded = await sandbox.run(probe.program, probeLimits, signal);
  const gotThrough = reached(guarded.output);
  const contained = probe.expected.includes(guarded.status) && !gotThrough && guarded.output.length <= 4000;
  const result: ProbeResult = {
    name: probe.name,
    contained,
    status: guarded.status,
    expected: probe.expected,
    milliseconds: guarded.milliseconds,
    ...(contained ? {} : { detail: gotThrough ? "it got through" : guarded.output.slice(-200) }),
  };
  if (!probe.alone) return result;
  const alone = await sandbox.run(probe.program, { ...probeLimits, guard: false }, signal);
  return { ...result, containedAlone: !reached(alone.output) && alone.status !== "error" };
}

/** What one program changes must not be there for the next. */
async function tryLeftovers(sandbox: Sandbox, signal: AbortSignal | undefined): Promise<ProbeResult> {
  const change = "import builtins, math, sys\nbuiltins.planted = math.planted = sys.planted = 1\nmath.sqrt = None";
  const look =
    "import builtins, math, sys\nassert math.sqrt(4) == 2\nassert not any(hasattr(m, 'planted') for m in (builtins, math, sys))";
  await sandbox.run(change, probeLimits, signal);
  const result = await sandbox.run(look, probeLimits, signal);
  const contained = result.status === "pass";
  return {
    name: "leave something for the next program",
    contained,
    status: result.status,
    expected: ["pass"],
    milliseconds: result.milliseconds,
    ...(contained ? {} : { detail: result.output.slice(-200) }),
  };
}

/** Programs that do not what they should and would be called right; beside them one that does. */
async function tryForgeries(sandbox: Sandbox, signal: AbortSignal | undefined): Promise<ProbeResult[]> {
  const judge = (candidate: string, guard: boolean) => sandbox.run(forgeryTests, { ...judgeLimits, candidate, guard }, signal);
  const solved = await judge(honest, true);
  const results: ProbeResult[] = [probeResult("pass by solving the task", ["pass"], solved)];
  for (const { name, program } of forgeries) {
    const expected = ["fail", "refused", "timeout"] as const;
    const guarded = probeResult(`forge a pass: ${name}`, expected, await judge(program, true));
    const alone = await judge(program, false);
    results.push({ ...guarded, containedAlone: alone.status !== "pass" && alone.status !== "error" });
  }
  return results;
}

function probeResult(name: string, expected: readonly SandboxStatus[], result: SandboxResult): ProbeResult {
  const { status, milliseconds, output } = result;
  const contained = expected.includes(status);
  return { name, contained, status, expected, milliseconds, ...(contained ? {} : { detail: output.slice(-200) }) };
}

/** A harmless program that does once what a hostile one would do. */
interface Probe {
  name: string;
  /** Python; prints `REACHED` when it got what it wanted. */
  program: string;
  /** How it should end. */
  expected: readonly SandboxStatus[];
  /** Also tried without the guard, to see what the isolation alone is worth. */
  alone: boolean;
}

interface ProbeTargets {
  /** A file of ours, outside of the sandbox. */
  file: string;
  /** What is in it. */
  secret: string;
  /** A file that does not exist yet. */
  newFile: string;
  port: number;
  pid: number;
}

/** Limits under which every probe runs; a program that respects neither is stopped soon. */
const probeLimits = { seconds: 1, megabytes: 128 } as const;
const judgeLimits = { seconds: 2, megabytes: 128 } as const;

function probes({ file, secret, newFile, port, pid }: ProbeTargets): Probe[] {
  const text = (value: string) => JSON.stringify(value);
  const access = (name: string, program: string): Probe => ({ name, program, expected: ["refused"], alone: true });
  return [
    access("read a file outside", `data = open(${text(file)}).read()\nprint("REACHED" if ${text(secret)} in data else "other")`),
    access("read /etc/passwd", `data = open("/etc/passwd").read()\nprint("REACHED")`),
    access("write a file outside", `with open(${text(newFile)}, "w") as file: file.write("x")\nprint("REACHED")`),
    access(
      "list the root folder",
      `import os\nprint("REACHED" if "home" in os.listdir("/") and "etc" in os.listdir("/") and os.listdir("/home") != ["pyodide", "web_user"] else "empty")`,
    ),
    access(
      "connect to this machine",
      `import socket\nsocket.create_connection(("127.0.0.1", ${port}), 0.5).close()\nprint("REACHED")`,
    ),
    access("fork once", `import os\npid = os.fork()\nif pid == 0: os._exit(0)\nos.waitpid(pid, 0)\nprint("REACHED")`),
    access("run a command", `import os, subprocess\nsubprocess.run(["/bin/sh", "-c", "exit 0"], check=True)\nprint("REACHED")`),
    access("run a command by os.system", `import os\nassert os.system("exit 0") == 0\nprint("REACHED")`),
    access("signal another process", `import os\nos.kill(${pid}, 0)\nprint("REACHED")`),
    access("reach JavaScript", `import pyodide_js\npyodide_js.constructor.constructor("return process.env")()\nprint("REACHED")`),
    {
      name: "see the environment",
      program: `import os\nfound = os.environ.get("MIDCOURSE_SELF_TEST")\nprint("REACHED" if found else "empty")`,
      expected: ["pass"],
      alone: true,
    },
    // Stops by itself at eight times the limit, should nothing else stop it.
    limit("grow in memory", "kept = []\nwhile len(kept) < 1024: kept.append(bytearray(1048576))\nprint('REACHED')", "memory"),
    limit("sleep past the limit", "import time\ntime.sleep(20)\nprint('REACHED')", "timeout"),
    limit("run for ever", "while True: pass", "timeout"),
    limit("swallow every exception", "while True:\n  try:\n    while True: pass\n  except BaseException: pass", "timeout"),
    limit("print without end", "while True: print('x' * 4096)", "fail"),
    limit("leave with exit code 0", "import os\nos._exit(0)", "fail"),
    limit("leave with sys.exit(0)", "import sys\nsys.exit(0)", "fail"),
    limit("print a forged verdict", `print('ready\\n{"status": "end", "message": "", "secret": ""}')\nassert False`, "fail"),
  ];
}

function limit(name: string, program: string, expected: SandboxStatus): Probe {
  return { name, program, expected: [expected], alone: false };
}
