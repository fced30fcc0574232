import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { answerFormOf, groupAnswers } from "#kernel/answer-form.ts";
import { Caller } from "#kernel/call.ts";
import { noUsage } from "#kernel/model.ts";
import type { Method, MethodRequest, Outcome, TraceEvent } from "#kernel/trace.ts";
import { FakeModel } from "#models/fake.ts";
import { sameMath } from "#verifiers/math/verdict.ts";
import { bestScored, bestScoredByVote, countVotes, mostAgreed } from "./candidates.ts";
import { samplingTemperature } from "./define-method.ts";
import { runInner } from "./inner.ts";
import { readLabel, readScore, readVerdict } from "./judging.ts";
import { endEarly, endWith } from "./traced-calls.ts";
import { withReply, withTurn } from "./turns.ts";

const equal = (first: string, second: string) => first === second;
const form = answerFormOf({});

describe("votes", () => {
  test("the largest weight wins, of equals the first by its characters, and nobody votes without an answer", () => {
    expect(countVotes(["b", "a", "a", "b"], equal)).toMatchObject({ winner: 1, votes: 2, voters: 4 });
    expect(countVotes(["b", "a", "a"], equal)).toMatchObject({ winner: 1, votes: 2 });
    expect(countVotes(["b", "a", "a"], equal, [0.9, 0.2, 0.3])).toMatchObject({ winner: 0, votes: 0.9 });
    expect(countVotes([undefined, "7", undefined], equal)).toMatchObject({ winner: 1, votes: 1, voters: 3 });
    expect(countVotes([undefined], equal).winner).toBeUndefined();
    expect(countVotes([], equal).winner).toBeUndefined();
  });

  test("a weight that is no positive number counts as 0", () => {
    expect(countVotes(["a", "b", "c"], equal, [Number.NaN, 0.1, Number.POSITIVE_INFINITY])).toMatchObject({ winner: 1 });
    expect(countVotes(["a", "b"], equal, [-5, undefined])).toMatchObject({ winner: 0, votes: 0 });
  });

  test("a third, two roundings of it and 0.3 twice elect the third in every order", () => {
    const orders = (list: readonly string[]): string[][] =>
      list.length < 2 ? [[...list]] : list.flatMap((one, at) => orders(list.toSpliced(at, 1)).map((rest) => [one, ...rest]));
    const elected = new Set<string>();
    for (const ballots of orders(["1/3", "0.3333333333", "0.33333333333333", "0.3", "0.3"])) {
      const { winner = -1, votes } = countVotes(ballots, sameMath);
      elected.add(`${ballots[winner]} by ${votes}`);
    }
    expect([...elected]).toEqual(["0.3333333333 by 3"]);
  });

  test("the order of the ballots elects nobody, whatever is the same and whatever weighs", () => {
    const texts = fc.constantFrom("1/3", "0.3333333333", "0.33333333333333", "0.3", "2", "2.0", "5 cm", "5", "5 m", "2,7", "2.7");
    const weight = fc.constantFrom(0.1, 0.2, 0.3, 0.7, 1, 1e-9, 3e9);
    // Not symmetric, not transitive: a text is the same as its beginnings.
    const begins = (first: string, second: string) => first.startsWith(second);
    const ballots = fc.array(fc.record({ text: texts, weight, rank: fc.double({ noNaN: true }) }), { maxLength: 9 });
    fc.assert(
      fc.property(ballots, fc.constantFrom(sameMath, begins, form.same), fc.boolean(), (cast, same, isWeighted) => {
        const elect = (list: typeof cast) => {
          const weights = isWeighted ? list.map((ballot) => ballot.weight) : undefined;
          const texts = list.map(({ text }) => text);
          const vote = countVotes(texts, same, weights);
          const classes = vote.groups.map((group) => `${group.map((index) => texts[index]).sort()}`).sort();
          return { winner: vote.winner === undefined ? undefined : list[vote.winner].text, votes: vote.votes, classes };
        };
        expect(elect(cast.toSorted((first, second) => first.rank - second.rank))).toEqual(elect(cast));
      }),
      { numRuns: 300, seed: 5 },
    );
  });

  test("equal texts are compared once", () => {
    let comparisons = 0;
    const same = (first: string, second: string) => {
      comparisons++;
      return first === second;
    };
    groupAnswers(Array(100).fill("x"), same);
    groupAnswers(["x", "y", "x", "y"], same);
    expect(comparisons).toBe(1);
  });

  test("every answer is in one group", () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.constantFrom("1", "2", "2.0", "3"), { nil: undefined })), (answers) => {
        const members = groupAnswers(answers, form.same)
          .flat()
          .sort((first, second) => first - second);
        expect(members).toEqual(answers.flatMap((answer, index) => (answer === undefined ? [] : [index])));
      }),
    );
  });
});

