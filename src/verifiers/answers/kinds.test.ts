/** What readers of answers are known to get wrong, one kind after the other. */
import { describe, expect, it } from "vitest";
import { lastBoxed, lastBoxes } from "./boxes.ts";
import { letterAt, readChoice } from "./choice.ts";
import { blank, withoutDenied } from "./denials.ts";
import { plainDigits } from "./digits.ts";
import { visibleAnswer } from "./extract.ts";
import { sameNumber } from "./number.ts";
import { readNumber } from "./number-extract.ts";
import { readSpan, spanVerifier } from "./span.ts";
import { withoutThoughts } from "./thoughts.ts";

const number = (text: string) => readNumber(visibleAnswer(text))?.number;
const colours = ["red", "blue", "green", "black"].map((text, index) => ({ letter: "ABCD"[index], text }));
const choice = (text: string) => readChoice(visibleAnswer(text), colours)?.letter;

describe("denials, hedges and reports are no answers", () => {
  it.each([
    "The answer is not 5.",
    "The answer cannot be 5.",
    "The answer can't be 5.",
    "I don't think the answer is 5.",
    "It is false that the answer is 5.",
    "The wrong answer is 5.",
    "The answer is anything but 5.",
    "The answer is neither 5 nor 7.",
    "If the answer is 5, we have a contradiction.",
    "\\boxed{5} is wrong.",
    "5 is incorrect",
    "答案不是5。",
    "Die Antwort ist nicht 5.",
    "La respuesta no es 5.",
    "Ответ не 5.",
  ])("%j gives no number", (text) => expect(number(text)).toBeUndefined());

  it.each([
    "The answer is 7. A common wrong answer is 5.",
    "The answer would be 5 if x were odd, but it is even, so it is 7.",
    "The answer is 5? No, 7.",
    "The answer is not 5 but 7.",
    "The answer isn't 5, it's 7.",
    "It is not 5, the answer is 7.",
    "Some might say the answer is 5, but the answer is 7.",
    "The answer is 7, not 5.",
    "It is \\boxed{7}, not \\boxed{5}.",
  ])("%j gives 7", (text) => expect(number(text)).toBe("7"));

  it.each([
    "The answer isn't A.",
    "The answer cannot be A.",
    "A is wrong.",
    "I would rule out option A.",
    "Option A is wrong, and so is option C.",
    "The least likely answer is D.",
    "Anything but red.",
    "排除A和C",
  ])("%j chooses none", (text) => expect(choice(text)).toBeUndefined());

  it.each([
    "The answer is B. A common wrong answer is D.",
    "Not A, but B.",
    "选项A错误，选项B正确。",
    "答案不是A，而是B",
    "A is tempting, but B is right.",
  ])("%j chooses B", (text) => expect(choice(text)).toBe("B"));

  it("are blanked in place, and nothing else is", () => {
    const text = "It is not 5, it is 7.";
    expect(withoutDenied(text)).toBe(`It is ${blank.repeat(5)}, it is 7.`);
    for (const plain of ["The answer is 7.", "There is no doubt that it is 7.", "She got 5 wrong answers.", "Not only A fits."])
      expect(withoutDenied(plain)).toBe(plain);
  });
});

describe("enumerations choose none", () => {
  it.each([
    "(A), (B), (C), (D)",
    "A or B",
    "(A) or (B)",
    "A B C D",
    "The answer is A, or possibly B.",
    "The answer is A B",
    "The answer is A & B",
    "The answer is A as well as blue",
    "red or blue",
  ])("%j", (text) => expect(choice(text)).toBeUndefined());

  it.each([
    "The answer is 5, 6 or 7.",
    "The answer is either 5 or 7.",
    "The answer is 5–7.",
    "5 or 7",
    "The answer is 5 and/or 7.",
  ])("%j", (text) => expect(number(text)).toBeUndefined());
});

