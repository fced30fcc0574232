import { expect, test } from "vitest";
import { remoteError } from "#kernel/errors.ts";
import { doubling, pause, retryAfter, withTries } from "./tries.ts";

test("how long a server asks to wait, in its three forms", () => {
  expect(retryAfter({ "retry-after": "12" })).toBe(12);
  expect(retryAfter({ "retry-after": "-3" })).toBe(0);
  expect(retryAfter({ "retry-after-ms": "250", "retry-after": "1" })).toBe(0.25);
  expect(retryAfter({ "retry-after": "Thu, 01 Jan 1970 00:00:30 GMT" }, 10_000)).toBe(20);
  for (const odd of [{}, { "retry-after": "" }, { "retry-after": "soon" }]) expect(retryAfter(odd)).toBeUndefined();
});

const busy = (retryAfterSeconds?: number) => remoteError("busy", "busy", { status: 429, retryAfterSeconds });

function failing(failures: unknown[]) {
  const work = async () => {
    work.calls++;
    if (failures.length > 0) throw failures.shift();
    return "done";
  };
  work.calls = 0;
  return work;
}

test("tries again as often as there are waits, and only what may end otherwise", async () => {
  const tries = {
    waits: doubling(0.001, 2),
    longestWait: 1,
    signal: undefined,
    isPassing: (error: unknown) => error !== "final",
  };
  const twice = failing([busy(), busy()]);
  expect(await withTries(tries, twice)).toBe("done");
  expect(twice.calls).toBe(3);
  const thrice = failing([busy(), busy(), busy()]);
  await expect(withTries(tries, thrice)).rejects.toThrow("busy");
  expect(thrice.calls).toBe(3);
  const final = failing(["final"]);
  await expect(withTries(tries, final)).rejects.toBe("final");
  expect(final.calls).toBe(1);
});

test("the server's own wait goes before ours, up to the longest", async () => {
  const startedAt = performance.now();
  const tries = { waits: [60], longestWait: 60, signal: undefined, isPassing: () => true };
  expect(await withTries(tries, failing([busy(0)]))).toBe("done");
  expect(await withTries({ ...tries, waits: [0], longestWait: 0.01 }, failing([busy(60)]))).toBe("done");
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});

test("an abort ends a wait with its own reason", async () => {
  const stop = new AbortController();
  const waiting = pause(60, stop.signal);
  stop.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  await expect(pause(60, stop.signal)).rejects.toThrow("enough");
});
