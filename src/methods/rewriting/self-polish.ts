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
 * question, "original" that to the question itself. The choice is the vote unless said; in the authors' code the original.
 */
import type { AnswerForm } from "#kernel/answer-form.ts";
import type { Message } from "#kernel/model.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { type Candidate, mostAgreed } from "../driver/candidates.ts";
import { type Choice, defineMethod } from "../driver/define-method.ts";
import { lostNumbers } from "../driver/numbers-kept.ts";

const ruleNames = {
  last: "the last answer",
  first: "the answer to the first rewritten question",
  vote: "an answer given twice, else the one to the original question",
  original: "the answer to the original question",
};

export const selfPolish = defineMethod({
  id: "self-polish",
  summary: "Rewrites the question until two answers in a row agree; stands before any other method.",
  paper: {
    title: "Self-Polish: Enhance Reasoning in Large Language Models via Problem Refinement",
    authors: "Zhiheng Xi et al.",
    year: 2023,
    arxiv: "2305.14497",
  },
  kind: "rewriting",
  status: "experimental",
  options: {
    over: { type: "method", default: "vanilla", description: "solves the question and its rewritten forms" },
    // The paper's `max_times` of 4 counts the solutions.
    rewrites: { type: "integer", default: 3, maximum: 100, description: "most rewrites", paper: "3" },
    choose: {
      type: "choice",
      default: "vote",
      choices: ["last", "first", "vote", "original"],
      description: "whose answer, when no two in a row agree",
      paper: "all four tried",
    },
    keepNumbers: { type: "boolean", default: true, description: "refuse a rewrite that has lost a number of the question" },
    tries: { type: "integer", default: 1, maximum: 10, description: "further tries for a rewrite that was refused" },
    rewriteTemperature: { type: "number", default: 0, maximum: 10, description: "of the rewriting", paper: "0" },
    rewriteTokens: {
      type: "integer",
      minimum: 1,
      description: "longest rewrite in tokens; the run's own limit when not given",
      paper: "256",
    },
  },
  extras: {
    /** Asks for the rewritten question; the question follows it. */
    rewritePrompt: [
      "Rewrite the question below so that it is easier to understand and to solve. Put what is known in a sensible order, bring conditions that",
      "belong together side by side, say plainly what is asked, and leave out what clearly has no bearing on it.",
      "Keep every number with its unit, every name and every condition, and keep any wish about the form of the answer word for word.",
      "Do not solve the question and do not work out anything in advance.",
      "Write the rewritten question between <question> and </question>, and nothing after it.",
    ].join(" "),
  },
  calls: "(1 + rewrites)·over + rewrites·(1 + tries)",
  maxCalls: ({ over, rewrites, tries }) => (1 + rewrites) * over.maxCalls + rewrites * (1 + tries),
  inPrograms: { name: ({ over }) => `self-polish-${over.method.id}` },

  async *steps(run) {
    const { over, rewrites, choose, keepNumbers, tries, rewritePrompt } = run.options;
    const { rewriteTemperature: temperature, rewriteTokens: maxTokens } = run.options;
    const { messages: conversation } = run.request;
    const place = conversation.findLastIndex((message) => message.role === "user");
    const original = conversation[place]?.content ?? "";
    let question = original;
    run.ifStopped = () => choice("before two answers in a row agreed");

    // 1. The question as it stands.
    let answered = yield* run.innerAttempt({ method: over.method, branch: 0 });

    for (let round = 0; round < rewrites; round++) {
      // 2. Rewrite.
      const rewritten = original.trim() === "" ? "there is no question to rewrite" : yield* rewrite(round);
      if (typeof rewritten === "string") return choice(rewritten);
      question = rewritten.question;

      // 3. Solve again; 4. stop when two answers in a row agree.
      const next = yield* run.innerAttempt({ method: over.method, branch: round + 1, messages: asking(question) });
      if (run.agree(answered, next)) return { chosen: next, why: "the same answer twice in a row" };
      answered = next;
    }
    return choice("every rewrite was solved and no two answers in a row agree");

    /** The rewritten question, or why there is none. */
    async function* rewrite(round: number): AsyncGenerator<TraceEvent, { question: string } | string> {
      let messages = asking(`${rewritePrompt}\n\n<question>\n${question}\n</question>`);
      let fault = "";
      for (let attempt = 0; attempt <= tries; attempt++) {
        const seed = run.seed("rewritten question", round, attempt);
        const reply = yield* run.step("rewritten question", messages, { seed, temperature, maxTokens });
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
      return conversation.map((message, index) => (index === place ? { ...message, content } : message));
    }

    /** 5. What is there, by the rule. */
    function choice(why: string): Choice {
      return { chosen: chosenBy(choose, run.candidates, run.form), why: `${ruleNames[choose]}; ${why}` };
    }
  },
});

/** Attempt 0 solved the question itself, the others its rewritten forms in order. Undefined for an empty list. */
export function chosenBy(
  rule: keyof typeof ruleNames,
  candidates: readonly Candidate[],
  form: AnswerForm,
): Candidate | undefined {
  if (rule === "last") return candidates.at(-1);
  if (rule === "first") return candidates[1] ?? candidates[0];
  if (rule === "original") return candidates[0];
  const { winner, votes } = mostAgreed(candidates, form);
  return votes > 1 ? winner : candidates[0];
}

/** What stands in the last complete pair of tags; undefined where there is none or it is empty. */
function readQuestion(reply: string): string | undefined {
  const end = reply.lastIndexOf("</question>");
  const start = end < 0 ? -1 : reply.lastIndexOf("<question>", end);
  const text = start < 0 ? "" : reply.slice(start + "<question>".length, end).trim();
  return text === "" ? undefined : text;
}
