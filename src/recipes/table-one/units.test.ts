import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { userError } from "#kernel/errors.ts";
import { openRun } from "#record/run-directory.ts";
import { isDone, readDone, runUnits, type Unit } from "./units.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "units-"));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function unit(name: string, needs: readonly string[], work: Unit["work"] = async () => ({ name })): Unit {
  return { name, needs, options: { name }, work };
}

describe("units of work in a folder", () => {
  it("are done in the order of their needs, once, and more can be added later", async () => {
    const order: string[] = [];
    const noted = (name: string, needs: string[]) =>
      unit(name, needs, async () => {
        order.push(name);
        return { name };
      });
    const units = [noted("seed-1/after", ["seed-1/before"]), noted("base", []), noted("seed-1/before", ["base"])];
    const seen: [string, number, number][] = [];
    expect(await runUnits(root, units, { onUnit: (...each) => seen.push(each) })).toEqual([]);
    expect(order).toEqual(["base", "seed-1/before", "seed-1/after"]);
    expect(seen).toEqual([
      ["base", 0, 3],
      ["seed-1/before", 1, 3],
      ["seed-1/after", 2, 3],
    ]);
    await runUnits(root, [...units, noted("seed-2/before", ["base"])]);
    expect(order).toEqual(["base", "seed-1/before", "seed-1/after", "seed-2/before"]);
    expect(readDone(root, "seed-1/after")).toEqual({ name: "seed-1/after", resumed: false });
  });

  it("go on in a unit that was begun, and say that it was", async () => {
    const broken = unit("one", [], async (run) => {
      run.writeFile("half.txt", "half");
      throw new Error("power cut");
    });
    await expect(runUnits(root, [broken])).rejects.toThrow("power cut");
    expect(isDone(root, "one")).toBe(false);
    const whole = unit("one", [], async (run, resumed) => ({
      resumed,
      half: readFileSync(path.join(run.folder, "half.txt"), "utf8"),
    }));
    await runUnits(root, [whole]);
    expect(readDone(root, "one")).toEqual({ resumed: true, half: "half" });
  });

  it("list what their data do not allow, and what needs it, and do the rest", async () => {
    const none = unit("none", [], async () => {
      throw userError("nothing-kept", "nothing to learn from", "Ask more.");
    });
    const failures = await runUnits(root, [none, unit("after", ["none"]), unit("other", [])]);
    expect(failures).toEqual([
      { name: "none", message: "nothing to learn from" },
      { name: "after", message: "needs none" },
    ]);
    expect([isDone(root, "none"), isDone(root, "after"), isDone(root, "other")]).toEqual([false, false, true]);
  });

  it("are shared by two who start together: each unit is done by one of them", async () => {
    const times = new Map<string, number>();
    const slow = (name: string, needs: string[]) =>
      unit(name, needs, async () => {
        times.set(name, (times.get(name) ?? 0) + 1);
        await sleep(20);
        return {};
      });
    const units = [slow("base", []), ...["a", "b", "c", "d"].map((name) => slow(name, ["base"]))];
    await Promise.all([runUnits(root, units), runUnits(root, units)]);
    expect([...times.entries()].sort()).toEqual(["a", "b", "base", "c", "d"].map((name) => [name, 1]));
  });

  it("leave a unit that another holds, and take it when it is given back", async () => {
    const held = openRun(path.join(root, "held"), { command: "reproduce", options: { unit: "held", name: "held" } });
    const all = runUnits(root, [unit("held", []), unit("free", [])]);
    while (!existsSync(path.join(root, "free", "done.json"))) await sleep(5);
    expect(isDone(root, "held")).toBe(false);
    held.close();
    expect(await all).toEqual([]);
    expect(isDone(root, "held")).toBe(true);
  });

  it("stop with the signal's reason, while working and while waiting", async () => {
    const working = new AbortController();
    const stopped = unit("one", [], async () => {
      working.abort(new Error("enough"));
      return {};
    });
    await expect(runUnits(root, [stopped], { signal: working.signal })).rejects.toThrow("enough");
    expect(isDone(root, "one")).toBe(false);
    using _held = openRun(path.join(root, "one"), { command: "reproduce", options: { unit: "one", name: "one" } });
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(new Error("enough")), 30);
    await expect(runUnits(root, [unit("one", [])], { signal: waiting.signal })).rejects.toThrow("enough");
  });

  it("refuse a folder that was made with other options", async () => {
    await runUnits(root, [unit("one", [])]);
    const other = { ...unit("one", []), options: { name: "other" } };
    await expect(runUnits(root, [other])).rejects.toThrow(/holds a run/);
    rmSync(path.join(root, "one", "done.json"));
    await expect(runUnits(root, [other])).rejects.toThrow(/holds a run/);
  });
});
