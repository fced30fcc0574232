/** Runs programs in a fresh python3 process each, started by a launcher (or, if the user insists, by nobody). */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Duplex } from "node:stream";
import { pythonDriver } from "./harness.ts";
import { dieWithParent, killAll, type Launcher, launchEnvironment } from "./launch.ts";
import { composeOutput, floodBytes, OutputTail, Queue } from "./running.ts";
import { defaultLimits, type Sandbox, type SandboxResult, type SandboxRunOptions, type SandboxStatus } from "./sandbox.ts";

export interface PythonInstallation {
  executable: string;
  /** Paths it cannot start without. */
  readable: string[];
  version: string;
}

/** How long starting a process may take before the sandbox counts as broken. */
const startSeconds = 30;

/** A python3 of 3.8 or later: `wanted`, else the system's own, else the first on PATH. Wrappers such as pyenv's shims are followed. */
export function findPython(wanted?: string): PythonInstallation | undefined {
  const folders = (process.env.PATH ?? "").split(path.delimiter).filter((folder) => path.isAbsolute(folder));
  const candidates =
    wanted !== undefined ? [wanted] : ["/usr/bin", "/usr/local/bin", ...folders].map((folder) => `${folder}/python3`);
  for (const file of new Set(candidates)) {
    if (!existsSync(file)) continue;
    const asked = spawnSync(file, ["-I", "-S", "-c", describePython], { encoding: "utf8", timeout: 20_000 });
    if (asked.status !== 0) continue;
    try {
      return JSON.parse(asked.stdout) as PythonInstallation;
    } catch {
      // Something else of that name.
    }
  }
  return undefined;
}

const describePython = `
import json, os, sys, sysconfig
if sys.version_info < (3, 8): sys.exit(1)
executable = os.path.realpath(sys.executable)
readable = [executable, sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib"), "/usr/share/zoneinfo"]
if sys.base_prefix not in ("/", "/usr"): readable.append(os.path.join(sys.base_prefix, "lib"))
print(json.dumps({"executable": executable, "readable": readable, "version": "%d.%d.%d" % sys.version_info[:3]}))
`;

export interface PythonSandboxOptions {
  python: PythonInstallation;
  /** Left out: the program runs under the user's own account. */
  launcher: Launcher | undefined;
  /** Programs at a time. */
  workers: number;
}

export function pythonSandbox({ python, launcher, workers }: PythonSandboxOptions): Sandbox {
  const queue = new Queue(workers);
  const running = new Set<ChildProcess>();
  const plain = { file: python.executable, args: ["-I", "-S", "-B", "-X", "utf8", "-c", pythonDriver] };
  const command = launcher === undefined ? dieWithParent(plain) : launcher.wrap(plain, python.readable);
  let isClosed = false;
  return {
    kind: launcher === undefined ? "python3 without isolation" : `python3 in ${launcher.name}`,
    strength: launcher === undefined ? "guard" : "kernel",
    description:
      launcher === undefined
        ? `Python ${python.version} under your own account: a guard inside the interpreter and resource limits, no isolation around it.`
        : `Python ${python.version}, a fresh process for each program: no rights, no network, no other processes, an empty read-only file system (${launcher.name}), and resource limits.`,
    run: (program, limits = {}, signal) =>
      queue.run(async () => {
        if (isClosed) return { status: "error", milliseconds: 0, output: "the sandbox has been closed" };
        return runOnce(command, program, limits, launcher !== undefined, running, signal);
      }, signal),
    async close() {
      isClosed = true;
      for (const child of running) killAll(child);
      launcher?.close();
    },
  };
}

