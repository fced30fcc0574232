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
import { answerFormOf } from "#kernel/answer-form.ts";
import { type CallOptions, withInstruction } from "#kernel/call.ts";
import { messageOf, userError } from "#kernel/errors.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import { type Message, noUsage } from "#kernel/model.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { ExecutionReport, Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import type { Candidate } from "../driver/candidates.ts";
import { lastCodeBlock } from "../driver/check-program.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { asking, readBetter } from "../driver/judging.ts";
import { numberOf, optionsOf } from "../driver/options.ts";
import { samplingTemperature } from "../driver/sampling.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";
import { withNote, withTurn } from "../driver/turns.ts";
import { readVerdict } from "../driver/verdict.ts";

const answerKinds = ["text", "program"] as const;

export interface HintExample {
  question: string;
  hint: string;
}

export interface IortOptions {
  /** Most rounds N. The paper: 4. */
  rounds: number;
  /** Name in results; `iort` when left out. */
  id?: string;
  /** Put in the system message of every call that answers; nothing is added when left out. */
  instruction?: string;
  /** Whether there is a hint; true when left out. */
  hint?: boolean;
  /** Shown when the hint is written. The paper begins with 6 to 8 a data set. None when left out. */
  examples?: readonly HintExample[];
  /** How many of them, the most similar first; 3 when left out. */
  nearest?: number;
  /** How similar two questions are, larger is more; by the words they share when left out. */
  similarity?: (first: string, second: string) => number;
  /** `program` (the paper's mathematics): an answer is a Python program and what it prints. Needs `tools.runPython`. `text` when left out. */
  answers?: (typeof answerKinds)[number];
  /** Of every answer but the first; the request's own when left out, 0.7 where that is 0. The paper: 0.3. */
  temperature?: number;
  prompts?: Partial<typeof defaultPrompts>;
}

export function iort(options: IortOptions): Method {
  return { id: options.id ?? "iort", run: (request) => runIort(request, options) };
}

