/** Runs programs in Pyodide (CPython as WebAssembly), each of a few processes taking one program at a time. */
import { type ChildProcess, spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import { createInterface } from "node:readline";
import type { Duplex } from "node:stream";
import { fileURLToPath } from "node:url";
import { pyodide, requirePart } from "#kernel/optional-parts.ts";
import { jsonIn } from "#kernel/values.ts";
import { harnessSource, preload } from "./harness.ts";
import { descendants, dieWithParent, killAll, type Launcher, launchEnvironment } from "./launch.ts";
import type { PyodideGreeting, PyodideReply, PyodideRequest, PyodideSetup, PyodideTalk } from "./pyodide-child.ts";
import { composeOutput, floodBytes, Queue } from "./running.ts";
import {
  defaultLimits,
  ownObjects,
  type Sandbox,
  type SandboxResult,
  type SandboxRunOptions,
  type SandboxStatus,
} from "./sandbox.ts";

export interface PyodideSandboxOptions {
  launcher: Launcher | undefined;
  /** Start the process as the user that owns nothing; only root can. */
  asNobody: boolean;
  /** Programs at a time; a process takes about 170 MB. */
  workers: number;
}

const startSeconds = 90;
/** What the process may grow by beside Python's own memory. */
const slackMegabytes = 256;

export function pyodideSandbox({ launcher, asNobody, workers }: PyodideSandboxOptions): Sandbox & { start(): Promise<void> } {
  const queue = new Queue(workers);
  const idle: PyodideProcess[] = [];
  const all = new Set<PyodideProcess>();
  let isClosed = false;

  function launch(): PyodideProcess {
    const started = new PyodideProcess(launcher, asNobody);
    all.add(started);
    return started;
  }

  function putBack(used: PyodideProcess): void {
    if (!isClosed && used.isUsable) {
      idle.push(used);
      return;
    }
    used.kill();
    all.delete(used);
    // The next program does not wait for the start. One that never started would not the second time either.
    if (!isClosed && used.hasStarted) idle.push(launch());
  }

  return {
    kind: launcher === undefined ? "Pyodide" : `Pyodide in ${launcher.name}`,
    strength: launcher === undefined ? "runtime" : "kernel",
    description:
      launcher === undefined
        ? "Python as WebAssembly in a process of its own under Node's permission model: no writing, no processes, nothing to read but Pyodide itself; the network is only taken away from JavaScript, not closed by the system."
        : `Python as WebAssembly in a process without rights or network and with an empty read-only file system (${launcher.name}), under Node's permission model besides.`,
    forging: ownObjects,
    async start() {
      const first = idle.pop() ?? launch();
      try {
        await first.started;
      } finally {
        putBack(first);
      }
    },
    run: (program, limits = {}, signal) =>
      queue.run(async () => {
        if (isClosed) return { status: "error", milliseconds: 0, output: "the sandbox has been closed" };
        const used = idle.pop() ?? launch();
        try {
          if (limits.candidate === undefined) return composed(await used.run("alone", program, limits, signal));
          const other = idle.pop() ?? launch();
          try {
            return await judged(used, program, other, limits.candidate, limits, signal);
          } finally {
            putBack(other);
          }
        } finally {
          putBack(used);
        }
      }, signal),
    async close() {
      isClosed = true;
      for (const each of all) each.kill();
      all.clear();
      launcher?.close();
    },
  };
}

/** What a run came to, before it is put into a few words. */
interface PyodideRun {
  status: SandboxStatus | "gone";
  milliseconds: number;
  standardOutput: string;
  standardError: string;
  message: string;
}

function composed({ status, milliseconds, standardOutput, standardError, message }: PyodideRun): SandboxResult {
  const output = composeOutput(standardOutput, standardError, message);
  return { status: status === "gone" ? "fail" : status, milliseconds, output };
}

/** Of what a program says to its judge. More is no answer to any call. */
const mostTalk = 64 * 1024 * 1024;
/** How long a candidate may take to end once its judge has. */
const endMilliseconds = 1000;

async function judged(
  judge: PyodideProcess,
  tests: string,
  candidate: PyodideProcess,
  program: string,
  options: SandboxRunOptions,
  signal: AbortSignal | undefined,
): Promise<SandboxResult> {
  // Neither one's time runs while the other starts. What went wrong is told by the run itself.
  await Promise.allSettled([judge.started, candidate.started]);
  const { seconds = defaultLimits.seconds } = options;
  let said = 0;
  const judging = judge.run("judge", tests, { ...options, seconds: seconds + 1 }, signal, (talk) => candidate.tell(talk));
  const answering = candidate.run("candidate", program, options, signal, (talk) => {
    said += talk.length;
    if (said > mostTalk) candidate.kill();
    else judge.tell(talk);
  });
  let isOver = false;
  void answering.then(
    () => {
      if (!isOver) judge.tell("");
    },
    () => {},
  );
  let timer: NodeJS.Timeout | undefined;
  try {
    const verdict = await judging;
    isOver = true;
    candidate.tell("");
    timer = setTimeout(() => candidate.kill(), endMilliseconds);
    const answers = await answering;
    const standardOutput = answers.standardOutput + verdict.standardOutput;
    const standardError = answers.standardError + verdict.standardError;
    const { milliseconds } = verdict;
    if (verdict.status !== "gone") return composed({ ...verdict, standardOutput, standardError });
    const status = answers.status === "pass" ? "fail" : answers.status;
    return composed({ status, milliseconds, standardOutput, standardError, message: answers.message || verdict.message });
  } finally {
    clearTimeout(timer);
    // Where one was called off the other has been as well.
    await Promise.allSettled([judging, answering]);
  }
}

class PyodideProcess {
  /** Rejects, with the end of what it wrote, when the process cannot be started. */
  readonly started: Promise<void>;
  isUsable = true;
  hasStarted = false;
  readonly #child: ChildProcess;
  readonly #requests: Duplex;
  readonly #replies: Duplex;
  readonly #lines: AsyncIterator<string>;
  #errors = "";
  #isRunning = false;

  constructor(launcher: Launcher | undefined, asNobody: boolean) {
    const { resolve } = createRequire(import.meta.url);
    requirePart(pyodide, resolve);
    const folder = path.dirname(resolve("pyodide/package.json"));
    const script = fileURLToPath(new URL("./pyodide-child.ts", import.meta.url));
    const confined = ["--permission", `--allow-fs-read=${folder}${path.sep}`, `--allow-fs-read=${script}`];
    const flags = [...confined, "--disallow-code-generation-from-strings", "--max-old-space-size=256", "--no-warnings"];
    const plain = { file: process.execPath, args: [...flags, script, folder] };
    const command = launcher === undefined ? dieWithParent(plain) : launcher.wrap(plain, [process.execPath, folder, script]);
    this.#child = spawn(command.file, command.args, {
      cwd: path.parse(folder).root,
      env: launcher === undefined ? {} : launchEnvironment,
      detached: true,
      windowsHide: true,
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      ...(asNobody ? { uid: 65_534, gid: 65_534 } : {}),
    });
    this.#child.on("error", (error) => {
      this.#errors += error.message;
      this.isUsable = false;
    });
    this.#child.on("close", () => {
      this.isUsable = false;
    });
    this.#child.stderr!.on("data", (chunk: Buffer) => {
      this.#errors = (this.#errors + chunk.toString("utf8")).slice(-2000);
    });
    [this.#requests, this.#replies] = [this.#child.stdio[3] as Duplex, this.#child.stdio[4] as Duplex];
    this.#requests.on("error", () => {});
    this.#replies.on("error", () => {});
    this.#lines = createInterface({ input: this.#replies })[Symbol.asyncIterator]();
    this.started = this.#start();
    // Told to whoever runs a program in it.
    this.started.catch(() => {});
  }

  async #start(): Promise<void> {
    const timer = setTimeout(() => this.kill(), startSeconds * 1000);
    const setup: PyodideSetup = { harness: harnessSource + preload, floodBytes };
    this.#send(setup);
    const greeting = await this.#receive<PyodideGreeting>();
    clearTimeout(timer);
    if (greeting === undefined) {
      this.kill();
      throw new Error(`Pyodide did not start: ${this.#errors.trim().slice(-600) || "the process ended"}`);
    }
    if (!greeting.isConfined) {
      this.kill();
      throw new Error("Pyodide's process is not held by Node's permission model");
    }
    this.hasStarted = true;
    if (!this.#isRunning) this.#hold(false);
  }

  /** Rejects when aborted, and when the process cannot be started the result says `error`. */
  async run(
    role: PyodideRequest["role"],
    program: string,
    options: SandboxRunOptions,
    signal: AbortSignal | undefined,
    onTalk: (talk: string) => void = () => {},
  ): Promise<PyodideRun> {
    const {
      seconds = defaultLimits.seconds,
      megabytes = defaultLimits.megabytes,
      moduleName = "__main__",
      guard = true,
    } = options;
    this.#isRunning = true;
    this.#hold(true);
    const onAbort = () => this.kill();
    signal?.addEventListener("abort", onAbort, { once: true });
    const nothing = { standardOutput: "", standardError: "" };
    let stopped: PyodideRun | undefined;
    let timer: NodeJS.Timeout | undefined;
    let watch: NodeJS.Timeout | undefined;
    try {
      await this.started;
      const startedAt = performance.now();
      const stop = (status: "timeout" | "memory", message: string) => {
        stopped ??= { ...nothing, status, milliseconds: performance.now() - startedAt, message };
        this.kill();
      };
      timer = setTimeout(() => stop("timeout", `stopped after ${seconds} s`), seconds * 1000);
      const before = this.#residentBytes();
      watch = setInterval(() => {
        const grown = this.#residentBytes() - before;
        if (grown > (megabytes + slackMegabytes) * 1_048_576) stop("memory", "stopped: it took too much memory");
      }, 50);
      this.#send({ program: program.toWellFormed(), moduleName, guard, megabytes, role });
      let reply = await this.#receive<PyodideReply | PyodideTalk>();
      while (reply !== undefined && "talk" in reply) {
        onTalk(reply.talk);
        reply = await this.#receive<PyodideReply | PyodideTalk>();
      }
      signal?.throwIfAborted();
      if (stopped !== undefined) return stopped;
      if (reply === undefined) {
        this.isUsable = false;
        const milliseconds = performance.now() - startedAt;
        const isMemory = /memory|heap limit/i.test(this.#errors);
        const message = `its process ended: ${this.#errors.slice(-400)}`;
        return { ...nothing, status: isMemory ? "memory" : "fail", milliseconds, message };
      }
      if (reply.isSpent) this.isUsable = false;
      const [standardOutput, standardError] = [reply.standardOutput, reply.standardError].map(decode);
      const { message, milliseconds } = reply;
      return { status: reply.status === "end" ? "pass" : reply.status, milliseconds, standardOutput, standardError, message };
    } catch (error) {
      signal?.throwIfAborted();
      this.kill();
      return { ...nothing, status: "error", milliseconds: 0, message: (error as Error).message };
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      signal?.removeEventListener("abort", onAbort);
      this.#isRunning = false;
      this.#hold(false);
    }
  }

  /** What the other side of a conversation says; nothing when it is gone. */
  tell(talk: string): void {
    if (this.isUsable) this.#send({ talk });
  }

  kill(): void {
    this.isUsable = false;
    killAll(this.#child);
    this.#requests.destroy();
  }

  #send(value: PyodideSetup | PyodideRequest | PyodideTalk): void {
    this.#requests.write(`${JSON.stringify(value)}\n`);
  }

  async #receive<T>(): Promise<T | undefined> {
    const { value, done } = await this.#lines.next();
    return done ? undefined : (jsonIn(value) as T | undefined);
  }

  /** A process that waits for work does not keep ours alive; it ends when what it reads does. */
  #hold(isNeeded: boolean): void {
    for (const part of [this.#child, this.#requests, this.#replies, this.#child.stderr] as unknown as {
      ref?(): void;
      unref?(): void;
    }[]) {
      if (isNeeded) part.ref?.();
      else part.unref?.();
    }
  }

  /** 0 where the system does not tell. */
  #residentBytes(): number {
    const { pid } = this.#child;
    if (pid === undefined || process.platform !== "linux") return 0;
    return [pid, ...descendants(pid)].reduce((sum, each) => sum + residentBytes(each), 0);
  }
}

function residentBytes(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]) * 4096;
  } catch {
    return 0;
  }
}

function decode(base64: string): string {
  return Buffer.from(base64, "base64").toString("utf8");
}
