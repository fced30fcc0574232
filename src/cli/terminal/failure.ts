/** How a failed command ends: what happened, what to do, and an exit code (1 the user can fix it, 2 another program, 3 our bug, 130 interrupted). */
import path from "node:path";
import { MidcourseError, messageOf, userError } from "#kernel/errors.ts";
import { type OptionalPart, partMissingBy } from "#kernel/optional-parts.ts";
import { waitedFor } from "#kernel/waiting.ts";
import { harmless } from "#text/signs.ts";
import { goesOnAgain, shownCommand } from "./process.ts";

const exitCodes = { user: 1, remote: 2, bug: 3 } as const;

/** For the help of a command; `good` and `bad` complete what 0 and 1 mean for it. */
export function exitCodesHelp(good: string, bad: string): string {
  return `
Exit codes:
  0    ${good}
  1    what you can mend: an option, a file, ${bad}
  2    another program failed, such as a model's server
  3    a mistake in midcourse
  130  interrupted
`;
}

export function reportFailure(error: unknown, print: (text: string) => void = (text) => process.stderr.write(text)): number {
  // Messages quote servers and files, which must not steer the terminal.
  const write = (text: string) => print(harmless(text));
  if (isAbort(error)) {
    write(`\nInterrupted.${goesOnAgain() ? " The same command goes on from the last checkpoint." : ""}\n`);
    return 130;
  }
  const part = partMissingBy(error);
  if (MidcourseError.isInstance(error) && part !== undefined && isRunByNpx()) {
    write(`\n${shownCommand()}: ${messageOf(error)}\n  → ${npxLine(part)}\n`);
    return exitCodes.user;
  }
  if (MidcourseError.isInstance(error)) {
    write(`\n${part === undefined ? "midcourse" : shownCommand()}: ${messageOf(error)}\n`);
    if (error.advice !== undefined) write(`  → ${error.advice}\n`);
    if (error.family === "bug") write(`${error.stack ?? ""}\n`);
    return exitCodes[error.family];
  }
  write(
    `\nmidcourse: unexpected failure, please report it\n${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  return exitCodes.bug;
}

/** For a command that can never end: nothing is under way any more that what it waits for could still come from. */
export function neverEnding(): MidcourseError {
  const waited = waitedFor();
  const what = waited.length === 0 ? "the command" : waited.join(", ");
  return userError(
    "never-ends",
    `${what} never ended: nothing is left to be done that it could be waiting for`,
    "Look there for a promise that is never kept.",
  );
}

/** Nothing can be added to the folder npx keeps a command in; it brings along what it is told to, each time. */
function isRunByNpx(): boolean {
  return import.meta.dirname.split(path.sep).includes("_npx");
}

function npxLine({ package: name, version }: OptionalPart): string {
  return `npx --yes --ignore-scripts --package midcourse --package ${name}@${version} ${shownCommand()}`;
}

export function isAbort(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === "AbortError" || (MidcourseError.isInstance(error) && error.code === "interrupted"))
  );
}
