/** How a training command shows what it measured. */
import type { Results } from "#evaluation/results.ts";
import { renderTable } from "#evaluation/table.ts";

export function printMeasurement(results: Results, output: { json: boolean; lines: readonly string[] }): void {
  if (output.json) {
    process.stdout.write(`${JSON.stringify(results)}\n`);
    return;
  }
  const table = renderTable(results, { width: process.stdout.columns ?? 110, styled: process.stdout.isTTY === true });
  process.stdout.write(`\n${table}\n\n${output.lines.join("\n")}\n`);
}
