import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type AnalysedRecord, analyseRefinements } from "./analysis.ts";
import { refinementAnalysisHtml, refinementAnalysisMarkdown } from "./render.ts";
import { type AnalysedRow, analysisTables, shareOf } from "./tables.ts";
import { refinementTypes } from "./text.ts";

const record = (think: string, value: string, accuracy: number): AnalysedRecord => ({
  text: `<think>${think}</think><answer>${value}</answer>`,
  accuracy,
});

const corrected = record("34*6=214;<refine>4*6=24,3*6+2=20,34*6=204</refine>204+5=209;<refine>204+5=209</refine>", "209", 1);
const spoiled = record("34*6=204;<refine>34*6=214</refine>214+5=219;", "219", 0);
const unchanged = record("34*6=204;<refine>34*6=204</refine>204+5=208;", "208", 0);
const plainRight = record("34*6=204;204+5=209;", "209", 1);
const plainWrong = record("34*6=214;214+5=219;", "219", 0);
const all = [corrected, spoiled, unchanged, plainRight, plainWrong];

describe("in one pass", () => {
  const analysis = analyseRefinements(all);

  test("refinements by type, in total, per answer, of hard and of easy steps", () => {
    const { refinements, hard, easy, perAnswer } = analysis;
    expect(analysis).toMatchObject({ answers: 5, refinedAnswers: 3, failed: 0, cut: 0 });
    expect(refinements).toMatchObject({
      refinements: 4,
      types: { errorCorrection: 1, spoiled: 1, bareRepetition: 2, failedCorrection: 0 },
      shares: { errorCorrection: 0.25, bareRepetition: 0.5 },
      attached: 4,
      needed: 1,
      neededShare: 0.25,
      coherent: 3,
      coherentShare: 0.75,
      aligned: 4,
      alignedShare: 1,
    });
    expect(perAnswer).toMatchObject({ refinements: 0.8, types: { bareRepetition: 0.4 } });
    expect(hard).toMatchObject({ refinements: 3, needed: 1, neededShare: 1 / 3, types: { bareRepetition: 1 } });
    expect(easy).toMatchObject({ refinements: 1, needed: 0, neededShare: 0, types: { bareRepetition: 1 } });
  });

  test("steps before and after", () => {
    expect(analysis.steps).toEqual({
      steps: 10,
      refined: { rightToRight: 2, rightToWrong: 1, wrongToRight: 1, wrongToWrong: 0 },
      left: { right: 4, wrong: 2 },
    });
    expect(analysis.hardSteps).toMatchObject({ steps: 5, left: { right: 1, wrong: 1 } });
    expect(analysis.easySteps).toMatchObject({ steps: 5, left: { right: 3, wrong: 1 } });
  });

  test("answers: the first thought is what the first changed result tells, else the answer as it is", () => {
    expect(analysis.turns).toBeUndefined();
    expect(analysis.pass).toEqual({
      refined: { rightToRight: 0, rightToWrong: 1, wrongToRight: 1, wrongToWrong: 1 },
      unrefined: { right: 1, wrong: 1 },
      wrongFirst: 3,
      corrected: 1,
      correctedShare: 1 / 3,
    });
    const first = (...records: AnalysedRecord[]) => analyseRefinements(records).pass!.refined;
    // Mended later on: right all the same.
    const mended = record("34*6=204;<refine>34*6=214</refine><refine>34*6=204</refine>204+5=209;", "209", 1);
    expect(first(mended)).toMatchObject({ rightToRight: 1 });
    // The step before the one that changed was wrong already.
    const before = record("34*6=214;214+5=219;<refine>214+5=218</refine>", "218", 0);
    expect(first(before)).toMatchObject({ wrongToWrong: 1 });
    // A wrong attempt that was not refined, and came out right by chance.
    const lucky = record("34*6=214;204+5=209;<refine>204+5=209</refine>", "209", 1);
    expect(first(lucky)).toMatchObject({ rightToRight: 1 });
  });
});

