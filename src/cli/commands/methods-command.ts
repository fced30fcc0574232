/** The options of `midcourse methods`; `methods.ts` does the work. */
import type { Command } from "commander";

export function registerMethods(program: Command): void {
  program
    .command("methods")
    .description("the inference-time methods: paper, cost in calls, and what each needs")
    .argument("[method]", "one method, with its options and the paper's values")
    .option("--json", "print the list as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse methods
  midcourse methods self-refine

On the command line of other commands, options stand in parentheses, and methods go inside methods:
  self-refine(rounds=2)     self-refine:rounds=2     best-of-n(self-refine(rounds=1),n=4)     mine=ptr-rounds(rounds=5)
`,
    )
    .action(async (method: string | undefined, options) => (await import("./methods.ts")).listMethods(method, options));
}
