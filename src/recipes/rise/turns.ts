/**
 * RISE at test (recipe.ts): turns in one chat, each told that the last attempt was wrong whether it was or not, and the answer that most turns
 * agree on. With `window` a turn sees the question and the most recent attempts alone, as the authors do when turns are more than training had.
 */
import { answerFormOf } from "#kernel/answer-form.ts";
import type { Message } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { mostAgreed } from "#methods/driver/candidates.ts";
import { endEarly, endWith } from "#methods/driver/ending.ts";
import { stoppedBy, TracedCalls } from "#methods/driver/traced-calls.ts";

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

export function riseTurns(options: RiseTurnsOptions): Method {
  return { id: options.id ?? `rise-${options.turns}`, run: (request) => runRiseTurns(request, options) };
}

async function* runRiseTurns(request: MethodRequest, options: RiseTurnsOptions): AsyncGenerator<TraceEvent, Outcome> {
  const { turns, window = turns, choose = "vote" } = options;
  const calls = new TracedCalls(request);
  const form = answerFormOf(request);
  const question = request.messages.at(-1)!.content;
  const before = request.messages.slice(0, -1);
  const choice = () => {
    const { winner, votes, voters } = mostAgreed(choose === "vote" ? calls.candidates : [], form);
    const why = winner ? `${votes} of ${voters} turns agree` : "last turn";
    return { chosen: winner ?? calls.candidates.at(-1), why };
  };
  try {
    for (let turn = 0; turn < turns; turn++) {
      const shown = calls.candidates.slice(Math.max(0, calls.candidates.length - window));
      const messages = [...before, ...risePrompt(question, shown, options)];
      yield* calls.attempt(messages, { seed: deriveSeed(request.seed, "attempt", turn) });
    }
    return yield* endWith({ ...choice(), usage: calls.caller.spent });
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { ...choice(), usage: calls.caller.spent });
  }
}
