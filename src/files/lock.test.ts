import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { takeLock } from "./lock.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "lock-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));
const file = () => path.join(folder, "lock.json");

function taker(after: string): string {
  return `import { takeLock } from ${JSON.stringify(path.join(import.meta.dirname, "lock.ts"))};
    try { takeLock(${JSON.stringify(folder)}); console.log("taken"); ${after} } catch (error) { console.log(error.code); }`;
}
const node = (script: string) => ["--input-type=module-typescript", "-e", script];

describe("lock", () => {
  test("a second opening is refused while the first is held, in this process", () => {
    const unlock = takeLock(folder);
    expect(() => takeLock(folder)).toThrow(`process ${process.pid} is working in ${folder}`);
    unlock();
    unlock();
    takeLock(folder)();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("and in another process; a process killed with the lock does not keep it", async () => {
    const child = spawn(process.execPath, node(taker("setInterval(() => {}, 1000);")), { stdio: ["ignore", "pipe", "inherit"] });
    await new Promise((resolve) => child.stdout.once("data", resolve));
    expect(() => takeLock(folder)).toThrow(`process ${child.pid} is working in`);
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGKILL");
    await ended;
    expect(existsSync(file())).toBe(true);
    takeLock(folder)();
    expect(existsSync(file())).toBe(false);
  });

  test("a dead holder's pid given to a living process does not count as the holder", () => {
    writeFileSync(file(), JSON.stringify({ pid: process.pid, host: hostname(), birth: "an-earlier-boot:12" }));
    takeLock(folder)();
  });

  test("another machine's lock is believed, and the message says how to clear it", () => {
    writeFileSync(file(), JSON.stringify({ pid: 12, host: `not-${hostname()}` }));
    let failure: { code?: string; advice?: string } = {};
    try {
      takeLock(folder);
    } catch (error) {
      failure = error as typeof failure;
    }
    expect(failure.code).toBe("run-in-use");
    expect(failure.advice).toContain(`delete ${file()}`);
    expect(readFileSync(file(), "utf8")).toContain("not-");
  });

  test("a torn lock file is taken over", () => {
    writeFileSync(file(), '{"pid":');
    takeLock(folder)();
  });

  test("what a process killed while taking the lock left behind is cleared", async () => {
    const gone = spawnSync(process.execPath, ["-e", ""]).pid;
    writeFileSync(`${file()}.${gone}`, "{}");
    writeFileSync(`${file()}.stale.${gone}`, "{}");
    writeFileSync(`${file()}.${process.ppid}`, "{}");
    const unlock = takeLock(folder);
    expect(readdirSync(folder).sort()).toEqual(["lock.json", `lock.json.${process.ppid}`]);
    unlock();
  });

  test("of several processes racing for a dead holder's lock, one gets it", async () => {
    const dead = spawnSync(process.execPath, node(taker("process.exit(0);")), { encoding: "utf8" });
    expect(dead.stdout.trim()).toBe("taken");
    const racers = Array.from({ length: 4 }, () => {
      const child = spawn(process.execPath, node(taker("setInterval(() => {}, 1000);")), {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const said = new Promise<string>((resolve) => child.stdout.once("data", (data) => resolve(String(data).trim())));
      return { child, said };
    });
    const said = await Promise.all(racers.map((racer) => racer.said));
    for (const { child } of racers) child.kill("SIGKILL");
    expect(said.sort()).toEqual(["run-in-use", "run-in-use", "run-in-use", "taken"]);
  });
});
