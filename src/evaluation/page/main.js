/** Reads the page's data and draws every section that is there. */
import { drawAnswers } from "./answers.js";
import { drawCost } from "./cost-figure.js";
import { byId } from "./dom.js";
import { drawTraining } from "./training-figures.js";
import { drawTransitions } from "./transition-figure.js";

/** @type {import("../report-data.ts").PageData} */
const data = JSON.parse(byId("page-data")?.textContent ?? "");
/** @type {[string, (place: HTMLElement) => void][]} */
const drawings = [
  ["cost-figure", (place) => drawCost(place, data.results)],
  ["transition-figure", (place) => drawTransitions(place, data.results)],
  ["training-figures", (place) => drawTraining(place, data.training)],
  ["answer-browser", (place) => drawAnswers(place, data)],
];
for (const [id, draw] of drawings) {
  const place = byId(id);
  if (place) draw(place);
}
document.documentElement.dataset.ready = "true";
