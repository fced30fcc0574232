/** What a command line reads before it knows what is asked: a help text must not wait for an engine, a method or a statistic. */
import { readFileSync } from "node:fs";
import path from "node:path";
import { expect, test } from "vitest";

const source = path.resolve(import.meta.dirname, "../../src");

/** Rooms and packages that may be read at the start. */
const light = { rooms: ["cli", "kernel", "files", "text"], packages: ["commander", "string-width"] };

/** Specifiers that are read when the module is: not those of types, nor those that an action imports. */
function readWith(text: string): string[] {
  const statements = text.matchAll(/^(?:import|export)\s+(?!type\b)(?:[^;"=]*?\sfrom\s+)?"([^"\n]+)";/gm);
  return [...statements].map(([, specifier]) => specifier);
}

/** Every file and package that `file` and what it imports are read with, and for each why. */
function reached(file: string, found = new Map<string, string>(), because = "the start"): Map<string, string> {
  if (found.has(file)) return found;
  found.set(file, because);
  for (const specifier of readWith(readFileSync(path.join(source, file), "utf8"))) {
    if (specifier.startsWith("node:")) continue;
    if (specifier.startsWith("#")) reached(specifier.slice(1), found, file);
    else if (specifier.startsWith(".")) reached(path.posix.join(path.posix.dirname(file), specifier), found, file);
    else found.set(`package ${specifier}`, file);
  }
  return found;
}

function isLight(name: string): boolean {
  const [first] = name.split("/");
  return first.startsWith("package ") ? light.packages.includes(first.slice("package ".length)) : light.rooms.includes(first);
}

test("the command line starts with the command line alone", () => {
  const everything = reached("cli/main.ts");
  expect(everything.size).toBeGreaterThan(20);
  const heavy = [...everything].filter(([name]) => !isLight(name)).map(([name, because]) => `${name} (by ${because})`);
  expect(heavy).toEqual([]);
});

test("a heavy import would be seen, one of types or of an action would not", () => {
  const planted = [
    'import { type Command, Option } from "commander";',
    'import type { Model } from "#kernel/model.ts";',
    'import {\n  openModel,\n} from "#models/open-model.ts";',
    'import "#engines/embedded/engine.ts";',
    'const { evaluate } = await import("#recipes/benchmark/evaluate.ts");',
    'export { trainPasr } from "#recipes/pasr/recipe.ts";',
    'export const value = "no module";',
  ].join("\n");
  expect(readWith(planted)).toEqual([
    "commander",
    "#models/open-model.ts",
    "#engines/embedded/engine.ts",
    "#recipes/pasr/recipe.ts",
  ]);
  expect(isLight("models/open-model.ts")).toBe(false);
  expect(isLight("package zod")).toBe(false);
});