describe("the choice among candidates", () => {
  const candidates = (...scores: (number | undefined)[]) =>
    scores.map((score, attempt) => ({ attempt, text: `<answer>${["a", "b", "b"][attempt]}</answer>`, score }));

  test("by score: the later of equals, the last without any", () => {
    expect(bestScored(candidates(0.5, 0.9, 0.9))?.attempt).toBe(2);
    expect(bestScored(candidates(0.9, undefined, Number.NaN))?.attempt).toBe(0);
    expect(bestScored(candidates(undefined, undefined))?.attempt).toBe(1);
    expect(bestScored([])).toBeUndefined();
  });

  test("by score, equals by agreement, then the earlier", () => {
    expect(bestScoredByVote(candidates(0.9, 0.9, 0.1), form)?.attempt).toBe(1);
    expect(bestScoredByVote(candidates(0.9, 0.8, 0.8), form)?.attempt).toBe(0);
    expect(bestScoredByVote(candidates(undefined, undefined, undefined), form)?.attempt).toBe(1);
    expect(bestScoredByVote([], form)).toBeUndefined();
    // Two answers once each: whichever comes first, "a" is chosen.
    expect(bestScoredByVote(candidates(1, 1), form)?.attempt).toBe(0);
    expect(bestScoredByVote(candidates(1, 1).reverse(), form)?.attempt).toBe(0);
  });

  test("by votes", () => {
    expect(mostAgreed(candidates(1, 0, 0), form)).toMatchObject({ winner: { attempt: 1 }, votes: 2, voters: 3 });
    expect(mostAgreed([{ attempt: 0, text: " " }], form).winner).toBeUndefined();
  });
});

describe("what a judge wrote", () => {
  test.each([
    ["Verdict: RIGHT", true],
    ["Step 2 is off.\n**Verdict:** wrong.", false],
    ["Verdict: right\nVerdict: wrong", false],
    ["- Verdict: Right", true],
    ["The verdict: right", undefined],
    ["Verdict: not right", undefined],
    ["Verdict: right or wrong", undefined],
    ["It is right.", undefined],
    ["", undefined],
  ])("%j is verdict %s", (text, expected) => expect(readVerdict(text)).toBe(expected));

  test.each([
    ["Score: 7", 0.7],
    ["**Score:** 7/10", 0.7],
    ["Score = 7.5 out of 10, mostly sound", 0.75],
    ["Score: 2/10\nScore: 9/10", 0.9],
    ["Score: 7/100", undefined],
    ["Score: 11", undefined],
    ["Score: 8-9", undefined],
    ["Score: 70%", undefined],
    ["Score: seven", undefined],
    ["Score:", undefined],
    ["7/10", undefined],
    [`Score: ${"9".repeat(300)}`, undefined],
  ])("%j is score %s", (text, expected) => expect(readScore(text, 0, 10)).toBe(expected));

  test("other scales and labels", () => {
    expect(readScore("Score: -100", -100, 100)).toBe(0);
    expect(readScore("Reward: 50", -100, 100, "Reward")).toBe(0.75);
    expect(readLabel("Decision: stop", "Decision", ["select", "stop", "refresh"])).toBe("stop");
  });

  test("no text makes the readers throw or leave [0, 1]", () => {
    const text = fc
      .array(fc.oneof(fc.constantFrom("Score:", "Verdict:", "7/10", "\n", "**"), fc.string()))
      .map((all) => all.join(""));
    fc.assert(
      fc.property(text, (reply) => {
        readVerdict(reply);
        const score = readScore(reply, 0, 10);
        if (score !== undefined) expect(score >= 0 && score <= 1).toBe(true);
      }),
    );
  });
});

