/** Registers `midcourse reproduce`. */
import type { Command } from "commander";
import { wholeNumber } from "../options/option-numbers.ts";

export function registerReproduce(program: Command): void {
  const reproduce = program.command("reproduce").description("tables of papers, run again in miniature");
  reproduce
    .command("pasr-table-1")
    .description(
      "PASR beside every baseline it names, on one small base, the same questions and test problems (arXiv 2508.12903)",
    )
    .option("--seeds <number>", "seeds 1 to this one; more can be asked for later", wholeNumber, 3)
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/table-1")
    .option("--markdown <file>", "where the page goes (default: docs/table-1.md; with --fast the run directory)")
    .option("--model <folder>", "checkpoint folder that the base is made from (default: the shipped model)")
    .option("--judge <model>", "a server's model that says of what kind refinements are, beside the rule")
    .option("--judged <number>", "refinements of each row that it is asked about", wholeNumber, 100)
    .option("--fast", "a smoke of the same code in less than ten minutes; proves nothing")
    .option("--threads <number>", "cores to use (default: all, up to 8)", wholeNumber)
    .option("--json", "print the figures as JSON")
    .addHelpText(
      "after",
      `
On two cores the base takes about seven minutes and every seed about twenty. A second process with the same command shares the
work: with one core each (--threads 1) two are faster than one with two. What is finished stays finished; --seeds 5 on a finished
table of three adds two.

Examples:
  midcourse reproduce pasr-table-1 --seeds 1
  midcourse reproduce pasr-table-1 --seeds 3 --threads 1        in two terminals
  midcourse reproduce pasr-table-1 --fast --out runs/table-smoke
`,
    )
    .action(async (options) => (await import("./reproduce.ts")).reproduceTableOne(options));
}
