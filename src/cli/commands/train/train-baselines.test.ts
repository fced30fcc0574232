import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, expect, test, vi } from "vitest";
import { stepsOfRounds } from "#recipes/shared/self-training.ts";
import { readRun } from "#record/run-directory.ts";
import { midcourse } from "../../../../test/support/command.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "baselines-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => vi.restoreAllMocks());

const run = (...words: string[]) => midcourse("train", ...words, "--questions", "8", "--items", "4", "--threads", "1");

test.each([
  ["isc", "--samples=2", "--epochs=1"],
  ["rise", "--rounds=1", "--samples=2", "--keep=best"],
  ["pasr-ift", "--trained=models/base", "--samples=8", "--epochs=1"],
])(
  "%s measures before and after, and the same command again gives the same",
  async (name, ...words) => {
    const out = path.join(root, name!);
    const shown = await run(name!, ...words, "--out", out);
    expect(shown).toContain(`base ${name === "rise" ? "rise-1" : name}`);
    expect(existsSync(path.join(out, "model", "model.safetensors"))).toBe(true);
    const results = readFileSync(path.join(out, "results.json"), "utf8");
    expect(await run(name!, ...words, "--out", out)).toBe(shown);
    expect(readFileSync(path.join(out, "results.json"), "utf8")).toBe(results);
  },
  60_000,
);

test("rounds follow one another in TensorBoard's steps, a process that goes on takes none of them away", async () => {
  const out = path.join(root, "rounds");
  const curves = path.join(root, "curves");
  const words = ["rise", "--rounds=2", "--samples=2", "--keep=all", "--epochs=1", "--tensorboard", curves, "--out", out];
  await run(...words);
  const rounds = [1, 2].map((round) => readRun(path.join(out, `round-${round}`)).metrics.length);
  const steps = rounds[0] + rounds[1];
  expect(rounds.every((count) => count > 0)).toBe(true);
  expect(stepsOfRounds(out)).toBe(steps);
  expect(stepsOfRounds(out, 2)).toBe(rounds[0]);
  const files = () => readdirSync(path.join(curves, "rounds")).sort();
  const [first] = files();
  expect(stepsIn(path.join(curves, "rounds", first!))).toEqual([1, ...Array.from({ length: steps }, (_, index) => index + 1)]);
  await run(...words);
  const [, second] = files();
  expect(stepsIn(path.join(curves, "rounds", second!))).toEqual([steps + 1]);
}, 60_000);

/** The step of each of a file's records but the first, which has none; the second says from where on earlier files are out of date. */
function stepsIn(file: string): number[] {
  const bytes = readFileSync(file);
  const steps: number[] = [];
  for (let at = 0; at < bytes.length; at += Number(bytes.readBigUInt64LE(at)) + 16) {
    // A time of nine bytes, then field 2; the steps here are below 128.
    if (at > 0) steps.push(bytes[at + 12 + 9] === 0x10 ? bytes[at + 12 + 10] : Number.NaN);
  }
  return steps;
}

test("another option in the same folder is refused, and so are good refinements from nowhere", async () => {
  await expect(run("isc", "--samples=3", "--epochs=1", "--out", path.join(root, "isc"))).rejects.toThrow("isc.samples");
  await expect(run("pasr-ift", "--out", path.join(root, "none"))).rejects.toThrow("one of two places");
  await expect(run("rise", "--keep=some")).rejects.toThrow();
});
