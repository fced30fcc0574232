/** Which version of the package this is, and the command as it was typed. */
import { readFileSync } from "node:fs";

export function packageVersion(): string {
  return (JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8")) as { version: string }).version;
}

/** As a shell would take it again. */
export function shownCommand(words: readonly string[] = process.argv.slice(2)): string {
  return [
    "midcourse",
    ...words.map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`)),
  ].join(" ");
}
