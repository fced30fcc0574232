/**
 * The process that Pyodide lives in. It is started with Node's permission model (no writing, no processes, no threads, no native code, and
 * nothing to read but Pyodide's own files), without an environment and without making code from strings. It imports nothing of ours, so
 * that nothing of ours need be readable to it.
 *
 * Each line on descriptor 3 is a request or a piece of what a judge and its candidate in another such process say to each other; each line on
 * descriptor 4 a reply or such a piece. They are read and written at once, not in turns, because Python waits for them; the standard streams
 * cannot be, for loading Pyodide makes them refuse instead of waiting. Arguments: Pyodide's folder. The first line holds the Python to set up with. Memory is put back after every program as it was before, byte for byte,
 * so programs cannot leave anything to those that follow.
 */
import dgram from "node:dgram";
import { constants, readSync, writeSync } from "node:fs";
import net from "node:net";
import os from "node:os";
import { pathToFileURL } from "node:url";
import type { PyodideInterface } from "pyodide";

export interface PyodideSetup {
  harness: string;
  floodBytes: number;
}

export interface PyodideRequest {
  program: string;
  moduleName: string;
  guard: boolean;
  megabytes: number;
  role: "alone" | "judge" | "candidate";
}

/** A piece of a conversation, a character for each byte; empty when the other side is gone. */
export interface PyodideTalk {
  talk: string;
}

export interface PyodideReply {
  status: "end" | "fail" | "memory" | "refused" | "gone";
  message: string;
  milliseconds: number;
  /** Bytes as base64: what a program prints need not be text. */
  standardOutput: string;
  standardError: string;
  /** True when this process should not be used again. */
  isSpent: boolean;
}

export type PyodideGreeting = { ready: true; isConfined: boolean };

/** The one piece of WebAssembly's interface that is needed here; Node's types leave it out. */
declare const WebAssembly: { Memory: { prototype: { buffer: ArrayBuffer; grow(pages: number | bigint): number | bigint } } };

interface PyodideModule {
  HEAPU8: Uint8Array;
}

interface FileStream {
  fd: number;
}

/** Of Emscripten's file system, what makes a device. */
interface FileSystem {
  makedev(major: number, minor: number): number;
  registerDevice(
    device: number,
    operations: Record<string, (stream: FileStream, buffer: Uint8Array, offset: number, length: number) => number>,
  ): void;
  mkdev(path: string, mode: number, device: number): void;
  open(path: string, flags: string): FileStream;
  getStream(descriptor: number): FileStream | null;
}

/** Memory that a program may make the process grow by before the process is replaced; growth cannot be undone. */
const tolerableGrowth = 64 * 1024 * 1024;
const keptOutput = 8000;
/** Files left open stay open outside of Python's memory, so a process is not used for ever. */
const mostPrograms = 500;

const input = Buffer.alloc(65_536);
let pending: Buffer[] = [];

function nextLine<T>(): T | undefined {
  let end = -1;
  while (true) {
    const last = pending[pending.length - 1];
    end = last === undefined ? -1 : last.indexOf(10);
    if (end >= 0) break;
    const count = readSync(3, input);
    if (count === 0) return undefined;
    pending.push(Buffer.from(input.subarray(0, count)));
  }
  const last = pending.pop()!;
  const line = Buffer.concat([...pending, last.subarray(0, end)]).toString("utf8");
  pending = end + 1 < last.length ? [last.subarray(end + 1)] : [];
  return JSON.parse(line) as T;
}

function reply(value: PyodideReply | PyodideGreeting | PyodideTalk): void {
  let rest = Buffer.from(`${JSON.stringify(value)}\n`);
  while (rest.length > 0) rest = rest.subarray(writeSync(4, rest));
}

const setup = nextLine<PyodideSetup>()!;

// A page beyond the limit is refused here, which Python sees as a MemoryError.
let largestMemory = Number.POSITIVE_INFINITY;
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength + Number(pages) * 65_536 > largestMemory) throw new RangeError("memory limit");
  return grow.call(this, pages);
};

// Emscripten asks for these through an interface that the permission model closes.
Object.assign(process, { binding: () => ({ fs: constants, os: os.constants }) });
const folder = process.argv[2] as string;
const { loadPyodide } = (await import(pathToFileURL(`${folder}/pyodide.mjs`).href)) as typeof import("pyodide");
const pyodide: PyodideInterface = await loadPyodide({
  indexURL: `${folder}/`,
  jsglobals: Object.create(null),
  env: { HOME: "/" },
});
const { _module: module } = pyodide as unknown as { _module: PyodideModule };
takeAway();

pyodide.runPython(setup.harness);
const run = pyodide.globals.get("midcourse_perform") as (
  role: string,
  source: string,
  name: string,
  guard: boolean,
  descriptor: number,
) => unknown;
/** What the other side has said and Python has not read yet. */
let heard = Buffer.alloc(0);
const talk = openTalk();
const printed = { out: [] as Uint8Array[], err: [] as Uint8Array[], outSize: 0, errSize: 0 };
let isFlooded = false;
let programs = 0;
pyodide.setStdout({ write: (bytes) => collect("out", bytes) });
pyodide.setStderr({ write: (bytes) => collect("err", bytes) });
pyodide.setStdin({ error: true });

