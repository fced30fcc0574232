import { spawnSync } from "node:child_process";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { type FolderKind, makeFolder, recoverFolder, replaceFile, replaceFolder, replaceLargeFile } from "./durable.ts";
import { fileFailure } from "./file-failures.ts";

let root: string;
let place: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "durable-"));
  place = path.join(root, "place");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));
const fill = (name: string, text: string) => async (folder: string) => writeFileSync(path.join(folder, name), text);

test("a file is replaced whole, or stays what it was", async () => {
  replaceFile(place, "old");
  const failing = () => {
    throw new Error("half-way");
  };
  expect(() => replaceFile(place, failing)).toThrow("half-way");
  await expect(replaceLargeFile(place, async () => failing())).rejects.toThrow("half-way");
  expect(readFileSync(place, "utf8")).toBe("old");
  replaceFile(place, (handle) => writeFileSync(handle, "new"));
  expect(readFileSync(place, "utf8")).toBe("new");
  await replaceLargeFile(place, async (handle) => void (await handle.write("newer")));
  expect(readFileSync(place, "utf8")).toBe("newer");
  expect(readdirSync(root)).toEqual(["place"]);
});

test("a symbolic link is replaced and never followed, at the place and beside it", async () => {
  const other = path.join(root, "other");
  writeFileSync(other, "of someone else");
  for (const at of [place, `${place}.partial`]) {
    for (const write of [
      () => replaceFile(place, "new"),
      () => replaceLargeFile(place, async (handle) => void (await handle.write("new"))),
    ]) {
      rmSync(at, { force: true });
      symlinkSync(other, at);
      await write();
      expect(readFileSync(other, "utf8")).toBe("of someone else");
      expect([readFileSync(place, "utf8"), lstatSync(place).isSymbolicLink()]).toEqual(["new", false]);
    }
  }
});

test("a folder is made with those above it, and is left as it is where it stands", () => {
  const deep = path.join(root, "a", "b c", "ü");
  makeFolder(deep);
  writeFileSync(path.join(deep, "kept"), "");
  makeFolder(deep);
  expect(readdirSync(deep)).toEqual(["kept"]);
  const below = path.join(deep, "kept", "more");
  expect(() => makeFolder(below)).toThrow(`cannot create ${below}: a part of the path is a file`);
  expect(() => makeFolder(path.join(deep, "kept"), "go on")).toThrow("cannot go on: a file of that name is in the way");
});

test.skipIf(!existsSync("/proc/self"))("a folder that cannot be made is refused at once, where its parent is there too", () => {
  const program = `import { makeFolder } from ${JSON.stringify(path.join(import.meta.dirname, "durable.ts"))};
    try { makeFolder("/proc/midcourse/runs"); } catch (error) { process.stdout.write(error.message); }`;
  const { stdout, signal } = spawnSync(process.execPath, ["--input-type=module", "-e", program], {
    encoding: "utf8",
    timeout: 30_000,
  });
  expect(signal).toBeNull();
  expect(stdout).toContain("cannot create /proc/midcourse/runs: it does not exist");
});

test("a folder is replaced whole, or stays what it was", async () => {
  await replaceFolder(place, fill("a", "old"));
  const failing = async (folder: string) => {
    await fill("b", "half")(folder);
    throw new Error("half-way");
  };
  await expect(replaceFolder(place, failing)).rejects.toThrow("half-way");
  expect(readdirSync(place)).toEqual(["a"]);
  await replaceFolder(place, fill("b", "new"));
  expect(readdirSync(place)).toEqual(["b"]);
  expect(readdirSync(root)).toEqual(["place"]);
});

test("a folder that stepped aside before a kill comes back, and one that was half built is built anew", async () => {
  await replaceFolder(place, fill("a", "old"));
  renameSync(place, `${place}.previous`);
  mkdirSync(`${place}.partial`);
  writeFileSync(path.join(`${place}.partial`, "half"), "");
  await recoverFolder(place);
  expect(readdirSync(place)).toEqual(["a"]);
  renameSync(place, `${place}.previous`);
  await replaceFolder(place, fill("b", "new"));
  expect(readdirSync(place)).toEqual(["b"]);
  expect(existsSync(`${place}.previous`)).toBe(false);
});

test("of a folder of a kind, what is not ours stays, and one of another kind is not touched", async () => {
  const kind: FolderKind = { name: "model", marker: "config", owned: /^(config|weights)$/ };
  const build = async (folder: string) => {
    await fill("config", "")(folder);
  };
  await replaceFolder(place, build, kind);
  writeFileSync(path.join(place, "weights"), "");
  writeFileSync(path.join(place, "card"), "mine");
  await replaceFolder(place, build, kind);
  expect(readdirSync(place).sort()).toEqual(["card", "config"]);
  rmSync(path.join(place, "config"));
  await expect(replaceFolder(place, build, kind)).rejects.toMatchObject({ code: "folder-occupied", family: "user" });
  expect(readdirSync(place)).toEqual(["card"]);
});

test("what goes wrong on disk is said in words, and errors that no user can fix pass", () => {
  const error = Object.assign(new Error("strange"), { code: "EWHATEVER" });
  expect(fileFailure(error, "write somewhere")).toBe(error);
  const full = fileFailure(Object.assign(new Error("full"), { code: "ENOSPC" }), "write somewhere");
  expect(MidcourseError.isInstance(full) && full.what).toBe("cannot write somewhere: the disk is full");
});
