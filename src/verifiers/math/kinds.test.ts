import { afterAll, describe, expect, test } from "vitest";
import { MathComparer } from "./comparer.ts";
import { extractMath } from "./extract.ts";
import { integerGrader, mathGrader } from "./graders.ts";
import { sameMath } from "./verdict.ts";

const comparer = new MathComparer();
afterAll(() => comparer.close());
const grade = mathGrader({ comparer });

type Pairs = readonly (readonly [gold: string, answer: string])[];

/** What public graders were reported for, by kind. */
const kinds: Readonly<Record<string, { same: Pairs; different: Pairs }>> = {
  "an end at infinity is near to nothing finite": {
    same: [
      [String.raw`[2,\infty)`, String.raw`x\ge2`],
      [String.raw`[2,\infty)`, String.raw`2\le x<\infty`],
      [String.raw`(-\infty,\infty)`, String.raw`\mathbb{R}`],
      ["(0,1)", String.raw`(\sin\pi,1)`],
    ],
    different: [
      [String.raw`\mathbb{R}`, "x<5"],
      ["0<x<1", "x>0"],
      ["x<5", String.raw`(3,\infty)`],
      [String.raw`(-\infty,3]`, "[-100,3]"],
      ["|x|>2", String.raw`(-9,-2)\cup(2,9)`],
      [String.raw`x\ne0`, String.raw`(-1,0)\cup(0,1)`],
      [String.raw`(2,\infty)`, "(2,10^{12})"],
      ["(0,10^{-12})", "(0,10^{-13})"],
      [String.raw`x\ge-4`, String.raw`x\ge-4\text{ and }x<4`],
    ],
  },
  "a list is no decimal, and a decimal comma is read in the answer alone": {
    same: [
      ["2.7", "2,7"],
      ["0.5", "0,5"],
      ["2,7", "7,2"],
      ["1234.5", "1.234,5"],
      ["1234567", "1.234.567"],
      ["1234567", "12,34,567"],
      ["1234567", "1'234'567"],
      ["1000.99", "1000,99"],
    ],
    different: [
      ["2,7", "2.7"],
      ["2.7", "2, 7"],
      ["2.5", String.raw`2\text{ or }5`],
      ["2.5", "2;5"],
      ["-2,7", "-2.7"],
      [String.raw`\{2,7\}`, "2.7"],
      ["0.5", "0,25"],
      ["12", "12,34,567"],
      ["12,34,567", "1234567"],
      ["12345", "12.345"],
    ],
  },
  "terms are compared with each other, however small they are": {
    same: [
      [String.raw`6.6\times10^{-34}\nu`, String.raw`6.60\cdot 10^{-34}\nu`],
      [String.raw`\frac{x}{10^{20}}`, "10^{-20}x"],
      ["(x+1)^2-x^2-2x", "1"],
      [String.raw`\sin^2x+\cos^2x-1`, "0"],
      ["(a-b)(a+b)-a^2+b^2+x", "x"],
    ],
    different: [
      [String.raw`1.38\times10^{-23}T`, String.raw`6.02\times10^{-23}T`],
      [String.raw`1.38\times10^{-23}T`, String.raw`-1.38\times10^{-23}T^2`],
      ["10^{-20}x", String.raw`2\cdot10^{-20}x`],
      ["x+10^{-20}", String.raw`x+2\cdot 10^{-20}`],
      [String.raw`E=6.6\times10^{-34}\nu`, String.raw`E=9\times10^{-31}\nu`],
      ["y-10^{-20}x=0", String.raw`y-2\cdot10^{-20}x=0`],
    ],
  },
  "functions are composed in their order": {
    same: [
      [String.raw`f\circ g`, String.raw`f \circ g`],
      ["f(g(x))", String.raw`(f\circ g)(x)`],
      [String.raw`(f\circ g)(x)=5`, "5"],
      [String.raw`75\circ`, "75"],
      [String.raw`75^\circ`, "75°"],
    ],
    different: [
      [String.raw`f\circ g`, String.raw`g\circ f`],
      [String.raw`(f\circ g)(x)`, String.raw`(g\circ f)(x)`],
      [String.raw`f\circ g\circ h`, String.raw`f\circ h\circ g`],
      ["f∘g", "g∘f"],
      [String.raw`(f\circ g)(2)`, String.raw`(f\circ g)(3)`],
    ],
  },
  "what objects inherit is no function, no unit and no magnitude": {
    same: [
      ["constructor", "Constructor"],
      ["5", "5 constructor"],
    ],
    different: [
      ["5", "valueOf(5)"],
      ["5", "hasOwnProperty(5)"],
      ["5", "toString(5)"],
      ["5", "constructor(5)"],
      ["5", "__proto__"],
      ["5", String.raw`\operatorname{constructor}(5)`],
      ["101", String.raw`101_{\text{constructor}}`],
      ["5", String.raw`\text{toLocaleString}`],
    ],
  },
  "sets know what they range over, and the empty set is not its own element": {
    same: [
      [String.raw`\{x\in\mathbb{R}\mid x>2\}`, "x>2"],
      [String.raw`\emptyset`, String.raw`\{\}`],
      [String.raw`\{x\in\mathbb{Z}\mid x>2\}`, String.raw`\{x\in\mathbb{Z}: x>2\}`],
      [String.raw`\{1,2\}`, "｛1，2｝"],
    ],
    different: [
      ["x>2", String.raw`\{x\in\mathbb{Z}\mid x>2\}`],
      ["x>2", String.raw`\{n\in\mathbb{N}:n>2\}`],
      [String.raw`\emptyset`, String.raw`\{\emptyset\}`],
      [String.raw`\{\emptyset\}`, String.raw`\{\}`],
      [String.raw`\text{no solution}`, String.raw`\{\emptyset\}`],
    ],
  },
  "units may be left out, but two of them must be one": {
    same: [
      [String.raw`5\text{ MB}`, "5"],
      ["5", String.raw`5\text{ GB}`],
      [String.raw`12\text{ m/s}`, String.raw`12\text{ m s}^{-1}`],
      [String.raw`12\text{ m/s}^2`, String.raw`12\,\mathrm{m}\,\mathrm{s}^{-2}`],
      [String.raw`5\text{ kg}`, String.raw`5\text{ kilograms}`],
      [String.raw`5\text{ N}`, "5"],
      [String.raw`5\,\Omega`, String.raw`5\text{ ohms}`],
      [String.raw`3\text{ apples}`, String.raw`3\text{ red apples}`],
      [String.raw`12\text{ ways}`, String.raw`12\text{ different ways}`],
      [String.raw`20^\circ\text{C}`, "20"],
      [String.raw`150\text{ minutes}`, String.raw`2\text{ hours and }30\text{ minutes}`],
    ],
    different: [
      [String.raw`5\text{ MB}`, String.raw`5\text{ GB}`],
      [String.raw`5\text{ mol}`, String.raw`5\text{ mmol}`],
      [String.raw`5\text{ kPa}`, String.raw`5\text{ Pa}`],
      [String.raw`5\text{ apples}`, String.raw`5\text{ oranges}`],
      [String.raw`5\text{ mA}`, String.raw`5\text{ A}`],
      [String.raw`12\text{ m/s}`, String.raw`12\text{ m/s}^2`],
      [String.raw`5\text{ J}`, String.raw`5\text{ kJ}`],
      [String.raw`75^\circ`, String.raw`75^{\circ}F`],
      [String.raw`20^\circ\text{C}`, String.raw`20^\circ\text{F}`],
      [String.raw`5\text{ people}`, String.raw`5\text{ km}`],
      ["150", String.raw`2\text{ hours and }30\text{ minutes}`],
    ],
  },
  "intervals, inverse functions, fractions and dots as people write them": {
    same: [
      ["(2,5)", "]2;5["],
      [String.raw`(-\infty,2)\cup(5,\infty)`, String.raw`]-\infty,2[\cup]5,\infty[`],
      ["[2,5)", "[2,5["],
      ["(2,5]", "]2,5]"],
      [String.raw`\arctan x`, String.raw`\tan^{-1}x`],
      [String.raw`\arcsin x`, String.raw`\sin^{-1} x`],
      [String.raw`\arccos\frac{x}{2}`, String.raw`\cos^{-1}\left(\frac{x}{2}\right)`],
      [String.raw`\arctan x`, String.raw`\text{arctan}(x)`],
      [String.raw`\sinh^{-1}x`, String.raw`\operatorname{arsinh}x`],
      [String.raw`\frac73`, String.raw`\nicefrac{7}{3}`],
      [String.raw`\frac73`, "⁷⁄₃"],
      [String.raw`\frac{12}{99}`, String.raw`0.\dot1\dot2`],
      [String.raw`6.3\times10^{-5}`, "6.3 x 10^{-5}"],
      [String.raw`\sqrt[3]{5}`, String.raw`\root 3 \of 5`],
      [String.raw`\pm3`, "+/-3"],
      [String.raw`\pm3`, "+-3"],
      [String.raw`75^\circ`, "75^o"],
      ["21", String.raw`\text{twenty-one}`],
      ["105", String.raw`\text{one hundred and five}`],
    ],
    different: [
      ["(2,5)", "[2,5["],
      ["[2,5]", "]2,5["],
      [String.raw`\tan^{-1}x`, String.raw`\cot x`],
      [String.raw`\sin^{-1}x`, String.raw`\frac{1}{\sin x}`],
      [String.raw`0.\dot1\dot2`, String.raw`\frac{12}{100}`],
      ["2x3", "6"],
      ["21", String.raw`\text{twenty-two}`],
      ["7", String.raw`\pm7`],
      ["13-i", "13+-2i"],
    ],
  },
  "matrices, vectors, points and residues as people write them": {
    same: [
      [String.raw`\begin{pmatrix}2&4\\6&8\end{pmatrix}`, String.raw`2\begin{pmatrix}1&2\\3&4\end{pmatrix}`],
      [String.raw`\begin{pmatrix}1\\2\end{pmatrix}`, String.raw`\begin{pmatrix}1&2\end{pmatrix}^T`],
      [String.raw`\begin{pmatrix}1\\2\end{pmatrix}`, String.raw`\mathbf{i}+2\mathbf{j}`],
      [String.raw`\begin{pmatrix}3\\-4\end{pmatrix}`, String.raw`3\hat{i}-4\hat{j}`],
      [String.raw`\begin{pmatrix}5&6\\7&8\end{pmatrix}`, "[[5, 6], [7, 8]]"],
      [String.raw`x\equiv3\pmod7`, "3"],
      [String.raw`x\equiv3\pmod7`, String.raw`3\ (\mathrm{mod}\ 7)`],
      ["(1,2)", "A(1,2)"],
    ],
    different: [
      [String.raw`\begin{pmatrix}2&4\\6&8\end{pmatrix}`, String.raw`3\begin{pmatrix}1&2\\3&4\end{pmatrix}`],
      [String.raw`\begin{pmatrix}1\\2\end{pmatrix}`, String.raw`2\mathbf{i}+\mathbf{j}`],
      [String.raw`x\equiv3\pmod7`, String.raw`3\pmod5`],
      ["A(1,2)", "(2,1)"],
      ["[[5,6],[7,8]]", String.raw`\begin{pmatrix}5&7\\6&8\end{pmatrix}`],
    ],
  },
  "words are listed in any order, and an option's letter is no part of the answer": {
    same: [
      [String.raw`\text{A and B}`, String.raw`\text{B and A}`],
      [String.raw`\text{Ann, Bob, and Cy}`, String.raw`\text{Cy, Bob, Ann}`],
      ["42", String.raw`\textbf{(B)}\ 42`],
      ["42", String.raw`\text{B) } 42`],
      [String.raw`\frac12`, String.raw`\textbf{(A)}\ \frac{1}{2}`],
      ["42", "'42'"],
    ],
    different: [
      [String.raw`\text{A and B}`, String.raw`\text{A or B}`],
      [String.raw`\text{A and B}`, String.raw`\text{A and C}`],
      ["42", String.raw`\textbf{(B)}\ 24`],
    ],
  },
  "digits, signs and counters of other scripts": {
    same: [
      ["5", "５"],
      ["42", "٤٢"],
      ["42", "४२"],
      ["72", "𝟕𝟐"],
      ["-5", "‑5"],
      ["-7", "⁻7"],
      ["72", "72元"],
      ["5", "5 个"],
      ["(3,4)", "（3，4）"],
      ["1,2,3", "1、2、3"],
    ],
    different: [
      ["7", "⁻7"],
      ["7", "‐7"],
      ["5米", "5秒"],
    ],
  },
};

