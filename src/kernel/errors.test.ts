import { expect, test } from "vitest";
import { bugError, MidcourseError, messageOf, remoteError, userError } from "./errors.ts";

test("whoever logs an error's message alone is told what to do as well", () => {
  const error = userError("disk-full", "cannot write runs/a: the disk is full", "Make room.");
  expect(error.message).toBe("cannot write runs/a: the disk is full → Make room.");
  expect(String(error)).toBe("MidcourseError: cannot write runs/a: the disk is full → Make room.");
  expect(error.stack).toContain("→ Make room.");
  expect(error).toMatchObject({ what: "cannot write runs/a: the disk is full", advice: "Make room." });
});

test("without advice the message is what happened", () => {
  for (const error of [userError("a", "b"), remoteError("a", "b", {}), bugError("a", "b")]) expect(error.message).toBe("b");
});

test("a sentence that is built of an error has no advice in its middle", () => {
  const cause = userError("no-module", "mine.ts is not there", "Check the path.");
  const error = userError("module-failed", `./mine.ts cannot be loaded: ${messageOf(cause)}`, "The file is mine.ts.", cause);
  expect(error.message).toBe("./mine.ts cannot be loaded: mine.ts is not there → The file is mine.ts.");
  expect([messageOf(new Error("plain")), messageOf("text")]).toEqual(["plain", "text"]);
});

test("an error of an older copy of the package, which has no such field, says its message", () => {
  const older = Object.assign(new Error("from another copy"), { [Symbol.for("midcourse.error")]: true });
  expect(MidcourseError.isInstance(older) && messageOf(older)).toBe("from another copy");
});
