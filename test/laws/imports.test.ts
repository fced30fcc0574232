/** The import law, the size law and the language law, read off the sources themselves. */
import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { describe, expect, test } from "vitest";
import { longFiles, rooms } from "./rooms.ts";

const root = path.resolve(import.meta.dirname, "../..");
const sourceFiles = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => file.split(path.sep).join("/"));

const importPattern = /(?:\bfrom\s*|\bimport\s*\(\s*|\bimport\s+|\bnew URL\(\s*)"([^"\n]+)"/g;

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(root, "src", file), "utf8");
  return [...text.matchAll(importPattern)].map((match) => match[1] as string);
}

/** What the package exports stands outside the rooms and may name all of them. */
const isPublicEntry = (file: string) => file === "index.ts" || file.startsWith("entries/");

/** Why an import is against the law, or undefined. */
function crossing(file: string, specifier: string): string | undefined {
  if (isPublicEntry(file)) return undefined;
  const room = file.split("/")[0] as string;
  if (specifier.startsWith("#")) {
    const target = specifier.slice(1).split("/")[0] as string;
    if (target === room) return `${file}: imports its own room as ${specifier}; write ./`;
    if (!(rooms[room] ?? []).includes(target)) return `${file}: room ${room} may not import ${target} (${specifier})`;
    if (!sourceFiles.includes(specifier.slice(1))) return `${file}: ${specifier} does not exist`;
    return undefined;
  }
  if (!specifier.startsWith(".")) return undefined;
  const target = path.posix.normalize(path.posix.join(path.posix.dirname(file), specifier));
  if (target.startsWith("..")) return specifier.includes("package.json") ? undefined : `${file}: leaves src by ${specifier}`;
  if (target.split("/")[0] !== room) return `${file}: crosses into another room by ${specifier}; write #room/file.ts`;
  if (room === "methods" && !file.endsWith(".test.ts") && !mayNameMethods(file, target)) {
    return `${file}: methods never import each other (${specifier})`;
  }
  return undefined;
}

/** The catalogue lists the methods; `driver/` holds the pieces they share and knows none of them. */
function mayNameMethods(file: string, target: string): boolean {
  return file === "methods/catalogue.ts" || target.startsWith("methods/driver/");
}

describe("import law", () => {
  test("the scan sees the sources", () => {
    expect(sourceFiles.length).toBeGreaterThan(20);
    expect(importsOf("kernel/trace.ts")).toContain("./model.ts");
  });

  test("every room is in the table", () => {
    const unknown = new Set(
      sourceFiles
        .filter((file) => !isPublicEntry(file))
        .map((file) => file.split("/")[0] as string)
        .filter((room) => !(room in rooms)),
    );
    expect([...unknown]).toEqual([]);
  });

  test("no import crosses a wall", () => {
    const crossings = sourceFiles
      .filter((file) => !file.endsWith(".test.ts"))
      .flatMap((file) => importsOf(file).map((specifier) => crossing(file, specifier)))
      .filter((problem) => problem !== undefined);
    expect(crossings).toEqual([]);
  });

  test("the law itself is without circles", () => {
    for (const [room, allowed] of Object.entries(rooms)) {
      for (const other of allowed) expect(rooms[other], `${other}, imported by ${room}`).not.toContain(room);
    }
  });

  test("a forbidden import would be seen", () => {
    expect(crossing("kernel/trace.ts", "#tokens/tokenizer.ts")).toContain("may not import");
    expect(crossing("methods/self-refine.ts", "./vanilla.ts")).toContain("never import each other");
    expect(crossing("methods/driver/vote.ts", "../vanilla.ts")).toContain("never import each other");
    expect(crossing("training/losses.ts", "../kernel/seed.ts")).toContain("crosses");
  });
});

describe("size law", () => {
  test("no source file is longer than 400 lines without a reason", () => {
    const long = sourceFiles
      .filter((file) => readFileSync(path.join(root, "src", file), "utf8").split("\n").length > 400)
      .filter((file) => !(file in longFiles));
    expect(long).toEqual([]);
  });
});

describe("determinism law", () => {
  test("nothing calls Math.random", () => {
    const callers = sourceFiles.filter((file) => /Math\.random\(/.test(readFileSync(path.join(root, "src", file), "utf8")));
    expect(callers).toEqual([]);
  });
});
