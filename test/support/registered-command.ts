/** A command of this process, registered as the program registers it; returns what it printed. */
import { Command } from "commander";
import { vi } from "vitest";
import { registerCommands } from "#cli/commands.ts";

const signals = ["SIGINT", "SIGTERM"] as const;

export async function runRegistered(register: (program: Command) => void, words: readonly string[]): Promise<string> {
  let output = "";
  const before = new Set<unknown>(signals.flatMap((name) => process.listeners(name)));
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += text;
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  const program = new Command().exitOverride();
  register(program);
  try {
    await program.parseAsync([...words], { from: "user" });
    return output;
  } finally {
    vi.restoreAllMocks();
    // A command listens for Ctrl-C until its process ends, and this one goes on.
    for (const name of signals) for (const each of process.listeners(name)) if (!before.has(each)) process.off(name, each);
  }
}

/** Standard output of `midcourse …`, run in this process. */
export function midcourse(...words: string[]): Promise<string> {
  return runRegistered(registerCommands, words);
}