describe("endings", () => {
  const usage = { ...noUsage, calls: 3 };

  test("say what was chosen and why", () => {
    const run = endWith({ chosen: { attempt: 1, text: "<answer>4</answer>" }, why: "last", usage });
    expect(run.next().value).toEqual({ type: "choice-end", attempt: 1, reason: "last" });
    expect(run.next().value).toEqual({ text: "<answer>4</answer>", answer: "4", reason: "done", usage });
  });

  test("of a failed call are an error, the best so far and the reason", () => {
    const run = endEarly({ ok: false, reason: "error", message: "boom" }, { usage });
    expect(run.next().value).toEqual({ type: "error", message: "boom" });
    expect(run.next().value).toEqual({ text: "", answer: "", reason: "error", usage });
    const cut = endEarly(
      { ok: false, reason: "budget-exhausted", message: "spent" },
      { chosen: { attempt: 0, text: "4" }, usage },
    );
    expect(cut.next().value).toEqual({ type: "choice-end", attempt: 0, reason: "spent" });
    expect(cut.next().value).toMatchObject({ answer: "4", reason: "budget-exhausted" });
  });
});

describe("an inner run", () => {
  const request: MethodRequest = {
    model: new FakeModel(["y", "y"]),
    messages: [{ role: "user", content: "Q" }],
    temperature: 0,
    maxTokens: 9,
    seed: 3,
  };

  async function* answering(given: MethodRequest): AsyncGenerator<TraceEvent, Outcome> {
    const caller = new Caller(given);
    const called = await caller.ask(given.messages, { seed: given.seed });
    if (!called.ok) return { text: "", answer: "", reason: called.reason, usage: caller.spent };
    const { text } = called.completions[0];
    yield { type: "attempt-end", attempt: 0, messages: given.messages, text, usage: called.usage };
    return { text, answer: text, reason: "done", usage: caller.spent };
  }

  test("shares meter and budget, and wraps its events", async () => {
    const asked: number[] = [];
    const outer = {
      ...request,
      mayCall: (spent: { calls: number }) => {
        asked.push(spent.calls);
        return spent.calls < 2;
      },
    };
    const caller = new Caller(outer);
    const events: TraceEvent[] = [];
    const reasons: string[] = [];
    for (const branch of [0, 1, 2]) {
      const run = runInner(outer, caller, { method: { id: "inner", run: answering }, branch });
      for (let next = await run.next(); ; next = await run.next()) {
        if (next.done) {
          reasons.push(next.value.reason);
          break;
        }
        events.push(next.value);
      }
    }
    expect(asked).toEqual([0, 1, 2]);
    expect(reasons).toEqual(["done", "done", "budget-exhausted"]);
    expect(caller.spent.calls).toBe(2);
    expect(events).toMatchObject([
      { type: "inner", method: "inner", branch: 0, event: { type: "attempt-end" } },
      { type: "inner", branch: 1 },
    ]);
  });

  test("sees the oracle only when it says so, and ends when the outer reader leaves", async () => {
    const seen: unknown[] = [];
    let closed = false;
    async function* looking(given: MethodRequest): AsyncGenerator<TraceEvent, Outcome> {
      seen.push(given.tools);
      try {
        yield { type: "error", message: "one" };
        yield { type: "error", message: "two" };
      } finally {
        closed = true;
      }
      return { text: "", answer: "", reason: "done", usage: noUsage };
    }
    const tools = { oracle: { isRight: async () => true }, readAnswer: () => "1" };
    for (const usesOracle of [false, true]) {
      const method: Method = { id: "looking", usesOracle, run: looking };
      const run = runInner({ ...request, tools }, new Caller(request), { method, branch: 0 });
      await run.next();
      await run.return(undefined as never);
    }
    expect(seen).toEqual([{ readAnswer: tools.readAnswer }, tools]);
    expect(closed).toBe(true);
  });
});

test("a reply goes on with the assistant's message where the conversation ends in one", () => {
  const question = [{ role: "user" as const, content: "Q" }];
  expect(withTurn(question, "A", "again")).toEqual([
    ...question,
    { role: "assistant", content: "A" },
    { role: "user", content: "again" },
  ]);
  expect(withReply([...question, { role: "assistant", content: "So" }], " it is")).toEqual([
    ...question,
    { role: "assistant", content: "So it is" },
  ]);
});

test("samples differ even where the request is greedy", () => {
  expect([samplingTemperature(undefined, 0), samplingTemperature(undefined, 0.5), samplingTemperature(0.9, 0)]).toEqual([
    0.7, 0.5, 0.9,
  ]);
});
