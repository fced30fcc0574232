/**
 * The same answers read by lm-evaluation-harness and by us: its own tasks (gsm8k, gsm8k_cot, hendrycks_math) with their own
 * filters and metrics, on texts that each stand for a way in which models end. `right` is what a person says of the text; `missed` marks
 * what we do not read. Needs a Python with lm_eval, named by MIDCOURSE_PYTHON (python3 otherwise); skips with the reason without.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import type { Grader } from "#kernel/item.ts";
import { gsm8k } from "#tasks/gsm8k.ts";
import { math500 } from "#tasks/math.ts";
import { MathComparer } from "#verifiers/math/comparer.ts";

const python = process.env.MIDCOURSE_PYTHON ?? "python3";
const folder = mkdtempSync(path.join(tmpdir(), "midcourse-lm-eval-"));
const comparer = new MathComparer();
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await comparer.close();
});

interface Answer {
  gold: string;
  text: string;
  right: boolean;
  missed?: boolean;
}

const answers = JSON.parse(readFileSync(new URL("lm-eval-answers.json", import.meta.url), "utf8")) as Record<
  "gsm8k" | "math",
  Answer[]
>;

type Scores = Record<string, { score: number; read: string }>;

/** Undefined where this Python cannot; the reason is printed. */
function gradeThere(task: string, rows: readonly object[]): Scores[] | undefined {
  const file = path.join(folder, `${task}.jsonl`);
  writeFileSync(file, rows.map((row) => `${JSON.stringify({ task, ...row })}\n`).join(""));
  const script = path.join(import.meta.dirname, "../../bench/evaluation-lm-eval.py");
  let reply: { missing?: string; version: string; scores: Scores[] };
  try {
    const output = execFileSync(python, [script, "grade", file], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
    reply = JSON.parse(output.trimEnd().split("\n").at(-1)!);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    reply = { missing: `there is no ${python}`, version: "", scores: [] };
  }
  if (reply.missing === undefined) return reply.scores;
  console.log(`Skipped: ${task} needs lm_eval (${reply.missing}); name a Python that has it in MIDCOURSE_PYTHON.`);
  return undefined;
}

async function compare(rows: readonly Answer[], grade: Grader, theirs: Readonly<Record<string, Scores[]>>): Promise<void> {
  const ours = await Promise.all(
    rows.map(({ gold, text }, index) => grade({ id: String(index), question: "", answer: gold }, text, text)),
  );
  const columns = Object.entries(theirs).flatMap(([task, scores]) =>
    Object.keys(scores[0]).map((filter) => ({ name: `${task} ${filter}`, verdicts: scores.map((row) => row[filter]) })),
  );
  const agreeing = (verdict: (index: number) => boolean) => rows.filter(({ right }, index) => verdict(index) === right).length;
  const lines = [
    `midcourse accuracy: ${agreeing((index) => ours[index].accuracy === 1)} of ${rows.length} as a person says`,
    `midcourse strict: ${agreeing((index) => ours[index].strictAccuracy === 1)}`,
    ...columns.map(({ name, verdicts }) => `${name}: ${agreeing((index) => verdicts[index].score === 1)}`),
  ];
  for (const [index, { gold, text, right }] of rows.entries()) {
    const others = columns.filter(({ verdicts }) => (verdicts[index].score === 1) !== right);
    const own = (ours[index].accuracy === 1) !== right ? [`midcourse (${ours[index].extracted ?? "nothing"})`] : [];
    const wrong = [...own, ...others.map(({ name, verdicts }) => `${name} (${verdicts[index].read.slice(0, 30)})`)];
    if (wrong.length > 0)
      lines.push(`  ${gold} in ${JSON.stringify(text)}, ${right ? "right" : "wrong"}, misjudged by ${wrong.join("; ")}`);
  }
  console.log(lines.join("\n"));
  for (const [index, { text, right, missed }] of rows.entries()) {
    expect([text, ours[index].accuracy]).toEqual([text, right !== (missed === true) ? 1 : 0]);
  }
  const best = Math.max(...columns.map(({ verdicts }) => agreeing((index) => verdicts[index].score === 1)));
  expect(agreeing((index) => ours[index].accuracy === 1)).toBeGreaterThanOrEqual(best);
}

test("answers of GSM8K", async ({ skip }) => {
  const rows = answers.gsm8k.map(({ gold, text }) => ({ doc: { question: "", answer: `#### ${gold}` }, text }));
  const plain = gradeThere("gsm8k", rows);
  const chain = plain && gradeThere("gsm8k_cot", rows);
  if (!plain || !chain) return skip();
  await compare(answers.gsm8k, gsm8k.grader({}), { gsm8k: plain, gsm8k_cot: chain });
});

test("answers of MATH", async ({ skip }) => {
  const rows = answers.math.map(({ gold, text }) => ({ doc: { problem: "", solution: `It is $\\boxed{${gold}}$.` }, text }));
  const scores = gradeThere("hendrycks_math_algebra", rows);
  if (!scores) return skip();
  await compare(answers.math, math500.grader({ comparer }), { hendrycks_math: scores });
});
