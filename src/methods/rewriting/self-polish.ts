/**
 * Rewrite the question until two answers in a row agree: the problem is made clearer, not the reasoning.
 *
 * "Self-Polish: Enhance Reasoning in Large Language Models via Problem Refinement", Zhiheng Xi et al., 2023, arXiv 2305.14497.
 *
 * Algorithm (§3, progressive refinement)
 *   1. Solve the question as it stands: a_0.
 *   2. Rewrite the question: clearer, in a better order, conditions that belong together side by side.
 *   3. Solve the rewritten question: a_{i+1}.
 *   4. Stop when a_{i+1} is the answer a_i; otherwise back to 2 while rewrites are left.
 *   5. Without agreement, choose: the last answer, the first, the vote (an answer that came up twice, otherwise the original question's),
 *      or the original question's.
 *
 * Cost in calls, R rewrites of at most 1 + T tries each, a solver of s calls: (1 + R) · s + R · (1 + T).
 *
 * Our deviations: zero-shot rewriting in place of few-shot prompts. A rewrite has to keep every number of the question it rewrites, or it
 * is refused and asked for again, told what it lost; the paper has no such check, and deleting a needed fact is its commonest fault.
 * Where the question is known to hold numbers that distract, `keepNumbers` is to be switched off. When every try is refused, or the
 * rewrite is the question again, the rewriting has come to its end. Answers are compared in the task's own form, and one without a
 * readable answer agrees with nothing. Only the text of the last user message is rewritten. "First" is the first answer to a rewritten
 * question, "original" that to the question itself.
 */
