/** `midcourse sandbox`: opens the sandbox that would be used, tries it and prints what it holds. */
import { alignedRows } from "#text/table.ts";
import { type OpenSandboxOptions, openEverySandbox, openSandbox } from "#verifiers/sandbox/open.ts";
import type { Sandbox } from "#verifiers/sandbox/sandbox.ts";
import { type SelfTestReport, selfTest } from "#verifiers/sandbox/self-test.ts";

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
  const { opened, failed } = all ? await openEverySandbox(wanted) : { opened: [await openSandbox(wanted)], failed: [] };
  const reports: SelfTestReport[] = [];
  try {
    for (const sandbox of opened) reports.push(await selfTest(sandbox));
  } finally {
    await Promise.all(opened.map((sandbox: Sandbox) => sandbox.close()));
  }
  if (json) write(`${JSON.stringify(all ? { reports, failed } : reports[0])}\n`);
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
  return `${report.kind}\n  ${report.description ?? ""}\n  Strength: ${strength}\n\n${lines.join("\n")}\n\n${verdict}\n`;
}
