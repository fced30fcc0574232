/** `midcourse data` as a test runs it: in its own process, its output caught. */
import { Command } from "commander";
import { vi } from "vitest";
import { registerData } from "#cli/data-command.ts";

const signals = ["SIGINT", "SIGTERM"] as const;

/** Standard output of `midcourse data …`, run in this process. */
export async function midcourseData(...words: string[]): Promise<string> {
  const program = new Command("midcourse").exitOverride();
  registerData(program);
  let output = "";
  const write = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    output += String(text);
    return true;
  });
  const handlers = signals.map((signal) => process.listeners(signal));
  const quiet = vi.spyOn(process.stderr, "write").mockImplementation(() => true);
  try {
    await program.parseAsync(["data", ...words], { from: "user" });
  } finally {
    write.mockRestore();
    quiet.mockRestore();
    // A command listens for Ctrl-C until its process ends; this process goes on.
    for (const [index, signal] of signals.entries()) {
      for (const listener of process.listeners(signal)) if (!handlers[index]!.includes(listener)) process.off(signal, listener);
    }
  }
  return output;
}
