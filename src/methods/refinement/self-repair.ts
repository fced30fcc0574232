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
import { withInstruction } from "#kernel/call.ts";
import { userError } from "#kernel/errors.ts";
import type { MethodCard, MethodOptionValues } from "#kernel/method-card.ts";
import { addUsage, type Message, type Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TestReport, TraceEvent } from "#kernel/trace.ts";
import type { Candidate } from "../driver/candidates.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { numberOf, optionsOf } from "../driver/options.ts";
import { samplingTemperature } from "../driver/sampling.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";
import { withTurn } from "../driver/turns.ts";

const feedbacks = ["joint", "separate"] as const;

export interface SelfRepairOptions {
  /** Programs n_p. The paper: 1 to 25. */
  drafts: number;
  /** Repairs n_fr of each failing program. The paper: 1 to 10. */
  repairs: number;
  /** Name in results; `self-repair` when left out, or `self-repair-oracle`. */
  id?: string;
  /** Put in the system message of every call; nothing is added when left out. */
  instruction?: string;
  /** The words about the fault together with the repair, or in a call of their own; `joint` when left out, the paper's usual setting. */
  feedback?: (typeof feedbacks)[number];
  /** Finds the fault in `separate`; the answering model when left out. Its calls count like the others. */
  feedbackModel?: Model;
  /** Of every program but the first; the request's own when left out, 0.7 where that is 0. The paper: 0.8. */
  temperature?: number;
  /** Asks for the fault (`separate`); the report of the run follows it. */
  feedbackPrompt?: string;
  /** Asks for the repaired program, after the report and, in `separate`, after the words about the fault. */
  repairPrompt?: string;
}

type RunTests = (completion: string, signal?: AbortSignal) => Promise<TestReport>;

interface Setting {
  options: SelfRepairOptions;
  testsOf: (request: MethodRequest) => RunTests;
  by: string;
}

export function selfRepair(options: SelfRepairOptions): Method {
  const setting: Setting = { options, testsOf: visibleTests, by: "the question's tests" };
  return { id: options.id ?? "self-repair", run: (request) => runSelfRepair(request, setting) };
}

/** The same with the hidden tests that grade the answer: an upper bound, no method one could use. */
export function selfRepairOracle(options: SelfRepairOptions): Method {
  const setting: Setting = { options, testsOf: hiddenTests, by: "the hidden tests (oracle)" };
  return { id: options.id ?? "self-repair-oracle", usesOracle: true, run: (request) => runSelfRepair(request, setting) };
}

