import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { visibleAnswer } from "./extract.ts";
import { sameNumber } from "./number.ts";
import { readNumber, writtenNumberVerifier } from "./number-extract.ts";

const read = (text: string) => readNumber(visibleAnswer(text))?.number;

describe("reading the number given", () => {
  it.each([
    // The known traps: the last character lost, the last run of digits taken, currency compared as text.
    ["The answer is 18", "18"],
    ["The answer is 8", "8"],
    ["The answer is $18.", "18"],
    ["The answer is 18.", "18"],
    ["18 left... I hope so.", "18"],
    ["The answer is 18 (not 20)", "18"],
    ["3/4", "3/4"],
    ["The answer is 3/4.", "3/4"],
    ["$18.00", "18"],
    ["18%", "18"],
    ["1,234", "1234"],
    ["The total is $1,080.50.", "1080.5"],
    ["−5", "-5"],
    ["The answer is −5.", "-5"],
    ["The answer is -$5", "-5"],
    ["The answer is **18**.", "18"],
    ["The answer is:\n\n$$18$$", "18"],
    ["Final answer: \\boxed{18}", "18"],
    ["\\boxed{\\frac{3}{4}}", "3/4"],
    ["\\boxed{18\\text{ dollars}}", "18"],
    ["$\\boxed{\\$18}$", "18"],
    ["So 48/2 = 24.\n#### 72", "72"],
    ["The answer is 10 - 5 = 5", "5"],
    ["the answer is 7 x 3 = 21", "21"],
    ["He has 48/2 = 24 clips.", "24"],
    ["It takes 3 days. So it takes 120/24 = 5 hours to read 120 pages.", "5"],
    ["5 * 3 = 15. In the end she has 12 pots and gives 2 away.", "2"],
    ["The answer is that 3 friends get 5 each.", "5"],
    ["Answer: 100 miles\nI hope this helps. 3 cheers!", "100"],
    ["The answer is 18.\n\nWait. The answer is 20.", "20"],
    ["The 3rd one gets 12 apples", "12"],
    ["Total - 18", "18"],
    ["The answer is $x = 5$.", "5"],
    ["<think>maybe 5</think>6", "6"],
    ["<think>5<refine>6</refine></think><answer>7</answer>", "7"],
  ])("%j gives %s", (text, number) => expect(sameNumber(read(text) ?? "", number)).toBe(true));

  it.each(["", "five", "5:30", "The answer is 5:30", "There are 3. The answer is 5:30", "10 - 5", "The answer is 10 - 5"])(
    "%j gives none",
    (text) => expect(read(text)).toBeUndefined(),
  );

  it.each(["The answer is 17 or 18.", "x2", "2024-05-01", "not 20", "<think>18", "The answer is unknown"])(
    "%j gives none",
    (text) => expect(read(text)).toBeUndefined(),
  );

  it("finds any number in the form asked for, behind any other text with numbers", () => {
    const number = fc.oneof(
      fc.integer().map(String),
      fc.integer({ min: 1000, max: 10 ** 9 }).map((value) => value.toLocaleString("en-US")),
      fc.tuple(fc.integer({ min: -999, max: 999 }), fc.integer({ min: 0, max: 99 })).map(([whole, part]) => `${whole}.${part}`),
    );
    const before = fc.array(fc.constantFrom("3 + 4 = 7", "5:30", "not 9", "so", "The answer is 2.", "\n", "- 4"), {
      maxLength: 20,
    });
    fc.assert(
      fc.property(before, number, fc.constantFrom("", ".", " dollars.", "%", "**"), (words, value, after) => {
        const reading = readNumber(`${words.join(" ")}\nThe answer is ${value}${after}`);
        expect(reading?.strict).toBe(true);
        expect(sameNumber(reading?.number ?? "", value)).toBe(true);
      }),
    );
  });

  it("never throws and stays quick on anything", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => void read(text)));
    for (const piece of ["1", "1,", "1/", "answer is 1 ", "\\boxed{", "####", "- ", "1.", " ", "$", "1 - "])
      read(piece.repeat(20_000));
  });
});

describe("grading the number given", () => {
  const item = { id: "1", question: "", answer: "18" };

  it("reports flexible and strict accuracy, and that nothing was found", () => {
    expect(writtenNumberVerifier(item, "The answer is $18.00.", "")).toEqual({
      accuracy: 1,
      extracted: "18.00",
      strictAccuracy: 1,
    });
    expect(writtenNumberVerifier(item, "\\boxed{18}", "")).toEqual({ accuracy: 1, extracted: "18", strictAccuracy: 0 });
    expect(writtenNumberVerifier(item, "The answer is 81.", "")).toEqual({ accuracy: 0, extracted: "81", strictAccuracy: 0 });
    expect(writtenNumberVerifier(item, "Hm.", "")).toMatchObject({ accuracy: 0, extracted: undefined, status: "no-answer" });
  });
});
