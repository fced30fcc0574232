import fc from "fast-check";
import { expect, test } from "vitest";
import { lostNumbers } from "./numbers-kept.ts";

test.each([
  ["Tom has 3 apples and 12 pears.", "Tom has three apples and a dozen... no, 12 pears.", []],
  ["Tom has 3 apples and 12 pears.", "Tom has apples and 12 pears.", ["3"]],
  ["It costs $1,200.50.", "The price: 1200.5 dollars", []],
  ["Pick from 1,2,3.", "Pick from 3 and 1.", ["2"]],
  ["twenty-five men", "25 men", []],
  ["25 men", "twenty-five men", []],
  ["2 dozen eggs", "24 eggs", []],
  ["24 eggs", "two dozen eggs", []],
  ["two hundred thousand", "200000", []],
  ["two dogs, five cats", "2 dogs and 5 cats", []],
  ["one of them", "some of them", []],
  ["1 of them", "some of them", ["1"]],
  ["007", "7", []],
  ["１２ eggs", "12 eggs", []],
  ["3/4 of 80%", "80 percent of 3/4", []],
  ["10 dozen and 3", "120 and 4", ["3"]],
  ["", "anything 5", []],
  ["no numbers", "", []],
])("%j rewritten as %j has lost %j", (original, rewritten, lost) => expect(lostNumbers(original, rewritten)).toEqual(lost));

test("no text has lost a number to itself, and nothing added makes one lost", () => {
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, more) => {
      expect(lostNumbers(text, text)).toEqual([]);
      expect(lostNumbers(text, `${text}\n— ${more}`)).toEqual([]);
    }),
  );
});

test("long texts are read in linear time", () => {
  expect(lostNumbers("twenty ".repeat(100_000), "1,".repeat(200_000))).toEqual(["20"]);
  expect(lostNumbers(`${"9".repeat(100_000)} hundred`, "")).toHaveLength(1);
});
