import { expect, test } from "vitest";
import type { Results } from "../summary/results.ts";
import { runNotes } from "./run-notes.ts";

test("of a setting in vain, methods are named whole, and those that do not fit are counted", () => {
  const methods = [
    "resampling",
    "self-consistency(samples=3)",
    "self-refine(rounds=1)",
    "self-refine(rounds=2)",
    "self-refine(rounds=3)",
  ];
  const entry = { field: "seed", why: "the server refused it", answers: 4, of: 4 };
  const noteOf = (named: string[]) => runNotes({ notHonoured: [{ ...entry, methods: named }] } as unknown as Results)[0];
  expect(noteOf(methods)).toBe(
    "Asked and not honoured: seed asked, left out: the server refused it (resampling, self-consistency(samples=3), self-refine(rounds=1) and 2 more).",
  );
  expect(noteOf(methods.slice(0, 1))).toContain("(resampling).");
  expect(noteOf(["x".repeat(200), "vanilla"])).toContain(`${"x".repeat(80)}… and 1 more).`);
});
