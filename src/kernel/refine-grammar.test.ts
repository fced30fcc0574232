import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type GrammarEvent,
  type ParsedAnswer,
  parseRefine,
  RefineParser,
  type Verdict,
  verdictReasons,
} from "./refine-grammar.ts";
import { type RefineParts, refineParts, renderRefine } from "./refine-render.ts";

/** The grammar once more, as a regular expression written without a look at the parser. */
const anyTag = "</?(?:think|refine|answer)>";
const plain = `(?:(?!${anyTag})[^])*`;
const grammar = new RegExp(
  `^\\s*<think>${plain}(?:<refine>${plain}</refine>${plain})*</think>\\s*<answer>${plain}</answer>\\s*$`,
);

const tagLikes = [
  "<THINK>",
  "< think >",
  "<thinking>",
  "<think/>",
  "</ think>",
  "<",
  "<<",
  "</",
  "<thin",
  "</answe",
  "<a>",
  ">",
  "&lt;think&gt;",
];
const tagTexts = ["<think>", "</think>", "<refine>", "</refine>", "<answer>", "</answer>"];
const words = fc.oneof(
  fc.constantFrom(" ", "\n", "\t", "\u00a0", "12 + 7 = 19", "é", "😀", "\ud83d", ...tagLikes),
  fc.string({ maxLength: 5 }),
);
const noise = fc
  .array(fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...tagTexts) }, words), { maxLength: 14 })
  .map((parts) => parts.join(""));

/** Text without a tag, that does not become one in its surroundings either. */
const inner = fc
  .array(words, { maxLength: 4 })
  .map((parts) => parts.join(""))
  .filter((text) => !new RegExp(anyTag).test(text));
const blank = fc.constantFrom("", " ", "\n", " \n\t", "\u2003");
const parts: fc.Arbitrary<RefineParts> = fc.record({
  think: fc
    .array(
      fc.oneof(
        inner.filter((text) => text !== ""),
        inner.map((refine) => ({ refine })),
      ),
      { maxLength: 6 },
    )
    // Neighbouring texts are one part when parsed.
    .map((list) => list.filter((part, index) => typeof part !== "string" || typeof list[index - 1] !== "string")),
  answer: inner,
  before: blank,
  between: blank,
  after: blank,
});
const wellFormed = parts.map(renderRefine);

function stream(pieces: readonly string[]): { events: GrammarEvent[]; parsed: ParsedAnswer } {
  const parser = new RefineParser();
  const events = [...pieces.flatMap((piece) => parser.push(piece)), ...parser.flush()];
  return { events: joinText(events), parsed: parser.end() };
}

function joinText(events: readonly GrammarEvent[]): GrammarEvent[] {
  const joined: GrammarEvent[] = [];
  for (const event of events) {
    const last = joined.at(-1);
    if (event.type === "text" && last?.type === "text" && last.within === event.within) {
      joined[joined.length - 1] = { ...last, text: last.text + event.text, end: event.end };
    } else joined.push(event);
  }
  return joined;
}

function cut(text: string, at: readonly number[]): string[] {
  const places = [...new Set([0, ...at.map((place) => place % (text.length + 1)), text.length])].sort(
    (first, second) => first - second,
  );
  return places.slice(1).map((place, index) => text.slice(places[index], place));
}

