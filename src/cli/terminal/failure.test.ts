import { expect, test } from "vitest";
import { bugError, MidcourseError, userError } from "#kernel/errors.ts";
import { exitCodesHelp, reportFailure } from "./failure.ts";
import { interruptSignal } from "./process.ts";

const signals = ["SIGINT", "SIGTERM"] as const;

function reported(error: unknown) {
  let text = "";
  const exitCode = reportFailure(error, (piece) => {
    text += piece;
  });
  return { exitCode, text };
}

test("what the user can fix is printed with advice and without a stack", () => {
  const { exitCode, text } = reported(userError("no-folder", "there is no folder models/x", "name one with --model FOLDER"));
  expect(exitCode).toBe(1);
  expect(text).toContain("there is no folder models/x");
  expect(text).toContain("→ name one with --model FOLDER");
  expect(text).not.toContain("failure.test.ts");
});

test("our own mistakes and unknown errors keep their stack", () => {
  expect(reported(bugError("broken", "broken invariant")).text).toContain("failure.test.ts");
  expect(reported(new TypeError("x is undefined"))).toMatchObject({ exitCode: 3 });
  expect(reported("a thrown string").text).toContain("a thrown string");
});

test("remote failures have their own exit code", () => {
  expect(reported(new MidcourseError("remote", "http-500", "the server answered 500")).exitCode).toBe(2);
});

test("an interrupt is no failure", () => {
  const { exitCode, text } = reported(new DOMException("stopped", "AbortError"));
  expect(exitCode).toBe(130);
  expect(text).toContain("goes on from the last checkpoint");
});

test("what keeps no checkpoint promises none", () => {
  const before = signals.map((name) => new Set(process.listeners(name)));
  interruptSignal({ goesOn: false });
  expect(reported(new DOMException("stopped", "AbortError"))).toEqual({ exitCode: 130, text: "\nInterrupted.\n" });
  interruptSignal();
  expect(reported(new DOMException("stopped", "AbortError")).text).toContain("checkpoint");
  for (const [index, name] of signals.entries())
    for (const each of process.listeners(name)) if (!before[index].has(each)) process.off(name, each);
});

test("every exit code that a failure has stands in the help", () => {
  const help = exitCodesHelp("done", "or another thing");
  const failures = [userError("a", "b"), new MidcourseError("remote", "a", "b"), bugError("a", "b"), new TypeError("a")];
  for (const failure of failures) expect(help).toMatch(new RegExp(`^ {2}${reported(failure).exitCode} `, "m"));
  expect(help).toContain("  0    done\n  1    what you can mend: an option, a file, or another thing\n");
});

test("what a server said cannot steer the terminal", () => {
  const { text } = reported(userError("refused", "it said \u001b[2Jgone\u009b1m\u202eesrever\r\nand more", "look \u0007there"));
  expect(text).toContain("it said \uFFFD[2Jgone");
  expect(text).toContain("\nand more");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these must be gone
  expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/);
});
