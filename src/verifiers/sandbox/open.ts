/** Picks where programs of a model are run: the strongest kind that proves itself on this machine. */
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import path from "node:path";
import { type CallSpecs, checkCall, choice, flag, text, whole } from "#kernel/call-options.ts";
import { messageOf, userError } from "#kernel/errors.ts";
import { installLine, partMissingBy, pyodide } from "#kernel/optional-parts.ts";
import { killAll, type Launcher, launchEnvironment, launchers } from "./launch.ts";
import { pyodideSandbox } from "./pyodide.ts";
import { findPython, pythonSandbox } from "./python.ts";
import type { Sandbox } from "./sandbox.ts";

export interface OpenSandboxOptions {
  /** `process`: python3 held by the operating system. `pyodide`: CPython as WebAssembly. `auto`, the default: the first that works. */
  prefer?: "auto" | "process" | "pyodide";
  /** Use python3 under the user's own account when nothing else works. Off unless the user insists. */
  allowBare?: boolean;
  /** Programs at a time; a process each. Cores when left out, at most 8 (2 with Pyodide). */
  workers?: number;
  /** The python3 to use instead of the one found. */
  python?: string;
  /** Only this way of holding a process; `none` is the bare account, or Pyodide with Node's permission model alone. */
  isolation?: "bubblewrap" | "namespaces" | "none";
}

const specs: CallSpecs<OpenSandboxOptions> = {
  prefer: choice("where programs run", ["auto", "process", "pyodide"]),
  allowBare: flag("use python3 under the user's own account when nothing else works"),
  workers: whole("programs at a time", 1),
  python: text("the python3 to use"),
  isolation: choice("how a process is held", ["bubblewrap", "namespaces", "none"]),
};

interface Candidate {
  name: string;
  open(): Promise<Sandbox>;
}

/**
 * The strongest kind that passes its own trial, in this order: python3 in bubblewrap, python3 in namespaces, Pyodide in either, Pyodide
 * under Node's permission model, and python3 on the bare account if `allowBare`. Throws a user error that says why each was passed over.
 */
export async function openSandbox(options: OpenSandboxOptions = {}): Promise<Sandbox> {
  const failures: { name: string; error: Error }[] = [];
  for (const candidate of candidates(options)) {
    try {
      return await candidate.open();
    } catch (error) {
      failures.push({ name: candidate.name, error: error as Error });
    }
  }
  const lacksPyodide = failures.some(({ error }) => partMissingBy(error) === pyodide);
  if (lacksPyodide && options.prefer === "pyodide") throw failures.find(({ error }) => partMissingBy(error) === pyodide)!.error;
  const reasons = failures.map(({ name, error }) => `${name}: ${messageOf(error)}`);
  const tried = reasons.length === 0 ? "nothing that was asked for exists here" : reasons.join("; ");
  throw userError(
    "no-sandbox",
    `There is no safe place to run programs on this machine (${tried}).`,
    `Install python3 and bubblewrap (Linux), ${lacksPyodide ? `add Pyodide (${installLine(pyodide)})` : "allow Pyodide"}, or insist on running them under your own account with --allow-bare.`,
  );
}

/** Every kind that works here, each opened; for the self-test. Closing them is the caller's. */
export async function openEverySandbox(options: OpenSandboxOptions = {}): Promise<{ opened: Sandbox[]; failed: string[] }> {
  const opened: Sandbox[] = [];
  const failed: string[] = [];
  for (const candidate of candidates(options)) {
    // Pyodide is Pyodide, whoever it runs as.
    if (opened.some((sandbox) => sandbox.kind === "Pyodide") && candidate.name === "Pyodide") continue;
    try {
      opened.push(await candidate.open());
    } catch (error) {
      failed.push(`${candidate.name}: ${messageOf(error)}`);
    }
  }
  return { opened, failed };
}

