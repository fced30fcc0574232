/** The command line as a user runs it: as a process of its own, or in this one with its output caught. */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";
import { Command } from "commander";
import { vi } from "vitest";
import { registerCommands } from "#cli/commands.ts";

const root = path.resolve(import.meta.dirname, "../..");

export interface Finished {
  code: number | null;
  output: string;
  errors: string;
}

export interface Launched {
  child: ChildProcess;
  finished: Promise<Finished>;
}

/** `environment` goes over the present one; undefined takes a variable away. `input` is all of its standard input. */
export function launch(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  input: string | Uint8Array = "",
): Launched {
  const child = spawn(process.execPath, [path.join(root, "src/cli/main.ts"), ...words], {
    cwd: root,
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, ...environment },
  });
  let output = "";
  let errors = "";
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  child.stdout.setEncoding("utf8").on("data", (piece) => {
    output += piece;
  });
  child.stderr.setEncoding("utf8").on("data", (piece) => {
    errors += piece;
  });
  const finished = new Promise<Finished>((resolve) => child.on("close", (code) => resolve({ code, output, errors })));
  return { child, finished };
}

export function runCommand(
  words: readonly string[],
  environment: Readonly<Record<string, string | undefined>> = {},
  input: string | Uint8Array = "",
): Promise<Finished> {
  return launch(words, environment, input).finished;
}

const signals = ["SIGINT", "SIGTERM"] as const;

/** Standard output of `midcourse …`, run in this process. */
export async function midcourse(...words: string[]): Promise<string> {
  let output = "";
  const before = new Set<unknown>(signals.flatMap((name) => process.listeners(name)));
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  const program = new Command().exitOverride();
  registerCommands(program);
  try {
    await program.parseAsync(words, { from: "user" });
    return output;
  } finally {
    vi.restoreAllMocks();
    // A command listens for Ctrl-C until its process ends, and this one goes on.
    for (const name of signals) for (const each of process.listeners(name)) if (!before.has(each)) process.off(name, each);
  }
}
