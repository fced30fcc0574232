/** `midcourse eval` and `solve` with methods of one's own that have mistakes, as processes. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { runCommand } from "../support/command.ts";

const place = mkdtempSync(path.join(tmpdir(), "midcourse-own-method-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

const entry = new URL("../../src/index.ts", import.meta.url).href;

/** The file of a method whose steps are these. */
function method(name: string, steps: string): string {
  const file = path.join(place, `${name}.mjs`);
  writeFileSync(
    file,
    `import { defineMethod } from ${JSON.stringify(entry)};
export default defineMethod({
  id: ${JSON.stringify(name)}, summary: "s", kind: "plain", status: "experimental", options: {}, calls: "1", maxCalls: () => 1,
  async *steps(run) {
    ${steps}
  },
});
`,
  );
  return file;
}

function evaluation(methods: string, out: string, limit = 2) {
  const words = ["eval", "--methods", methods, "--limit", String(limit), "--pool", "0", "--max-tokens", "20"];
  return runCommand([...words, "--out", path.join(place, out)], { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined });
}

test("a method that always fails costs its answers, shows where to its author, and ends with an exit code", {
  timeout: 120_000,
}, async () => {
  const chosen = method(
    "chosen",
    'const it = yield* run.attempt(run.question, { seed: 1 });\n    return { chosen: it.text, why: "x" };',
  );
  const thrower = method("thrower", "throw new RangeError('too far');");
  const { code, output, errors } = await evaluation(`vanilla,"${chosen}","${thrower}"`, "slips");
  expect(code, errors).toBe(1);
  expect(output).toContain("failed: chosen 2 of 2 answers");
  expect(errors).toContain("chosen has a mistake of its own, in 2 answers; the first: what the steps chose is no candidate");
  expect(errors).toContain(`thrower has a mistake of its own, in 2 answers; the first: too far\n  at ${thrower}:5:11\n`);
  expect(errors).not.toContain("please report it");
});

test("a question put to a method that has a mistake shows it to its author too", { timeout: 60_000 }, async () => {
  const asked = "yield* run.attempt(run.question, { seed: 1 });";
  const cases = [
    [
      method("late", `${asked}\n    return nowhere;`),
      "late has a mistake of its own: nowhere is not defined\n  → It is at ",
      ":6:5.",
    ],
    [
      method("idle", `${asked}\n    return { chosen: "x" };`),
      "idle has a mistake of its own: what the steps chose is no candidate",
      "",
    ],
  ] as const;
  for (const [file, said, position] of cases) {
    const environment = { OPENAI_BASE_URL: undefined, OPENAI_API_KEY: undefined };
    const { code, errors } = await runCommand(["solve", "--method", `"${file}"`, "--max-tokens", "20", "12 + 30"], environment);
    expect(code, errors).toBe(1);
    expect(errors).toContain(position === "" ? said : `${said}${file}${position}`);
    expect(errors).not.toContain("please report it");
    expect(errors).not.toContain("node_modules");
  }
});

test("a run with answers of a module's method refuses another content of the module, and takes the mended one of failed answers", {
  timeout: 120_000,
}, async () => {
  const answer = (text: string) => method("edited", `return { chosen: { attempt: 0, text: "${text}" } };`);
  const broken = method("edited", "return nowhere;");
  expect((await evaluation(`vanilla,"${broken}"`, "edited")).code).toBe(1);
  const file = answer("A");
  const first = await evaluation(`vanilla,"${file}"`, "edited");
  expect(first.code, first.errors).toBe(0);
  answer("B");
  const { code, errors } = await evaluation(`vanilla,"${file}"`, "edited", 4);
  expect(code).toBe(1);
  expect(errors).toContain("holds answers of edited by another content of its module: edited.mjs of content ");
  answer("A");
  expect((await evaluation(`vanilla,"${file}"`, "edited", 4)).code).toBe(0);
});

test("a method and a module that never end are named", { timeout: 120_000 }, async () => {
  const never = method("never", "yield* run.attempt(run.question, { seed: 1 });\n    await new Promise(() => {});");
  const stuck = await evaluation(`vanilla,"${never}"`, "never");
  expect(stuck.errors).toContain("midcourse: the method never never ended: nothing is left to be done");
  expect([stuck.code, stuck.errors.includes("top-level await")]).toEqual([1, false]);
  const module = path.join(place, "waits.mjs");
  writeFileSync(module, "await new Promise(() => {});\nexport default 1;\n");
  const train = await runCommand(["train", module]);
  expect(train.errors).toContain(`midcourse: the module ${module} never ended`);
  expect(train.code).toBe(1);
});
