/** Reads the page's data, switches between runs and tasks, and draws what belongs to the one chosen. */
import { followAddress, inAddress, noteStep } from "./address.js";
import { choiceOf } from "./answer-parts.js";
import { drawCost } from "./cost-figure.js";
import { byId, element } from "./dom.js";
import { drawItemBrowser } from "./item-browser.js";
import { cannotUnpack, readIndexes } from "./packed.js";
import { drawPass } from "./pass-figure.js";
import { drawTraining } from "./training-figures.js";
import { drawTransitions } from "./transition-figure.js";

/** @import { TaskResult } from "../summary/results.ts" */

/** @type {import("../report/page-shape.ts").PageData} */
const report = JSON.parse(byId("page-data")?.textContent ?? "");
const chosen = { run: 0, task: report.runs[0].tasks[0]?.task ?? "" };

const curveNames = {
  vote: "voting over 1, 2, 3 … sampled plain answers",
  single: "a single plain answer, however many are sampled, as these answers cannot be voted on",
  "best-of-n": "the best of 1, 2, 3 … plain answers by a scorer",
};

/** @type {[string, (place: HTMLElement, task: TaskResult) => void][]} */
const taskFigures = [
  ["cost-figure", (place, task) => drawCost(place, { ...task, curveName: task.pool && curveNames[task.pool.rule] })],
  ["transition-figure", drawTransitions],
  ["pass-figure", drawPass],
];

function showChosen() {
  for (const panel of document.querySelectorAll(".task-panel")) {
    if (!(panel instanceof HTMLElement)) continue;
    panel.hidden = panel.dataset.run !== String(chosen.run) || panel.dataset.task !== chosen.task;
  }
  const task = report.runs[chosen.run].tasks.find((candidate) => candidate.task === chosen.task);
  for (const [id, draw] of taskFigures) {
    const place = byId(id);
    place?.replaceChildren();
    if (place && task) draw(place, task);
    else place?.append(element("p", { class: "note" }, "This run has no answers of this task."));
  }
}

/** @type {((task: string) => void) | undefined} */
let showTask;

const taskNames = [...new Set(report.runs.flatMap(({ tasks }) => tasks.map(({ task }) => task)))];
const runNames = report.runs.map(({ label }) => label);
const taskChoices = element("div", { class: "answer-controls" });

function showChoices() {
  const chooseRun = (/** @type {number} */ run) => {
    chosen.run = run;
    showChosen();
    noteStep();
  };
  const chooseTask = (/** @type {number} */ index) => {
    chosen.task = taskNames[index];
    showChosen();
    showTask?.(chosen.task);
    noteStep();
  };
  taskChoices.replaceChildren(
    ...(runNames.length > 1 ? [choiceOf("run", runNames, chosen.run, chooseRun)] : []),
    ...(taskNames.length > 1 ? [choiceOf("task", taskNames, taskNames.indexOf(chosen.task), chooseTask)] : []),
  );
}

inAddress({
  write(fields) {
    if (chosen.run > 0) fields.set("run", String(chosen.run + 1));
    if (taskNames.indexOf(chosen.task) > 0) fields.set("figures", chosen.task);
  },
  read(fields) {
    const run = Number(fields.get("run") ?? 1) - 1;
    const task = fields.get("figures") ?? "";
    chosen.run = report.runs[run] ? run : 0;
    chosen.task = taskNames.includes(task) ? task : (taskNames[0] ?? "");
    showChoices();
    showChosen();
  },
});

/** The items come when their index is unpacked; all else stands at once. */
async function start() {
  byId("task-choice")?.append(taskChoices);
  showChoices();
  showChosen();
  const trainingPlace = byId("training-figures");
  if (trainingPlace) drawTraining(trainingPlace, report.training);
  const place = byId("item-browser");
  if (place && report.browser.length > 0) {
    try {
      if (cannotUnpack !== undefined) throw new Error(cannotUnpack);
      showTask = drawItemBrowser(place, report, await readIndexes());
    } catch (error) {
      place.replaceChildren(element("p", { class: "warning" }, error instanceof Error ? error.message : String(error)));
    }
  }
  if (followAddress() && location.hash.includes("item=")) place?.scrollIntoView({ behavior: "instant" });
  document.documentElement.dataset.ready = "true";
}

void start();
