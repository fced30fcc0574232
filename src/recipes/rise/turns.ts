/**
 * RISE at test (recipe.ts): turns in one chat, each told that the last attempt was wrong whether it was or not, and the answer that most turns
 * agree on. With `window` a turn sees the question and the most recent attempts alone, as the authors do when turns are more than training had.
 */
import type { Message } from "#kernel/model.ts";
import type { Method } from "#kernel/trace.ts";
import { mostAgreed } from "#methods/driver/candidates.ts";
import { defineMethod } from "#methods/driver/define-method.ts";

export interface RisePrompts {
  /** System message and worked dialogue in front of the question; empty for none. */
  opening: readonly Message[];
  /** What the user says to an attempt, right or wrong at test. `{question}` stands for the question. */
  retry: string;
}

/** The question, the attempts so far, and after each the request to try again. */
export function risePrompt(question: string, turns: readonly { text: string }[], { opening, retry }: RisePrompts): Message[] {
  const request = retry.replaceAll("{question}", () => question);
  return [
    ...opening,
    { role: "user", content: question },
    ...turns.flatMap(({ text }): Message[] => [
      { role: "assistant", content: text },
      { role: "user", content: request },
    ]),
  ];
}

export interface RiseTurnsOptions extends RisePrompts {
  /** Paper 5. */
  turns: number;
  /** Attempts a turn is shown; all when left out. The authors' evaluation: the most recent ones, as many as training had. */
  window?: number;
  /** `vote` over the turns, ties to the earlier one, or `last`. */
  choose?: "vote" | "last";
  /** `rise-TURNS` when left out. */
  id?: string;
}

export function riseTurns({ id, turns, window, choose, opening, retry }: RiseTurnsOptions): Method {
  return riseMethod({ id: id ?? `rise-${turns}`, turns, window, choose, opening, retry });
}

const riseMethod = defineMethod({
  id: "rise-turns",
  summary: "Answers anew, turn by turn, each told that the last attempt was wrong; most turns decide.",
  kind: "refinement",
  status: "stable",
  options: {
    turns: { type: "integer", default: 5, minimum: 1, description: "answers", paper: "5" },
    window: { type: "integer", minimum: 1, description: "attempts a turn is shown; all when not given" },
    choose: { type: "choice", default: "vote", choices: ["vote", "last"], description: "which turn is the answer" },
  },
  extras: { opening: [] as readonly Message[], retry: "" },
  calls: "turns",
  maxCalls: ({ turns }) => turns,

  async *steps(run) {
    const { turns, window = turns, choose, opening, retry } = run.options;
    const { messages } = run.request;
    const choice = () => {
      const { winner, votes, voters } = mostAgreed(choose === "vote" ? run.candidates : [], run.form);
      const why = winner ? `${votes} of ${voters} turns agree` : "last turn";
      return { chosen: winner ?? run.candidates.at(-1), why };
    };
    run.ifStopped = choice;
    for (let turn = 0; turn < turns; turn++) {
      const asked = risePrompt(messages.at(-1)!.content, run.candidates.slice(-window), { opening, retry });
      yield* run.attempt([...messages.slice(0, -1), ...asked], { seed: run.seed("attempt", turn) });
    }
    return choice();
  },
});
