import {
  appendFileSync,
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type MidcourseError, userError } from "#kernel/errors.ts";
import { openRun, readRun } from "./run-directory.ts";

let root: string;
let folder: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), "run-"));
  folder = path.join(root, "runs", "a");
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const configuration = { command: "train pasr", options: { seed: 1, learningRate: 1e-6, data: { name: "sums", digits: 2 } } };
const save = (content: string) => async (place: string) => writeFileSync(path.join(place, "weights"), content);
const steps = (name = "metrics") => readLinesOf(name).map((line) => line.step);
const readLinesOf = (name: string) =>
  readFileSync(path.join(folder, `${name}.jsonl`), "utf8")
    .trim()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line));

function failure(work: () => unknown): MidcourseError {
  try {
    work();
  } catch (error) {
    return error as MidcourseError;
  }
  throw new Error("nothing was thrown");
}

/** The superuser may write anywhere, so the test steps down for a moment where it runs as one. */
function asOrdinaryUser<T>(work: () => T): T {
  if (process.getuid?.() !== 0) return work();
  process.seteuid?.(65534);
  try {
    return work();
  } finally {
    process.seteuid?.(0);
  }
}

describe("a new run", () => {
  test("has its configuration, an opened event, and no checkpoint", () => {
    using run = openRun(folder, configuration);
    expect(run.newestCheckpoint).toBeUndefined();
    expect(run.configuration).toMatchObject({ v: 1, ...configuration });
    expect(run.configuration.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(readRun(folder).events).toMatchObject([{ v: 1, type: "opened" }]);
  });

  test("hashes the same whatever the order of the keys", () => {
    using first = openRun(folder, configuration);
    const turned = { options: { data: { digits: 2, name: "sums" }, learningRate: 1e-6, seed: 1 }, command: "train pasr" };
    using second = openRun(path.join(root, "b"), turned);
    expect(second.configuration.hash).toBe(first.configuration.hash);
  });
});

describe("opening again", () => {
  test("cuts the lines after the newest checkpoint and keeps the history of events", async () => {
    {
      using run = openRun(folder, configuration);
      for (const step of [1, 2, 3]) {
        run.append("metrics", { step, reward: step / 10 });
        run.append("evaluations", { step });
        if (step === 2) await run.checkpoint(2, save("two"), { samplerStep: 2, state: { cursor: 17 } });
      }
    }
    appendFileSync(path.join(folder, "metrics.jsonl"), '{"v":1,"step":4,"rew');
    using run = openRun(folder, configuration);
    expect(run.newestCheckpoint).toMatchObject({ step: 2, samplerStep: 2, state: { cursor: 17 } });
    expect(readFileSync(path.join(run.newestCheckpoint?.folder ?? "", "weights"), "utf8")).toBe("two");
    expect(steps()).toEqual([1, 2]);
    expect(steps("evaluations")).toEqual([1, 2]);
    expect(readRun(folder).events.map((event) => event.type)).toEqual(["opened", "resumed"]);
  });

  test("without a checkpoint starts from nothing", () => {
    {
      using run = openRun(folder, configuration);
      run.append("metrics", { step: 0 });
    }
    using run = openRun(folder, configuration);
    expect(run.newestCheckpoint).toBeUndefined();
    expect(steps()).toEqual([]);
  });

  test("falls back where the newest folder was taken away", async () => {
    {
      using run = openRun(folder, configuration);
      for (const step of [1, 2]) {
        run.append("metrics", { step });
        await run.checkpoint(step, save(String(step)));
      }
    }
    rmSync(path.join(folder, "checkpoints", "step-2"), { recursive: true });
    using run = openRun(folder, configuration);
    expect(run.newestCheckpoint?.step).toBe(1);
    expect(steps()).toEqual([1]);
    await run.checkpoint(2, save("again"));
    expect(run.newestCheckpoint?.step).toBe(2);
  });

  test("removes half-written and unlisted checkpoint folders", async () => {
    {
      using run = openRun(folder, configuration);
      await run.checkpoint(1, save("1"));
    }
    for (const name of ["step-2.partial", "step-3", "step-0.removed"]) mkdirSync(path.join(folder, "checkpoints", name));
    using _run = openRun(folder, configuration);
    expect(readdirSync(path.join(folder, "checkpoints"))).toEqual(["step-1"]);
  });

  test("for another configuration names every key that differs", () => {
    openRun(folder, configuration).close();
    const other = { command: "train sft", options: { seed: 2, learningRate: 1e-6, data: { name: "sums" }, extra: true } };
    const refused = failure(() => openRun(folder, other));
    expect(refused).toMatchObject({ family: "user", code: "run-of-other-configuration" });
    for (const part of [
      'command ("train pasr" there, "train sft" now)',
      "data.digits (2 there, absent now)",
      "seed (1 there, 2 now)",
    ]) {
      expect(refused.message).toContain(part);
    }
    expect(refused.message).toContain("extra (absent there, true now)");
    expect(refused.message).not.toContain("learningRate");
    openRun(folder, configuration).close();
  });

  test("is refused while another holds it", () => {
    using _run = openRun(folder, configuration);
    expect(failure(() => openRun(folder, configuration)).code).toBe("run-in-use");
  });

  test("of a newer schema is refused", () => {
    openRun(folder, configuration).close();
    const file = path.join(folder, "config.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"v": 1', '"v": 99'));
    expect(failure(() => openRun(folder, configuration)).code).toBe("record-too-new");
  });
});

describe("checkpoints", () => {
  test("the newest stay, with step 0 and the sampler weights they need", async () => {
    using run = openRun(folder, configuration, { keepCheckpoints: 2 });
    for (const step of [0, 4, 5, 6, 7]) await run.checkpoint(step, save(String(step)), { samplerStep: step < 4 ? 0 : 4 });
    expect(readdirSync(path.join(folder, "checkpoints")).sort()).toEqual(["step-0", "step-4", "step-6", "step-7"]);
    expect(run.checkpointAt(7)?.samplerFolder).toBe(path.join(folder, "checkpoints", "step-4"));
    expect(run.checkpointAt(5)).toBeUndefined();
  });

  test("a crash before the old ones were removed is made up for on opening", async () => {
    {
      using run = openRun(folder, configuration, { keepCheckpoints: 5 });
      for (const step of [1, 2, 3]) await run.checkpoint(step, save(String(step)));
    }
    using run = openRun(folder, configuration, { keepCheckpoints: 1 });
    expect(readdirSync(path.join(folder, "checkpoints"))).toEqual(["step-3"]);
    expect(run.newestCheckpoint?.step).toBe(3);
  });

  test("a save that fails leaves the earlier checkpoint the newest", async () => {
    using run = openRun(folder, configuration, { keepCheckpoints: 1 });
    await run.checkpoint(1, save("1"));
    const full = Object.assign(new Error("no space"), { code: "ENOSPC" });
    await expect(run.checkpoint(2, async () => Promise.reject(full))).rejects.toMatchObject({
      code: "disk-full",
      family: "user",
    });
    const own = userError("checkpoint-odd", "odd");
    await expect(run.checkpoint(2, async () => Promise.reject(own))).rejects.toBe(own);
    expect(run.newestCheckpoint?.step).toBe(1);
    expect(readdirSync(path.join(folder, "checkpoints"))).toEqual(["step-1"]);
  });

  test.skipIf(!existsSync("/dev/full"))("a full disk under the list keeps the earlier checkpoint too", async () => {
    {
      using run = openRun(folder, configuration);
      await run.checkpoint(1, save("1"));
    }
    rmSync(path.join(folder, "checkpoints.jsonl"));
    symlinkSync("/dev/full", path.join(folder, "checkpoints.jsonl"));
    using run = openRun(folder, configuration);
    await expect(run.checkpoint(2, save("2"))).rejects.toMatchObject({ code: "disk-full" });
    expect(run.newestCheckpoint).toBeUndefined();
  });
});

describe("folders that cannot serve", () => {
  test("files of something else are not taken over", () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, "thesis.tex"), "");
    expect(failure(() => openRun(folder, configuration))).toMatchObject({ code: "not-a-run", family: "user" });
    expect(readdirSync(folder)).toEqual(["thesis.tex"]);
  });

  test("a file in the way is named", () => {
    mkdirSync(path.dirname(folder), { recursive: true });
    writeFileSync(folder, "");
    const refused = failure(() => openRun(folder, configuration));
    expect(refused).toMatchObject({ code: "not-a-folder", family: "user" });
    expect(refused.message).toContain(folder);
  });

  test.skipIf(process.platform === "win32")("an unwritable folder is named", () => {
    mkdirSync(path.dirname(folder), { recursive: true });
    chmodSync(path.dirname(folder), 0o555);
    chmodSync(root, 0o755);
    const refused = asOrdinaryUser(() => failure(() => openRun(folder, configuration)));
    expect(refused).toMatchObject({ code: "not-writable", family: "user" });
    expect(refused.message).toContain(folder);
  });

  test.skipIf(!existsSync("/dev/full"))("a disk that fills up loses nothing that was recorded", async () => {
    {
      using run = openRun(folder, configuration);
      run.append("metrics", { step: 1 });
      await run.checkpoint(1, save("1"));
    }
    symlinkSync("/dev/full", path.join(folder, "evaluations.jsonl"));
    {
      using run = openRun(folder, configuration);
      expect(failure(() => run.append("evaluations", { step: 2 }))).toMatchObject({ code: "disk-full", family: "user" });
    }
    rmSync(path.join(folder, "evaluations.jsonl"));
    using run = openRun(folder, configuration);
    run.append("evaluations", { step: 2 });
    expect(steps()).toEqual([1]);
    expect(steps("evaluations")).toEqual([2]);
  });

  test("reading a folder that is no run says so", () => {
    mkdirSync(folder, { recursive: true });
    expect(failure(() => readRun(folder)).code).toBe("not-a-run");
  });
});

test("a file written whole replaces the earlier one and leaves nothing beside it", () => {
  using run = openRun(folder, configuration);
  run.writeFile("results.json", "1");
  const file = run.writeFile("results.json", "2");
  expect(readFileSync(file, "utf8")).toBe("2");
  expect(readdirSync(folder).filter((name) => name.includes("partial"))).toEqual([]);
});
