/** The tables of a report: methods over tasks in the shape of PASR's Table 1, then everything about one task. */

import { counted } from "#kernel/numbers.ts";
import { dollars, fixed, formatP, percent, percentRange, percentTogether, pointRange, points, whole } from "#text/numbers.ts";
import type { Interval } from "../statistics/statistics.ts";
import type { EqualCost, MethodResult, Results, TaskResult, TimeResult } from "../summary/results.ts";
import { detectable, gradedWords, noneRight, overBudgetNote, poolDoubt } from "./cells.ts";
import { type Html, html } from "./html.ts";
import { competitorsOn, competitorsOver, isClear, standingOut, taskStanding } from "./standing.ts";

export function methodName({ id, oracle }: { id: string; oracle: boolean }, notes: Readonly<Record<string, string>> = {}): Html {
  const note = Object.hasOwn(notes, id) ? html` <small>${notes[id]}</small>` : html``;
  return oracle ? html`${id} <abbr title="looks at the reference answer: an upper bound">†</abbr>${note}` : html`${id}${note}`;
}

export function tableOf(label: string, head: readonly string[], rows: readonly Html[], className = ""): Html {
  return html`<div class="scroll" role="region" aria-label="${label}, scrollable" tabindex="0"><table class="${className}" aria-label="${label}">
<thead><tr>${head.map((name) => html`<th scope="col">${name}</th>`)}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

/** Rows methods, columns tasks and the mean over them, then tokens. The best of each column is bold, unless all are one; oracles do not compete. */
export function overviewTable(results: Results, notes: Readonly<Record<string, string>> = {}): Html {
  const { tasks, overall } = results;
  const idsOf = (rows: readonly { id: string }[]) => new Set(rows.map(({ id }) => id));
  const best = tasks.map((task) => idsOf(standingOut(competitorsOn(task))));
  const bestMean = idsOf(standingOut(competitorsOver(results)));
  const emphasise = (share: number, isBest: boolean) =>
    isBest ? html`<strong>${percent(share)}</strong>` : html`${percent(share)}`;
  const rows = overall.map((row) => {
    const cells = tasks.map((task, index) => {
      const method = task.methods.find(({ id }) => id === row.id);
      return method ? html`<td>${emphasise(method.accuracy, best[index].has(row.id))}</td>` : html`<td>–</td>`;
    });
    const { accuracy } = row.macro;
    return html`<tr><th scope="row">${methodName(row, notes)}</th>${cells}
<td>${emphasise(accuracy, bestMean.has(row.id))}${row.tasks < tasks.length ? html` <small>of ${row.tasks} tasks</small>` : html``}</td>
<td>${whole(row.tokensPerAnswer)}</td></tr>`;
  });
  return html`<p class="note">Accuracy in per cent; average over tasks, each with the same weight; sampled tokens of an answer, drafts and feedback included.</p>
${tableOf("Methods over tasks", ["method", ...tasks.map(({ task }) => task), "average", "tokens"], rows, "overview-table")}`;
}

/** The averages with their intervals, and what they differ by from plain answers and from resampling. */
export function averagesTable({ tasks, overall }: Results): Html {
  const rows = overall.map((row) => {
    const partial = row.tasks < tasks.length ? html` <small>over ${row.tasks} of ${tasks.length} tasks</small>` : html``;
    return html`<tr><th scope="row">${methodName(row)}</th>
<td>${percent(row.macro.accuracy)} <small>${percentRange(row.macro.interval)}</small>${partial}</td>
<td>${percent(row.micro.accuracy)} <small>${percentRange(row.micro.interval)}</small></td>
<td>${differenceCell(row.versusBaseline)}</td><td>${differenceCell(row.versusResampling)}</td><td>${tokenCell(row)}</td></tr>`;
  });
  const head = ["method", "average over tasks", "over all items", "Δ plain", "Δ resampling", "tokens"];
  return html`<h3>Averages against plain answers and resampling</h3><p class="note">Intervals put together from those of the tasks. Δ in points, p corrected over the methods by Holm's method: from plain answers, and from resampling at the same sampled tokens.</p>
${tableOf("Averages over tasks", head, rows, "averages-table")}`;
}

/** One method a row: accuracy, both comparisons, cost, transitions. */
export function taskTable(task: TaskResult, notes: Readonly<Record<string, string>> = {}, temperature?: number): Html {
  const rows = task.methods.map((method) => {
    const failed = method.failures > 0 ? html` <small>${failedWords(method)}</small>` : html``;
    const strict =
      method.strictAccuracy === undefined ? html`` : html` <small>${percent(method.strictAccuracy)} strict form</small>`;
    return html`<tr><th scope="row">${methodName(method, notes)}${failed}</th>
<td><strong>${percent(method.accuracy)}</strong> <small>${percentRange(method.interval)}</small>${strict}</td>
<td>${method.versusBaseline ? pairCell(method.versusBaseline.difference, method.versusBaseline.interval, method.versusBaseline.pHolm) : html`–`}</td>
<td>${costCell(method.resampling?.generated, method.notComparable)}</td><td>${costCell(method.resampling?.all, undefined)}</td>
<td>${tokenCell(method)} <small>${fixed(method.callsPerAnswer, 1)} calls</small></td>
<td>${moneyCell(method)}</td>
<td>${transition(method, method.wrongToRight)} <small>${transition(method, method.rightToWrong)} spoiled</small></td></tr>`;
  });
  const head = [
    "method",
    "accuracy",
    "Δ plain",
    "Δ resampling, by sampled tokens",
    "by all tokens",
    "tokens",
    "cost per right answer",
    "set right",
  ];
  return html`<p class="note">${taskNote(task)}</p>${tableOf(`Results of ${task.task}${at(temperature)}`, head, rows, "task-table")}`;
}

/** Names a table that stands on the page a second time. */
function at(temperature: number | undefined): string {
  return temperature === undefined ? "" : ` at temperature ${temperature}`;
}

/** The pairs that were to be compared with each other. */
export function comparisonsTable({ task, comparisons = [] }: TaskResult, temperature?: number): Html {
  if (comparisons.length === 0) return html``;
  const rows = comparisons.map(({ a, b, difference, interval, pValue, pHolm, test, items }) => {
    const verdict = isClear({ pHolm }) ? `${difference > 0 ? a : b} is better` : difference === 0 ? "a tie" : "not clear";
    return html`<tr><th scope="row">${a} − ${b}</th><td><strong>${points(difference)}</strong></td>
<td class="together">${pointRange(interval)}</td><td>${formatP(pValue)}</td><td>${formatP(pHolm)}</td><td>${test === "mcnemar" ? "McNemar, exact" : "sign flips"}</td><td>${items}</td><td>${verdict}</td></tr>`;
  });
  const head = ["comparison", "difference", "interval", "p, uncorrected", "p, corrected", "test", "items", "reading"];
  return html`<h4>Compared with each other</h4><p class="note">Differences of accuracy in percentage points, paired by item; bootstrap intervals (95&nbsp;%), p corrected for all rows by Holm's method.</p>
${tableOf(`Comparisons of ${task}${at(temperature)}`, head, rows, "comparisons-table")}`;
}

function taskNote(task: TaskResult): string {
  const effects = task.methods.flatMap((method) => method.versusBaseline?.minimumDetectableEffect ?? []);
  const pool = task.pool;
  const over = overBudgetNote(task);
  return [
    taskStanding(task, { where: "", intervals: false }),
    `${counted(task.items, "item")}${task.clusters === undefined ? "" : ` in ${task.clusters} clusters, which the intervals allow for`}.`,
    detectable(effects, task.baseline),
    pool
      ? `Resampling: ${pool.rule === "single" ? "a single plain answer, as these answers cannot be voted on" : `a vote over up to ${pool.samples} plain samples`}${pool.floor ? ", or the greedy plain answer where that is better" : ""}; prompts ${pool.prompts}.`
      : `No resampling: ${task.poolMissing}.`,
    over === undefined ? "" : `${over[0].toUpperCase()}${over.slice(1)}.`,
    poolDoubt(task) === undefined ? "" : `Doubtful${poolDoubt(task)!.slice("doubtful".length)}.`,
    pool && pool.itemsLeftOut > 0
      ? `${counted(pool.itemsLeftOut, "item is", "items are")} left out of it, without a whole pool.`
      : "",
    task.chance ? `Guessing reaches ${percent(task.chance)}.` : "",
  ].join(" ");
}

/** Everything else about a task, for those who look closer. */
export function taskDetails(task: TaskResult, times: readonly TimeResult[]): Html {
  return html`${costsTable(task, times)}${endingsTable(task)}${verificationTable(task)}${groupsTable(task)}`;
}

/** Resampling at equal dollars and seconds, and best-of-n by the same scorer. */
function costsTable(task: TaskResult, times: readonly TimeResult[]): Html {
  const timeOf = new Map(times.filter((time) => time.task === task.task).map((time) => [time.method, time]));
  const rows = task.methods.map((method) => {
    const time = timeOf.get(method.id);
    const effect = method.versusBaseline;
    return html`<tr><th scope="row">${methodName(method)}</th>
<td>${costCell(method.resampling?.dollars, undefined)}</td><td>${costCell(time?.resampling, undefined)}</td>
<td>${costCell(method.bestOfN?.generated, undefined)}</td>
<td>${method.dollarsPerAnswer === undefined ? "unknown" : dollars(method.dollarsPerAnswer)}</td>
<td>${time ? `${fixed(time.meanSeconds, 1)} s` : "unknown"} <small>${time ? `median ${fixed(time.medianSeconds, 1)} s` : ""}</small></td>
<td>${effect?.minimumDetectableEffect === undefined ? "–" : percent(effect.minimumDetectableEffect)}</td>
<td>${effect ? (effect.test === "mcnemar" ? `${effect.onlyThis} : ${effect.onlyOther}` : "–") : "–"} <small>${effect ? `uncorrected p ${formatP(effect.pValue)}, ${effect.test === "mcnemar" ? "McNemar" : "sign flips"}` : ""}</small></td></tr>`;
  });
  const head = [
    "method",
    "Δ resampling, dollars",
    "Δ resampling, seconds",
    "Δ best-of-n, tokens",
    "dollars per answer",
    "time per answer",
    "detectable Δ",
    "only this : only plain",
  ];
  return html`<details><summary>Other costs, power, and tests</summary><p class="note">Seconds of k samples are k times those of one plain answer; a server that samples side by side makes resampling cheaper than that. Detectable Δ: found four times in five with these items.</p>${tableOf(`Costs of ${task.task}`, head, rows)}</details>`;
}

function endingsTable(task: TaskResult): Html {
  const counts = (entries: Readonly<Record<string, number>>) =>
    Object.entries(entries)
      .map(([name, count]) => `${name} ${count}`)
      .join(", ") || "–";
  const rows = task.methods.map(
    (
      method,
    ) => html`<tr><th scope="row">${methodName(method)}</th><td>${percentTogether(method.extractionFailures)}</td><td>${counts(method.reasons)}</td><td>${counts(method.statuses)}</td>
<td>${method.unknownTokens}</td><td>${method.accuracyByAttempt?.map((accuracy) => percent(accuracy)).join(" → ") ?? "–"}</td><td>${method.oscillation === undefined ? "–" : percentTogether(method.oscillation)}</td></tr>`,
  );
  const head = [
    "method",
    "no answer found",
    "how answers ended",
    "how grading ended",
    "unknown tokens",
    "accuracy by attempt",
    "right → wrong → right",
  ];
  return html`<details><summary>How answers ended, and attempt by attempt</summary>${tableOf(`Endings of ${task.task}`, head, rows)}</details>`;
}

function verificationTable(task: TaskResult): Html {
  const figure = (value: number | undefined) => fixed(value, 2);
  const rows = task.methods.flatMap((method) =>
    (method.verification ?? []).flatMap(({ by, byGroup = [], byPassRate = [], ...overall }) => {
      const parts = [
        { where: "all", ...overall },
        ...byGroup.map(({ group, ...metrics }) => ({ where: group, ...metrics })),
        ...byPassRate.map(({ passRate: [low, high], ...metrics }) => ({
          where: high === 0 ? "plain never right" : `plain right ${percent(low)}–${percent(high)} %`,
          ...metrics,
        })),
      ];
      return parts.map(
        (
          part,
        ) => html`<tr><th scope="row">${part.where === "all" ? html`${method.id}: ${by}` : html`<span class="indent">${part.where}</span>`}</th>
<td>${part.verdicts}</td><td>${part.unreadable}</td><td>${figure(part.baseRate)}</td><td>${figure(part.precision)}</td><td>${figure(part.recall)}</td><td>${figure(part.specificity)}</td>
<td>${figure(part.f1)}</td><td>${figure(part.balancedAccuracy)}</td><td>${figure(part.mcc)}</td><td>${figure(part.auroc)}</td><td>${figure(part.calibrationError)}</td><td>${figure(part.brier)}</td></tr>`,
      );
    }),
  );
  if (rows.length === 0) return html``;
  const head = [
    "verdicts of",
    "verdicts",
    "unreadable",
    "base rate",
    "precision",
    "recall",
    "specificity",
    "F1",
    "balanced",
    "MCC",
    "AUROC",
    "ECE",
    "Brier",
  ];
  return html`<details><summary>How good the methods' own verdicts are</summary><p class="note">Against the grade of the attempt each verdict is about, by group and by how often plain answers to the item are right. Precision falls with the base rate: read them together.</p>${tableOf(`Verdicts of ${task.task}`, head, rows)}</details>`;
}

