/** `midcourse data` as a test runs it: in its own process, its output caught. */
import { registerData } from "#cli/commands/data/data-command.ts";
import { runRegistered } from "./registered-command.ts";

/** Standard output of `midcourse data …`, run in this process. */
export function midcourseData(...words: string[]): Promise<string> {
  return runRegistered(registerData, ["data", ...words]);
}