describe("any text", () => {
  const anyText = fc.oneof(
    noise,
    wellFormed,
    fc.tuple(wellFormed, fc.nat(200)).map(([text, length]) => text.slice(0, length)),
  );

  test("is well formed exactly when the regular expression of the grammar matches", () => {
    let wellFormedSeen = 0;
    fc.assert(
      fc.property(anyText, (text) => {
        const { ok, verdict } = parseRefine(text);
        wellFormedSeen += ok ? 1 : 0;
        expect(ok).toBe(grammar.test(text));
        expect(verdict === "ok").toBe(ok);
        expect(verdictReasons[verdict]).toMatch(/^[A-Z].*\.$/);
      }),
      { numRuns: 3000 },
    );
    expect(wellFormedSeen).toBeGreaterThan(300);
  });

  test("gives the same events, spans and verdict however the stream is split", () => {
    fc.assert(
      fc.property(anyText, fc.array(fc.nat()), (text, at) => {
        const whole = stream([text]);
        expect(stream(cut(text, at))).toEqual(whole);
        expect(stream([...Array(text.length).keys()].map((index) => text[index]))).toEqual(whole);
        expect(whole.parsed).toEqual(parseRefine(text));
      }),
      { numRuns: 1000 },
    );
  });

  test("comes back whole from its events, each with its own range", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        let offset = 0;
        for (const event of stream([text]).events) {
          expect(event.start).toBe(offset);
          offset = event.end;
          if (event.type === "text") expect(text.slice(event.start, event.end)).toBe(event.text);
          else expect(text.slice(event.start, event.end)).toBe(`<${event.type === "close" ? "/" : ""}${event.kind}>`);
        }
        expect(offset).toBe(text.length);
      }),
    );
  });

  test("has complete spans between matching tags, refinements inside the thinking, and a fault inside the text", () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const parsed = parseRefine(text);
        const think = parsed.spans.filter((span) => span.kind === "think");
        for (const span of parsed.spans) {
          expect(text.slice(span.start, span.innerStart)).toBe(`<${span.kind}>`);
          expect(text.slice(span.innerEnd, span.end)).toBe(`</${span.kind}>`);
          if (span.kind === "refine") {
            const around = [
              ...think,
              ...parsed.open.filter((open) => open.kind === "think").map((open) => ({ ...open, end: text.length })),
            ];
            expect(around.some((outer) => outer.start < span.start && span.end <= outer.end)).toBe(true);
          }
        }
        expect(parsed.at === undefined).toBe(parsed.ok);
        if (parsed.at !== undefined) expect(parsed.at).toBeLessThanOrEqual(text.length);
        expect(parsed.answerText).not.toMatch(new RegExp(anyTag));
      }),
    );
  });
});

test("what is rendered parses to its parts, and what parses renders to itself", () => {
  fc.assert(
    fc.property(parts, (given) => {
      const text = renderRefine(given);
      const parsed = parseRefine(text);
      expect(refineParts(text, parsed)).toEqual(given);
      expect(renderRefine(refineParts(text, parsed))).toBe(text);
      const refinements = given.think.filter((part) => typeof part !== "string").map((part) => part.refine);
      expect(parsed.refines.map((span) => text.slice(span.start, span.end))).toEqual(refinements);
      expect(parsed.answer).toBe(given.answer);
      expect(parsed.answerText).toBe(given.answer.trim());
    }),
    { numRuns: 1000 },
  );
});

test("parts that hold tags or stray text are not rendered", () => {
  const fails = (given: RefineParts) => expect(() => renderRefine(given)).toThrow(/refine format/);
  fails({ think: ["a</think>"], answer: "b" });
  fails({ think: ["a<refine>b</refine>"], answer: "c" });
  fails({ think: ["a"], answer: "b</answer><answer>c" });
  fails({ think: ["a"], between: "so", answer: "b" });
  expect(() => refineParts("<think>", parseRefine("<think>"))).toThrow(/truncated/);
});

