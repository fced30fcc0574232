/** How a training command shows what it measured. */

import { renderMeasurement } from "#evaluation/report/table.ts";
import type { Results } from "#evaluation/summary/results.ts";

export function printMeasurement(results: Results, output: { json: boolean; lines: readonly string[] }): void {
  if (output.json) {
    process.stdout.write(`${JSON.stringify(results)}\n`);
    return;
  }
  const table = renderMeasurement(results, { width: process.stdout.columns ?? 110, styled: process.stdout.isTTY === true });
  process.stdout.write(`\n${table}\n\n${output.lines.join("\n")}\n`);
}
