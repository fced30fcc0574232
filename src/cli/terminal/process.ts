/** The process of a command: which version it is, how it was typed, and Ctrl-C. */

import { readFileSync } from "node:fs";
import { harmlessJson } from "#text/signs.ts";
import { struckWords } from "./secrets.ts";

export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string }).version;
}

/** The command as it was typed, without what is secret in it; a shell takes it again. */
export function shownCommand(words: readonly string[] = process.argv.slice(2)): string {
  return [
    "midcourse",
    ...struckWords(words).map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)),
  ].join(" ");
}

/** What tables are fitted to. */
export function screen(): { width: number; styled: boolean } {
  return { width: process.stdout.columns ?? 110, styled: process.stdout.isTTY === true };
}

/** What an evaluation found, as JSON or as the table that `render` makes, and where its files are. */
export function printResults<Results>(
  { results, resultsFile, reportFile }: { results: Results; resultsFile: string; reportFile: string },
  json: boolean | undefined,
  render: (results: Results, options: { width: number; styled: boolean }) => string,
): void {
  process.stdout.write(
    json ? `${harmlessJson(results)}\n` : `\n${render(results, screen())}\n\nresults  ${resultsFile}\nreport   ${reportFile}\n`,
  );
}

let isResumable = true;

/** Whether the command that waits for Ctrl-C goes on where it was stopped when it is typed again. */
export function goesOnAgain(): boolean {
  return isResumable;
}

/** The first Ctrl-C asks the command to stop cleanly at the next safe point, the second ends the process at once. */
export function interruptSignal({ goesOn = true }: { goesOn?: boolean } = {}): AbortSignal {
  isResumable = goesOn;
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(130);
    process.stderr.write("\nStopping at the next safe point; press Ctrl-C again to stop at once.\n");
    controller.abort();
  };
  process.on("SIGINT", stop);
  process.on("SIGTERM", stop);
  return controller.signal;
}
