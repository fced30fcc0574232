import { describe, expect, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import { bindMethod, methodCards, parseMethods } from "./catalogue.ts";
import { loadMethods } from "./outside.ts";
import { vanilla } from "./plain/vanilla.ts";
import { selfRefine } from "./refinement/self-refine.ts";

const mine = { ...selfRefine.card, id: "mine" };
const bound = { method: { ...vanilla(), id: "bound" }, maxCalls: 3 };
const peeking = { method: { ...vanilla(), id: "peek", usesOracle: true }, maxCalls: 1, needs: ["oracle"] };

const failing = (message: string) => () => {
  throw new Error(message);
};

const modules: Record<string, Record<string, unknown>> = {
  "./mine.ts": { default: Object.assign(() => {}, { card: mine }) },
  "./card.js": { card: { ...mine, id: "by-card" } },
  "@me/bound": { method: bound },
  "./older.cjs": { default: { method: { ...bound, method: { ...bound.method, id: "older" } } } },
  "./peek.ts": { default: peeking },
  "./taken.ts": { default: selfRefine },
  "./named.ts": { default: { ...mine, id: "My Method" } },
  "./empty.ts": { default: { id: "half", options: {} } },
  "./several.ts": { mine, bound },
  "./only.ts": { help: () => 1, only: { ...mine, id: "only" } },
  "./lists.ts": {
    default: {
      ...mine,
      id: "lists",
      options: {
        weights: { type: "numbers", default: [1, 2], description: "w" },
        rules: { type: "data", description: "r" },
      },
      create: (_options: unknown, id: string) => ({ ...vanilla(), id }),
      maxCalls: () => 1,
    },
  },
  "./bad-option.ts": { default: { ...mine, id: "bad-option", options: { a: null } } },
  "./bad-type.ts": { default: { ...mine, id: "bad-type", options: { b: { type: "nonsense", default: 1, description: "b" } } } },
  "./bad-needs.ts": { default: { ...mine, id: "bad-needs", needs: ["nonsense"] } },
  "./bound-needs.ts": { default: { ...peeking, needs: "oracle" } },
  "./throws-calls.ts": { default: { ...mine, id: "throws-calls", maxCalls: failing("mc") } },
  "./creates-none.ts": { default: { ...mine, id: "creates-none", create: () => undefined } },
  "./throws-create.ts": { default: { ...mine, id: "throws-create", create: failing("created") } },
  "./negative.ts": { default: { ...mine, id: "negative", maxCalls: () => -5 } },
  "./no-number.ts": { default: { ...mine, id: "no-number", maxCalls: () => "3" } },
  "./nan.ts": { default: { ...mine, id: "nan", maxCalls: () => Number.NaN } },
  "./a folder/it.ts": { default: { ...mine, id: "spaced" } },
};
const load = async (name: string) => modules[name];
const ids = async (text: string) => (await loadMethods(text, methodCards, load)).map(({ method }) => method.id);

async function refusal(text: string): Promise<string> {
  try {
    await loadMethods(text, methodCards, load);
  } catch (error) {
    if (MidcourseError.isInstance(error) && error.family === "user") return error.message;
    throw error;
  }
  return "accepted";
}

describe("modules in a list of methods", () => {
  test.each([
    ["vanilla,./mine.ts", ["vanilla", "mine"]],
    ["./mine.ts(rounds=2)", ["mine(rounds=2)"]],
    ["./mine.ts:rounds=2:choose=last", ["mine(rounds=2,choose=last)"]],
    ["best-of-n(./mine.ts,n=2)", ["best-of-n(mine,n=2)"]],
    ["best-of-n(./mine.ts(rounds=1),n=2),./mine.ts", ["best-of-n(mine(rounds=1),n=2)", "mine"]],
    ["best-of-n(over=./mine.ts)", ["best-of-n(mine)"]],
    ["ours=./mine.ts", ["ours"]],
    ["./card.js,./only.ts", ["by-card", "only"]],
    ["@me/bound,./older.cjs", ["bound", "older"]],
    ['"./a folder/it.ts"(rounds=1),best-of-n("./a folder/it.ts")', ["spaced(rounds=1)", "best-of-n(spaced)"]],
    ["vanilla(instruction=./mine.ts)", ['vanilla(instruction="./mine.ts")']],
    ["peek-oracle=./peek.ts", ["peek-oracle"]],
    ['./lists.ts(weights="1,2")', ["lists"]],
    ['./lists.ts(weights="1, 3")', ['lists(weights="1,3")']],
    [
      `./lists.ts(rules='[{"a":"b"}]'),./lists.ts(weights=7,rules='[2]')`,
      ['lists(rules="[{\\"a\\":\\"b\\"}]")', 'lists(weights=7,rules="[2]")'],
    ],
  ])("%s", async (text, expected) => expect(await ids(text)).toEqual(expected));

  test.each([
    ["./nowhere.ts", "there is no method “./nowhere.ts”"],
    ["./mine.ts(round=2)", "mine has no option “round” → Did you mean rounds?"],
    ["./mine.ts(rounds=101)", "mine: rounds=101 is not a whole number from 0 to 100"],
    ["@me/bound(rounds=2)", "bound has no option “rounds” → It has none."],
    ["./empty.ts", "./empty.ts exports no method, or several and none as its default → Its default export,"],
    ["./several.ts", "./several.ts exports no method, or several"],
    ["./taken.ts", "./taken.ts: there is a method self-refine already → Give it another id."],
    ["./named.ts", "“My Method” is no name for a method"],
    ["./peek.ts", "peek is a name for a method that looks at the reference answer"],
    ["./mine.ts,./mine.ts", "mine is named twice"],
    ["./bad-option.ts", "./bad-option.ts: bad-option, option a: is no object"],
    ["./bad-type.ts", "./bad-type.ts: bad-type, option b: type is none of"],
    ["./bad-needs.ts", "./bad-needs.ts: bad-needs needs “nonsense”, which there is not → There are: read-answer,"],
    ["x-oracle=./bound-needs.ts", "./bound-needs.ts: the needs of peek are no list"],
    ["./throws-calls.ts", "./throws-calls.ts: maxCalls of throws-calls failed: mc"],
    ["./creates-none.ts", "./creates-none.ts: create of creates-none returns no method"],
    ["./throws-create.ts", "./throws-create.ts: create of throws-create failed: created"],
    ["./negative.ts", "negative: its maxCalls is -5, which is no whole number from 0"],
    ["./no-number.ts", "no-number: its maxCalls is 3, which is no whole number from 0"],
    ["./nan.ts", "nan: its maxCalls is NaN, which is no whole number from 0"],
    [
      "./a folder/it.ts",
      "expected a comma or the end, found “folder/it.ts” (character 5) → Methods stand between commas; a path with spaces",
    ],
    ["a/b=vanilla", "“a/b” is no name for results"],
  ])("%s is refused", async (text, message) => expect(await refusal(text)).toContain(message));

  test("a name in results with lists and data is read back as the same method", async () => {
    const card = modules["./lists.ts"].default as typeof mine;
    const { method } = bindMethod(card, { weights: [0.5, 2], rules: [{ say: '"a\\nb"' }] as never });
    expect(bindMethod(card, { weights: [1, 2] }).method.id).toBe("lists");
    expect(parseMethods(method.id, { cards: [card] })[0].method.id).toBe(method.id);
    expect(bindMethod(card, { rules: [1] as never }).method.id).not.toBe(bindMethod(card, { rules: [2] as never }).method.id);
  });

  test("carry their cost and needs into what is composed of them", async () => {
    const [composed] = await loadMethods("best-of-n(@me/bound,n=2)", methodCards, load);
    expect(composed.maxCalls).toBe(2 * 3 + 2);
    expect((await loadMethods("an-oracle=./peek.ts", methodCards, load))[0]).toMatchObject({
      needs: ["oracle"],
      method: { usesOracle: true },
    });
  });
});

test("a program hands over cards of its own", () => {
  expect(parseMethods("vanilla,best-of-n(mine,n=2)", { cards: [mine] })[1].method.id).toBe("best-of-n(mine,n=2)");
  expect(() => parseMethods("mine", { cards: [mine, mine] })).toThrow("there is a method mine already");
  expect(() => parseMethods("vanilla", { cards: [vanilla.card] })).toThrow("there is a method vanilla already");
  expect(bindMethod(mine, { rounds: 2 }).method.id).toBe("mine(rounds=2)");
});