describe("an answer first and its explanation after it", () => {
  it.each([
    "(B) blue\n\nReason: options (A) and (C) do not fit.",
    "B\n\nExplanation: A is red, C is green, D is black.",
    "**B**\n\nBecause the sky is blue.",
    "We get \\boxed{3}.\n\n**Answer: B**",
  ])("%j chooses B", (text) => expect(choice(text)).toBe("B"));

  it("letters in names and the word I are no options", () => {
    const vitamins = ["Vitamin C", "Vitamin A", "Vitamin D"].map((text, index) => ({ letter: "ABC"[index], text }));
    expect(readChoice("It is vitamin C.", vitamins)?.letter).toBe("A");
    const many = Array.from({ length: 10 }, (_, index) => ({ letter: letterAt(index), text: `thing${index}` }));
    expect(readChoice("Answer: I think it is C", many)?.letter).toBe("C");
    expect(readChoice("I don't know", many)).toBeUndefined();
  });

  it("an option may be a denial itself", () => {
    const pairs = ["True, True", "False, False", "True, False"].map((text, index) => ({ letter: "ABC"[index], text }));
    expect(readChoice("The answer is False, False", pairs)?.letter).toBe("B");
    expect(readChoice("The answer is not False, False", pairs)?.letter).toBeUndefined();
  });

  it("there may be more options than letters", () => {
    expect([0, 25, 26, 51, 52, 701].map(letterAt)).toEqual(["A", "Z", "AA", "AZ", "BA", "ZZ"]);
    const many = Array.from({ length: 60 }, (_, index) => ({ letter: letterAt(index), text: `thing ${index}` }));
    expect(readChoice("The answer is AC.", many)?.letter).toBe("AC");
  });
});

describe("a part is never read as the whole", () => {
  it.each([
    ["\\boxed{3\\frac{1}{2}}", "7/2"],
    ["\\boxed{\\frac{-3}{4}}", "-3/4"],
    ["\\boxed{\\frac12}", "1/2"],
    ["\\boxed{10^{2}}", "100"],
    ["\\boxed{1.5 \\times 10^{3}}", "1500"],
    ["The answer is 3 1/2.", "7/2"],
    ["The answer is 3½.", "7/2"],
    ["The answer is 10³.", "1000"],
    ["The answer is 1\u202f234\u202f567.", "1234567"],
    ["The answer is 1'234'567.", "1234567"],
    ["The answer is 1_234_567.", "1234567"],
    ["The answer is 12,34,567.", "1234567"],
    ["The answer is 1.234.567.", "1234567"],
    ["The answer is 12,5.", "12.5"],
    ["The answer is 1.5e3.", "1500"],
    ["The answer is 3 million.", "3000000"],
    ["The answer is $5k.", "5000"],
    ["The answer is 5 dollars and 30 cents.", "5.3"],
    ["The answer is 2**5", "32"],
    ["The answer is US$1,234.", "1234"],
  ])("%j is %s", (text, value) => expect(sameNumber(number(text) ?? "", value)).toBe(true));

  it.each([
    "\\boxed{\\sqrt{16}}",
    "\\boxed{5!}",
    "\\boxed{x \\neq 7}",
    "\\boxed{\\log_2 8}",
    "\\boxed{\\binom{5}{2}}",
    "\\boxed{7i}",
    "\\boxed{(3,4)}",
    "\\boxed{7 + x}",
    "The answer is 2 hours and 30 minutes.",
    "The answer is 5 feet 3 inches.",
    "The answer is 2h30.",
    "The answer is 7:1.",
    "The answer is 4√2.",
    "The answer is less than 7.",
    "The answer is between 5 and 7.",
  ])("%j gives none", (text) => expect(number(text)).toBeUndefined());

  it.each(["−", "–", "‐", "‑", "‒", "⁻", "﹣", "－", "negative ", "minus "])("the sign %j", (sign) =>
    expect(number(`The answer is ${sign}7.`)).toBe("-7"),
  );
});

describe("other scripts", () => {
  it.each(["٤٢", "৪২", "४२", "๔๒", "۴۲", "４２", "𝟒𝟐"])("%s is 42", (digits) => expect(plainDigits(digits)).toBe("42"));

  it.each([
    "所以答案是42元。",
    "答えは42個です。",
    "정답은 42입니다.",
    "La respuesta es 42.\nVerificación: 2 pasos.",
    "La réponse est 42.",
    "Die Antwort lautet 42.",
    "Ответ: 42",
    "الإجابة هي ٤٢.",
    "उत्तर ४२ है।",
  ])("%j gives 42", (text) => expect(number(text)).toBe("42"));

  it.each([
    "答案是B",
    "故选B",
    "选B",
    "只有选项B是对的",
    "正解はBです。",
    "정답: B",
    "Ответ: B",
    "الإجابة: ب",
    "उत्तर B है",
    "Ｂ",
    "𝐁",
    "La respuesta es la B.",
  ])("%j chooses B", (text) => expect(choice(text)).toBe("B"));
});