import { type AnswerForm, answerFormOf } from "#kernel/answer-form.ts";
import type { BoundMethod, MethodCard } from "#kernel/method-card.ts";
import type { Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import type { Candidate } from "../driver/candidates.ts";
import { endEarly, endWith } from "../driver/ending.ts";
import { lostNumbers } from "../driver/numbers-kept.ts";
import { methodOf, numberOf, optionsOf } from "../driver/options.ts";
import { stoppedBy, TracedCalls } from "../driver/traced-calls.ts";
import { countVotes } from "../driver/vote.ts";

const choices = ["last", "first", "vote", "original"] as const;

export interface SelfPolishOptions {
  /** Solves the question and its rewritten forms. Any method. */
  over: BoundMethod;
  /** Most rewrites R. The paper: 3 (its `max_times` of 4 counts the solutions). */
  rewrites: number;
  /** Name in results; `self-polish-` and the solver's name when left out. */
  id?: string;
  /** Whose answer is taken when no two in a row agree; `vote` when left out. */
  choose?: (typeof choices)[number];
  /** Refuses a rewrite that has lost a number of the question; true when left out. */
  keepNumbers?: boolean;
  /** Further tries T when a rewrite is refused or not found in the reply; 1 when left out. */
  tries?: number;
  /** Of the rewriting; 0 when left out, as in the paper. */
  rewriteTemperature?: number;
  /** Longest rewrite in tokens; the request's own limit when left out. The paper: 256. */
  rewriteTokens?: number;
  /** Asks for the rewritten question; the question follows it. */
  rewritePrompt?: string;
}

export function selfPolish(options: SelfPolishOptions): Method {
  const { over } = options;
  const id = options.id ?? `self-polish-${over.method.id}`;
  return { id, usesOracle: over.method.usesOracle === true, run: (request) => runSelfPolish(request, options) };
}

async function* runSelfPolish(request: MethodRequest, options: SelfPolishOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { over, rewrites, choose = "vote" } = options;
  const calls = new TracedCalls(request);
  const form = answerFormOf(request);
  const place = request.messages.findLastIndex((message) => message.role === "user");
  const original = request.messages[place]?.content ?? "";
  let question = original;
  let why = "every rewrite was solved and no two answers in a row agree";

  try {
    // 1. The question as it stands.
    let answered = yield* calls.innerAttempt({ method: over.method, branch: 0 });

    for (let round = 0; round < rewrites; round++) {
      // 2. Rewrite.
      const rewritten = original.trim() === "" ? "there is no question to rewrite" : yield* rewrite(round);
      if (typeof rewritten === "string") {
        why = rewritten;
        break;
      }
      question = rewritten.question;

      // 3. Solve again; 4. stop when two answers in a row agree.
      const messages = asking(question);
      const next = yield* calls.innerAttempt({ method: over.method, branch: round + 1, messages });
      if (agree(form, answered, next)) {
        return yield* endWith({ chosen: next, why: "the same answer twice in a row", usage: calls.caller.spent });
      }
      answered = next;
    }
    return yield* endWith({ ...choice(), usage: calls.caller.spent });
  } catch (thrown) {
    why = "before two answers in a row agreed";
    return yield* endEarly(stoppedBy(thrown), { ...choice(), usage: calls.caller.spent });
  }

  /** The rewritten question, or why there is none. */
  async function* rewrite(round: number): AsyncGenerator<TraceEvent, { question: string } | string> {
    const { keepNumbers = true, tries = 1, rewriteTemperature: temperature = 0, rewriteTokens: maxTokens } = options;
    let messages = asking(`${options.rewritePrompt ?? defaultRewritePrompt}\n\n<question>\n${question}\n</question>`);
    let fault = "";
    for (let attempt = 0; attempt <= tries; attempt++) {
      const seed = deriveSeed(request.seed, "rewritten question", round, attempt);
      const reply = yield* calls.step("rewritten question", messages, { seed, temperature, ...(maxTokens ? { maxTokens } : {}) });
      const rewritten = readQuestion(reply);
      if (rewritten === undefined) fault = "it does not stand between <question> and </question>";
      else if (rewritten === question.trim()) return "rewriting leaves the question as it is";
      else {
        const lost = keepNumbers ? lostNumbers(original, rewritten) : [];
        if (lost.length === 0) return { question: rewritten };
        fault = `it has lost ${lost.length === 1 ? "the number" : "the numbers"} ${lost.slice(0, 20).join(", ")}`;
      }
      const complaint = `This rewritten question cannot be used: ${fault}. Write it again, in full, in the form asked for.`;
      messages = [...messages, { role: "assistant", content: reply }, { role: "user", content: complaint }];
    }
    return `a rewrite was refused: ${fault}`;
  }

  /** The conversation with another text in the place of the last question; what else that message holds stays. */
  function asking(content: string): Message[] {
    return request.messages.map((message, index) => (index === place ? { ...message, content } : message));
  }

  /** 5. What is there, by the rule. */
  function choice(): { chosen: Candidate | undefined; why: string } {
    const chosen = chosenBy(choose, calls.candidates, form);
    return { chosen, why: `${ruleNames[choose]}; ${why}` };
  }
}

/** Attempt 0 solved the question itself, the others its rewritten forms in order. Undefined for an empty list. */
export function chosenBy(
  rule: NonNullable<SelfPolishOptions["choose"]>,
  candidates: readonly Candidate[],
  form: AnswerForm,
): Candidate | undefined {
  if (rule === "last") return candidates.at(-1);
  if (rule === "first") return candidates[1] ?? candidates[0];
  if (rule === "original") return candidates[0];
  const { winner = 0, votes } = countVotes(
    candidates.map((candidate) => form.read(candidate.text)),
    form.same,
  );
  return candidates[votes > 1 ? winner : 0];
}

function agree(form: AnswerForm, first: Candidate, second: Candidate): boolean {
  const [before, after] = [form.read(first.text), form.read(second.text)];
  return before !== undefined && after !== undefined && form.same(before, after);
}

/** What stands in the last complete pair of tags; undefined where there is none or it is empty. */
function readQuestion(reply: string): string | undefined {
  const end = reply.lastIndexOf("</question>");
  const start = end < 0 ? -1 : reply.lastIndexOf("<question>", end);
  const text = start < 0 ? "" : reply.slice(start + "<question>".length, end).trim();
  return text === "" ? undefined : text;
}

const ruleNames = {
  last: "the last answer",
  first: "the answer to the first rewritten question",
  vote: "an answer given twice, else the one to the original question",
  original: "the answer to the original question",
};

const defaultRewritePrompt = [
  "Rewrite the question below so that it is easier to understand and to solve. Put what is known in a sensible order, bring conditions that",
  "belong together side by side, say plainly what is asked, and leave out what clearly has no bearing on it.",
  "Keep every number with its unit, every name and every condition, and keep any wish about the form of the answer word for word.",
  "Do not solve the question and do not work out anything in advance.",
  "Write the rewritten question between <question> and </question>, and nothing after it.",
].join(" ");

export const selfPolishCard: MethodCard = {
  id: "self-polish",
  summary: "Rewrites the question until two answers in a row agree; stands before any other method.",
  paper: {
    title: "Self-Polish: Enhance Reasoning in Large Language Models via Problem Refinement",
    authors: "Zhiheng Xi et al.",
    year: 2023,
    arxiv: "2305.14497",
  },
  kind: "rewriting",
  needs: [],
  options: {
    over: { type: "method", default: "vanilla", description: "solves the question and its rewritten forms" },
    rewrites: { type: "integer", default: 3, maximum: 100, description: "most rewrites", paper: "3" },
    choose: {
      type: "choice",
      default: "vote",
      choices,
      description: "whose answer, when no two in a row agree",
      paper: "all four tried",
    },
    keepNumbers: { type: "boolean", default: true, description: "refuse a rewrite that has lost a number of the question" },
    tries: { type: "integer", default: 1, maximum: 10, description: "further tries for a rewrite that was refused" },
    rewriteTemperature: { type: "number", default: 0, maximum: 10, description: "of the rewriting", paper: "0" },
    rewriteTokens: {
      type: "integer",
      default: undefined,
      minimum: 1,
      description: "longest rewrite in tokens; the run's own limit when not given",
      paper: "256",
    },
  },
  calls: "(1 + rewrites)·over + rewrites·(1 + tries)",
  maxCalls: (options) => {
    const rewrites = numberOf(options, "rewrites");
    return (1 + rewrites) * methodOf(options, "over")!.maxCalls + rewrites * (1 + numberOf(options, "tries"));
  },
  create: (options, id) => {
    const names = ["over", "rewrites", "choose", "keepNumbers", "tries", "rewriteTemperature", "rewriteTokens"] as const;
    return selfPolish({ ...optionsOf<SelfPolishOptions>(options, ...names), id });
  },
};
