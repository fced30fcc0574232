/** What each view shows and learns, on hand-made traces; and, after the shipped tokenizer, that no token of anything else carries weight. */
import path from "node:path";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import type { TrainingConversation } from "#kernel/conversation.ts";
import { type Message, noUsage } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import type { TraceEvent } from "#kernel/trace.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { isDropped } from "../training-files/data-card.ts";
import { ptrConversation } from "../training-files/ptr-layout.ts";
import type { TraceRecord } from "./trace-record.ts";
import { allButWrong, applyView, direct, finalOnly, inProcess, lastTurn, rightTurns, viewNames } from "./views.ts";

const question: Message[] = [{ role: "user", content: "What is 3*4+5?" }];
const critique = (text: string): Message => ({ role: "user", content: text });
const said = (text: string): Message => ({ role: "assistant", content: text });

interface Shape {
  attempts: string[];
  feedback: string[];
  accuracies: number[];
}

/** As self-refine makes them: attempt, request for feedback, feedback, request to rewrite, attempt … */
function refined({ attempts, feedback, accuracies }: Shape, more: Partial<TraceRecord> = {}): TraceRecord {
  const events: TraceEvent[] = [];
  const history: Message[] = [...question];
  for (const [attempt, text] of attempts.entries()) {
    events.push({ type: "attempt-end", attempt, messages: [...history], text, usage: noUsage });
    history.push(said(text), critique("Judge it."));
    const judged = feedback[attempt];
    if (judged === undefined) continue;
    events.push({ type: "feedback-end", attempt, messages: [...history], text: judged, usage: noUsage });
    history.push(said(judged), critique("Rewrite it."));
  }
  return {
    task: "sums",
    item: "q1",
    method: "self-refine-2",
    sample: 0,
    text: attempts.at(-1)!,
    answer: attempts.at(-1)!,
    accuracy: accuracies.at(-1)!,
    attempts: accuracies.map((accuracy) => ({ accuracy })),
    reason: "done",
    events,
    ...more,
  };
}

const fixed = refined({ attempts: ["It is 27.", "It is 17."], feedback: ["3*4 is 12, not 22."], accuracies: [0, 1] });

function learned(conversation: object): string[] {
  if (isDropped(conversation)) throw new Error(conversation.dropped);
  return (conversation as TrainingConversation).messages.filter(({ trainable }) => trainable).map(({ content }) => content);
}

describe("what is learned", () => {
  test("final-only shows the whole dialogue and learns the last answer", () => {
    const made = finalOnly(fixed) as TrainingConversation;
    expect(made.id).toBe("sums/q1/self-refine-2/0");
    expect(made.messages.map(({ role }) => role)).toEqual(["user", "assistant", "user", "assistant", "user", "assistant"]);
    expect(learned(made)).toEqual(["It is 17."]);
  });

  test("all-but-wrong learns feedback that led to a right answer, never the wrong attempt", () => {
    expect(learned(allButWrong(fixed))).toEqual(["3*4 is 12, not 22.", "It is 17."]);
    const spoiled = {
      attempts: ["It is 17.", "It is 27.", "It is 17!"],
      feedback: ["Wrong.", "Now it is wrong."],
      accuracies: [1, 0, 1],
    };
    expect(learned(allButWrong(refined(spoiled)))).toEqual(["It is 17.", "Now it is wrong.", "It is 17!"]);
  });

  test("a text that was right once and wrong another time is not learned", () => {
    const shape = { attempts: ["same", "same", "It is 17."], feedback: ["a", "b"], accuracies: [1, 0, 1] };
    expect(learned(allButWrong(refined(shape)))).toEqual(["b", "It is 17."]);
  });

  test("attempts that nobody graded are masked unless they are asked for", () => {
    const { attempts: _, ...ungraded } = fixed;
    expect(learned(allButWrong(ungraded))).toEqual(["3*4 is 12, not 22.", "It is 17."]);
    const twice = refined({ attempts: ["a", "b", "c"], feedback: ["x", "y"], accuracies: [1, 1, 1] });
    const { attempts: __, ...alike } = twice;
    expect(learned(allButWrong(alike))).toEqual(["y", "c"]);
    expect(learned(allButWrong(alike, { ungraded: "trained" }))).toEqual(["a", "x", "b", "y", "c"]);
  });

  test("direct shows the question alone", () => {
    const made = direct(fixed, { question }) as TrainingConversation;
    expect(made.messages.map(({ content }) => content)).toEqual([question[0].content, "It is 17."]);
    expect(direct(fixed)).toEqual({ dropped: "question-unknown" });
  });

  test("right-turns gives an example of every right attempt after the first", () => {
    const shape = { attempts: ["a", "b", "c", "d"], feedback: ["1", "2", "3"], accuracies: [1, 1, 0, 1] };
    const made = rightTurns(refined(shape)) as TrainingConversation[];
    expect(made.map((each) => [each.id.split("/").at(-1), learned(each)])).toEqual([
      ["1", ["b"]],
      ["3", ["d"]],
    ]);
    expect(rightTurns(refined({ attempts: ["a", "b"], feedback: ["1"], accuracies: [1, 0] }))).toEqual({
      dropped: "no-right-turn",
    });
  });

  test("last-turn takes the last call, feedback included", () => {
    const stopped = refined({ attempts: ["It is 17."], feedback: ["Nothing is wrong."], accuracies: [1] });
    expect(learned(lastTurn(stopped))).toEqual(["Nothing is wrong."]);
  });

  test("last-turn leaves out a last call that is not right", () => {
    const voted = { ...fixed, text: "It is 27.", answer: "It is 27.", accuracy: 1, attempts: [{ accuracy: 1 }, { accuracy: 0 }] };
    expect(lastTurn(voted)).toEqual({ dropped: "wrong-last-turn" });
    const misled = refined({ attempts: ["It is 17."], feedback: ["It is wrong."], accuracies: [0] });
    expect(lastTurn(misled, { minimumAccuracy: 0 })).toEqual({ dropped: "wrong-last-turn" });
  });

  test("in-process writes one completion in the format, the wrong attempt masked", () => {
    const made = inProcess(fixed) as TrainingConversation;
    const message = made.messages.at(-1)!;
    const text = "<think>It is 27.<refine>3*4 is 12, not 22.\nIt is 17.</refine></think><answer>It is 17.</answer>";
    expect(message.content).toBe(text);
    expect(message.masked?.map(([start, end]) => text.slice(start, end))).toEqual(["It is 27."]);
  });

  test("fixed markers can be kept from being learned", () => {
    const made = finalOnly(fixed, { neverTrain: ["is", "It", ""] }) as TrainingConversation;
    const { content, masked } = made.messages.at(-1)!;
    expect(masked?.map(([start, end]) => content.slice(start, end))).toEqual(["It", "is"]);
  });
});

