import { expect, test } from "vitest";
import { inParallel } from "./in-parallel.ts";

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

test("so many at a time, begun in order, results in order whatever ends first", async () => {
  const begun: number[] = [];
  let under = 0;
  let most = 0;
  const results = await inParallel([0, 1, 2, 3, 4, 5, 6], 3, async (job, index) => {
    expect(index).toBe(job);
    begun.push(job);
    most = Math.max(most, ++under);
    for (let turns = 0; turns < (job % 3 === 0 ? 5 : 1); turns++) await turn();
    under--;
    return job * 10;
  });
  expect(results).toEqual([0, 10, 20, 30, 40, 50, 60]);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(most).toBe(3);
});

test("a generator is asked only when there is a place, and may end early", async () => {
  let isEnough = false;
  function* jobs() {
    for (let job = 0; job < 100 && !isEnough; job++) yield job;
  }
  const done = await inParallel(jobs(), 2, async (job) => {
    await turn();
    if (job === 3) isEnough = true;
    return job;
  });
  expect(done.length).toBeLessThan(8);
});

test("after a failure nothing begins, and what is under way is waited for", async () => {
  const begun: number[] = [];
  const ended: number[] = [];
  const working = inParallel([0, 1, 2, 3, 4, 5], 2, async (job) => {
    begun.push(job);
    if (job === 1) throw new Error("one failed");
    for (let turns = 0; turns < 10; turns++) await turn();
    if (job === 0) {
      ended.push(job);
      throw new Error("a later failure");
    }
  });
  await expect(working).rejects.toThrow("one failed");
  expect(begun).toEqual([0, 1]);
  expect(ended).toEqual([0]);
});

test("no jobs, or no places, are no trouble", async () => {
  expect(await inParallel([], 4, async () => 1)).toEqual([]);
  expect(await inParallel([1, 2], 0, async (job) => job)).toEqual([1, 2]);
});
