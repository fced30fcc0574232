import { expect, test } from "vitest";
import { runNames } from "./run-names.ts";

test("runs are called by as much of their folders as tells them apart", () => {
  expect(runNames(["/r/good", "/r/other"])).toEqual(["good", "other"]);
  expect(runNames(["/a/x/good", "/b/x/good", "/a/bad"])).toEqual(["a/x/good", "b/x/good", "bad"]);
  expect(runNames(["/good", "/a/good"])).toEqual(["/good", "a/good"]);
  expect(runNames(["runs/good"])).toEqual(["good"]);
});

test("a folder that is named twice is numbered, however it is spelt", () => {
  expect(runNames(["/r/good", "/r/./good", "/r/good/"])).toEqual(["good", "good (named again)", "good (named again, 3)"]);
});