// What is in here is the interpreter before any program.
const fresh = module.HEAPU8.slice();
// Node 22 knows no `process.permission` without the permission model.
const permission = process.permission as { has(scope: string, reference?: string): boolean } | undefined;
const isConfined =
  permission !== undefined &&
  !permission.has("fs.read", "/etc/passwd") &&
  !permission.has("fs.write") &&
  !permission.has("child") &&
  !permission.has("worker");
reply({ ready: true, isConfined });

for (let line = nextLine<PyodideRequest | PyodideTalk>(); line !== undefined; line = nextLine<PyodideRequest | PyodideTalk>()) {
  // What is still said in a conversation that has ended is heard by nobody.
  if (!("talk" in line)) reply(perform(line));
}

/** A device in Python's file system over which judge and candidate talk: JavaScript's side of it is nothing that Python could hold. */
function openTalk(): FileStream {
  const fileSystem = pyodide.FS as unknown as FileSystem;
  const device = fileSystem.makedev(64, 0);
  fileSystem.registerDevice(device, {
    read(_stream, buffer, offset, length) {
      if (heard.length === 0) {
        const line = nextLine<PyodideTalk>();
        heard = Buffer.from(line?.talk ?? "", "latin1");
      }
      const piece = heard.subarray(0, length);
      buffer.set(piece, offset);
      heard = heard.subarray(piece.length);
      return piece.length;
    },
    write(_stream, buffer, offset, length) {
      const piece = buffer.subarray(offset, offset + Math.min(length, 65_536));
      reply({ talk: Buffer.from(piece).toString("latin1") });
      return piece.length;
    },
  });
  fileSystem.mkdev("/dev/midcourse", 0o666, device);
  return fileSystem.open("/dev/midcourse", "r+");
}

function perform(request: PyodideRequest): PyodideReply {
  Object.assign(printed, { out: [], err: [], outSize: 0, errSize: 0 });
  isFlooded = false;
  heard = Buffer.alloc(0);
  largestMemory = fresh.length + request.megabytes * 1_048_576;
  let status: PyodideReply["status"] = "fail";
  let message = "";
  let isSpent = false;
  const startedAt = performance.now();
  try {
    const verdict = JSON.parse(run(request.role, request.program, request.moduleName, request.guard, talk.fd) as string);
    [status, message] = verdict as [PyodideReply["status"], string];
  } catch (error) {
    // The interpreter itself went down: os._exit, a crash, a call that the permission model refused.
    isSpent = true;
    const code = (error as { code?: unknown } | undefined)?.code;
    const text = String((error as Error | undefined)?.message ?? error).slice(0, 400);
    if (code === "ERR_ACCESS_DENIED") [status, message] = ["refused", `refused: ${text}`];
    else if (/memory/i.test(text)) [status, message] = ["memory", text];
    else message = `ended before its last line (${text})`;
  }
  if (isFlooded) [status, message] = ["fail", `stopped: it printed more than ${setup.floodBytes / 1_048_576} MiB`];
  const milliseconds = performance.now() - startedAt;
  programs += 1;
  isSpent ||= programs >= mostPrograms || module.HEAPU8.length > fresh.length + tolerableGrowth;
  // Closed by the program, or put in another's place.
  isSpent ||= (pyodide.FS as unknown as FileSystem).getStream(talk.fd) !== talk;
  if (!isSpent) {
    module.HEAPU8.set(fresh);
    module.HEAPU8.fill(0, fresh.length);
  }
  const [standardOutput, standardError] = [printed.out, printed.err].map((parts) => Buffer.concat(parts).toString("base64"));
  return { status, message, milliseconds, standardOutput, standardError, isSpent };
}

/** Keeps the beginning of what is printed and, past that, the latest piece. */
function collect(stream: "out" | "err", bytes: Uint8Array): number {
  const size = printed[`${stream}Size`];
  printed[`${stream}Size`] += bytes.length;
  if (printed.outSize + printed.errSize > setup.floodBytes) {
    isFlooded = true;
    throw new Error("too much output");
  }
  // The memory under `bytes` is reused.
  if (size < keptOutput) printed[stream].push(bytes.slice());
  else {
    const last = printed[stream].at(-1)!;
    const joined = Buffer.concat([last, bytes]);
    printed[stream][printed[stream].length - 1] = joined.length > 2 * keptOutput ? joined.subarray(-keptOutput) : joined;
  }
  return bytes.length;
}

/** Node's permission model knows no network before version 25, so what could open a connection is taken away from JavaScript. */
function takeAway(): void {
  const refuse = () => {
    throw Object.assign(new Error("the network is not allowed in the sandbox"), { code: "ERR_ACCESS_DENIED" });
  };
  Object.assign(net.Socket.prototype, { connect: refuse });
  Object.assign(net.Server.prototype, { listen: refuse });
  Object.assign(dgram.Socket.prototype, { bind: refuse, connect: refuse, send: refuse });
  Object.assign(process, { binding: refuse, dlopen: refuse, getBuiltinModule: refuse, kill: refuse });
  for (const name of ["fetch", "WebSocket", "EventSource", "XMLHttpRequest", "require"]) Reflect.deleteProperty(globalThis, name);
}