async function* runSelfRepair(request: MethodRequest, { options, testsOf, by }: Setting): AsyncGenerator<TraceEvent, Outcome> {
  const { drafts, repairs, feedback = "joint" } = options;
  const { feedbackPrompt = defaultFeedbackPrompt, repairPrompt = defaultRepairPrompts[feedback] } = options;
  const runTests = testsOf(request);
  const calls = new TracedCalls(request);
  const question = withInstruction(request.messages, options.instruction);
  const temperature = samplingTemperature(options.temperature, request.temperature);
  const reports = new Map<Candidate, TestReport>();

  try {
    // 1. Drafts. The first is the plain answer, word for word.
    for (let draft = 0; draft < drafts; draft++) {
      const seed = deriveSeed(request.seed, "attempt", draft);
      const candidate = yield* calls.attempt(question, draft === 0 ? { seed } : { seed, temperature });
      if (yield* passes(candidate)) return yield* finish(candidate);
    }

    // 2. Every draft has failed. 3. Repairs, a first one of each before a second one of any; 4. stop at one that passes.
    const failing = [...calls.candidates];
    for (let repair = 0; repair < repairs; repair++) {
      for (const draft of failing) {
        const messages = yield* askForRepair(draft, repair);
        const seed = deriveSeed(request.seed, "repair", draft.attempt, repair);
        const candidate = yield* calls.attempt(messages, { seed, temperature });
        if (yield* passes(candidate)) return yield* finish(candidate);
      }
    }
    return yield* endWith({ ...bestFailing(), usage: calls.caller.spent });
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { ...bestFailing(), usage: calls.caller.spent });
  }

  async function* passes(candidate: Candidate): AsyncGenerator<TraceEvent, boolean> {
    const { attempt, text } = candidate;
    const found = yield* calls.check({ attempt, by }, async () => {
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
    return withTurn(asking, yield* findFault(draft, asking, repair), repairPrompt);
  }

  /** The fault in words, by the model that is good at finding it. */
  async function* findFault(draft: Candidate, messages: Message[], repair: number): AsyncGenerator<TraceEvent, string> {
    const { mayCall } = request;
    const model = options.feedbackModel ?? request.model;
    const spentBefore = calls.caller.spent;
    const asksFirst = mayCall ? { mayCall: (spent: typeof spentBefore) => mayCall(addUsage(spentBefore, spent)) } : {};
    const reviewer = new TracedCalls({ ...request, model, ...asksFirst });
    try {
      const seed = deriveSeed(request.seed, "feedback", draft.attempt, repair);
      return yield* reviewer.feedback(draft.attempt, messages, { seed, temperature });
    } finally {
      calls.caller.spent = addUsage(spentBefore, reviewer.caller.spent);
    }
  }

  async function* finish(chosen: Candidate): AsyncGenerator<TraceEvent, Outcome> {
    return yield* endWith({ chosen, why: `passes ${by}`, usage: calls.caller.spent });
  }

  /** The first of those that came furthest: failing a test says more than running out of time or memory. */
  function bestFailing(): { chosen: Candidate | undefined; why: string } {
    const rank = (candidate: Candidate) => endings.indexOf(reports.get(candidate)?.status ?? "untested");
    let chosen = calls.candidates[0];
    for (const candidate of calls.candidates) if (chosen && rank(candidate) > rank(chosen)) chosen = candidate;
    const count = calls.candidates.length;
    return {
      chosen,
      why: `none of ${count} ${count === 1 ? "program" : "programs"} is known to pass ${by}; the first that came furthest`,
    };
  }
}

const endings: readonly (TestReport["status"] | "untested")[] = ["untested", "refused", "memory", "timeout", "failed", "ok"];

function visibleTests({ tools }: MethodRequest): RunTests {
  if (tools?.runVisibleTests) return tools.runVisibleTests;
  throw userError(
    "no-visible-tests",
    "self-repair runs the tests that a question shows, and here there are none to run",
    "Use it on programming tasks, with a sandbox; self-refine works on any task.",
  );
}

function hiddenTests({ tools }: MethodRequest): RunTests {
  if (tools?.oracle?.runHiddenTests) return tools.oracle.runHiddenTests;
  throw userError(
    "no-hidden-tests",
    "self-repair-oracle runs the hidden tests of a programming task, and here there are none",
    "Use it in an evaluation of a programming task, with a sandbox; self-repair works with the tests that a question shows.",
  );
}

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

const defaultFeedbackPrompt = [
  "Explain in a few sentences why the program does not do what the question asks: find the line where it goes wrong and say what it does",
  "there instead of what it should. Do not write a program.",
].join(" ");

const defaultRepairPrompts = {
  joint: [
    "First explain in a few sentences where the program goes wrong and why.",
    "Then write the whole repaired program in one code block, in the form the question asks for.",
  ].join(" "),
  separate: "Now write the whole repaired program in one code block, in the form the question asks for.",
};

const paper = {
  title: "Is Self-Repair a Silver Bullet for Code Generation?",
  authors: "Theo X. Olausson et al.",
  year: 2023,
  arxiv: "2306.09896",
};

const options: MethodCard["options"] = {
  drafts: {
    type: "integer",
    default: 3,
    minimum: 1,
    maximum: 1000,
    description: "programs before any repair",
    paper: "1, 2, 5, 10, 25",
  },
  repairs: { type: "integer", default: 1, maximum: 1000, description: "repairs of each failing program", paper: "1, 3, 5, 10" },
  feedback: {
    type: "choice",
    default: "joint",
    choices: feedbacks,
    description: "words about the fault together with the repair, or in a call before it",
    paper: "joint",
  },
  temperature: {
    type: "number",
    default: undefined,
    maximum: 10,
    description: "of every program but the first; the run's own when not given, 0.7 where that is 0",
    paper: "0.8",
  },
};

function maxCalls(values: MethodOptionValues): number {
  const each = values.feedback === "separate" ? 2 : 1;
  return numberOf(values, "drafts") * (1 + each * numberOf(values, "repairs"));
}

function bound(values: MethodOptionValues, id: string): SelfRepairOptions {
  return { ...optionsOf<SelfRepairOptions>(values, "drafts", "repairs", "feedback", "temperature"), id };
}

const calls = "drafts·(1 + repairs), or drafts·(1 + 2·repairs) for feedback=separate";

export const selfRepairCard: MethodCard = {
  id: "self-repair",
  summary: "Writes programs, runs the tests the question shows, and repairs what fails from what the tests said.",
  paper,
  kind: "refinement",
  needs: ["visible-tests"],
  options,
  calls,
  maxCalls,
  create: (values, id) => selfRepair(bound(values, id)),
};

export const selfRepairOracleCard: MethodCard = {
  id: "self-repair-oracle",
  summary: "Self-repair with the hidden tests that grade the answer: an upper bound, not a method to use.",
  paper,
  kind: "refinement",
  // Visible tests are not run, but only tasks that ask for programs have any.
  needs: ["visible-tests", "oracle"],
  usesOracle: true,
  options,
  calls,
  maxCalls,
  create: (values, id) => selfRepairOracle(bound(values, id)),
};
