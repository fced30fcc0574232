/** The command line as a process of its own, as a user runs it. */
import { type ChildProcess, spawn } from "node:child_process";
import path from "node:path";

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
  input = "",
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
  input = "",
): Promise<Finished> {
  return launch(words, environment, input).finished;
}