test.each(Object.entries(kinds))("%s", async (_kind, { same, different }) => {
  const unequal = async (pairs: Pairs) => {
    const verdicts = await Promise.all(pairs.map(([gold, answer]) => comparer.compare(gold, answer)));
    return pairs.filter((_pair, index) => !verdicts[index].equal).map((pair) => pair.join(" ∥ "));
  };
  expect(await unequal(same)).toEqual([]);
  expect(await unequal(different)).toEqual(different.map((pair) => pair.join(" ∥ ")));
  // Votes see what is different as the grader does, either way round.
  expect(different.filter(([gold, answer]) => sameMath(gold, answer) || sameMath(answer, gold))).toEqual([]);
});

const readings: Readonly<Record<string, readonly (readonly [completion: string, answer: string | undefined])[]>> = {
  "what is denied is not the answer": [
    ["The answer is not 5 but 7.", "7"],
    ["The answer isn't 5.", undefined],
    ["I don't think the answer is 5.", undefined],
    ["It is false that the answer is 5.", undefined],
    ["A common wrong answer is 5. The correct one is 7.", "7"],
    ["The answer is 7. A common wrong answer is 5.", "7"],
    ["The answer is 7 instead of 5.", "7"],
    ["The answer is 5? No, 7.", "7"],
    ["The answer is 5... wait, 7.", "7"],
    ["The answer is not $5$ but $7$.", "7"],
    ["The answer is 5, or 7 if we count both ends.", "5, 7"],
  ],
  "the last box that is not denied counts, with its sign and what stands around it": [
    [String.raw`It is \boxed{42}, not \boxed{41}.`, "42"],
    [String.raw`Not \boxed{41} but \boxed{42}.`, "42"],
    [String.raw`\boxed{42} (\boxed{41} is wrong)`, "42"],
    [String.raw`\boxed{42}. (A careless reader gets \boxed{24}.)`, "42"],
    [String.raw`The answer is not \boxed{41}.`, undefined],
    [String.raw`$\boxed{16}$ is wrong, so I do not know`, undefined],
    [String.raw`x = -\boxed{42}`, "-42"],
    [String.raw`\frac{\boxed{42}}{5}`, String.raw`\frac{42}{5}`],
    ["boxed{42}", "42"],
    [String.raw`\boxed{\text{The answer is }\boxed{42}}`, "42"],
    [String.raw`\boxed{\text{The answer is 460}}`, "460"],
  ],
  "sentences of any language announce an answer": [
    [String.raw`所以答案是 $\frac{1}{2}$。`, String.raw`\frac{1}{2}`],
    ["故答案为：7", "7"],
    ["因此最终答案为 $7$。另外第3步用到了公式(2)。", "7"],
    ["Ответ: $5$", "5"],
    ["La respuesta es 5.", "5"],
    ["الإجابة هي ٥", "٥"],
    ["综上所述，$x=5$。", "x=5"],
    ["因此x的值为5。", "5"],
  ],
  "what is said beside an answer is no answer": [
    ["18\n\nConfidence: 95%", "18"],
    ["Total: 18 apples (see step 2).", "18"],
    ["The total is 18 [1].", "18"],
    ["The result is 18.\n\nLet me know if you want 2 more examples!", "18"],
  ],
  "thoughts under any tag are no answer": [
    ["<thinking>The answer is 5.</thinking>I give up.", "I give up."],
    ["<seed:think>The answer is 5.</seed:think>I give up.", "I give up."],
    ["◁think▷The answer is 5.◁/think▷7", "7"],
  ],
};

