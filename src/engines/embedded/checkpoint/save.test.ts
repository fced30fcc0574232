/** What is left on disk when writing goes wrong: real kills, a full disk, a size limit, a folder that may not be written. */
import { spawn, spawnSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random } from "#kernel/seed.ts";
import { loadCheckpoint } from "./checkpoint.ts";
import { expectedTensors } from "./config.ts";
import { loadOptimizerState } from "./optimizer.ts";

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "midcourse-disk-"));
  // Other accounts must be able to reach it: one test writes as nobody.
  await chmod(root, 0o755);
});
afterAll(() => rm(root, { recursive: true, force: true }));

/** Saves a small checkpoint of one repeated number, `times` times with 1, 2, 3, …; prints a line after each, or the error as JSON. */
const writer = `
  import { saveCheckpoint } from ${JSON.stringify(join(import.meta.dirname, "checkpoint.ts"))};
  import { expectedTensors, parseConfig } from ${JSON.stringify(join(import.meta.dirname, "config.ts"))};
  import { newConfig } from ${JSON.stringify(join(import.meta.dirname, "create.ts"))};
  const [folder, times, hiddenSize] = [process.argv[1], Number(process.argv[2]), Number(process.argv[3])];
  const rawConfig = newConfig({ vocabularySize: 16, hiddenSize, intermediateSize: 16, layers: 1, heads: 2, maxContextTokens: 8 });
  const shapes = expectedTensors(parseConfig(rawConfig, "config.json"));
  const filled = (shape, value) => ({ shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)).fill(value) });
  try {
    for (let value = 1; value <= times; value++) {
      const parameters = new Map([...shapes].map(([name, shape]) => [name, filled(shape, value)]));
      const moments = new Map([...parameters].map(([name, { data }]) => [name, data]));
      const optimizer = { step: value, firstMoments: moments, secondMoments: moments };
      await saveCheckpoint(folder, { rawConfig, parameters, optimizer });
      console.log("saved " + value);
    }
  } catch (error) {
    console.log(JSON.stringify({ family: error.family, message: error.message, advice: error.advice }));
  }
`;
const nodeArguments = (folder: string, times: number, hiddenSize: number) => [
  "--input-type=module",
  "--eval",
  writer,
  folder,
  String(times),
  String(hiddenSize),
];

describe("a save that is killed", () => {
  it("leaves a complete checkpoint of one moment, and the next save cleans up", async () => {
    const folder = join(root, "killed", "checkpoint");
    const random = new Random(1);
    let last = 0;
    for (let round = 0; round < 8; round++) {
      const child = spawn(process.execPath, nodeArguments(folder, 1_000_000, 64), { stdio: ["ignore", "pipe", "ignore"] });
      const exited = new Promise((resolve) => child.once("exit", resolve));
      await new Promise((resolve) => child.stdout.once("data", resolve));
      await setTimeout(random.integer(0, 60));
      child.kill("SIGKILL");
      await exited;

      const { config, parameters } = await loadCheckpoint(folder);
      const values = new Set([...parameters.values()].flatMap(({ data }) => [...data]));
      expect(values.size).toBe(1);
      const state = await loadOptimizerState(folder, expectedTensors(config));
      expect(state!.step).toBe([...values][0]);
      expect(new Set([...state!.secondMoments.values()].flatMap((data) => [...data]))).toEqual(values);
      last = state!.step;
    }
    expect(last).toBeGreaterThan(0);
    spawnSync(process.execPath, nodeArguments(folder, 1, 64));
    expect(await readdir(join(root, "killed"))).toEqual(["checkpoint"]);
  });
});

describe("a save that cannot be written", () => {
  interface Failure {
    family: string;
    message: string;
    advice: string;
  }

  /** Runs the writer in a shell after some preparation; the paths and sizes come as arguments. */
  function save(preparation: string, folder: string, hiddenSize: number, options = {}): { saved: string[]; failure: Failure } {
    const script = `${preparation} "$0" "$@"`;
    const { stdout, stderr } = spawnSync("sh", ["-c", script, process.execPath, ...nodeArguments(folder, 1, hiddenSize)], {
      encoding: "utf8",
      ...options,
    });
    const lines = stdout.trim().split("\n");
    const last = lines.at(-1) ?? "";
    if (!last.startsWith("{")) return { saved: lines, failure: { family: "none", message: `${stdout}${stderr}`, advice: "" } };
    return { saved: lines.slice(0, -1), failure: JSON.parse(last) as Failure };
  }

  const unix = process.platform !== "win32";

  it.skipIf(!unix)("keeps the old checkpoint and says so when a file may not grow as large as needed", async () => {
    const folder = join(root, "limited");
    save("exec", folder, 8);
    const before = (await loadCheckpoint(folder)).parameters;
    const { saved, failure } = save("ulimit -f 16; exec", folder, 256);
    expect(saved).toEqual([]);
    expect(failure).toMatchObject({ family: "user" });
    expect(failure.message).toMatch(/limited.*larger than/);
    expect((await loadCheckpoint(folder)).parameters).toEqual(before);
    expect(await readdir(root)).not.toContain("limited.partial");
  });

  it("keeps the old checkpoint and says so when the disk is full", async (context) => {
    const disk = join(root, "full-disk");
    await mkdir(disk);
    const mount = `mount -t tmpfs -o size=256k none ${disk} &&`;
    const probe = spawnSync("unshare", ["--map-root-user", "--mount", "sh", "-c", `${mount} true`]);
    if (probe.status !== 0) {
      console.log("Skipped: this system does not let a test mount a small disk of its own.");
      context.skip();
    }
    const listing = `ls ${disk} ${join(disk, "checkpoint")}`;
    const { stdout } = spawnSync(
      "unshare",
      [
        ...["--map-root-user", "--mount", "sh", "-c"],
        `${mount} "$0" "$@" 8; "$0" "$@" 256; ${listing}`,
        process.execPath,
        ...nodeArguments(join(disk, "checkpoint"), 1, 8).slice(0, -1),
      ],
      { encoding: "utf8" },
    );
    const [first, second, ...listed] = stdout.trim().split("\n");
    expect(first).toBe("saved 1");
    const failure = JSON.parse(second) as Failure;
    expect(failure.family).toBe("user");
    expect(failure.message).toMatch(/full-disk.*the disk is full/);
    expect(failure.advice).toMatch(/space/);
    const names = listed.filter((line) => line !== "" && !line.includes("/"));
    expect(names).toEqual(["checkpoint", "config.json", "generation_config.json", "model.safetensors", "optimizer.safetensors"]);
  });

  it.skipIf(!unix)("says so when the folder may not be written", async () => {
    const parent = join(root, "read-only");
    await mkdir(parent, { mode: 0o555 });
    // The superuser may write everywhere, so the test steps down to nobody.
    const options = process.getuid?.() === 0 ? { uid: 65_534, gid: 65_534, cwd: root } : {};
    const { failure } = save("exec", join(parent, "checkpoint"), 8, options);
    expect(failure).toMatchObject({ family: "user" });
    expect(failure.message).toMatch(/read-only.*permission is denied/);
  });

  it("says so when a part of the path is a file", async () => {
    await writeFile(join(root, "file"), "");
    const { failure } = save("exec", join(root, "file", "checkpoint"), 8);
    expect(failure.message).toMatch(/file.*a part of the path is a file|file.*in the way/);
    expect(failure.family).toBe("user");
  });
});
