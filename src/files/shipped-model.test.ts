import path from "node:path";
import { expect, test } from "vitest";
import { namedFolder, shippedModel } from "./shipped-model.ts";

test("no folder of one's own is named as the shipped model is", () => {
  expect(namedFolder(shippedModel)).toBe("shipped");
  expect(namedFolder(path.relative(process.cwd(), shippedModel))).toBe("shipped");
  expect(namedFolder("/project/models/base", "/project")).toBe("models/base");
  expect(namedFolder("/project/shipped", "/project")).toBe("./shipped");
  expect(namedFolder("/project", "/project")).toBe(".");
});