async function runOnce(
  command: { file: string; args: string[] },
  program: string,
  options: SandboxRunOptions,
  isolated: boolean,
  running: Set<ChildProcess>,
  signal: AbortSignal | undefined,
): Promise<SandboxResult> {
  const { seconds = defaultLimits.seconds, megabytes = defaultLimits.megabytes, moduleName = "__main__", guard = true } = options;
  const environment = isolated ? launchEnvironment : {};
  const child = spawn(command.file, command.args, {
    cwd: "/",
    env: environment,
    detached: true,
    windowsHide: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
  });
  running.add(child);
  const [standardOutput, standardError] = [new OutputTail(), new OutputTail()];
  const channel = child.stdio[3] as Duplex;
  const secret = randomBytes(16).toString("hex");
  let startedAt: number | undefined;
  let stopped: { status: SandboxStatus; ending: string } | undefined;
  let reply = "";
  let timer: NodeJS.Timeout | undefined;

  const stop = (status: SandboxStatus, ending: string) => {
    stopped ??= { status, ending };
    killAll(child);
  };
  const onAbort = () => stop("error", "cancelled");

  try {
    await new Promise<void>((resolve) => {
      timer = setTimeout(() => stop("error", `python3 did not start within ${startSeconds} seconds`), startSeconds * 1000);
      signal?.addEventListener("abort", onAbort, { once: true });
      child.on("error", (error) => {
        stopped ??= { status: "error", ending: `cannot start ${command.file}: ${error.message}` };
        resolve();
      });
      child.on("close", () => resolve());
      for (const [stream, tail] of [
        [child.stdout!, standardOutput],
        [child.stderr!, standardError],
      ] as const) {
        stream.on("error", () => {});
        stream.on("data", (chunk: Buffer) => {
          tail.add(chunk);
          if (tail.size > floodBytes) stop("fail", `stopped: it printed more than ${floodBytes / 1048576} MiB`);
        });
      }
      channel.on("error", () => {});
      channel.on("data", (chunk: Buffer) => {
        // The verdict is short; what is longer was written by the program.
        if (reply.length < 65_536) reply += chunk.toString("utf8");
        if (startedAt === undefined && reply.startsWith("ready\n")) {
          startedAt = performance.now();
          clearTimeout(timer);
          timer = setTimeout(() => stop("timeout", `stopped after ${seconds} s`), seconds * 1000);
        }
        // Whatever is left of the process has nothing more to say.
        if (/^ready\n.*\n/.test(reply)) killAll(child);
      });
      const source = Buffer.from(program, "utf8");
      const request = { megabytes, seconds: Math.ceil(seconds), name: moduleName, guard, bytes: source.length, strict: isolated };
      channel.write(`${JSON.stringify(request)}\n`);
      channel.write(source);
      channel.write(`${secret}\n`);
    });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    killAll(child);
    channel.destroy();
    running.delete(child);
  }
  signal?.throwIfAborted();
  const milliseconds = startedAt === undefined ? 0 : performance.now() - startedAt;
  const verdict = stopped ?? readVerdict(reply, secret, child, standardError.text());
  return {
    status: verdict.status,
    milliseconds,
    output: composeOutput(standardOutput.text(), standardError.text(), verdict.ending),
  };
}

function readVerdict(
  reply: string,
  secret: string,
  child: ChildProcess,
  standardError: string,
): { status: SandboxStatus; ending: string } {
  const [ready, line] = reply.split("\n");
  if (ready !== "ready") {
    return { status: "error", ending: `python3 did not start (${line === undefined || ready === "" ? how(child) : ready})` };
  }
  let answer: { status?: unknown; message?: unknown; secret?: unknown } = {};
  try {
    answer = (JSON.parse(line ?? "") ?? {}) as typeof answer;
  } catch {
    // Ended without a verdict.
  }
  const message = typeof answer.message === "string" ? answer.message : "";
  if (answer.status === "end" && answer.secret === secret) return { status: "pass", ending: message };
  if (answer.status === "fail" || answer.status === "memory" || answer.status === "refused") {
    return { status: answer.status, ending: message };
  }
  if (child.signalCode === "SIGXCPU") return { status: "timeout", ending: "stopped: its processor time was used up" };
  // Nobody here has killed it, so the system has, for want of memory.
  if (child.signalCode === "SIGKILL" || child.exitCode === 137) return { status: "memory", ending: "killed by the system" };
  if (/MemoryError|[Oo]ut of memory/.test(standardError.slice(-2000))) return { status: "memory", ending: how(child) };
  return { status: "fail", ending: `ended before its last line (${how(child)})` };
}

function how(child: ChildProcess): string {
  return child.signalCode !== null ? child.signalCode : `exit code ${child.exitCode}`;
}