function groupsTable(task: TaskResult): Html {
  const groups = [...new Set(task.methods.flatMap((method) => method.byGroup?.map(({ group }) => group) ?? []))];
  if (groups.length === 0) return html``;
  const rows = groups.map((group) => {
    const cells = task.methods.map((method) => {
      const found = method.byGroup?.find((candidate) => candidate.group === group);
      return found ? html`<td>${percent(found.accuracy)} <small>${percentRange(found.interval)}</small></td>` : html`<td>–</td>`;
    });
    const items = Math.max(
      ...task.methods.map((method) => method.byGroup?.find((candidate) => candidate.group === group)?.items ?? 0),
    );
    return html`<tr><th scope="row">${group} <small>${counted(items, "item")}</small></th>${cells}</tr>`;
  });
  return html`<details><summary>By group</summary>${tableOf(`Groups of ${task.task}`, ["group", ...task.methods.map(({ id }) => id)], rows)}</details>`;
}

/** How many failed, how they are graded, and how many the means of tokens leave out. */
function failedWords({ failures, failuresRight = 0, failuresUnsampled = 0, answers }: MethodResult): string {
  const graded = `${failures} of ${counted(answers, "answer")} failed (${gradedWords(failures, failuresRight)})`;
  return failuresUnsampled === 0
    ? graded
    : `${graded}; ${failuresUnsampled} before anything was sampled, left out of the means of tokens`;
}

