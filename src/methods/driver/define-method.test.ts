import { describe, expect, expectTypeOf, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { play } from "../../../test/methods/promises.ts";
import { vanilla } from "../plain/vanilla.ts";
import { iort } from "../refinement/iort.ts";
import { selfRefine } from "../refinement/self-refine.ts";
import { selfPolish } from "../rewriting/self-polish.ts";
import { defineMethod } from "./define-method.ts";

const asking = defineMethod({
  id: "asking",
  summary: "Asks as often as it is told, and says how often.",
  kind: "plain",
  status: "experimental",
  options: {
    times: { type: "integer", default: 2, minimum: 1, maximum: 9, description: "how often" },
    tone: { type: "choice", choices: ["kind", "stern"], description: "how" },
  },
  extras: { prompts: { more: "More.", last: "The last." }, isEnough: (_text: string) => false },
  calls: "times",
  maxCalls: ({ times }) => times,
  async *steps(run) {
    expectTypeOf(run.options.times).toEqualTypeOf<number>();
    expectTypeOf(run.options.tone).toEqualTypeOf<"kind" | "stern" | undefined>();
    expectTypeOf(run.options.prompts.more).toEqualTypeOf<string>();
    const { times, tone, prompts } = run.options;
    for (let time = 0; time < times; time++) {
      const content = time === times - 1 ? prompts.last : prompts.more;
      const last = yield* run.attempt([{ role: "user", content }], { seed: run.seed("attempt", time) });
      if (last.text === "broken") throw new TypeError("a mistake of the method's own");
    }
    return { chosen: run.candidates[0], why: `asked ${times} times, ${tone ?? "neutrally"}` };
  },
});

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (MidcourseError.isInstance(error) && error.family === "user") return error.message;
    throw error;
  }
  return "accepted";
}

test("the options of a program are those of the card and the extras, at their defaults where not given", async () => {
  const method = asking({ id: "mine", tone: "kind", prompts: { last: "Enough." } });
  const { model, events, outcome } = await play(method, ["a", "b"]);
  expect(model.calls.map(({ messages }) => messages[0].content)).toEqual(["More.", "Enough."]);
  expect(events.at(-1)).toEqual({ type: "choice-end", attempt: 0, reason: "asked 2 times, kind" });
  expect(outcome).toMatchObject({ text: "a", reason: "done", usage: { calls: 2 } });
  expect(method).toMatchObject({ id: "mine", usesOracle: false });
  expect(asking().id).toBe("asking");
});

describe("options given by a program are checked like those of a command line", () => {
  const wrong = (given: object) => given as never;
  test.each<[string, () => unknown, string]>([
    ["rounds: -1", () => selfRefine({ rounds: -1 }), "self-refine: rounds=-1 is not a whole number from 0 to 100"],
    ["round: 2", () => selfRefine(wrong({ round: 2 })), "self-refine has no option “round” → Did you mean rounds?"],
    ["rounds: NaN", () => selfRefine({ rounds: Number.NaN }), "rounds=NaN is not"],
    ["rounds: '2'", () => selfRefine(wrong({ rounds: "2" })), 'rounds="2" (a text) is not'],
    ["a choice", () => asking(wrong({ tone: "loud" })), "asking: tone=loud is not one of kind, stern"],
    ["a prompt that is no text", () => selfRefine(wrong({ refinePrompt: 3 })), "self-refine: refinePrompt is no string"],
    ["prompts that are no object", () => asking(wrong({ prompts: "More." })), "asking: prompts is no object"],
    [
      "a prompt by another name",
      () => iort(wrong({ prompts: { hints: "x" } })),
      "iort, prompts has no option “hints” → Did you mean hint?",
    ],
    ["a prompt in prompts", () => iort(wrong({ prompts: { hint: 1 } })), "iort, prompts: hint is no string"],
    ["a function", () => asking(wrong({ isEnough: "yes" })), "asking: isEnough is no function"],
    ["no method to be composed over", () => selfPolish(wrong({})), "self-polish: over is not given"],
    ["a method without its cost", () => selfPolish(wrong({ over: vanilla() })), 'self-polish: over={"id":"vanilla"'],
  ])("%s", (_what, make, message) => expect(refusal(make)).toContain(message));

  test("undefined is as good as left out, false switches a function off", () => {
    expect(selfRefine({ rounds: undefined, choose: undefined }).id).toBe("self-refine-3");
    expect(refusal(() => selfRefine({ isAllRight: false }))).toBe("accepted");
  });
});

test("what is no failed call is thrown to whoever runs the method", async () => {
  await expect(play(asking(), ["broken"])).rejects.toThrow("a mistake of the method's own");
});