test("over turns: first and last attempt, and what the method gave in the end", () => {
  const turns = (final: number, ...accuracies: number[]): AnalysedRecord => ({
    ...plainRight,
    accuracy: final,
    attempts: accuracies.map((accuracy) => ({ answer: "", accuracy })),
  });
  const analysis = analyseRefinements([turns(1, 0, 0, 1), turns(1, 0, 1, 0), turns(0, 1, 0), turns(1, 1, 1), plainWrong]);
  expect(analysis.pass).toBeUndefined();
  expect(analysis.turns).toEqual({
    retried: 4,
    firstToLast: { rightToRight: 1, rightToWrong: 1, wrongToRight: 1, wrongToWrong: 2 },
    firstToFinal: { rightToRight: 1, rightToWrong: 1, wrongToRight: 2, wrongToWrong: 1 },
    wrongFirst: 3,
    corrected: 1,
    correctedShare: 1 / 3,
  });
  const stopped = analyseRefinements([plainRight, plainWrong], { overTurns: true });
  expect(stopped.turns).toMatchObject({
    retried: 0,
    firstToLast: { rightToRight: 1, wrongToWrong: 1 },
    wrongFirst: 1,
    corrected: 0,
  });
  expect(stopped.pass).toBeUndefined();
});

test("nothing at all, answers without refinements, and failed ones: no share of nothing", () => {
  const empty = analyseRefinements([]);
  expect(empty).toMatchObject({ answers: 0, refinements: { refinements: 0 }, pass: { wrongFirst: 0 } });
  expect(empty.perAnswer).toBeUndefined();
  expect(empty.refinements.shares).toBeUndefined();
  expect(empty.pass!.correctedShare).toBeUndefined();
  const failed = analyseRefinements([{ text: "", accuracy: 0, error: "down" }, plainRight]);
  expect(failed).toMatchObject({ answers: 2, failed: 1, refinedAnswers: 0, pass: { wrongFirst: 1, corrected: 0 } });
  for (const analysis of [empty, failed]) {
    expect(JSON.parse(JSON.stringify(analysis))).toEqual(analysis);
    expect(JSON.stringify(analysis)).not.toContain("null");
  }
});

const pieces = fc.constantFrom(
  "<think>",
  "</think>",
  "<refine>",
  "</refine>",
  "</think><answer>12</answer>",
  "1+1=2;",
  "3*4=11;",
  "3*4=12",
  "12+1=13;",
  "x",
);
const someRecord = fc.record({
  text: fc.array(pieces, { maxLength: 25 }).map((parts) => `<think>3*4=11;${parts.join("")}`),
  accuracy: fc.constantFrom(0, 0.5, 1),
});
const sum = (counts: object) => Object.values(counts).reduce((total, count) => total + count, 0);

test("every count is a partition of its whole", () => {
  fc.assert(
    fc.property(fc.array(someRecord, { maxLength: 12 }), (records) => {
      const analysis = analyseRefinements(records);
      const { refinements, hard, easy, steps, hardSteps, easySteps, pass } = analysis;
      for (const counts of [refinements, hard, easy]) {
        expect(sum(counts.types)).toBe(counts.refinements);
        const { types, attached, needed, coherent, aligned } = counts;
        expect(attached).toBe(counts.refinements - types.unattached);
        expect(needed).toBe(types.errorCorrection + types.failedCorrection);
        // What is coherent has the right result.
        expect(coherent).toBeLessThanOrEqual(attached - types.failedCorrection - types.spoiled);
        expect(aligned).toBeLessThanOrEqual(attached);
        if (counts.shares) expect(sum(counts.shares)).toBeCloseTo(1, 12);
      }
      for (const type of refinementTypes) {
        if (type !== "unattached") expect(hard.types[type] + easy.types[type]).toBe(refinements.types[type]);
      }
      for (const counts of [steps, hardSteps, easySteps]) expect(sum(counts.refined) + sum(counts.left)).toBe(counts.steps);
      expect(hardSteps.steps + easySteps.steps).toBe(steps.steps);
      expect(sum(pass!.refined)).toBe(analysis.refinedAnswers);
      expect(sum(pass!.refined) + sum(pass!.unrefined)).toBe(records.length);
      const right = records.filter(({ accuracy }) => accuracy === 1).length;
      expect(pass!.refined.wrongToRight + pass!.refined.rightToRight + pass!.unrefined.right).toBe(right);
      expect(JSON.stringify(analysis)).not.toContain("null");
    }),
  );
});

