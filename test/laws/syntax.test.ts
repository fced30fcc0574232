/** The syntax law: what runs from a checkout is syntax that the oldest Node we promise knows. Tests are compiled down before they run. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const files = ["src", "bench", "examples", "scripts"].flatMap((folder) =>
  readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" }).map((file) => path.join(folder, file)),
);

/** `using` is a syntax error on Node 22: `withRun` and try/finally stand in for it. */
function saysUsing(source: string): boolean {
  return /^\s*(?:await\s+)?using\s+\w+\s*=/m.test(source);
}

test("sources say no `using`", () => {
  const sources = files.filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"));
  expect(sources.length).toBeGreaterThan(100);
  expect(sources.filter((file) => saysUsing(readFileSync(path.join(root, file), "utf8")))).toEqual([]);
});

test("a planted one would be seen", () => {
  expect(saysUsing("{\n  using run = openRun(folder);\n}")).toBe(true);
  expect(saysUsing("  await using file = await open();")).toBe(true);
  expect(saysUsing("/** Using a run = opening it. */ const using = 1;")).toBe(false);
});
