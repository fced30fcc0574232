/** Runs programs in a fresh python3 process each, started by a launcher (or, if the user insists, by nobody). */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import path from "node:path";
import type { Duplex } from "node:stream";
import { setTimeout as pause } from "node:timers/promises";
import { pythonDriver } from "./harness.ts";
import { dieWithParent, killAll, type Launcher, launchEnvironment } from "./launch.ts";
import { composeOutput, floodBytes, OutputTail, Queue } from "./running.ts";
import {
  defaultLimits,
  ownObjects,
  type Sandbox,
  type SandboxResult,
  type SandboxRunOptions,
  type SandboxStatus,
} from "./sandbox.ts";

export interface PythonInstallation {
  executable: string;
  /** Paths it cannot start without. */
  readable: string[];
  version: string;
}

/** How long starting a process may take before the sandbox counts as broken. */
const startSeconds = 30;
/** How long the system may take to tell how a process ended that no longer answers. */
const endMilliseconds = 500;

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
    forging:
      launcher === undefined
        ? `A program runs under the same account as its judge and could read and write that process's memory. ${ownObjects}`
        : ownObjects,
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
  const secret = randomBytes(16).toString("hex");
  const parts: PythonPart[] = [];
  const [standardOutput, standardError] = [new OutputTail(), new OutputTail()];
  let startedAt: number | undefined;
  let stopped: { status: SandboxStatus; ending: string } | undefined;
  let timer: NodeJS.Timeout | undefined;

  const stop = (status: SandboxStatus, ending: string) => {
    stopped ??= { status, ending };
    for (const { child } of parts) killAll(child);
  };
  const onAbort = () => stop("error", "cancelled");
  const launch = (role: PythonPart["role"], source: string): PythonPart => {
    const environment = isolated ? launchEnvironment : {};
    const child = spawn(command.file, command.args, {
      cwd: "/",
      env: environment,
      detached: true,
      windowsHide: true,
      stdio: role === "alone" ? ["ignore", "pipe", "pipe", "pipe"] : ["ignore", "pipe", "pipe", "pipe", "pipe"],
    });
    const [channel, talk] = [child.stdio[3] as Duplex, child.stdio[4] as Duplex | undefined];
    const part: PythonPart = { role, child, channel, talk, reply: "", closed: Promise.resolve() };
    running.add(child);
    parts.push(part);
    part.closed = new Promise((resolve) => {
      child.on("error", (error) => {
        stopped ??= { status: "error", ending: `cannot start ${command.file}: ${error.message}` };
        resolve();
      });
      child.on("close", () => resolve());
    });
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
      if (part.reply.length < 65_536) part.reply += chunk.toString("utf8");
      if (startedAt === undefined && parts.every(({ reply }) => reply.startsWith("ready\n"))) {
        startedAt = performance.now();
        clearTimeout(timer);
        timer = setTimeout(() => stop("timeout", `stopped after ${seconds} s`), seconds * 1000);
      }
      // Whatever is left of the process has nothing more to say.
      if (role !== "candidate" && /^ready\n.*\n/.test(part.reply)) killAll(child);
    });
    const data = Buffer.from(source, "utf8");
    const request = {
      megabytes,
      seconds: Math.ceil(seconds),
      name: moduleName,
      guard,
      bytes: data.length,
      strict: isolated,
      role,
    };
    channel.write(`${JSON.stringify(request)}\n`);
    channel.write(data);
    if (role !== "candidate") channel.write(`${secret}\n`);
    return part;
  };

  let main: PythonPart;
  let candidate: PythonPart | undefined;
  try {
    timer = setTimeout(() => stop("error", `python3 did not start within ${startSeconds} seconds`), startSeconds * 1000);
    signal?.addEventListener("abort", onAbort, { once: true });
    if (options.candidate === undefined) main = launch("alone", program);
    else {
      candidate = launch("candidate", options.candidate);
      main = launch("judge", program);
      join(candidate.talk!, main.talk!);
      join(main.talk!, candidate.talk!);
    }
    await main.closed;
    if (candidate !== undefined) {
      // One that is gone is given the moment in which the system says how it ended.
      const isGone = main.reply.includes('"status": "gone"');
      const ended = isGone && (await Promise.race([candidate.closed.then(() => true), pause(endMilliseconds, false)]));
      if (isGone && !ended) stop("fail", "it stopped answering its tests");
      killAll(candidate.child);
      await candidate.closed;
    }
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
    for (const { child, channel, talk } of parts) {
      killAll(child);
      channel.destroy();
      talk?.destroy();
      running.delete(child);
    }
  }
  signal?.throwIfAborted();
  const milliseconds = startedAt === undefined ? 0 : performance.now() - startedAt;
  const verdict = stopped ?? readVerdict(main, candidate, secret, standardError.text());
  return {
    status: verdict.status,
    milliseconds,
    output: composeOutput(standardOutput.text(), standardError.text(), verdict.ending),
  };
}

/** One process of a run: a program alone, or a judge and its candidate. */
interface PythonPart {
  role: "alone" | "judge" | "candidate";
  child: ChildProcess;
  /** Descriptor 3: what is to be run, and the verdict. */
  channel: Duplex;
  /** Descriptor 4: what judge and candidate say to each other. */
  talk: Duplex | undefined;
  reply: string;
  closed: Promise<void>;
}

/** Hands on what one says to the other, no faster than it listens, and its end. */
function join(from: Duplex, to: Duplex): void {
  from.on("error", () => {});
  from.pipe(to);
  from.on("close", () => to.end());
}

function readVerdict(
  main: PythonPart,
  candidate: PythonPart | undefined,
  secret: string,
  standardError: string,
): { status: SandboxStatus; ending: string } {
  for (const { reply, child } of candidate === undefined ? [main] : [main, candidate]) {
    const [ready, line] = reply.split("\n");
    if (ready === "ready") continue;
    // A candidate that is not there yet when its judge ends was ended with it.
    return { status: "error", ending: `python3 did not start (${line === undefined || ready === "" ? how(child) : ready})` };
  }
  let answer: { status?: unknown; message?: unknown; secret?: unknown } = {};
  try {
    answer = (JSON.parse(main.reply.split("\n")[1] ?? "") ?? {}) as typeof answer;
  } catch {
    // Ended without a verdict.
  }
  const message = typeof answer.message === "string" ? answer.message : "";
  if (answer.status === "end" && answer.secret === secret) return { status: "pass", ending: message };
  if (answer.status === "fail" || answer.status === "memory" || answer.status === "refused") {
    return { status: answer.status, ending: message };
  }
  const { child } = answer.status === "gone" && candidate !== undefined ? candidate : main;
  if (child.signalCode === "SIGXCPU") return { status: "timeout", ending: "stopped: its processor time was used up" };
  // Nobody here has killed it, so the system has, for want of memory.
  if (child.signalCode === "SIGKILL" || child.exitCode === 137) return { status: "memory", ending: "killed by the system" };
  if (/MemoryError|[Oo]ut of memory/.test(standardError.slice(-2000))) return { status: "memory", ending: how(child) };
  return { status: "fail", ending: `ended before its last line (${how(child)})` };
}

function how(child: ChildProcess): string {
  return child.signalCode !== null ? child.signalCode : `exit code ${child.exitCode}`;
}