describe("the section", () => {
  const rows: AnalysedRow[] = [
    { row: "pasr", label: "PASR", analysis: analyseRefinements(all) },
    {
      row: "self-refine",
      label: "",
      analysis: analyseRefinements([
        {
          ...plainRight,
          attempts: [
            { answer: "1", accuracy: 0 },
            { answer: "2", accuracy: 1 },
          ],
        },
      ]),
    },
    { row: "none", label: "<script>alert('x')</script> | *a*", analysis: analyseRefinements([]) },
  ];

  test("as Markdown: every row of a table has as many cells as its head, and dashes stand where nothing is defined", () => {
    const text = refinementAnalysisMarkdown(rows);
    expect(text).toContain("| PASR | 5 | 3 (60\u00a0%) | 4 | 0.80 | 1 (25\u00a0%) | 0 (0\u00a0%) | 1 (25\u00a0%) |");
    expect(text).toContain(
      "| PASR | in one pass | 1 (33\u00a0%) | 1 (33\u00a0%) | 0 (0\u00a0%) | 1 (33\u00a0%) | 1 | 1 | 3 | 1 (33\u00a0%) |",
    );
    expect(text).toContain("| self-refine | over turns | 1 (100\u00a0%) | 0 (0\u00a0%) |");
    expect(text).toContain("&lt;script&gt;alert('x')&lt;/script&gt; \\| \\*a\\* | 0 | – | 0 | – | – |");
    expect(text).not.toMatch(/NaN|undefined|null|Infinity/);
    expect(text.endsWith("\n")).toBe(true);
    for (const { head, rows: lines } of analysisTables(rows)) {
      for (const cells of lines) expect(cells).toHaveLength(head.length);
    }
  });

  test("as HTML: nothing of a label becomes markup, tables scroll by themselves, nothing is loaded", () => {
    const { text } = refinementAnalysisHtml(rows);
    expect(text).not.toContain("<script");
    expect(text).toContain("&lt;script&gt;");
    expect(text).toContain("no refinements");
    expect(text).not.toMatch(/NaN|undefined|null|Infinity|https?:|url\(|@import/);
    expect(text.match(/<div class="wide"/g)!.length).toBe(text.match(/<table/g)!.length);
    for (const tag of ["div", "table", "tr", "td", "th", "svg", "ul", "li", "style", "p", "rect"]) {
      const count = (pattern: string) => text.match(new RegExp(pattern, "g"))?.length ?? 0;
      expect(count(`<${tag}[ >]`), tag).toBe(count(`</${tag}>`));
    }
    const style = /<style>([\s\S]*?)<\/style>/.exec(text)![1];
    expect(style).not.toContain("&");
    const widths = [...text.matchAll(/<rect class="[^"]*" x="([\d.]+)" y="0" width="([\d.]+)"/g)].map(([, x, width]) => [
      x,
      width,
    ]);
    expect(widths).toEqual([
      ["0.000", "25.000"],
      ["25.000", "25.000"],
      ["50.000", "50.000"],
    ]);
  });

  test("of a judge: its counts, and unknown tokens as unknown", () => {
    const types = { "error-correction": 1, "information-complement": 0, "solution-improvement": 0, "task-alignment": 0, none: 2 };
    const usage = { calls: 5, inputTokens: undefined, outputTokens: 9, milliseconds: 1 };
    const judgement = {
      refinements: 40,
      asked: 5,
      judged: 3,
      unparsable: 1,
      failed: 1,
      types,
      coherent: 2,
      aligned: 3,
      usage,
      verdicts: [],
    };
    const text = refinementAnalysisMarkdown([{ ...rows[0], judgement }]);
    expect(text).toContain(
      "| PASR | 3 of 40 | 1 (20\u00a0%) | 1 (20\u00a0%) | 1 (33\u00a0%) | 0 (0\u00a0%) | 0 (0\u00a0%) | 0 (0\u00a0%) | 2 (67\u00a0%) | 67\u00a0% | 100\u00a0% | unknown |",
    );
  });

  test("of nothing says so; shares of little keep a digit", () => {
    expect(refinementAnalysisMarkdown([])).toBe("## Refinements\n\nNo answers were analysed.\n");
    expect(refinementAnalysisHtml([]).text).toBe("<p>No answers were analysed.</p>");
    expect([shareOf(0, 0), shareOf(0, 3), shareOf(1, 300), shareOf(2, 3), shareOf(299, 300), shareOf(3, 3)]).toEqual([
      "–",
      "0\u00a0%",
      "0.3\u00a0%",
      "67\u00a0%",
      "99.7\u00a0%",
      "100\u00a0%",
    ]);
  });
});