describe("a broken text has a name", () => {
  const words = fc.constantFrom("a", "1 + 2 = 3", " x\n", "< think >");
  const sound: fc.Arbitrary<{ think: string; answer: string }> = fc.record({
    think: fc
      .array(
        fc.oneof(
          words,
          words.map((text) => `<refine>${text}</refine>`),
        ),
        { minLength: 1, maxLength: 5 },
      )
      .map((list) => list.join("")),
    answer: words,
  });
  const refined = sound.map(({ think, answer }) => ({ think: `${think}<refine>r</refine>s`, answer }));
  const write = (think: string, answer: string) => `<think>${think}</think>\n<answer>${answer}</answer>`;
  const lastRefine = (text: string, from: string, to: string) => {
    const at = text.lastIndexOf(from);
    return text.slice(0, at) + to + text.slice(at + from.length);
  };

  const mutations: Record<string, [Verdict, fc.Arbitrary<string>]> = {
    "nothing at all": ["empty", fc.constantFrom("", " ", "\n\t\u2003")],
    "no tags": ["missing-think", words],
    "no thinking": ["missing-think", sound.map(({ answer }) => `<answer>${answer}</answer>`)],
    "the opening think tag dropped": ["missing-think", sound.map(({ think, answer }) => write(think, answer).slice(7))],
    "the closing think tag dropped": [
      "unclosed-think",
      sound.map(({ think, answer }) => write(think, answer).replace("</think>", "")),
    ],
    "no answer": ["missing-answer", sound.map(({ think }) => `<think>${think}</think>`)],
    "an answer without tags": ["missing-answer", sound.map(({ think, answer }) => `<think>${think}</think>${answer}`)],
    "the opening answer tag dropped": [
      "missing-answer",
      sound.map(({ think, answer }) => write(think, answer).replace("<answer>", "")),
    ],
    "the closing answer tag dropped": [
      "truncated",
      sound.map(({ think, answer }) => write(think, answer).replace("</answer>", "")),
    ],
    "the opening refine tag dropped": [
      "stray-close",
      refined.map(({ think, answer }) => lastRefine(write(think, answer), "<refine>", "")),
    ],
    "the closing refine tag dropped": [
      "unclosed-refine",
      refined.map(({ think, answer }) => lastRefine(write(think, answer), "</refine>", "")),
    ],
    "the closing refine and think tags dropped": [
      "unclosed-refine",
      refined.map(({ think, answer }) => lastRefine(write(think, answer), "</refine>", "").replace("</think>", "")),
    ],
    "thinking twice": ["doubled-think", sound.map(({ think, answer }) => `<think>${think}</think>${write(think, answer)}`)],
    "thinking within thinking": ["doubled-think", sound.map(({ think, answer }) => write(`a<think>b</think>${think}`, answer))],
    "thinking after the answer": ["doubled-think", sound.map(({ think, answer }) => `${write(think, answer)}<think>b</think>`)],
    "thinking within the answer": ["doubled-think", sound.map(({ think, answer }) => write(think, `<think>b</think>${answer}`))],
    "two answers": ["doubled-answer", sound.map(({ think, answer }) => `${write(think, answer)}<answer>${answer}</answer>`)],
    "an answer within the answer": [
      "doubled-answer",
      sound.map(({ think, answer }) => write(think, `a<answer>${answer}</answer>`)),
    ],
    "a refinement within a refinement": [
      "nested-refine",
      sound.map(({ think, answer }) => write(`${think}<refine>a<refine>b</refine></refine>`, answer)),
    ],
    "a refinement before the thinking": [
      "refine-outside-think",
      sound.map(({ think, answer }) => `<refine>a</refine>${write(think, answer)}`),
    ],
    "a refinement between": [
      "refine-outside-think",
      sound.map(({ think, answer }) => write(think, answer).replace("\n<answer>", "\n<refine>a</refine><answer>")),
    ],
    "a refinement in the answer": [
      "refine-outside-think",
      sound.map(({ think, answer }) => write(think, `${answer}<refine>a</refine>`)),
    ],
    "a refinement after the answer": [
      "refine-outside-think",
      sound.map(({ think, answer }) => `${write(think, answer)}<refine>a</refine>`),
    ],
    "the answer first": ["reordered", sound.map(({ think, answer }) => `<answer>${answer}</answer><think>${think}</think>`)],
    "the thinking inside the answer": [
      "reordered",
      sound.map(({ think, answer }) => `<answer><think>${think}</think>${answer}</answer>`),
    ],
    "the answer inside the thinking": [
      "unclosed-think",
      sound.map(({ think, answer }) => `<think>${think}<answer>${answer}</answer></think>`),
    ],
    "words in front": ["text-outside", sound.map(({ think, answer }) => `Sure. ${write(think, answer)}`)],
    "words between": [
      "text-outside",
      sound.map(({ think, answer }) => write(think, answer).replace("\n<answer>", "so\n<answer>")),
    ],
    "words behind": ["text-outside", sound.map(({ think, answer }) => `${write(think, answer)}.`)],
    "a beginning of a tag behind": ["text-outside", sound.map(({ think, answer }) => `${write(think, answer)}<thi`)],
    "a closing tag in front": ["stray-close", sound.map(({ think, answer }) => `</refine>${write(think, answer)}`)],
    "a closing tag behind": ["stray-close", sound.map(({ think, answer }) => `${write(think, answer)}</answer>`)],
    "a closed answer inside the thinking": ["stray-close", sound.map(({ think, answer }) => write(`${think}</answer>`, answer))],
    "an end inside the thinking": ["truncated", sound.map(({ think }) => `<think>${think}`)],
    "an end inside a refinement": ["truncated", sound.map(({ think }) => `<think>${think}<refine>a`)],
    "an end inside the first tag": [
      "truncated",
      fc.integer({ min: 1, max: 6 }).map((length) => ` ${"<think>".slice(0, length)}`),
    ],
    "an end inside the answer's tag": ["truncated", sound.map(({ think }) => `<think>${think}</think>\n<answe`)],
  };

  test.each(Object.entries(mutations))("%s", (_, [verdict, texts]) => {
    fc.assert(
      fc.property(texts, (text) => {
        expect(parseRefine(text)).toMatchObject({ ok: false, verdict });
        expect(grammar.test(text)).toBe(false);
      }),
    );
  });

  test("every verdict is met above", () => {
    const met = new Set(Object.values(mutations).map(([verdict]) => verdict));
    expect([...met, "ok"].sort()).toEqual(Object.keys(verdictReasons).sort());
  });
});