function candidates(options: OpenSandboxOptions): Candidate[] {
  checkCall("openSandbox", specs, options);
  const { prefer = "auto", allowBare = false, isolation } = options;
  const cores = os.availableParallelism();
  const workers = options.workers ?? Math.min(cores, 8);
  const pyodideWorkers = options.workers ?? Math.min(cores, 2);
  const holders = launchers().filter((launcher) => isolation === undefined || isolation === launcher.name);
  const unheld = isolation === undefined || isolation === "none";
  const list: Candidate[] = [];

  const openPython = (launcher: Launcher | undefined) => async () => {
    const python = findPython(options.python);
    if (python === undefined) throw new Error(`no python3 of 3.8 or later${options.python ? ` at ${options.python}` : ""}`);
    if (launcher !== undefined) await prove(launcher);
    return tried(pythonSandbox({ python, launcher, workers }));
  };
  const openPyodide = (launcher: Launcher | undefined, asNobody: boolean) => async () => {
    if (launcher !== undefined) await prove(launcher);
    const sandbox = pyodideSandbox({ launcher, asNobody, workers: pyodideWorkers });
    await sandbox.start().catch(async (error) => {
      await sandbox.close();
      throw error;
    });
    return tried(sandbox);
  };

  if (prefer !== "pyodide") {
    for (const launcher of holders) list.push({ name: `python3 in ${launcher.name}`, open: openPython(launcher) });
  }
  if (prefer !== "process") {
    for (const launcher of holders) list.push({ name: `Pyodide in ${launcher.name}`, open: openPyodide(launcher, false) });
    if (unheld && process.getuid?.() === 0) list.push({ name: "Pyodide as nobody", open: openPyodide(undefined, true) });
    if (unheld) list.push({ name: "Pyodide", open: openPyodide(undefined, false) });
  }
  if (prefer !== "pyodide" && allowBare && unheld) list.push({ name: "python3 without isolation", open: openPython(undefined) });
  return list;
}

async function tried(sandbox: Sandbox): Promise<Sandbox> {
  const result = await sandbox.run("print(6 * 7)", { seconds: 30 });
  if (result.status === "pass" && result.output === "42\n") return sandbox;
  await sandbox.close();
  throw new Error(`a trial program ended with ${result.status}: ${result.output.slice(-300)}`);
}

/** Throws unless a process started by this launcher can neither see a file of ours, nor reach our network, nor write, nor is root. */
async function prove(launcher: Launcher): Promise<void> {
  const folder = mkdtempSync(path.join(os.tmpdir(), "midcourse-proof-"));
  const canary = path.join(folder, "canary");
  writeFileSync(canary, randomBytes(8).toString("hex"), { mode: 0o644 });
  const server = net.createServer((socket) => socket.destroy());
  try {
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as net.AddressInfo;
    const script = `
const fs = require("node:fs"), net = require("node:net");
const found = [];
for (const file of [${JSON.stringify(canary)}, "/etc/passwd", "/proc/1/status"]) if (fs.existsSync(file)) found.push("sees " + file);
for (const file of ["/midcourse-proof", "/usr/lib/midcourse-proof"]) try { fs.writeFileSync(file, ""); found.push("writes " + file); } catch {}
const done = () => { console.log("found:" + JSON.stringify(found)); process.exit(0); };
const socket = net.connect(${port}, "127.0.0.1", () => { found.push("reaches the network"); done(); });
socket.on("error", done);`;
    const command = launcher.wrap({ file: process.execPath, args: ["-e", script] }, [process.execPath]);
    const output = await outputOf(command);
    const found = /^found:(.*)$/m.exec(output)?.[1];
    if (found === undefined) throw new Error(`cannot be used here (${output.trim().slice(-200) || "no reply"})`);
    if (found !== "[]") throw new Error(`does not hold a process here: ${found}`);
  } catch (error) {
    launcher.close();
    throw error;
  } finally {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function outputOf(command: { file: string; args: string[] }): Promise<string> {
  return new Promise((resolve) => {
    const child = spawn(command.file, command.args, {
      cwd: "/",
      env: launchEnvironment,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    const timer = setTimeout(() => killAll(child), 30_000);
    let output = "";
    for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => (output += chunk.toString("utf8")));
    child.on("error", (error) => (output += error.message));
    child.on("close", () => {
      clearTimeout(timer);
      resolve(output);
    });
  });
}
