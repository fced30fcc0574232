/** The example of a method from outside: what every method promises, and its way through the command line. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { parseMethods } from "#methods/catalogue.ts";
import { adaptiveConsistency, certainty } from "../../examples/method/adaptive-consistency.ts";
import { runCommand } from "../support/command.ts";
import { keepsItsPromises, outline, play } from "./promises.ts";

const place = mkdtempSync(path.join(tmpdir(), "midcourse-method-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const file = "./examples/method/adaptive-consistency.ts";
const shipped = { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined };

keepsItsPromises({
  method: adaptiveConsistency({ most: 4 }),
  calls: 4,
  worst: (_call, index) => `<answer>${index}</answer>`,
});

test("stops when the vote is settled, on the answer most agree on", async () => {
  const replies = ["41", "42", "42.0", "42", "42", "42", "42"].map((answer) => `<answer>${answer}</answer>`);
  const { events, outcome } = await play(adaptiveConsistency({ most: 20, confidence: 0.9 }), replies);
  expect(outline(events).slice(-2)).toEqual(["attempt 5", "chose 1"]);
  expect(events.at(-1)).toMatchObject({ reason: "5 of 6 agree; the vote is settled" });
  expect(outcome.answer).toBe("42");
});

test("the certainty is that of Beta(a + 1, b + 1) above one half", () => {
  expect([certainty(0, 0), certainty(1, 1), certainty(3, 0), certainty(4, 1)]).toEqual([0.5, 0.5, 15 / 16, 57 / 64]);
  expect(certainty(40, 0)).toBeCloseTo(1 - 2 ** -41, 12);
});

test("a program composes it like the catalogue's own", () => {
  const [bound] = parseMethods("best-of-n(adaptive-consistency(most=3),n=2)", { cards: [adaptiveConsistency.card] });
  expect(bound).toMatchObject({ method: { id: "best-of-n(adaptive-consistency(most=3),n=2)" }, maxCalls: 8 });
});

test("midcourse eval, solve and methods take it by its file", async () => {
  const folder = path.join(place, "run");
  const methods = `vanilla,${file}(most=3),best-of-n(${file}:most=2,n=2,select=vote)`;
  const { code, errors } = await runCommand(
    ["eval", "--methods", methods, "--limit", "3", "--pool", "0", "--out", folder],
    shipped,
  );
  expect(errors).not.toMatch(/Error|cannot/);
  expect(code).toBe(0);
  const records = readFileSync(path.join(folder, "records.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  expect([...new Set(records.map(({ method }) => method))].sort()).toEqual([
    "adaptive-consistency(most=3)",
    "best-of-n(adaptive-consistency(most=2),n=2,select=vote)",
    "vanilla",
  ]);
  const solved = await runCommand(["solve", "2 + 3 =", "--method", `${file}(most=2)`, "--quiet"], shipped);
  expect(solved).toMatchObject({ code: 0, output: expect.stringMatching(/\d/) });
  const shown = await runCommand(["methods", file]);
  expect(shown.output).toContain("most answers");
  const missing = await runCommand(["eval", "--methods", "./nowhere.ts", "--limit", "1", "--out", folder], shipped);
  expect(missing).toMatchObject({ code: 1, errors: expect.stringContaining("there is no file ./nowhere.ts") });
});
