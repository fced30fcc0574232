/**
 * A pattern of one's own that finds the answer in a text. It comes from outside, so it may be one that backtracks without end: it runs under a
 * limit of time, in a context of its own that holds nothing but the text.
 */
import { createContext, Script } from "node:vm";
import { userError } from "#kernel/errors.ts";

/** Far more than any pattern needs that does not backtrack without end. */
const mostMilliseconds = 500;

/**
 * Reads the last match: its first group where it has one, else the whole. Undefined where nothing matches. Throws a user error when the pattern
 * is none; the reader throws when it takes too long on a text.
 */
export function ownPattern(source: string): (text: string) => string | undefined {
  try {
    new RegExp(source, "gmu");
  } catch (cause) {
    throw userError(
      "extract-pattern",
      `"${source}" is no pattern: ${(cause as Error).message}`,
      "Write a JavaScript regular expression.",
    );
  }
  const context = createContext({ source, text: "" });
  const script = new Script(`{
    let last;
    for (const match of text.matchAll(new RegExp(source, "gmu"))) last = match[1] ?? match[0];
    last;
  }`);
  return (text) => {
    context.text = text;
    try {
      const last: unknown = script.runInContext(context, { timeout: mostMilliseconds });
      return typeof last === "string" ? last : undefined;
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw cause;
      throw new Error(`the pattern took longer than ${mostMilliseconds} ms on this answer; it backtracks too much`);
    }
  };
}
