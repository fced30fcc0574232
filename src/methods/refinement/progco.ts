/**
 * Check answers with a program the model writes from the question, and correct the answer and the program against each other.
 *
 * "ProgCo: Program Helps Self-Correction of Large Language Models", Xiaoshuai Song et al., 2025, arXiv 2501.01264.
 *
 * Algorithm (§2)
 *   1. Answer: y_0. From the question alone, never from the answer, write a program that checks an answer.
 *   2. Run the checker on y_t: the model simulates it step by step, or Python runs it. An answer that passes is returned; so is the best so
 *      far when t = R.
 *   3. Put what the run shows into words, without a verdict.
 *   4. Reflect twice: refine the answer from these words, which may be wrong, and the checker from its run.
 *   5. If the refined answer differs from y_t: list the differences of the two, in random order, and the key points that follow;
 *      y_{t+1} solves the question afresh with the key points alone. Otherwise y_{t+1} is the refined answer. Back to 2.
 *   Questions that give instructions to follow (`instructions`, the paper's IFEval) go without 5, and their checker stays as it is.
 *
 * Cost in calls, R rounds and nothing passes: 3 + 6R (`reasoning`), 3 + 3R (`instructions`); where Python runs the checker, R + 1 less.
 *
 * Our deviations: zero-shot instructions. A run without a verdict is no pass; in the authors' code it is one. The failing run of the last
 * round pays for no further feedback and refinement, as it does there (their cost is 24 calls for 3 rounds, ours 21). When no answer
 * passes, the one that came up most is taken, and without a repeated one the last (the paper: the last). Answers are compared in the
 * task's own form. Differences and key points come from one call; where the key points cannot be told from the differences, the refined
 * answer is kept, since differences quote both answers. A simulated run sees the final answer alone; in the authors' code the whole
 * response. Real Python runs in the sandbox the request brings.
 */
import { Random } from "#kernel/seed.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { type Candidate, mostAgreed } from "../driver/candidates.ts";
import { checkProgram, readCheck } from "../driver/check-program.ts";
import { type Choice, defineMethod } from "../driver/define-method.ts";
import { asking, readVerdict } from "../driver/judging.ts";
import { withNote, withTurn } from "../driver/turns.ts";

/** What a run of the checker showed. */
interface CheckRun {
  passed?: boolean | undefined;
  text: string;
}

