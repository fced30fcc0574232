/** Reads the page's data, switches between runs and tasks, and draws what belongs to the one chosen. */
import { choiceOf } from "./answer-parts.js";
import { drawCost } from "./cost-figure.js";
import { byId, element } from "./dom.js";
import { drawItemBrowser } from "./item-browser.js";
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

const trainingPlace = byId("training-figures");
if (trainingPlace) drawTraining(trainingPlace, report.training);
const browserPlace = byId("item-browser");
const showTask = browserPlace && report.browser.length > 0 ? drawItemBrowser(browserPlace, report) : undefined;
const taskNames = [...new Set(report.runs.flatMap(({ tasks }) => tasks.map(({ task }) => task)))];
const runNames = report.runs.map(({ label }) => label);
const taskChoices = element("div", { class: "answer-controls" });
if (runNames.length > 1) {
  const chooseRun = (/** @type {number} */ run) => {
    chosen.run = run;
    showChosen();
  };
  taskChoices.append(choiceOf("run", runNames, 0, chooseRun));
}
if (taskNames.length > 1) {
  const chooseTask = (/** @type {number} */ index) => {
    chosen.task = taskNames[index];
    showChosen();
    showTask?.(chosen.task);
  };
  taskChoices.append(choiceOf("task", taskNames, 0, chooseTask));
}
byId("task-choice")?.append(taskChoices);
showChosen();
document.documentElement.dataset.ready = "true";