test("tag look-alikes are text", () => {
  const text = "<think><thinking> < refine > <REFINE> <think/></think><answer>a < b and <Answer></answer>";
  expect(parseRefine(text)).toMatchObject({ ok: true, refines: [], answer: "a < b and <Answer>" });
});

test.each([
  ["the answer span", "<think>1</think><answer> 42 </answer>", "42"],
  ["the last of two answers", "<answer>1</answer><answer>2</answer>", "2"],
  ["an unclosed answer", "<think>1</think><answer>42", "42"],
  ["what follows the thinking", "<think>1</think> It is 42.", "It is 42."],
  ["what follows a stray end of thinking", "so 1</think>42", "42"],
  ["the whole, tags removed", "It is <refine>42</refine>", "It is 42"],
])("the lenient answer is %s", (_, text, answer) => {
  expect(parseRefine(text).answerText).toBe(answer);
});

test("hostile text costs work in proportion to its length", () => {
  // Work that grew with the square of the length would not come to an end here.
  for (const unit of ["<", "</", "<think", "<refine>", "<think>", "</answer>", "<answer>x"]) {
    const text = unit.repeat(200_000);
    const parser = new RefineParser();
    for (let index = 0; index < text.length; index += 7) parser.push(text.slice(index, index + 7));
    expect(parser.end()).toEqual(parseRefine(text));
  }
});

test.each([
  ["  so <think>a</think><answer>b</answer>", "text-outside", "so", ["think:a", "answer:b"], []],
  ["<think>a</think><answer>b</answer> \n.", "text-outside", ".", ["think:a", "answer:b"], []],
  [
    "<think>a<refine>b<refine>c</refine>d</refine>e</think><answer>f</answer>",
    "nested-refine",
    "<refine>c",
    ["think:a<refine>b<refine>c</refine>d</refine>e", "refine:b<refine>c</refine>d", "answer:f"],
    [],
  ],
  ["<think>a<refine>b</think><answer>c</answer>", "unclosed-refine", "<refine>", ["think:a<refine>b", "answer:c"], []],
  ["<think>a<think>b</think><answer>c</answer>", "doubled-think", "<think>b", ["think:a<think>b", "answer:c"], []],
  ["<think>a</think>b<think>c</think><answer>d</answer>", "text-outside", "b", ["think:a", "think:c", "answer:d"], []],
  ["<think>a<answer>b</answer>", "unclosed-think", "<think>", ["answer:b"], ["think"]],
  ["<think>a<refine>b", "truncated", "<refine>", [], ["think", "refine"]],
  ["<think>a</think> <ans", "truncated", "<ans", ["think:a"], []],
  ["<think>a</think> \n", "missing-answer", " \n", ["think:a"], []],
  ["<answer>a</answer> <think>b</think>", "reordered", "<answer>", ["answer:a", "think:b"], []],
])("where the fault is, and what can still be read: %s", (text, verdict, faultBegins, complete, open) => {
  const parsed = parseRefine(text);
  expect(parsed.verdict).toBe(verdict);
  expect(parsed.at).toBe(text.indexOf(faultBegins));
  expect(parsed.spans.map((span) => `${span.kind}:${text.slice(span.innerStart, span.innerEnd)}`)).toEqual(complete);
  expect(parsed.open.map((span) => span.kind)).toEqual(open);
});