describe("thoughts in other tags", () => {
  it.each([
    "<thinking>The answer is 5.</thinking>I give up.",
    "<reasoning>The answer is 5.</reasoning>I give up.",
    "[THINK]The answer is 5.[/THINK]I give up.",
    "◁think▷The answer is 5.◁/think▷I give up.",
    "<seed:think>The answer is 5.</seed:think>I give up.",
    "<THINK>The answer is 5.</THINK>I give up.",
    "<think >The answer is 5.</think >I give up.",
    "<|channel|>analysis<|message|>The answer is 5.",
    "<thinking>The answer is 5.",
  ])("%j gives none", (text) => expect(number(text)).toBeUndefined());

  it.each([
    "<think>x</think>The answer is 7.<think>The answer is 5.</think>",
    "<|channel|>analysis<|message|>5<|end|><|start|>assistant<|channel|>final<|message|>The answer is 7.<|return|>",
    "the answer is 5</think>7",
  ])("%j gives 7", (text) => expect(number(text)).toBe("7"));

  it("of one's own, and brackets that are none", () => {
    expect(withoutThoughts("<plan>5</plan>7", ["plan"])).toEqual({ text: "7", isUnended: false });
    expect(withoutThoughts("<plan>5", ["plan"]).isUnended).toBe(true);
    expect(withoutThoughts("x = counts[reason]").text).toBe("x = counts[reason]");
  });
});

describe("what stands beside an answer", () => {
  it.each([
    "She makes $18.\n\nConfidence: 95%",
    "18\n\nConfidence: 95%",
    "Total: 18 apples (see step 2).",
    "The total is 18 [1].",
    "She has 18 apples.\n\nLet me know if you want 2 more examples!",
  ])("%j gives 18", (text) => expect(number(text)).toBe("18"));
});

describe("boxes", () => {
  it.each([
    ["It is \\boxed{42}, not \\boxed{41}.", "42"],
    ["-\\boxed{42}", "-42"],
    ["boxed{42}", "42"],
    ["\\boxed{\\text{The answer is }\\boxed{42}}", "42"],
    ["10-\\boxed{3}", "3"],
    ["\\boxed{42} is wrong.", undefined],
    ["It is not $x = \\boxed{5}$.", undefined],
    ["Because $x$ cannot be $0$, $x=\\boxed{5}$.", "5"],
    ["We take three 2's and do not have any 0's: $M=\\boxed{222}$.", "222"],
    ["Without those that don't work we have our answer: $8-6=\\boxed{2}$.", "2"],
  ])("%j holds %s", (text, content) => expect(lastBoxed(text)).toBe(content));

  it("one that is denied or too long is no answer, and nothing else is", () => {
    const isSame = (first: string, second: string) => first === second;
    expect(lastBoxes("$\\boxed{16}$ is wrong, so I do not know", isSame)?.content).toBe("");
    expect(lastBoxes(`\\boxed{${"1".repeat(5000)}}`, isSame)?.content).toBe("");
    expect(number(`So 7. \\boxed{${"1".repeat(5000)}}`)).toBeUndefined();
    expect(number("\\boxed{\\textbf{(B)}\\ 42}")).toBe("42");
  });
});

describe("short answers", () => {
  const exact = (answer: string, wanted: string) =>
    spanVerifier({ id: "", question: "", answer: wanted }, answer, answer).measures?.exactMatch;

  it.each([
    ["-5", "5"],
    ["−5", "5"],
    ["5.5", "-5.5"],
    ["Ann", "Ann\nBob"],
    ["Ann, Bob, Cy", "Ann\nBob"],
    ["Ann or Bob", "Ann"],
    ["The answer is not Ann.", "Ann"],
  ])("%j is not %j", (answer, wanted) => expect(exact(answer, wanted)).toBe(0));

  it.each([
    ["–5", "-5"],
    ["Answer: 3 + 4 = 7", "7"],
    ["Answer: Ann (see line 3)", "Ann"],
    ["Ann\nBob", "Ann\nBob"],
    ["- Ann\n- Bob", "Ann\nBob"],
    ["1. Ann\n2. Bob", "Ann\nBob"],
    ["1) Ann 2) Bob", "Ann\nBob"],
    ["Answer:\n- Ann\n- Bob", "Ann\nBob"],
    ["Ann & Bob", "Ann\nBob"],
    ["Ann / Bob", "Ann\nBob"],
    ["Answer: not guilty", "not guilty"],
  ])("%j is %j", (answer, wanted) => expect(exact(answer, wanted)).toBe(1));

  it("in a text of several lines are the last one's", () => expect(readSpan("So\nit is 7")?.span).toBe("it is 7"));
});
