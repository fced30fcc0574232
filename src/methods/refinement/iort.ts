/**
 * Reflect on an answer under an instructor that selects, stops or asks for a fresh answer.
 *
 * "Instruct-of-Reflection: Enhancing Large Language Models Iterative Reflection Capabilities via Dynamic-Meta Instruction", Liping Liu et al.,
 * 2025, arXiv 2503.00902.
 *
 * Algorithm (§3)
 *   1. Answer: the basic answer. Write a hint (the paper's meta-thought): how questions of this kind are solved, without solving this one.
 *   2. Reflect on the basic answer: a second answer.
 *   3. The two differ: the instructor, who knows the hint, selects the better one, which becomes the basic answer.
 *      They agree: the instructor looks at them. Both are sound: stop. Both are inadequate: refresh, which is to say that a fresh answer
 *      takes the place of the reflection in the next round.
 *   4. Back to 2, N rounds at most. The basic answer is the answer.
 *
 * Cost in calls, N rounds and never a stop: 2 + 2N, or 1 + 2N without hint; no call is spent on whether to stop after the last round.
 *
 * Our deviations: zero-shot instructions. The hint is written for each question by itself; the paper's growing memory of hints would make
 * results depend on the order of questions. Pairs of question and hint may be given as examples, of which the most similar are shown. The
 * answer comes before the hint, so that the smallest budget gives one. A verdict on agreeing answers that cannot be read is no reason to
 * stop, and a selection that cannot be read leaves the basic answer. The instructor sees the two answers in random order. Answers are
 * compared in the task's own form; two that cannot be read differ. In the paper a refresh is a call besides the next reflection (up to 14
 * calls at N = 4); here it replaces it (10).
 */
import type { CallOptions } from "#kernel/call.ts";
import { messageOf } from "#kernel/errors.ts";
import { type Message, noUsage } from "#kernel/model.ts";
import { Random } from "#kernel/seed.ts";
import type { ExecutionReport, TraceEvent } from "#kernel/trace.ts";
import type { Candidate } from "../driver/candidates.ts";
import { lastCodeBlock } from "../driver/check-program.ts";
import { defineMethod } from "../driver/define-method.ts";
import { asking, readBetter, readVerdict } from "../driver/judging.ts";
import { withNote, withTurn } from "../driver/turns.ts";

export interface HintExample {
  question: string;
  hint: string;
}