test.each(Object.entries(readings))("%s", (_kind, list) => {
  expect(list.map(([completion]) => [completion, extractMath(completion).flexible])).toEqual(list);
});

describe("graders", () => {
  test("a box that is longer than any answer, and a box whose claim is denied, hold none", async () => {
    for (const completion of [String.raw`\boxed{${"x + ".repeat(2000)}1}`, String.raw`It is not \boxed{1}.`]) {
      const item = { id: "1", question: "?", answer: "1" };
      expect(await grade(item, completion, completion)).toMatchObject({ accuracy: 0, strictAccuracy: 0 });
      expect(integerGrader(item, completion, completion)).toMatchObject({ accuracy: 0, strictAccuracy: 0 });
    }
  });

  test("no name that objects inherit gets out of a grader as an exception", async () => {
    const names = Object.getOwnPropertyNames(Object.prototype);
    for (const name of names) {
      for (const answer of [
        name,
        `${name}(5)`,
        `5 ${name}`,
        String.raw`\${name}{5}`,
        String.raw`\text{${name}}`,
        `5_{${name}}`,
      ]) {
        const completion = String.raw`\boxed{${answer}}`;
        const score = await grade({ id: "1", question: "?", answer: "7" }, completion, completion);
        expect([answer, score.accuracy]).toEqual([answer, 0]);
        expect(integerGrader({ id: "1", question: "?", answer: "7" }, completion, completion).accuracy).toBe(0);
      }
    }
  });
});
