import { expect, test } from "vitest";
import { counted } from "./numbers.ts";

test("one is not many", () => {
  expect([0, 1, 2].map((count) => counted(count, "call"))).toEqual(["0 calls", "1 call", "2 calls"]);
  expect([1, 2].map((count) => counted(count, "item has", "items have"))).toEqual(["1 item has", "2 items have"]);
});