export const iort = defineMethod({
  id: "iort",
  summary: "Reflects on its answer under an instructor that selects, stops or asks for a fresh one.",
  paper: {
    title:
      "Instruct-of-Reflection: Enhancing Large Language Models Iterative Reflection Capabilities via Dynamic-Meta Instruction",
    authors: "Liping Liu et al.",
    year: 2025,
    arxiv: "2503.00902",
  },
  kind: "refinement",
  status: "experimental",
  needs: ({ answers }) => (answers === "program" ? ["python"] : []),
  options: {
    rounds: { type: "integer", default: 4, minimum: 1, maximum: 100, description: "most rounds", paper: "4" },
    hint: { type: "boolean", default: true, description: "write a hint for the instructor first", paper: "true" },
    answers: {
      type: "choice",
      default: "text",
      choices: ["text", "program"],
      description: "plain answers, or Python programs and what they print",
      paper: "program (GSM8K, SVAMP), text (StrategyQA)",
    },
    temperature: {
      type: "number",
      maximum: 10,
      description: "of every answer but the first; the run's own when not given, 0.7 where that is 0",
      paper: "0.3",
    },
  },
  extras: {
    /** Put in the system message of every call that answers. */
    instruction: undefined as string | undefined,
    /** Shown when the hint is written. The paper begins with 6 to 8 a data set. */
    examples: [] as readonly HintExample[],
    /** How many of them, the most similar first. */
    nearest: 3,
    /** How similar two questions are, larger is more. */
    similarity: sharedWords,
    prompts: {
      hint: [
        "Write a hint for this question: what kind of question it is, what has to be understood first, which steps solve questions of this kind,",
        "and where one easily goes wrong. Keep it general and short. Do not solve the question and do not use its numbers.",
      ].join(" "),
      reflect: [
        "Look at this answer again: check what the question asks, each step and each fact, and find what is wrong or missing.",
        "Then write the answer in full, corrected where it needs to be, in the same form as before.",
      ].join(" "),
      program: [
        "Answer with one Python program in one code block. It works the answer out and prints the final answer, and nothing else, as its last",
        "line. It reads no input.",
      ].join(" "),
      select: [
        "The two answers differ. Hold each step of both against the question, and against the hint where there is one, find where they part and",
        "decide which of them is right there. Length and style do not matter.",
        "End with a line of this form: Better: A, or Better: B, or Better: neither",
      ].join(" "),
      judge: [
        "The two answers agree, which does not make them right. Hold each step of both against the question, and against the hint where there is",
        "one. End with a line of this form when their reasoning holds: Both: sound",
        "And with this one when it does not, or when they left something out: Both: inadequate",
      ].join(" "),
    },
  },
  calls: "1 + [hint] + 2·rounds",
  maxCalls: ({ rounds, hint }) => 1 + (hint ? 1 : 0) + 2 * rounds,

  async *steps(run) {
    const { rounds, hint: wantsHint, answers: kind, examples, nearest, similarity, prompts } = run.options;
    const { request, samplingTemperature: temperature } = run;
    const runPython =
      kind === "program" ? run.tool("python", ", or use answers=text: the model then answers in words") : undefined;
    const question = kind === "program" ? withNote(run.question, prompts.program) : run.question;
    const failedPrograms = new Set<Candidate>();
    let basic: Candidate | undefined;
    let hint: string | undefined;
    run.ifStopped = () => ({ chosen: basic, why: "the basic answer so far" });

    // 1. Answer and hint.
    basic = yield* answer(question, { seed: run.seed("attempt", 0) });
    if (wantsHint) hint = yield* run.step("hint", askForHint(), { seed: run.seed("hint") });

    let isFresh = false;
    for (let round = 0; round < rounds; round++) {
      // 2. A second answer.
      const asked: Message[] = isFresh ? question : withTurn(question, basic.text, prompts.reflect);
      const second: Candidate = yield* answer(asked, { seed: run.seed("attempt", round + 1), temperature });

      // 3. Select, stop or refresh.
      isFresh = false;
      if (!isSame(basic, second)) basic = yield* select(basic, second, round);
      else if (round === rounds - 1) return { chosen: basic, why: "the last two answers agree" };
      else if (yield* isSound(basic, second, round))
        return { chosen: basic, why: "two answers agree and the instructor finds both sound" };
      else isFresh = true;
    }
    // 4.
    return { chosen: basic, why: "all rounds done; the instructor's choice so far" };

    async function* answer(messages: Message[], callOptions: CallOptions): AsyncGenerator<TraceEvent, Candidate> {
      if (!runPython) return yield* run.attempt(messages, callOptions);
      const program = yield* run.step("program", messages, callOptions);
      const report = await runProgram(program, (code) => runPython(code, request.signal));
      const printed = report.status === "ok" ? report.output.trim().split("\n").at(-1)!.trim() : "";
      const ending = printed === "" ? "The program prints no answer." : `The program prints:\n<answer>${printed}</answer>`;
      const candidate: Candidate = { attempt: run.candidates.length, text: `${program.trim()}\n\n${ending}` };
      run.candidates.push(candidate);
      if (printed === "") failedPrograms.add(candidate);
      const { attempt, text } = candidate;
      yield { type: "attempt-end", attempt, messages, text, usage: noUsage };
      const shown = `${report.status}: ${report.output}`;
      yield { type: "check-end", attempt, by: "Python", passed: printed !== "", text: shown, usage: noUsage };
      return candidate;
    }

    function isSame(first: Candidate, second: Candidate): boolean {
      return !failedPrograms.has(first) && !failedPrograms.has(second) && run.agree(first, second);
    }

    async function* select(first: Candidate, second: Candidate, round: number): AsyncGenerator<TraceEvent, Candidate> {
      const pair = inRandomOrder(first, second, round);
      const messages = instructing(pair, prompts.select);
      const better = readBetter(yield* run.step("instructor: select", messages, instructorSeed(round), second.attempt));
      const named = better === "A" ? pair[0] : better === "B" ? pair[1] : undefined;
      const reason = named ? "the instructor finds it the better one" : "the instructor does not choose; it stays";
      const chosen = named ?? first;
      yield { type: "choice-end", attempt: chosen.attempt, reason };
      return chosen;
    }

    async function* isSound(first: Candidate, second: Candidate, round: number): AsyncGenerator<TraceEvent, boolean> {
      const messages = instructing(inRandomOrder(first, second, round), prompts.judge);
      const judge = { attempt: second.attempt, by: "instructor: stop or refresh" };
      const judgement = yield* run.judge(judge, messages, instructorSeed(round), (text) => ({
        passed: readVerdict(text, "sound", "inadequate", "Both"),
      }));
      return judgement.passed === true;
    }

    function instructing([a, b]: readonly [Candidate, Candidate], prompt: string): Message[] {
      const answers = [
        { title: "answer A", text: a.text },
        { title: "answer B", text: b.text },
      ];
      return asking(request.messages, hint === undefined ? answers : [{ title: "hint", text: hint }, ...answers], [prompt]);
    }

    function inRandomOrder(first: Candidate, second: Candidate, round: number): readonly [Candidate, Candidate] {
      return new Random(run.seed("order", round)).chance(0.5) ? [second, first] : [first, second];
    }

    function instructorSeed(round: number): CallOptions {
      return { seed: run.seed("instructor", round) };
    }

    function askForHint(): Message[] {
      const asked = request.messages.findLast((message) => message.role === "user")?.content ?? "";
      const shown = nearestExamples(asked, examples, nearest, similarity).map(
        ({ question, hint }) => `A question: ${question}\nIts hint: ${hint}`,
      );
      const isShown = shown.length > 0 ? [`Hints for other questions:\n\n${shown.join("\n\n")}\n\n`] : [];
      return asking(request.messages, [], [...isShown, prompts.hint]);
    }
  },
});

