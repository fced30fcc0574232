/** The tables of the section on refinements as rows of text, for Markdown and for HTML alike. What is not defined is a dash. */

import { dash, fixed, percentTogether } from "#text/numbers.ts";
import { judgedTypes, type RefinementJudgement } from "#verifiers/judges/refinements.ts";
import type { Transitions } from "../statistics/transitions.ts";
import type { RefinementAnalysis, RefinementCounts, StepTransitions } from "./analysis.ts";
import { paperTypes, type RefinementType, refinementTypes } from "./text.ts";

/** One method: `row` is its id, `label` what readers see (the id where it is blank). */
export interface AnalysedRow {
  row: string;
  label: string;
  analysis: RefinementAnalysis;
  /** What a judge model said of a sample, where one was asked. */
  judgement?: RefinementJudgement;
}

export interface AnalysisTable {
  title: string;
  note: string;
  head: string[];
  /** The first cell names the row. */
  rows: string[][];
}

export const typeWords: Readonly<Record<RefinementType, string>> = {
  errorCorrection: "error corrected",
  failedCorrection: "stayed wrong",
  spoiled: "spoiled",
  workedConfirmation: "confirmed by working out",
  bareRepetition: "repeated",
  otherConfirmation: "confirmed otherwise",
  unattached: "without a step",
};

const paperWords = refinementTypes
  .flatMap((type) => (paperTypes[type] === undefined ? [] : [`${typeWords[type]} is its ${paperTypes[type]}`]))
  .join(" and ");

/** A digit after the point only near 0 and 100: 8 %, 0.4 %. */
export function shareOf(count: number, total: number): string {
  if (!(total > 0)) return dash;
  const value = (count / total) * 100;
  const digits = value > 0 && value < 100 && (value < 1 || value > 99) ? 1 : 0;
  return percentTogether(count / total, digits);
}

/** "25 (12 %)"; a dash where there was nothing to count. */
function countOf(count: number, total: number): string {
  return total > 0 ? `${count} (${shareOf(count, total)})` : dash;
}

export function nameOf({ row, label }: AnalysedRow): string {
  return label.trim() === "" ? row : label;
}

/** Without rows: no tables. A table in which no row has anything to say is left out. */
export function analysisTables(rows: readonly AnalysedRow[]): AnalysisTable[] {
  if (rows.length === 0) return [];
  const difficulties = difficultyTable(rows);
  const judged = judgeTable(rows);
  return [
    typeTable(rows),
    ...(difficulties.rows.length > 0 ? [difficulties] : []),
    answerTable(rows),
    stepTable(rows),
    ...(judged.rows.length > 0 ? [judged] : []),
  ];
}

function typeTable(rows: readonly AnalysedRow[]): AnalysisTable {
  return {
    title: "Kinds of refinements",
    note: `By rule. In the words of PASR, ${paperWords}; its solution improvement and task alignment cannot occur where a question prescribes the steps. Needed: the refined result was wrong. Coherent: the equations inside are true and end in the step. Aligned: what follows goes on with the result.`,
    head: [
      "",
      "answers",
      "refined",
      "refinements",
      "per answer",
      ...refinementTypes.map((type) => typeWords[type]),
      "needed",
      "coherent",
      "aligned",
    ],
    rows: rows.map((row) => {
      const { answers, refinedAnswers, refinements: counts, perAnswer } = row.analysis;
      const kinds = refinementTypes.map((type) => countOf(counts.types[type], counts.refinements));
      return [
        nameOf(row),
        `${answers}`,
        countOf(refinedAnswers, answers),
        `${counts.refinements}`,
        fixed(perAnswer?.refinements, 2),
        ...kinds,
        ...attachedCells(counts),
      ];
    }),
  };
}

function attachedCells({ attached, needed, coherent, aligned }: RefinementCounts): string[] {
  return [needed, coherent, aligned].map((count) => shareOf(count, attached));
}

