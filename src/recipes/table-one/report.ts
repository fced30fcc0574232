/** The table as a Markdown page, an HTML page and plain JSON, from what lies in its folder; half-finished tables say what is missing. */

import { analyseRefinements } from "#evaluation/refinements/analysis.ts";
import { type AnalysedRow, refinementAnalysisHtml, refinementAnalysisMarkdown } from "#evaluation/refinements/render.ts";
import { type Html, html } from "#evaluation/report/html.ts";
import { tableOf } from "#evaluation/report/report-tables.ts";
import { paperAblation, paperAblationSource, paperCaution, paperSource, withPublished } from "#evaluation/trainings/agreement.ts";
import { trainingTableHtml, trainingTableMarkdown, trainingTableSection } from "#evaluation/trainings/render.ts";
import { type TrainingTable, trainingTable } from "#evaluation/trainings/table.ts";
import type { RefinementJudgement } from "#verifiers/judges/refinements.ts";
import type { TableOnePlan } from "./plan.ts";
import { readTableOne } from "./results.ts";
import { meanRounds, roundsTable, type TableOneRounds } from "./rounds.ts";
import type { TableOneRow } from "./rows.ts";
import type { UnitFailure } from "./units.ts";
import { settingsLines } from "./words.ts";

export interface TableOneFacts {
  folder: string;
  plan: TableOnePlan;
  seeds: number;
  /** As it was typed. */
  command: string;
  /** Versions of the code that made what is there. */
  code: readonly string[];
  failures: readonly UnitFailure[];
  isFast: boolean;
  /** What a judge model said of a row's refinements, by row. */
  judgements?: Readonly<Record<string, RefinementJudgement>>;
}

export interface TableOneReport {
  table: TrainingTable;
  ablation: TrainingTable;
  refinements: AnalysedRow[];
  rounds: TableOneRounds[];
}

export function reportTableOne({ folder, plan, seeds, judgements = {} }: TableOneFacts): TableOneReport {
  const { table, ablation, rounds, answers } = readTableOne(folder, seeds);
  const wanted = { seeds: Array.from({ length: seeds }, (_, index) => index + 1) };
  return {
    table: trainingTable({ ...table, ...wanted, rows: withPublished(table.rows) }),
    ablation: trainingTable({ ...ablation, ...wanted, rows: withPublished(ablation.rows, paperAblation) }),
    refinements: answers
      .filter(({ row, records }) => records.length > 0 && showsRefinement(row))
      .map(({ row, records }) => {
        const overTurns = turnRows.has(row.id);
        const judgement = judgements[row.id];
        const analysis = analyseRefinements(records, { overTurns });
        return { row: row.id, label: row.label, analysis, judgement };
      }),
    rounds: rounds.map(({ row, records }) => ({ row, figures: meanRounds(records, plan.rounds.ptrLong) })),
  };
}

/** Rows whose answer is the last of several turns. */
const turnRows = new Set(["base-rounds", "self-refine", "self-refine-plus-oracle", "ptr", "score", "rise"]);

function showsRefinement({ id }: TableOneRow): boolean {
  return turnRows.has(id) || id.startsWith("pasr");
}

export function tableOneMarkdown(facts: TableOneFacts, report: TableOneReport): string {
  const blocks = [
    "# PASR's Table 1 in miniature",
    ...introduction(facts),
    factsOf(facts)
      .map(({ label, value }) => `- ${label}: ${label === "command" ? `\`${value}\`` : value}`)
      .join("\n"),
    trainingTableMarkdown(report.table, tableText).trim(),
    trainingTableMarkdown(report.ablation, ablationText).trim(),
    refinementAnalysisMarkdown(report.refinements).trim(),
    "## PTR, round by round",
    roundsNote,
    roundsMarkdown(report.rounds, facts.plan.rounds.ptrLong),
    "## How each row is trained",
    settingsLines(facts.plan).join("\n"),
  ];
  return `${blocks.join("\n\n")}\n`;
}

export function tableOneHtml(facts: TableOneFacts, report: TableOneReport): string {
  return trainingTableHtml({
    title: "PASR's Table 1 in miniature",
    headline: introduction(facts)[0],
    facts: factsOf(facts),
    sections: [
      trainingTableSection(report.table, { ...tableText, id: "results" }),
      trainingTableSection(report.ablation, { ...ablationText, id: "ablation" }),
      { id: "refinements", name: "Refinements", body: refinementAnalysisHtml(report.refinements) },
      { id: "rounds", name: "PTR, round by round", body: roundsHtml(report.rounds, facts.plan.rounds.ptrLong) },
      {
        id: "settings",
        name: "How each row is trained",
        body: html`<ul>${settingsLines(facts.plan).map((line) => html`<li>${line.replace(/^- /, "")}</li>`)}</ul>`,
      },
    ],
    data: { facts: { ...facts, plan: facts.plan }, table: report.table, ablation: report.ablation, rounds: report.rounds },
  });
}

const tableText = { title: "The table", published: [paperSource, paperCaution] };
const ablationText = { title: "The reward taken apart", published: [paperAblationSource, paperCaution] };
const roundsNote =
  "Answers to the sums, round after round in one chat with the same request: per cent right and sampled tokens of an answer up to that " +
  "round, means over the seeds. The table's row for PTR ends at the third.";

const noRounds = "There are no rounds yet.";

function roundsMarkdown(rows: readonly TableOneRounds[], rounds: number): string {
  const table = roundsTable(rows, rounds);
  if (table === undefined) return noRounds;
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(table.head), line(table.head.map(() => "---:")), ...table.rows.map(line)].join("\n");
}

function roundsHtml(rows: readonly TableOneRounds[], rounds: number): Html {
  const table = roundsTable(rows, rounds);
  if (table === undefined) return html`<p>${noRounds}</p>`;
  const lines = table.rows.map(
    ([round, ...cells]) => html`<tr><th scope="row">${round!}</th>${cells.map((cell) => html`<td>${cell}</td>`)}</tr>`,
  );
  return html`<p class="note">${roundsNote}</p>${tableOf("Rounds of PTR", table.head, lines)}`;
}

function introduction({ plan, isFast }: TableOneFacts): string[] {
  const smoke = isFast ? ["This is a smoke of the code with a few steps of training; its numbers prove nothing."] : [];
  return [
    "Every method that PASR is compared with, trained from one base of a million parameters on questions and their answers alone, without " +
      "a teacher, and measured on the same problems: sums, which all were trained on, and two domains that the base knows and no method's " +
      "training sees.",
    ...smoke,
    "A model of this size in a world of arithmetic says nothing about models that people use. Its base knows one way to do better than its " +
      "plain answers, working products out digit by digit, and shows it now and then wherever it is asked again or to refine. The table says " +
      `which trainings find that and put it where it is needed. Rates and lengths of training were fixed on other problems. ${plan.items} problems a domain.`,
  ];
}

function factsOf({ plan, seeds, command, code, failures }: TableOneFacts): { label: string; value: string }[] {
  return [
    { label: "command", value: command },
    { label: "code", value: code.join(", ") },
    { label: "seeds", value: seeds === 1 ? "1 (so intervals are over items alone)" : `1 to ${seeds}` },
    {
      label: "base",
      value: `${plan.model}, ${plan.base.training.steps} steps on the corpus of skills, the same for all rows and seeds`,
    },
    { label: "test", value: `${plan.items} problems of each domain, the same for all rows and seeds, answered greedily` },
    ...failures.map(({ name, message }) => ({ label: `not done: ${name}`, value: message })),
  ];
}