describe("what is left out", () => {
  test.each([
    ["wrong-final", refined({ attempts: ["a", "b"], feedback: ["c"], accuracies: [1, 0] })],
    ["unfinished", { ...fixed, reason: "budget-exhausted" as const }],
    ["unfinished", { ...fixed, error: "timeout" }],
    ["uses-oracle", { ...fixed, usesOracle: true }],
    ["answer-empty", { ...fixed, text: " \n" }],
    ["no-trace", { ...fixed, events: undefined }],
    ["no-attempt", { ...fixed, events: [] }],
    ["final-not-in-trace", { ...fixed, text: "It is 17, by the way." }],
    ["wrong-final", { ...fixed, accuracy: Number.NaN }],
  ])("%s", (dropped, record) => {
    expect(finalOnly(record)).toEqual({ dropped });
    expect(applyView("all-but-wrong", record)).toEqual({ dropped });
  });
});

describe("after the shipped tokenizer", () => {
  let tokenizer: Tokenizer;
  beforeAll(async () => {
    tokenizer = await Tokenizer.load(path.resolve(import.meta.dirname, "../../../models/base"));
  });

  const encode = (conversation: TrainingConversation) => {
    const { ids, mask } = tokenizer.encodeTraining(conversation.messages, {
      trainable: (_, index) => conversation.messages[index].trainable,
      unlearned: (_, index) => (conversation.messages[index].masked ?? []).map(([start, end]) => ({ start, end })),
    });
    const weighted = ids.filter((_, index) => mask[index] === 1);
    return { ids, weighted };
  };

  /** Every unit has a letter of its own kind, so that a token says where it is from. */
  const words = (alphabet: string) =>
    fc.string({ unit: fc.constantFrom(...alphabet, " "), minLength: 1, maxLength: 30 }).filter((text) => text.trim() !== "");
  const attempt = words("abcé");
  const feedback = words("xyz😀");
  const final = words("012345");

  test("PTR: question, attempts and request carry weight 0, the answer and its end token weight 1", () => {
    fc.assert(
      fc.property(words("QRS"), fc.array(attempt, { minLength: 1, maxLength: 3 }), final, (asked, attempts, answer) => {
        const made = ptrConversation({ id: "x", question: asked, attempts, answer });
        const { ids, weighted } = encode(made);
        expect(weighted).toEqual([...ids.slice(ids.length - weighted.length)]);
        expect(tokenizer.decode(weighted)).toBe(answer);
        expect(weighted.at(-1)).toBe(tokenizer.endOfTurnId);
        expect(weighted.filter((id) => id === tokenizer.endOfTurnId)).toHaveLength(1);
      }),
    );
  });

  test("views: no token of a wrong attempt, a request or a question carries weight", () => {
    fc.assert(
      fc.property(fc.uniqueArray(attempt, { minLength: 1, maxLength: 3 }), feedback, final, (wrong, judged, answer) => {
        const record = refined({
          attempts: [...wrong, answer],
          feedback: wrong.map(() => judged),
          accuracies: [...wrong.map(() => 0), 1],
        });
        for (const view of viewNames) {
          const made = applyView(view, record, { question });
          if (isDropped(made)) throw new Error(`${view}: ${made.dropped}`);
          for (const conversation of made) {
            const text = tokenizer.decode(encode(conversation).weighted);
            // Feedback that led to the right answer may be learned; it is of other letters.
            expect(text.replaceAll(/<\/?(think|refine|answer)>/g, "")).not.toMatch(/[abcéJWQ]/u);
            expect(text).toContain(view === "in-process" ? answer.trim() : answer);
          }
        }
      }),
    );
  });

  test("in-process keeps the format, whatever the attempts say", () => {
    fc.assert(
      fc.property(
        fc.array(attempt, { minLength: 1, maxLength: 4 }),
        fc.array(feedback, { maxLength: 4 }),
        final,
        (tries, judged, answer) => {
          const record = refined({ attempts: [...tries, answer], feedback: judged, accuracies: [...tries.map(() => 0), 1] });
          const made = inProcess(record) as TrainingConversation;
          const { content, masked = [] } = made.messages.at(-1)!;
          const parsed = parseRefine(content);
          expect(parsed.ok).toBe(true);
          expect(parsed.refines).toHaveLength(tries.length);
          // What is masked is the wrong attempts and the feedback that led to them, word for word.
          for (const [start, end] of masked) expect(content.slice(start, end)).not.toMatch(/[<>0-9]/);
          const shown = masked.map(([start, end]) => content.slice(start, end)).join("");
          for (const wrong of tries) expect(shown).toContain(wrong.trim());
        },
      ),
    );
  });
});
