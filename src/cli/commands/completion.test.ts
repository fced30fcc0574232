import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { registerCommands } from "#cli/commands.ts";
import { methodCards } from "#methods/catalogue.ts";
import { recipes } from "#recipes/catalogue.ts";
import { tasks } from "#tasks/catalogue.ts";
import { midcourse } from "../../../test/support/command.ts";

const hasBash = spawnSync("bash", ["--version"]).status === 0;

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), "completion-"));
  writeFileSync(path.join(folder, "midcourse.bash"), await midcourse("completion", "bash"));
  mkdirSync(path.join(folder, "my models", "one"), { recursive: true });
  writeFileSync(path.join(folder, "questions.csv"), "");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a real bash offers where Tab is pressed behind the last of these words. */
function offered(...words: string[]): string[] {
  const script = `source midcourse.bash
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _midcourse
for each in "\${COMPREPLY[@]}"; do echo "$each"; done`;
  const { stdout, stderr } = spawnSync("bash", ["-c", script, "bash", "midcourse", ...words], { cwd: folder, encoding: "utf8" });
  expect(stderr).toBe("");
  return stdout.split("\n").filter((line) => line !== "");
}

describe.runIf(hasBash)("bash completes", () => {
  test("every command there is, and every option of each, whatever is added", () => {
    const program = new Command();
    registerCommands(program);
    expect(offered("")).toEqual(program.commands.map((command) => command.name()));
    for (const command of program.commands) {
      const words = offered(command.name(), "--");
      for (const { long } of command.options) expect(words).toContain(long);
      const children = command.commands.map((child) => child.name());
      if (children.length > 0) expect(offered(command.name(), "")).toEqual(children);
    }
    expect(offered("data", "ptr", "--we")).toContain("--weak");
  });

  test("methods, tasks, kinds and recipes by their names, behind commas too", () => {
    expect(offered("solve", "--method", "")).toEqual(methodCards.map(({ id }) => id));
    expect(offered("methods", "self-r")).toEqual(["self-refine", "self-refine-oracle", "self-repair", "self-repair-oracle"]);
    expect(offered("eval", "--tasks", "")).toEqual(tasks.map(({ id }) => id));
    expect(offered("eval", "--tasks", "world,gsm")).toEqual(["world,gsm8k"]);
    expect(offered("grade", "--kind", "hu")).toEqual(["humaneval"]);
    expect(offered("train", "")).toEqual(recipes.map(({ id }) => id));
  });

  test("a recipe's own flags, presets and settings, and the choices of any option", () => {
    expect(offered("train", "pasr", "--ke")).toContain("--keep-checkpoints");
    expect(offered("train", "pasr", "--preset", "")).toEqual(Object.keys(recipes.find(({ id }) => id === "pasr")!.presets));
    expect(offered("train", "pasr", "--set", "ste")).toContain("steps=");
    expect(offered("eval", "--sandbox", "")).toEqual(["auto", "process", "pyodide"]);
    expect(offered("completion", "")).toEqual(["bash", "zsh", "fish"]);
  });

  test("folders where a folder is wanted, also with spaces in them, and files where a file is", () => {
    expect(offered("eval", "--model", "my")).toEqual(["my models"]);
    expect(offered("report", "my models/")).toEqual(["my models/one"]);
    expect(offered("eval", "--data", "que")).toEqual(["questions.csv"]);
    expect(offered("eval", "--model", "que")).toEqual([]);
    expect(offered("eval", "--seed", "")).toEqual([]);
  });

  test("names with stars, quotes and commands in them are taken as they are, each once, and nothing in them is run", () => {
    const names = ["*", "a*", "abc", "it's", "$(touch ran)", "`touch ran`", "-dash", "ä ö"];
    for (const name of names) mkdirSync(path.join(folder, "odd", name), { recursive: true });
    expect(offered("report", "odd/").toSorted()).toEqual(names.map((name) => `odd/${name}`).toSorted());
    expect(offered("report", "odd/a").toSorted()).toEqual(["odd/a*", "odd/abc"]);
    expect(offered("report", "odd/*")).toEqual(["odd/*"]);
    expect(offered("report", "odd/$(touch ran)/")).toEqual([]);
    expect(existsSync(path.join(folder, "ran"))).toBe(false);
  });

  test("a name whose quotes are open, or whose spaces are escaped, goes on", () => {
    expect(offered("eval", "--model", '"my')).toEqual(["my models"]);
    expect(offered("eval", "--model", "'my m")).toEqual(["my models"]);
    expect(offered("eval", "--model", "my\\ m")).toEqual(["my models"]);
  });

  test("a value behind an equals sign, which bash takes for a word", () => {
    expect(offered("eval", "--tasks", "=", "gsm")).toEqual(["gsm8k"]);
    expect(offered("eval", "--tasks", "=")).toEqual(tasks.map(({ id }) => id));
    expect(offered("eval", "--data", "=", "que")).toEqual(["questions.csv"]);
  });
});

test.each(["bash", "zsh", "fish"])("the script for %s names every command, and no description ends its quotes", async (shell) => {
  const script = await midcourse("completion", shell);
  for (const name of ["start", "eval", "pasr-table-1", "from-run", "self-refine", "gsm8k"]) expect(script).toContain(name);
  const bare = script.replace(/\\'|'\\''/g, "");
  for (const line of bare.split("\n")) expect(line.split("'").length % 2).toBe(1);
});

test("another shell is refused with those that are known", async () => {
  await expect(midcourse("completion", "tcsh")).rejects.toThrow("bash, zsh, fish");
});