/** A program that could not be run has no answer; that ends nothing. */
async function runProgram(program: string, run: (code: string) => Promise<ExecutionReport>): Promise<ExecutionReport> {
  const code = lastCodeBlock(program);
  if (code === undefined) return { status: "failed", output: "There is no code block." };
  try {
    return await run(code);
  } catch (error) {
    return { status: "failed", output: messageOf(error) };
  }
}

/** The examples whose question is most similar, the most similar first; of equals the earlier. */
export function nearestExamples(
  question: string,
  examples: readonly HintExample[],
  count: number,
  similarity: (first: string, second: string) => number,
): HintExample[] {
  const scored = examples.map((example) => ({ example, score: similarity(question, example.question) }));
  return scored
    .sort((first, second) => second.score - first.score)
    .slice(0, count)
    .map(({ example }) => example);
}

/** Cosine of the counts of words, in [0, 1]; 0 where a text has none. Work is linear in the lengths. */
export function sharedWords(first: string, second: string): number {
  const [a, b] = [countWords(first), countWords(second)];
  let product = 0;
  for (const [word, count] of a) product += count * (b.get(word) ?? 0);
  const size = (counts: Map<string, number>) => Math.sqrt([...counts.values()].reduce((sum, count) => sum + count * count, 0));
  const sizes = size(a) * size(b);
  return sizes === 0 ? 0 : Math.min(1, product / sizes);
}

function countWords(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [word] of text.toLowerCase().matchAll(/[\p{L}\p{N}]+/gu)) counts.set(word, (counts.get(word) ?? 0) + 1);
  return counts;
}
