/** The limiter and the tries again: bounds that hold, order, pauses, cancelling. Time is faked. */
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type MidcourseError, remoteError, userError } from "#kernel/errors.ts";
import type { Completion } from "#kernel/model.ts";
import { FakeModel } from "../fake.ts";
import { Limiter } from "./limiter.ts";
import { type RetryOptions, retrying, withPolicy } from "./retry.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const refusal = (retryAfterSeconds?: number) =>
  remoteError("too-many-requests", "429", {
    status: 429,
    costsNothing: true,
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  });

const sleep = (milliseconds: number) => new Promise<void>((resolve) => setTimeout(resolve, milliseconds));

describe("limiter", () => {
  test("never more than its limit, first come first served, and everything runs", async () => {
    const durations = fc.array(fc.record({ milliseconds: fc.nat(30), refused: fc.boolean() }), { maxLength: 40 });
    await fc.assert(
      fc.asyncProperty(durations, fc.integer({ min: 1, max: 8 }), async (jobs, most) => {
        const limiter = new Limiter({ most });
        const started: number[] = [];
        let running = 0;
        const all = jobs.map((job, index) =>
          limiter
            .run(async () => {
              started.push(index);
              running++;
              expect(running).toBeLessThanOrEqual(most);
              await sleep(job.milliseconds);
              running--;
              if (job.refused) throw refusal();
            })
            .catch(() => undefined),
        );
        await vi.runAllTimersAsync();
        await Promise.all(all);
        expect(started).toEqual(jobs.map((_, index) => index));
        expect([limiter.running, limiter.waiting]).toEqual([0, 0]);
        expect(limiter.limit).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  test("a wave of refusals halves the limit once, answers let it grow again up to the most", async () => {
    const limiter = new Limiter({ most: 16 });
    const refused = Array.from({ length: 16 }, () =>
      limiter.run(() => sleep(5).then(() => Promise.reject(refusal()))).catch(() => undefined),
    );
    await vi.runAllTimersAsync();
    await Promise.all(refused);
    expect([limiter.limit, limiter.refusals]).toEqual([8, 16]);
    for (let index = 0; index < 300; index++) await limiter.run(async () => undefined);
    expect(limiter.limit).toBe(16);
    for (let wave = 0; wave < 9; wave++) await limiter.run(() => Promise.reject(refusal())).catch(() => undefined);
    expect(limiter.limit).toBe(1);
  });

  test("other failures change nothing", async () => {
    const limiter = new Limiter({ most: 4 });
    await limiter.run(() => Promise.reject(remoteError("server-failed", "500", { status: 500 }))).catch(() => undefined);
    expect([limiter.limit, limiter.refusals]).toEqual([4, 0]);
  });

  test("nothing starts before the server's pause is over", async () => {
    const limiter = new Limiter({ most: 4 });
    await limiter.run(() => Promise.reject(refusal(2))).catch(() => undefined);
    let started = false;
    const call = limiter.run(async () => {
      started = true;
    });
    await vi.advanceTimersByTimeAsync(1990);
    expect(started).toBe(false);
    await vi.advanceTimersByTimeAsync(20);
    await call;
    expect(started).toBe(true);
  });

  test("a call that is cancelled while it waits never starts and frees its place in the line", async () => {
    const limiter = new Limiter({ most: 1 });
    const first = limiter.run(() => sleep(10));
    const cancelled = new AbortController();
    let ran = false;
    const second = limiter.run(async () => {
      ran = true;
    }, cancelled.signal);
    const third = limiter.run(async () => "third");
    cancelled.abort(new Error("stop"));
    await expect(second).rejects.toThrow("stop");
    await vi.runAllTimersAsync();
    await first;
    expect(await third).toBe("third");
    expect(ran).toBe(false);
    await expect(limiter.run(async () => 1, AbortSignal.abort(new Error("before")))).rejects.toThrow("before");
  });
});

describe("tries again", () => {
  const completion: Completion = {
    text: "4",
    finishReason: "stop",
    usage: { calls: 1, inputTokens: 10, outputTokens: 2, milliseconds: 1 },
  };

  async function run(failures: readonly Error[], options: RetryOptions = {}, signal?: AbortSignal) {
    const waits: number[] = [];
    const policy = retrying({ ...options, onRetry: ({ delaySeconds }) => waits.push(delaySeconds) });
    let calls = 0;
    const result = policy(async () => {
      const failure = failures[calls++];
      if (failure) throw failure;
      return [completion];
    }, signal).then(
      (completions) => ({ completions, error: undefined }),
      (error: MidcourseError) => ({ completions: [], error }),
    );
    await vi.runAllTimersAsync();
    return { ...(await result), waits, calls };
  }

  test("refusals cost nothing and wait as long as the server says", async () => {
    const { completions, waits, calls } = await run([refusal(9), refusal()]);
    expect(calls).toBe(3);
    expect(completions[0].usage).toEqual(completion.usage);
    expect(waits[0]).toBeGreaterThanOrEqual(9);
    expect(waits[1]).toBeGreaterThanOrEqual(1);
    expect(waits[1]).toBeLessThanOrEqual(2);
  });

  test("a try that may have been worked on makes the cost unknown", async () => {
    const { completions } = await run([remoteError("server-failed", "500", { status: 500 })]);
    expect(completions[0].usage).toMatchObject({ calls: 2, inputTokens: undefined, outputTokens: undefined });
  });

  test("waits double up to the longest, spread by up to a half", async () => {
    const lost = Array.from({ length: 7 }, () => remoteError("connection-lost", "lost", {}));
    const { waits, calls, error } = await run(lost, { retries: 6, longestDelaySeconds: 10 });
    expect([calls, waits.length, error?.code]).toEqual([7, 6, "connection-lost"]);
    for (const [index, wait] of waits.entries()) {
      const full = Math.min(10, 2 ** index);
      expect(wait).toBeGreaterThanOrEqual(full / 2);
      expect(wait).toBeLessThanOrEqual(full);
    }
  });

  test.each([
    ["the user's mistakes", userError("not-authorised", "401")],
    ["requests that the server does not take", remoteError("request-refused", "400", { status: 400, costsNothing: true })],
    ["streams that were listened to", remoteError("stream-broken-midway", "broke", {})],
    ["a wait of an hour", refusal(3600)],
    ["a server that never answered", userError("server-unreachable", "refused")],
    ["our own mistakes", new TypeError("bug")],
  ])("%s are not tried again", async (_, failure) => {
    const { calls, error } = await run([failure]);
    expect(calls).toBe(1);
    expect(error).toBe(failure);
  });

  test("a server that answered before may come back", async () => {
    const policy = retrying({ firstDelaySeconds: 0.01 });
    await policy(async () => [completion]);
    let calls = 0;
    const again = policy(async () => {
      if (calls++ === 0) throw userError("server-unreachable", "restarting");
      return [completion];
    });
    await vi.runAllTimersAsync();
    expect(await again).toHaveLength(1);
  });

  test("cancelling ends the wait", async () => {
    const cancelled = new AbortController();
    const policy = retrying();
    const call = policy(() => Promise.reject(refusal(60)), cancelled.signal);
    const ended = expect(call).rejects.toThrow("stop");
    await vi.advanceTimersByTimeAsync(10);
    cancelled.abort(new Error("stop"));
    await ended;
  });

  test("around a limiter and any model, a waiting try holds no place", async () => {
    const limiter = new Limiter({ most: 1 });
    const script = [new Error("no"), "second", "first"];
    const fake = new FakeModel((_, __, callIndex) => (callIndex === 0 ? refusal() : script[callIndex]));
    const model = withPolicy(fake, retrying({}, limiter.policy));
    const options = { n: 1, temperature: 0, maxTokens: 5, seed: 0 };
    const answers = ["one", "two"].map((content) => model.generate([{ role: "user", content }], options));
    await vi.runAllTimersAsync();
    const texts = (await Promise.all(answers)).map(([first]) => first!.text);
    expect(texts).toEqual(["first", "second"]);
    expect(model.id).toBe("fake");
  });
});
