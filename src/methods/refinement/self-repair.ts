/**
 * Write programs, run the question's own tests, and repair what fails from what the tests said.
 *
 * "Is Self-Repair a Silver Bullet for Code Generation?", Theo X. Olausson et al., 2023, arXiv 2306.09896.
 *
 * Algorithm (§3, the repair tree of depth one)
 *   1. Draw n_p programs; run the tests on each; one that passes is the answer.
 *   2. Each program that fails gets an error message: what the run said.
 *   3. Draw n_fr repairs of each failing program: words about the fault and a new program in one reply (`joint`), or the words first, by
 *      the same or another model, and then the program (`separate`).
 *   4. A repair that passes is the answer.
 *
 * Cost in calls, when nothing passes: n_p + n_p · n_fr, as the paper counts samples; `separate` is n_p + 2 · n_p · n_fr. Runs of tests cost
 * no call.
 *
 * Our deviations: the tree is walked until something passes, drafts first, then one repair of each failing program, then a second one:
 * the paper finds that breadth pays more than depth, and what is not drawn costs nothing. (The paper draws whole trees to estimate pass@t
 * from them.) The tests are those that the question itself shows; with hidden tests, as in the paper, it is `selfRepairOracle` and an upper
 * bound. When nothing passes, the answer is the first program that at least ran to a verdict.
 */
import type { Message, Model } from "#kernel/model.ts";
import type { MethodNeed, TestReport, TraceEvent } from "#kernel/trace.ts";
import type { Candidate } from "../driver/candidates.ts";
import { type Choice, defineMethod, type MethodRun } from "../driver/define-method.ts";
import { withTurn } from "../driver/turns.ts";

const defaultRepairPrompts = {
  joint: [
    "First explain in a few sentences where the program goes wrong and why.",
    "Then write the whole repaired program in one code block, in the form the question asks for.",
  ].join(" "),
  separate: "Now write the whole repaired program in one code block, in the form the question asks for.",
};

export const selfRepair = repairing({
  id: "self-repair",
  summary: "Writes programs, runs the tests the question shows, and repairs what fails from what the tests said.",
  needs: ["visible-tests"],
  testsOf: (run) => run.tool("visible-tests", "; self-refine works on any task"),
  by: "the question's tests",
});

/** The same with the hidden tests that grade the answer: an upper bound, no method one could use. */
export const selfRepairOracle = repairing({
  id: "self-repair-oracle",
  summary: "Self-repair with the hidden tests that grade the answer: an upper bound, not a method to use.",
  // Visible tests are not run, but only tasks that ask for programs have any.
  needs: ["visible-tests", "oracle"],
  testsOf: (run) => run.tool("hidden-tests", "; self-repair works with the tests that a question shows"),
  by: "the hidden tests (oracle)",
});

interface Tests {
  id: string;
  summary: string;
  needs: readonly MethodNeed[];
  testsOf: (run: Pick<MethodRun<unknown>, "tool">) => (completion: string, signal?: AbortSignal) => Promise<TestReport>;
  /** Whose verdict it is, in the trace. */
  by: string;
}

