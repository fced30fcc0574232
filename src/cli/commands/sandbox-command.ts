/** Registers `midcourse sandbox`; the work is in `sandbox.ts`. */
import { type Command, Option } from "commander";

export function registerSandbox(program: Command): void {
  program
    .command("sandbox")
    .description("where programs that a model writes are run on this machine, and what that place holds: tries it and says so")
    .addOption(
      new Option("--prefer <kind>", "process (python3), pyodide, or the strongest that works")
        .choices(["auto", "process", "pyodide"])
        .default("auto"),
    )
    .option("--all", "try every kind that works here, not only the one that would be used")
    .option("--allow-bare", "accept python3 under your own account, with nothing around it, when there is no other")
    .option("--python <file>", "the python3 to use")
    .option("--json", "print the report as JSON")
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse sandbox\n  midcourse sandbox --all\n  midcourse sandbox --prefer pyodide --json\n",
    )
    .action(async (options) => (await import("./sandbox.ts")).sandboxCommand(options));
}
