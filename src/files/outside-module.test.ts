import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { isFileName, loadModule, moduleContent } from "./outside-module.ts";

const place = mkdtempSync(path.join(tmpdir(), "midcourse-module-"));
afterAll(() => rmSync(place, { recursive: true, force: true }));

function write(file: string, text: string): void {
  mkdirSync(path.dirname(path.join(place, file)), { recursive: true });
  writeFileSync(path.join(place, file), text);
}

write("mine.mjs", "export const answer = 42;");
write("typed.mts", "export const answer: number = 42;");
write("throws.mjs", "throw new Error('not today');");
write("null.mjs", "throw null;");
write("undefined.mjs", "throw undefined;");
write("broken.mjs", "export const = ;");
write("node_modules/plain/index.js", "exports.answer = 42;");
write("node_modules/@me/modern/package.json", JSON.stringify({ type: "module", exports: { ".": { import: "./it.js" } } }));
write("node_modules/@me/modern/it.js", "export const answer = 42;");

test.each(["./mine.mjs", "mine.mjs", path.join(place, "mine.mjs"), "./typed.mts", "plain", "@me/modern"])("%s", async (name) =>
  expect(await loadModule(name, place)).toMatchObject({ answer: 42 }),
);

test.each(["absent", "@me/absent", "node:fs", "fs", "no name", "__proto__"])("%s is no module", async (name) =>
  expect(await loadModule(name, place)).toBeUndefined(),
);

test("what is wrong is a user error that names the file", async () => {
  const refused = (name: string, message: string) =>
    expect(loadModule(name, place)).rejects.toMatchObject({ family: "user", message: expect.stringContaining(message) });
  await refused("./nowhere.mjs", "there is no file ./nowhere.mjs");
  await refused("./throws.mjs", "./throws.mjs cannot be loaded: not today");
  await refused("./null.mjs", "./null.mjs cannot be loaded: null");
  await refused("./undefined.mjs", "./undefined.mjs cannot be loaded: undefined");
  await refused("./broken.mjs", "./broken.mjs cannot be loaded: ");
});

test("what a module holds is told by its text and by the files that it imports, wherever it lies", () => {
  const held = (folder: string, text: string, helper: string) => {
    write(`${folder}/mine.mjs`, text);
    write(`${folder}/inner/helper.cjs`, helper);
    return moduleContent("./mine.mjs", path.join(place, folder));
  };
  const text = 'import { two } from "./inner/helper.cjs";\nexport const four = two * two;';
  const first = held("one", text, "exports.two = 2;");
  expect(first).toMatch(/^mine\.mjs of content [0-9a-f]{16}$/);
  expect(held("two", text, "exports.two = 2;")).toBe(first);
  expect(held("two", text, "exports.two = 3;")).not.toBe(first);
  expect(held("two", `${text}\n`, "exports.two = 2;")).not.toBe(first);
});

// By Node itself, because the test runner has hooks of its own.
test.each([
  { project: "commonjs", manifest: { type: "commonjs" } },
  { project: "says nothing", manifest: {} },
  { project: "module", manifest: { type: "module" } },
])("what is written as a module is one where package.json says $manifest, without a warning", ({ project, manifest }) => {
  write(`${project}/package.json`, JSON.stringify(manifest));
  write(`${project}/ü #1 100%/mine.ts`, 'import { answer as half } from "../half.ts";\nexport const answer: number = 2 * half;');
  write(`${project}/ü #1 100%/mine.js`, 'export { answer } from "./mine.ts";');
  write(`${project}/half.ts`, "export const answer = 21 as number;");
  write(`${project}/script.cts`, "/*\nimport nothing\n*/\nexports.answer = 42 as number;");
  if (manifest.type !== "module") write(`${project}/script.ts`, "/*\nimport nothing\n*/\nexports.answer = 42 as number;");
  const names = [
    "./ü #1 100%/mine.ts",
    "./ü #1 100%/mine.js",
    "./script.cts",
    ...(manifest.type === "module" ? [] : ["./script.ts"]),
  ];
  const script = `import { loadModule } from ${JSON.stringify(new URL("./outside-module.ts", import.meta.url))};
for (const name of ${JSON.stringify(names)}) console.log((await loadModule(name)).answer);`;
  const words = ["--input-type=module", "--eval", script];
  const { stdout, stderr } = spawnSync(process.execPath, words, { cwd: path.join(place, project), encoding: "utf8" });
  expect({ stdout, stderr }).toEqual({ stdout: "42\n".repeat(names.length), stderr: "" });
});

test("paths are told from names", () => {
  const paths = ["./a", "../a.ts", "/a", "C:\\a.ts", ".\\a.ts", "a.js", "a.mts"];
  expect([...paths, "vanilla", "@me/it", "self-refine", "a.b"].filter(isFileName)).toEqual(paths);
});