async function* runIort(request: MethodRequest, options: IortOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { rounds, hint: wantsHint = true, answers: kind = "text" } = options;
  const prompts = { ...defaultPrompts, ...options.prompts };
  const runPython = request.tools?.runPython;
  if (kind === "program" && !runPython) {
    throw userError(
      "no-python",
      "iort with answers=program runs the programs that are its answers, and there is no sandbox to run them in",
      "Bring a sandbox, or use answers=text.",
    );
  }
  const calls = new TracedCalls(request);
  const form = answerFormOf(request);
  const plain = withInstruction(request.messages, options.instruction);
  const question = kind === "program" ? withNote(plain, prompts.program) : plain;
  const temperature = samplingTemperature(options.temperature, request.temperature);
  const failedPrograms = new Set<Candidate>();
  let basic: Candidate | undefined;
  let hint: string | undefined;

  try {
    // 1. Answer and hint.
    basic = yield* answer(question, { seed: deriveSeed(request.seed, "attempt", 0) });
    if (wantsHint) hint = yield* calls.step("hint", askForHint(), { seed: deriveSeed(request.seed, "hint") });

    let isFresh = false;
    for (let round = 0; round < rounds; round++) {
      // 2. A second answer.
      const asked: Message[] = isFresh ? question : withTurn(question, basic.text, prompts.reflect);
      const second: Candidate = yield* answer(asked, { seed: deriveSeed(request.seed, "attempt", round + 1), temperature });

      // 3. Select, stop or refresh.
      isFresh = false;
      if (!isSame(basic, second)) basic = yield* select(basic, second, round);
      else if (round === rounds - 1) return yield* finish(basic, "the last two answers agree");
      else if (yield* isSound(basic, second, round))
        return yield* finish(basic, "two answers agree and the instructor finds both sound");
      else isFresh = true;
    }
    // 4.
    return yield* finish(basic, "all rounds done; the instructor's choice so far");
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { chosen: basic, why: "the basic answer so far", usage: calls.caller.spent });
  }

  async function* answer(messages: Message[], callOptions: CallOptions): AsyncGenerator<TraceEvent, Candidate> {
    if (kind === "text") return yield* calls.attempt(messages, callOptions);
    const program = yield* calls.step("program", messages, callOptions);
    const report = await run(program);
    const printed = report.status === "ok" ? report.output.trim().split("\n").at(-1)!.trim() : "";
    const ending = printed === "" ? "The program prints no answer." : `The program prints:\n<answer>${printed}</answer>`;
    const candidate: Candidate = { attempt: calls.candidates.length, text: `${program.trim()}\n\n${ending}` };
    calls.candidates.push(candidate);
    if (printed === "") failedPrograms.add(candidate);
    const { attempt, text } = candidate;
    yield { type: "attempt-end", attempt, messages, text, usage: noUsage };
    const shown = `${report.status}: ${report.output}`;
    yield { type: "check-end", attempt, by: "Python", passed: printed !== "", text: shown, usage: noUsage };
    return candidate;
  }

  /** A program that could not be run has no answer; that ends nothing. */
  async function run(program: string): Promise<ExecutionReport> {
    const code = lastCodeBlock(program);
    if (code === undefined) return { status: "failed", output: "There is no code block." };
    try {
      return await runPython!(code, request.signal);
    } catch (error) {
      return { status: "failed", output: messageOf(error) };
    }
  }

  function isSame(first: Candidate, second: Candidate): boolean {
    if (failedPrograms.has(first) || failedPrograms.has(second)) return false;
    const [before, after] = [form.read(first.text), form.read(second.text)];
    return before !== undefined && after !== undefined && form.same(before, after);
  }

  async function* select(first: Candidate, second: Candidate, round: number): AsyncGenerator<TraceEvent, Candidate> {
    const pair = inRandomOrder(first, second, round);
    const reply = yield* calls.step(
      "instructor: select",
      instructing(pair, prompts.select),
      instructorSeed(round),
      second.attempt,
    );
    const better = readBetter(reply);
    const chosen = better === "A" ? pair[0] : better === "B" ? pair[1] : first;
    const reason =
      better === "A" || better === "B" ? "the instructor finds it the better one" : "the instructor does not choose; it stays";
    yield { type: "choice-end", attempt: chosen.attempt, reason };
    return chosen;
  }

  async function* isSound(first: Candidate, second: Candidate, round: number): AsyncGenerator<TraceEvent, boolean> {
    const messages = instructing(inRandomOrder(first, second, round), prompts.judge);
    const judge = { attempt: second.attempt, by: "instructor: stop or refresh" };
    const judgement = yield* calls.judge(judge, messages, instructorSeed(round), (text) => ({
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
    return new Random(deriveSeed(request.seed, "order", round)).chance(0.5) ? [second, first] : [first, second];
  }

  function instructorSeed(round: number): CallOptions {
    return { seed: deriveSeed(request.seed, "instructor", round) };
  }

  function askForHint(): Message[] {
    const { examples = [], nearest = 3, similarity = sharedWords } = options;
    const asked = request.messages.findLast((message) => message.role === "user")?.content ?? "";
    const shown = nearestExamples(asked, examples, nearest, similarity).map(
      ({ question, hint }) => `A question: ${question}\nIts hint: ${hint}`,
    );
    const isShown = shown.length > 0 ? [`Hints for other questions:\n\n${shown.join("\n\n")}\n\n`] : [];
    return asking(request.messages, [], [...isShown, prompts.hint]);
  }

  async function* finish(chosen: Candidate, why: string): AsyncGenerator<TraceEvent, Outcome> {
    return yield* endWith({ chosen, why, usage: calls.caller.spent });
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

const defaultPrompts = {
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
};

export const iortCard: MethodCard = {
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
  needs: [],
  needsWith: ({ answers }) => (answers === "program" ? ["python"] : []),
  options: {
    rounds: { type: "integer", default: 4, minimum: 1, maximum: 100, description: "most rounds", paper: "4" },
    hint: { type: "boolean", default: true, description: "write a hint for the instructor first", paper: "true" },
    answers: {
      type: "choice",
      default: "text",
      choices: answerKinds,
      description: "plain answers, or Python programs and what they print",
      paper: "program (GSM8K, SVAMP), text (StrategyQA)",
    },
    temperature: {
      type: "number",
      default: undefined,
      maximum: 10,
      description: "of every answer but the first; the run's own when not given, 0.7 where that is 0",
      paper: "0.3",
    },
  },
  calls: "1 + [hint] + 2·rounds",
  maxCalls: (options) => 1 + (options.hint ? 1 : 0) + 2 * numberOf(options, "rounds"),
  create: (options, id) => iort({ ...optionsOf<IortOptions>(options, "rounds", "hint", "answers", "temperature"), id }),
};
