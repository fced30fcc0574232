import { expect, test } from "vitest";
import { MidcourseError, remoteError, userError } from "#kernel/errors.ts";
import { type Completion, noUsage } from "#kernel/model.ts";
import { firstAlone } from "./first-call.ts";
import { callDirectly } from "./retry.ts";

const answer: Completion[] = [{ text: "4", finishReason: "stop", usage: noUsage }];
const isLasting = (error: unknown) => MidcourseError.isInstance(error) && error.family === "user";

/** A server that answers in `replies`' order, and how often it was asked. */
function serving(replies: (Completion[] | Error)[]) {
  let asked = 0;
  const call = async () => {
    const reply = replies[Math.min(asked++, replies.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (reply instanceof Error) throw reply;
    return reply;
  };
  return { call, asked: () => asked };
}

test("a wrong key is found out by one request: the calls beside it share the refusal and are not asked", async () => {
  const server = serving([userError("not-authorised", "401")]);
  const policy = firstAlone(callDirectly, isLasting);
  const ends = await Promise.allSettled(Array.from({ length: 20 }, () => policy(server.call)));
  expect(ends.every(({ status }) => status === "rejected")).toBe(true);
  expect(server.asked()).toBe(1);
});

test("once the key is mended the next call goes on, and all others with it", async () => {
  const server = serving([userError("not-authorised", "401"), answer]);
  const policy = firstAlone(callDirectly, isLasting);
  await expect(policy(server.call)).rejects.toThrow("401");
  expect(await Promise.all(Array.from({ length: 5 }, () => policy(server.call)))).toEqual(Array(5).fill(answer));
  expect(server.asked()).toBe(6);
});

test("a failure of one call alone says nothing of the others", async () => {
  const server = serving([remoteError("server-failed", "500", { status: 500 }), answer]);
  const policy = firstAlone(callDirectly, isLasting);
  const ends = await Promise.allSettled(Array.from({ length: 4 }, () => policy(server.call)));
  expect(ends.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "fulfilled", "fulfilled"]);
});

test("a first answer that takes long is not waited for, and a call that waits can be called off", async () => {
  const policy = firstAlone(callDirectly, isLasting, 10);
  const { promise, resolve } = Promise.withResolvers<Completion[]>();
  const slow = policy(() => promise);
  expect(await policy(async () => answer)).toEqual(answer);
  const controller = new AbortController();
  const waiting = policy(async () => answer, controller.signal);
  controller.abort(new Error("enough"));
  await expect(waiting).rejects.toThrow("enough");
  resolve(answer);
  expect(await slow).toEqual(answer);
});