function repairing({ id, summary, needs, testsOf, by }: Tests) {
  return defineMethod({
    ...{ id, summary, needs },
    paper: {
      title: "Is Self-Repair a Silver Bullet for Code Generation?",
      authors: "Theo X. Olausson et al.",
      year: 2023,
      arxiv: "2306.09896",
    },
    kind: "refinement",
    status: "experimental",
    options: {
      drafts: {
        type: "integer",
        default: 3,
        minimum: 1,
        maximum: 1000,
        description: "programs before any repair",
        paper: "1, 2, 5, 10, 25",
      },
      repairs: {
        type: "integer",
        default: 1,
        maximum: 1000,
        description: "repairs of each failing program",
        paper: "1, 3, 5, 10",
      },
      feedback: {
        type: "choice",
        default: "joint",
        choices: ["joint", "separate"],
        description: "words about the fault together with the repair, or in a call before it",
        paper: "joint",
      },
      temperature: {
        type: "number",
        maximum: 10,
        description: "of every program but the first; the run's own when not given, 0.7 where that is 0",
        paper: "0.8",
      },
    },
    extras: {
      /** Put in the system message of every call. */
      instruction: undefined as string | undefined,
      /** Finds the fault in `separate`; the answering model when left out. Its calls count like the others. */
      feedbackModel: undefined as Model | undefined,
      /** Asks for the fault (`separate`); the report of the run stands before it. */
      feedbackPrompt: [
        "Explain in a few sentences why the program does not do what the question asks: find the line where it goes wrong and say what it does",
        "there instead of what it should. Do not write a program.",
      ].join(" "),
      /** Asks for the repaired program, after the report and, in `separate`, after the words about the fault. */
      repairPrompt: undefined as string | undefined,
    },
    calls: "drafts·(1 + repairs), or drafts·(1 + 2·repairs) for feedback=separate",
    maxCalls: ({ drafts, repairs, feedback }) => drafts * (1 + (feedback === "separate" ? 2 : 1) * repairs),

    async *steps(run) {
      const { drafts, repairs, feedback, feedbackModel, feedbackPrompt } = run.options;
      const { repairPrompt = defaultRepairPrompts[feedback] } = run.options;
      const { request, question, candidates, samplingTemperature: temperature } = run;
      const runTests = testsOf(run);
      const reports = new Map<Candidate, TestReport>();
      run.ifStopped = bestFailing;

      // 1. Drafts. The first is the plain answer, word for word.
      for (let draft = 0; draft < drafts; draft++) {
        const seed = run.seed("attempt", draft);
        const candidate = yield* run.attempt(question, draft === 0 ? { seed } : { seed, temperature });
        if (yield* passes(candidate)) return { chosen: candidate, why: `passes ${by}` };
      }

      // 2. Every draft has failed. 3. Repairs, a first one of each before a second one of any; 4. stop at one that passes.
      const failing = [...candidates];
      for (let repair = 0; repair < repairs; repair++) {
        for (const draft of failing) {
          const messages = yield* askForRepair(draft, repair);
          const candidate = yield* run.attempt(messages, { seed: run.seed("repair", draft.attempt, repair), temperature });
          if (yield* passes(candidate)) return { chosen: candidate, why: `passes ${by}` };
        }
      }
      return bestFailing();

      async function* passes(candidate: Candidate): AsyncGenerator<TraceEvent, boolean> {
        const { attempt, text } = candidate;
        const found = yield* run.check({ attempt, by }, async () => {
          const report = await runTests(text, request.signal);
          return { report, passed: report.passed, text: `${report.status}: ${report.output}` };
        });
        reports.set(candidate, found.report);
        return found.passed;
      }

      async function* askForRepair(draft: Candidate, repair: number): AsyncGenerator<TraceEvent, Message[]> {
        const report = inWords(reports.get(draft)!);
        if (feedback === "joint") return withTurn(question, draft.text, `${report}\n\n${repairPrompt}`);
        const asking = withTurn(question, draft.text, `${report}\n\n${feedbackPrompt}`);
        const setting = { seed: run.seed("feedback", draft.attempt, repair), temperature, model: feedbackModel };
        const fault = yield* run.feedback(draft.attempt, asking, setting);
        return withTurn(asking, fault, repairPrompt);
      }

      /** The first of those that came furthest: failing a test says more than running out of time or memory. */
      function bestFailing(): Choice {
        const rank = (candidate: Candidate) => endings.indexOf(reports.get(candidate)?.status ?? "untested");
        let chosen = candidates[0];
        for (const candidate of candidates) if (chosen && rank(candidate) > rank(chosen)) chosen = candidate;
        const count = candidates.length;
        const programs = `${count} ${count === 1 ? "program" : "programs"}`;
        return { chosen, why: `none of ${programs} is known to pass ${by}; the first that came furthest` };
      }
    },
  });
}

const endings: readonly (TestReport["status"] | "untested")[] = ["untested", "refused", "memory", "timeout", "failed", "ok"];

function inWords({ status, output }: TestReport): string {
  const said = output.trim() === "" ? "It printed nothing." : `What the run said:\n\n${output.trim()}`;
  return `The program was run against tests and did not pass (${howItEnded[status]}). ${said}`;
}

const howItEnded: Readonly<Record<TestReport["status"], string>> = {
  ok: "it ended, but a test did not hold",
  failed: "a test failed or it could not run",
  timeout: "it took too long",
  memory: "it used too much memory",
  refused: "it tried something that is not allowed",
};
