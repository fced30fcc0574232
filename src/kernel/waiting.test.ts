import { expect, test } from "vitest";
import { waitedFor, waitingFor } from "./waiting.ts";

test("what is waited for is known until it has ended, however that is", async () => {
  const { promise, resolve } = Promise.withResolvers<number>();
  const first = waitingFor("the method mine", () => promise);
  const second = waitingFor("the method mine", () => promise);
  const failing = waitingFor("the module ./mine.ts", () => Promise.reject(new Error("broken")));
  expect(waitedFor()).toEqual(["the method mine", "the module ./mine.ts"]);
  await expect(failing).rejects.toThrow("broken");
  resolve(7);
  expect(await Promise.all([first, second])).toEqual([7, 7]);
  expect(waitedFor()).toEqual([]);
});
