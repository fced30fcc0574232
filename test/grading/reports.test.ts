/**
 * Inputs of our own after public reports on other graders, with the report beside each group: what was graded wrong there is graded right here.
 */
import { describe, test } from "vitest";
import { expectChoices, expectReadings, type ReadAs } from "../support/grades.ts";

const r = String.raw;
const reported = (title: string, kind: string, table: readonly ReadAs[]) => test(title, () => expectReadings(kind, table));

describe("answers of public reports", () => {
  reported("equivalent expressions (huggingface/Math-Verify#2, #20, #26, #64, #69)", "math", [
    [r`\boxed{0.0416666666666667}`, r`\frac{1}{24}`],
    [r`\boxed{(2,3.5)}`, r`(2,\frac{7}{2})`, r`(\frac72,2)`],
    [r`\boxed{\frac{y}{5}+\frac{3}{5}}`, r`\frac{y+3}{5}`],
    [r`\boxed{\csc^2(t)}`, r`\cot^2(t)+1`, r`\cot^2(t)-1`],
    [
      r`\boxed{(\begin{pmatrix}-\frac{5}{4}&-3\\2&\frac{1}{4}\\\end{pmatrix})}`,
      r`\begin{pmatrix}-\frac{5}{4}&-3\\2&\frac{1}{4}\end{pmatrix}`,
    ],
    [r`\boxed{-12x-7y+5z-40=0}`, r`12x+7y-5z+40=0`, r`12x+7y-5z-40=0`],
    [r`\boxed{\frac{200}{3}}`, null, "66.7"],
    [r`\boxed{0.333333}`, r`\frac13`],
    [r`\boxed{0.3333}`, null, r`\frac13`],
    [r`\boxed{y=-\frac13x+\frac56}`, r`2x+6y-5=0`, r`2x+6y+5=0`],
    [r`\boxed{\sqrt{1/k}}`, r`\frac{1}{\sqrt{k}}`],
    [r`\boxed{-1 + exp(9)}`, r`e^{9}-1`, r`e^9`],
    [r`\boxed{pi/3}`, r`\dfrac{\pi}{3}`],
    [r`\boxed{11.0 + -1.0i}`, r`11-i`, r`11+i`],
    [r`\boxed{-3*pi}`, r`-3\pi`, r`3\pi`],
    [r`\boxed{3\cos(2\sqrt{35}t)}`, r`3\cos(\sqrt{980/7}\,t)`],
    [r`\boxed{5 - 5c}`, r`5*(1-c)`],
    [r`\boxed{7\sin(\frac{\pi}{5}x)+1}`, "7*sin(pi*x/5)+1"],
    [r`\boxed{11 + 9a}`, r`9a+11`],
    [r`\boxed{\frac{\sqrt3}{3}}`, r`1/\sqrt{3}`],
  ]);

  reported("different answers that were called the same (huggingface/Math-Verify#14, #41, #60, scitix/sieval#26)", "math", [
    [r`\boxed{\frac{1}{1999!}}`, null, r`\frac{1}{2001!}`],
    [r`\boxed{\frac{1}{2^{88}}}`, null, r`\frac{1}{2^{87}}`],
    [r`\boxed{k=4,5,6}`, null, "k=3,4,5"],
    [r`\boxed{E=(1,2)}`, null, "E=(1,2.5)"],
    [r`\boxed{17, 44, \text{ and } 80}`, "17,44,80", "19,44,80"],
    [r`\boxed{1-\frac{1}{\mathrm{e}}}`, r`1-e^{-1}`, r`1+\frac{1}{\mathrm{e}}`],
    [r`\boxed{\pm 1999}`, null, "1999"],
    [r`\boxed{11:00}`, null, "1:00"],
    [r`\boxed{1,2,\ldots,m}`, null, r`1,3,5,\ldots,2m-1`],
    [r`\boxed{4\sqrt(3)}`, r`4\sqrt3`, "4"],
    [r`\boxed{5*x-1*y+2=0}`, null, "5x+4y+9=0", "0"],
    [r`\boxed{n=4k}`, "n=4k", "4", "n=4"],
    [r`\boxed{F_n=\sum_{k=0}^{n-1}F_k}`, null, r`F_n=\sum_{k=0}^{n-2}F_k`],
    [r`\boxed{m\ge\sqrt3}`, r`m\in[\sqrt3,+\infty)`, r`m\in(\sqrt3,+\infty)`],
    [r`\boxed{a=1\text{ or }a=-2}`, "a=1,-2", "1", ""],
  ]);

  reported(
    "boxes said twice, bold results and identical references (Math-Verify#37, #44, #76, lm-evaluation-harness#4030)",
    "math",
    [
      [`${r`\boxed{720}.,but let me put this after.`}\n\n**Final Answer**\n\\boxed{720}`, "720", "720720"],
      [
        r`the answer should be \boxed{007}.` +
          "\n\nThe sum is 2,551,007. So, \\boxed{007} is the correct answer.\n\n**Final Answer**\n\\boxed{007}",
        "7",
        "7007",
      ],
      [r`\boxed{\text{19}}`, "19"],
      ["Left: 310 + 2*55 = 420\n\n✅ Consistent!\n\nThus, the number is **61**.\n\n---\n\n✅ Final Answer: **61**", "61", "55"],
      [r`\boxed{(3,5)}`, "(3,5)"],
      [r`\boxed{[3,6)}`, "[3,6)"],
      [r`\boxed{\begin{pmatrix}3\\4\end{pmatrix}}`, r`\begin{pmatrix}3\\4\end{pmatrix}`],
      [r`\boxed{x \in \{2,3\}}`, r`x\in\{2,3\}`, "2"],
      [r`\boxed{\text{east}}`, r`\text{east}`, r`\text{west}`],
      [r`\boxed{\text{C. } 12}`, "12"],
    ],
  );

  reported(
    "notation and units (QwenLM/Qwen2.5-Math#29, openai/simple-evals, hiyouga/EasyR1#382, NovaSky-AI/SkyThought#41)",
    "math",
    [
      [r`\boxed{(4,\frac{\pi}{3})}`, r`\left( 4, \frac{\pi}{3} \right)`, r`\left( 4, \frac{2\pi}{3} \right)`],
      ["Answer: `$17$`", "17"],
      [r`\boxed{72\text{ degrees}}`, "72", "27"],
      [r`\boxed{64\text{ square feet}}`, "64", r`64\text{ feet}`],
      [r`\boxed{y^2+2y+1}`, null, "x^2+2x+1"],
      [r`\boxed{2/(-3)}`, r`-\frac23`, r`\frac23`],
      [r`\boxed{3245/5}`, "649"],
      ["Final Answer: The final answer is $[3,7)$. I hope it is correct.", "[3,7)", "(3,7)", "[3,7]"],
      [r`\boxed{\text{Ruth}}`, r`\text{Ruth}`, r`\text{Ruthie}`],
      [r`\boxed{1.5}`, "3/2"],
    ],
  );

  reported("the number that is said (omlx#3484, helm#4191, #4289, #4337, finchain#3, ai-agent-book#699)", "number", [
    ["The total is 64 clips, altogether.", "64"],
    ["The answer is 64, in total, so that is all.", "64"],
    ["#### 64,", "64"],
    ["answer is 3a5", null, "5", "3"],
    ["The final value is 14.30%", "14.3", "30", "4.30"],
    ["#### Step one: 12\n#### 64", "64", "12"],
    ["The answer is 1/4.", "0.25", "1", "4"],
    ["#### 3/4", "0.75", "3", "4"],
    ["The answer is -64 degrees, below zero.", "-64", "64"],
    ["The pool holds 3,1415x926 litres.", null, "926", "3"],
    ["-,64", null, "-64.5"],
    ["So it takes 64 minutes (1 hour 4 minutes).", null, "4"],
  ]);

  test("the letter that is stated (omlx#3668, OPD-V#2, openai/evals#1767, helm#2939, paper-qa#693, opencompass#1462)", () =>
    expectChoices(
      ["7", "9", "12", "15"],
      [
        ["The answer is C. Note that B is a common distractor.", "C", "B"],
        ["ANSWER IS C. B is incorrect.", "C", "B"],
        ["Answer: **C**", "C", "A"],
        ["I considered (B), but it is incorrect. Final answer: C.", "C", "B"],
        ["The correct answer is c.", "C"],
        ["ANSWER: AB", null, "A", "B"],
        ["ANSWER: B ... actually, ANSWER: C", "C", "B"],
        ["C. 12", "C"],
        ["12", "C"],
        ["The answer is 14.", null, "A", "B", "C", "D"],
        ["the answer is 1200", null, "C"],
        ["A: Let's think step by step. A ring has two operations. The answer is (C).", "C", "A"],
        ["The letter T is not here.", null, "A"],
      ],
    ));
});