export const progco = defineMethod({
  id: "progco",
  summary: "Checks answers with a program written from the question; corrects answer and program against each other.",
  paper: {
    title: "ProgCo: Program Helps Self-Correction of Large Language Models",
    authors: "Xiaoshuai Song et al.",
    year: 2025,
    arxiv: "2501.01264",
  },
  kind: "refinement",
  status: "experimental",
  needs: ({ execute }) => (execute === "real" ? ["python"] : []),
  options: {
    rounds: { type: "integer", default: 3, maximum: 100, description: "most rounds of refinement", paper: "3" },
    variant: {
      type: "choice",
      default: "reasoning",
      choices: ["reasoning", "instructions"],
      description: "reasoning contrasts answers and corrects the checker; instructions does neither",
      paper: "reasoning (GSM8K, MATH), instructions (IFEval)",
    },
    execute: {
      type: "choice",
      default: "simulated",
      choices: ["simulated", "real"],
      description: "the model goes through the checker by itself, or Python runs it",
      paper: "simulated; real as an addition",
    },
    fallback: {
      type: "choice",
      default: "vote",
      choices: ["vote", "last", "first"],
      description: "whose answer, when none passes: one that came up twice or else the last; the last; the first",
      paper: "last",
    },
  },
  extras: {
    /** Put in the system message of every call that answers. */
    instruction: undefined as string | undefined,
    prompts: {
      checker: [
        "You will be given an answer to this question later. Write a Python function verify(answer: str) -> bool in one code block that finds out",
        "whether an answer is right, going backwards where it can: put the answer into the conditions of the question and test each of them.",
        "Use only what the question says; do not solve it and do not compare with a result of your own. Say what is tested in short comments.",
        "A helper whose meaning is plain from its name may be left undefined.",
      ].join(" "),
      instructionChecker: [
        "You will be given a reply to this request later. Write a Python function verify(answer: str) -> bool in one code block that tests, one by",
        "one, whether the reply keeps every instruction of the request. Say what is tested in short comments.",
        "A helper whose meaning is plain from its name may be left undefined.",
      ].join(" "),
      simulate: [
        "Run the program on the answer in your head, line by line: write down what every line yields, and change nothing in the program.",
        "End with a line of this form, pass where verify returns True and fail where it returns False or breaks: Verdict: <pass or fail>",
      ].join(" "),
      feedback: [
        "The program was run on the answer. Say in a few sentences which of its tests the answer did not meet and what the run shows there: the",
        "values met and the values wanted. Do not call the answer right or wrong, and do not write a new one.",
      ].join(" "),
      refine: [
        "Here is what a check of your answer showed. The check may itself be mistaken: go through your answer again, decide what holds, and write",
        "the answer in full, corrected where it needs to be, in the same form as before.",
      ].join(" "),
      refineChecker: [
        "The run above may have failed because the program is mistaken. Look for conditions it leaves out, misreads or tests wrongly, and for lines",
        "that break. Write the whole program, corrected where it needs to be, in one code block.",
      ].join(" "),
      contrast: [
        "Two answers to the question differ. List where they part, step by step, and what decides between them there.",
        "Then write a line that says KEY POINTS and nothing else, and below it what somebody who solves the question has to watch for.",
        "The key points must make sense without the answers: they do not mention or quote them and give no result.",
      ].join(" "),
      afresh: "Watch for these points:",
    },
  },
  calls: "3 + 6·rounds for reasoning, 3 + 3·rounds for instructions; 1 + rounds less for execute=real",
  maxCalls: ({ rounds, variant, execute }) =>
    3 + (variant === "instructions" ? 3 : 6) * rounds - (execute === "real" ? 1 + rounds : 0),

  async *steps(run) {
    const { rounds, variant, execute, fallback, prompts } = run.options;
    const { request, question, candidates } = run;
    const runPython =
      execute === "real"
        ? run.tool("python", ", or use execute=simulated: the model then goes through the program by itself")
        : undefined;
    const seedOf = (role: string, round: number) => ({ seed: run.seed(role, round) });
    run.ifStopped = unverified;

    // 1. Answer and checker, blind to each other. In `instructions` the checker sees the whole reply, not the final answer alone.
    let answer = yield* run.attempt(question, seedOf("attempt", 0));
    const checkerPrompt = variant === "reasoning" ? prompts.checker : prompts.instructionChecker;
    let checker = yield* run.step("checker", asking(request.messages, [], [checkerPrompt]), seedOf("checker", 0));

    for (let round = 0; ; round++) {
      // 2. Check.
      const checked = yield* check(answer, checker, round);
      if (checked.passed) return { chosen: answer, why: "passes the checker" };
      if (round === rounds) return unverified();

      // 3. Words; 4. refine the answer and the checker.
      const shown = { title: "run of the program", text: checked.text };
      const program = { title: "checking program", text: checker };
      const told = asking(request.messages, [program, { title: "answer", text: checkedPart(answer) }, shown], [prompts.feedback]);
      const feedback = yield* run.feedback(answer.attempt, told, seedOf("feedback", round));
      const refining = withTurn(question, answer.text, `${prompts.refine}\n\n${feedback}`);
      const refined = yield* run.attempt(refining, seedOf("refined answer", round));
      if (variant === "reasoning") {
        const reviewing = asking(request.messages, [program, shown], [prompts.refineChecker]);
        const next = yield* run.step("checker", reviewing, seedOf("checker", round + 1));
        if (next.trim() !== "") checker = next;
      }

      // 5. Contrast.
      const isNew = variant === "reasoning" && !run.agree(answer, refined);
      answer = (isNew ? yield* contrast(answer, refined, round) : undefined) ?? refined;
    }

    async function* check(candidate: Candidate, checker: string, round: number): AsyncGenerator<TraceEvent, CheckRun> {
      const { attempt } = candidate;
      const answer = checkedPart(candidate);
      if (!runPython) {
        const parts = [
          { title: "checking program", text: checker },
          { title: "answer", text: answer },
        ];
        const messages = asking(request.messages, parts, [prompts.simulate]);
        const judge = { attempt, by: "checker, simulated" };
        return yield* run.judge(judge, messages, seedOf("run", round), (text) => ({ passed: readVerdict(text, "pass", "fail") }));
      }
      return yield* run.check({ attempt, by: "checker, run by Python" }, async (): Promise<CheckRun> => {
        const mark = `verdict-${run.seed("mark", round)}`;
        const source = checkProgram(checker, answer, mark);
        if (source === undefined) return { text: "There is no Python code block in the checking program." };
        return readCheck(await runPython(source, request.signal), mark);
      });
    }

    /** Solves the question afresh from what telling two answers apart has taught; undefined where nothing readable came of it. */
    async function* contrast(
      first: Candidate,
      second: Candidate,
      round: number,
    ): AsyncGenerator<TraceEvent, Candidate | undefined> {
      const isTurned = new Random(run.seed("order", round)).chance(0.5);
      const [a, b] = isTurned ? [second, first] : [first, second];
      const parts = [
        { title: "answer A", text: a.text },
        { title: "answer B", text: b.text },
      ];
      const messages = asking(request.messages, parts, [prompts.contrast]);
      const reply = yield* run.step("differences and key points", messages, seedOf("differences", round), first.attempt);
      const points = readKeyPoints(reply);
      if (points === undefined) return undefined;
      return yield* run.attempt(withNote(question, `${prompts.afresh}\n${points}`), seedOf("afresh", round));
    }

    function checkedPart({ text }: Candidate): string {
      return variant === "reasoning" ? (run.form.read(text) ?? text) : text;
    }

    /** The best so far, when no answer is known to pass. */
    function unverified(): Choice {
      const unknown = "none is known to pass the checker";
      if (fallback === "first") return { chosen: candidates[0], why: `${unknown}; the first answer` };
      const { winner, votes, voters } = mostAgreed(candidates, run.form);
      if (fallback === "last" || votes < 2) return { chosen: candidates.at(-1), why: `${unknown}; the last answer` };
      return { chosen: winner, why: `${unknown}; ${votes} of ${voters} agree` };
    }
  },
});

/** What stands behind the last line that says "KEY POINTS" and nothing else; undefined where there is none or nothing follows. */
export function readKeyPoints(reply: string): string | undefined {
  const lines = reply.split("\n");
  const place = lines.findLastIndex((line) => line.length < 100 && /^[\s#*_>]*key points[\s*_:.]*$/i.test(line));
  const points =
    place < 0
      ? ""
      : lines
          .slice(place + 1)
          .join("\n")
          .trim();
  return points === "" ? undefined : points;
}