function costCell(cost: EqualCost | undefined, missing: string | undefined): Html {
  if (!cost) return missing === undefined ? html`–` : html`– <small class="reason">${missing}</small>`;
  const amount = `${cost.outside === "above" ? "≥ " : cost.outside === "below" ? "< " : ""}${fixed(cost.samples, 1)} samples`;
  const name = cost.rule === "best-of-n" ? "best of " : cost.rule === "single" ? "one of " : "";
  return html`${pairCell(cost.difference, cost.differenceInterval, cost.pHolm)} <small>from ${percent(cost.accuracyAtSameTokens)}, ${name}${amount}</small>`;
}

export function pairCell(difference: number, interval: Interval, pHolm: number | undefined): Html {
  const p = pHolm === undefined ? html`` : html` <small>corrected p ${formatP(pHolm)}</small>`;
  const isSure = pHolm !== undefined && isClear({ pHolm });
  return html`<span class="${isSure ? "clear" : ""}">${points(difference)}</span> <small>${pointRange(interval)}</small>${p}`;
}

function differenceCell(difference: { difference: number; interval: Interval; pHolm: number } | undefined): Html {
  return difference ? pairCell(difference.difference, difference.interval, difference.pHolm) : html`–`;
}

function tokenCell({ tokensPerAnswer, allTokensPerAnswer }: Pick<MethodResult, "tokensPerAnswer" | "allTokensPerAnswer">): Html {
  if (tokensPerAnswer === undefined) return html`unknown`;
  return html`${whole(tokensPerAnswer)} <small>${whole(allTokensPerAnswer)} with prompts</small>`;
}

function moneyCell({ accuracy, costPerCorrect, tokensPerCorrect }: MethodResult): Html {
  if (accuracy === 0) return html`${noneRight}`;
  const money = costPerCorrect === undefined ? html`` : html`${dollars(costPerCorrect)} `;
  const tokens = tokensPerCorrect === undefined ? html`tokens unknown` : html`<small>${whole(tokensPerCorrect)} tokens</small>`;
  return html`${money}${tokens}`;
}

function transition(method: MethodResult, value: number): string {
  return method.transitions ? percentTogether(value) : "–";
}
