/** `midcourse sandbox`: opens the sandbox that would be used, tries it and prints what it holds. */

import { type Command, Option } from "commander";
import { harmlessJson } from "#text/signs.ts";
import { alignedRows } from "#text/table.ts";
import type { OpenSandboxOptions } from "#verifiers/sandbox/open.ts";
import type { Sandbox } from "#verifiers/sandbox/sandbox.ts";
import type { SelfTestReport } from "#verifiers/sandbox/self-test.ts";

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
    .action((options) => sandboxCommand(options));
}

export interface SandboxCommandOptions extends Pick<OpenSandboxOptions, "prefer" | "allowBare" | "python"> {
  all?: boolean;
  json?: boolean;
}

const strengths = {
  kernel: "strong: the operating system holds it",
  runtime: "medium: WebAssembly and Node's permission model hold it",
  guard: "NONE: only hooks inside the interpreter, which a program can get round",
};

export async function sandboxCommand(
  options: SandboxCommandOptions,
  write: (text: string) => void = (text) => process.stdout.write(text),
): Promise<void> {
  const { all = false, json = false, ...wanted } = options;
  const [{ openEverySandbox, openSandbox }, { selfTest }] = await Promise.all([
    import("#verifiers/sandbox/open.ts"),
    import("#verifiers/sandbox/self-test.ts"),
  ]);
  const { opened, failed } = all ? await openEverySandbox(wanted) : { opened: [await openSandbox(wanted)], failed: [] };
  const reports: SelfTestReport[] = [];
  try {
    for (const sandbox of opened) reports.push(await selfTest(sandbox));
  } finally {
    await Promise.all(opened.map((sandbox: Sandbox) => sandbox.close()));
  }
  if (json) write(`${harmlessJson(all ? { reports, failed } : reports[0])}\n`);
  else write([...reports.map(describe), ...failed.map((reason) => `Not here: ${reason}\n`)].join("\n"));
  if (reports.some((report) => !report.contained)) process.exitCode = 1;
}

function describe(report: SelfTestReport): string {
  const rows = report.probes.map((probe) => [
    probe.name,
    probe.contained ? "contained" : "NOT CONTAINED",
    probe.containedAlone === undefined ? "" : probe.containedAlone ? "contained" : "not contained",
    probe.status,
    `${Math.round(probe.milliseconds)} ms`,
  ]);
  const table = [["attempt", "result", "without the guard", "ended as", "after"], ...rows];
  const lines = alignedRows(table, (column) => (column === 4 ? "right" : "left"));
  const strength = report.strength === undefined ? "unknown" : strengths[report.strength];
  const details = report.probes.filter((probe) => probe.detail).map((probe) => `  ${probe.name}: ${probe.detail}`);
  const verdict = report.contained
    ? "Everything that was tried was contained."
    : `Not everything was contained:\n${details.join("\n")}`;
  const judged = `Hidden tests run in a process of their own and call the program across; only plain data comes back, compared by type and value.`;
  const forging = report.forging === undefined ? "" : `  Could still be forged: ${report.forging}\n`;
  return `${report.kind}\n  ${report.description ?? ""}\n  Strength: ${strength}\n  ${judged}\n${forging}\n${lines.join("\n")}\n\n${verdict}\n`;
}