function difficultyTable(rows: readonly AnalysedRow[]): AnalysisTable {
  const kinds = refinementTypes.filter((type) => type !== "unattached");
  const line = (row: AnalysedRow, name: string, counts: RefinementCounts, steps: StepTransitions): string[][] => {
    if (steps.steps === 0) return [];
    const refined = sum(steps.refined);
    const wrong = steps.refined.wrongToRight + steps.refined.wrongToWrong;
    return [
      [
        `${nameOf(row)}, ${name}`,
        `${steps.steps}`,
        countOf(refined, steps.steps),
        shareOf(wrong, wrong + steps.left.wrong),
        shareOf(refined - wrong, refined - wrong + steps.left.right),
        `${counts.refinements}`,
        ...kinds.map((type) => countOf(counts.types[type], counts.refinements)),
        shareOf(counts.needed, counts.attached),
      ],
    ];
  };
  return {
    title: "Hard and easy steps",
    note: "Hard steps hold a product or a quotient; one that is worked out in the open, outside of a refinement, counts each of its partial products. How many of the steps with a wrong and with a right first attempt were refined says whether refining goes where it is needed.",
    head: [
      "",
      "steps",
      "refined",
      "of the wrong",
      "of the right",
      "refinements",
      ...kinds.map((type) => typeWords[type]),
      "needed",
    ],
    rows: rows.flatMap((row) => [
      ...line(row, "hard", row.analysis.hard, row.analysis.hardSteps),
      ...line(row, "easy", row.analysis.easy, row.analysis.easySteps),
    ]),
  };
}

const directions = ["wrongToRight", "rightToWrong", "rightToRight", "wrongToWrong"] as const;
const directionWords = ["wrong → right", "right → wrong", "right → right", "wrong → wrong"];

function sum(counts: Transitions): number {
  return directions.reduce((total, direction) => total + counts[direction], 0);
}

function transitionCells(counts: Transitions): string[] {
  const total = sum(counts);
  return directions.map((direction) => countOf(counts[direction], total));
}

function answerTable(rows: readonly AnalysedRow[]): AnalysisTable {
  return {
    title: "Answers before and after",
    note: "In one pass: the answers with a refinement, by their first thought (wrong where the first result that a refinement changed, or one before it, was wrong; where none was changed, the answer as it is) and their final answer; answers without a refinement stand apart, and count among the wrong first ones. Over turns: first attempt and last.",
    head: ["", "read", ...directionWords, "not refined: right", "not refined: wrong", "wrong first", "of these corrected"],
    rows: rows.map((row) => {
      const { pass, turns } = row.analysis;
      const { wrongFirst, corrected } = pass ?? turns ?? { wrongFirst: 0, corrected: 0 };
      const ending = [`${wrongFirst}`, countOf(corrected, wrongFirst)];
      if (turns) return [nameOf(row), "over turns", ...transitionCells(turns.firstToLast), dash, dash, ...ending];
      const { refined, unrefined } = pass ?? { refined: none, unrefined: { right: 0, wrong: 0 } };
      return [nameOf(row), "in one pass", ...transitionCells(refined), `${unrefined.right}`, `${unrefined.wrong}`, ...ending];
    }),
  };
}

const none: Transitions = { rightToRight: 0, rightToWrong: 0, wrongToRight: 0, wrongToWrong: 0 };

function stepTable(rows: readonly AnalysedRow[]): AnalysisTable {
  return {
    title: "Steps before and after",
    note: "A step's first attempt and its last result, right or wrong by its own left side. Where there are turns, the steps are those of the last one.",
    head: ["", "steps", ...directionWords, "left alone: right", "left alone: wrong"],
    rows: rows.map((row) => {
      const { steps, refined, left } = row.analysis.steps;
      return [nameOf(row), `${steps}`, ...transitionCells(refined), countOf(left.right, steps), countOf(left.wrong, steps)];
    }),
  };
}

function judgeTable(rows: readonly AnalysedRow[]): AnalysisTable {
  return {
    title: "What a judge model says of a sample",
    note: "The judge sees the question, the thinking before, the refinement and what follows, not the reference answer. Replies without the agreed form are unparsable and count for nothing else.",
    head: [
      "",
      "judged",
      "unparsable",
      "failed",
      ...judgedTypes.map((type) => type.replace("-", " ")),
      "coherent",
      "aligned",
      "tokens",
    ],
    rows: rows.flatMap((row) => {
      const { judgement } = row;
      if (!judgement) return [];
      const { asked, judged, unparsable, failed, types, coherent, aligned, usage, refinements } = judgement;
      const { inputTokens, outputTokens } = usage;
      const tokens = inputTokens === undefined || outputTokens === undefined ? "unknown" : `${inputTokens + outputTokens}`;
      return [
        [
          nameOf(row),
          `${judged} of ${refinements}`,
          countOf(unparsable, asked),
          countOf(failed, asked),
          ...judgedTypes.map((type) => countOf(types[type], judged)),
          shareOf(coherent, judged),
          shareOf(aligned, judged),
          tokens,
        ],
      ];
    }),
  };
}
