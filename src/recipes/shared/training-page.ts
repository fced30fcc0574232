/** What a page shows of a training beside the measured answers: curves, and some of the answers it sampled with what they earned. */
import { type Html, html } from "#evaluation/report/html.ts";
import type { PageSection } from "#evaluation/report/page-frame.ts";
import { historyFromLines, type TrainingHistory } from "#evaluation/report/training-history.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { counted } from "#kernel/numbers.ts";
import { isRecord, leavesOf } from "#kernel/values.ts";
import { fixed } from "#text/numbers.ts";

/** Anything that reads a run's lines. */
export interface RunLines {
  readLines(name: string): JsonObject[];
}

/** Record names that the report draws under names of its own. */
const plotNames: Readonly<Record<string, string>> = {
  "rewardTerms.format": "rewardFormat",
  "rewardTerms.accuracy": "rewardAccuracy",
  "rewardTerms.refine": "rewardRefine",
  refinements: "refineSpans",
  tokensRefined: "tokensPerAnswer",
  "evaluation.sampled.needless": "needless",
};

/** The run's metrics, step by step, with what was evaluated after a step among them. */
export function trainingHistory(label: string, run: RunLines, group: string): TrainingHistory {
  const evaluations = new Map(run.readLines("evaluations").map((line) => [line.step as number, line]));
  const metrics = run.readLines("metrics");
  // The evaluation before the first step belongs to step 0, which has no metrics of its own.
  const lines = evaluations.has(0) ? [{ step: 0 } as JsonObject, ...metrics] : metrics;
  return historyFromLines(
    label,
    lines.map((line) => renamed({ ...line, evaluation: evaluationAt(evaluations, line) })),
    { group },
  );
}

function evaluationAt(evaluations: ReadonlyMap<number, JsonObject>, line: JsonObject): JsonObject {
  const { step: _step, v: _version, ...values } = evaluations.get(line.step as number) ?? {};
  return values;
}

/** Under dotted names, with those that the report draws under names of its own. */
function renamed(line: JsonObject): Record<string, unknown> {
  const leaves = leavesOf(line).filter(([name]) => name !== "v");
  return Object.fromEntries(leaves.map(([name, value]) => [plotNames[name] ?? name, value]));
}

/** Groups on the page, spread evenly over the training; all of them stand in rollouts.jsonl. */
const mostGroups = 60;
/** Of an answer, in characters; the rest stands in rollouts.jsonl. */
const longestAnswer = 4000;

/** One question's sampled answers side by side with what they earned, some steps of the training. Nothing where none were recorded. */
export function rolloutSections(run: RunLines, name?: string): PageSection[] {
  const all = run.readLines("rollouts").filter((line) => isRecord(line.item));
  if (all.length === 0) return [];
  const every = Math.ceil(all.length / mostGroups);
  const shown = all.filter((_, index) => index % every === 0 || index === all.length - 1);
  const note =
    shown.length === all.length
      ? `${counted(all.length, "group")} of answers, as they were sampled in training.`
      : `${shown.length} of ${counted(all.length, "group")} of answers, as they were sampled in training; all are in rollouts.jsonl.`;
  return [
    {
      id: name === undefined ? "rollouts" : `rollouts-${encodeURIComponent(name)}`,
      name: name === undefined ? "Answers in training" : `Answers in training: ${name}`,
      body: html`<p class="note">${note}</p>${shown.map(groupOf)}`,
    },
  ];
}

interface Rollout {
  text?: string;
  accuracy?: number;
  reward?: number;
  terms?: Record<string, number>;
}

function groupOf(line: JsonObject): Html {
  const { id = "", question = "", answer = "" } = line.item as { id?: string; question?: string; answer?: string };
  const columns = [
    ["refined, trained", rolloutsOf(line.refined)],
    ["plain, compared with", rolloutsOf(line.plain)],
    ["conversations", Array.isArray(line.conversations) ? line.conversations.flat().map((turn) => turn as Rollout) : []],
  ] as const;
  const rewards = columns.flatMap(([, rollouts]) => rollouts.flatMap(({ reward }) => (reward === undefined ? [] : [reward])));
  const spread = rewards.length === 0 ? "" : ` · rewards ${fixed(Math.min(...rewards), 2)} to ${fixed(Math.max(...rewards), 2)}`;
  const dropped = typeof line.dropped === "string" ? ` · not trained: ${line.dropped.replaceAll("-", " ")}` : "";
  return html`<details class="rollouts"><summary>Step ${String(line.step)} · <span dir="auto">${id}</span>${spread}${dropped}</summary>
<p dir="auto">${question}</p><p class="note">Reference: <span dir="auto">${answer}</span></p>
<div class="rollout-columns">${columns.filter(([, rollouts]) => rollouts.length > 0).map(([title, rollouts]) => columnOf(title, rollouts))}</div></details>`;
}

function rolloutsOf(value: unknown): Rollout[] {
  return Array.isArray(value) ? value.filter(isRecord) : [];
}

function columnOf(title: string, rollouts: readonly Rollout[]): Html {
  return html`<div><h4>${title}</h4>${rollouts.map(rolloutOf)}</div>`;
}

function rolloutOf({ text = "", accuracy, reward, terms = {} }: Rollout): Html {
  const parts = Object.entries(terms).map(([name, value]) => `${name} ${fixed(value, 2)}`);
  const earned = [
    ...(reward === undefined ? [] : [`reward ${fixed(reward, 2)}`]),
    ...(parts.length === 0 ? [] : [`(${parts.join(", ")})`]),
    ...(accuracy === undefined ? [] : [accuracy === 1 ? "right" : accuracy === 0 ? "wrong" : `graded ${fixed(accuracy, 2)}`]),
  ];
  const cut =
    text.length > longestAnswer ? `${text.slice(0, longestAnswer)}\n… ${text.length - longestAnswer} characters more` : text;
  return html`<figure class="rollout"><figcaption>${earned.join(" ")}</figcaption><pre dir="auto">${cut}</pre></figure>`;
}
