/** The laws of the tree: folders a reader can hold, and no circle between files. Each is shown to fail on a planted violation. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { describe, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const sourceFiles = readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
  .map((file) => file.split(path.sep).join("/"))
  .filter((file) => /\.(ts|js)$/.test(file) && !/\.(test|d)\.ts$/.test(file));

const mostSources = 25;

/** Folders with more sources of their own than a reader can hold. */
function crowdedFolders(files: readonly string[]): string[] {
  const folders = Map.groupBy(files, (file) => path.posix.dirname(file));
  return [...folders].filter(([, own]) => own.length > mostSources).map(([folder, own]) => `${folder}: ${own.length} files`);
}

describe("folder law", () => {
  test(`no folder holds more than ${mostSources} sources`, () => {
    expect(sourceFiles.length).toBeGreaterThan(100);
    expect(crowdedFolders(sourceFiles)).toEqual([]);
  });

  test("a crowded folder would be seen, and a sub-folder is one of its own", () => {
    const room = Array.from({ length: mostSources }, (_, index) => `room/${index}.ts`);
    expect(crowdedFolders([...room, "room/part/one.ts"])).toEqual([]);
    expect(crowdedFolders([...room, "room/one.ts"])).toEqual(["room: 26 files"]);
  });
});

describe("circle law", () => {
  test("files that import each other, be it only their types, fail the linter", () => {
    const folder = mkdtempSync(path.join(tmpdir(), "midcourse-circle-"));
    try {
      const { linter } = JSON.parse(readFileSync(path.join(root, "biome.json"), "utf8"));
      writeFileSync(path.join(folder, "biome.json"), JSON.stringify({ linter }));
      writeFileSync(
        path.join(folder, "one.ts"),
        'import type { Two } from "./two.ts";\n\nexport interface One {\n  two: Two;\n}\n',
      );
      writeFileSync(
        path.join(folder, "two.ts"),
        'import type { One } from "./one.ts";\n\nexport interface Two {\n  one: One;\n}\n',
      );
      const biome = path.join(root, "node_modules/@biomejs/biome/bin/biome");
      const { status, stderr, stdout } = spawnSync(process.execPath, [biome, "lint", "."], { cwd: folder, encoding: "utf8" });
      expect(stdout + stderr).toContain("noImportCycles");
      expect(status).toBe(1);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
