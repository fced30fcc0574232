/** Training curves: what the reward was made of, accuracy refined and plain, refinements, lengths, and how far the policy moved. */
import { element, shortText, wholeText } from "./dom.js";
import { figure, lineLegend, readoutTip, seriesColours, seriesDashes } from "./figures.js";

/** @import { TrainingHistory } from "../report/training-history.ts" */

/**
 * @typedef {object} Curve
 * @property {string} name group and metric, as the legend shows it
 * @property {string} colour by metric, or by group where there is one metric
 * @property {string} dash by group
 * @property {{ step: number, value: number }[]} mean over the runs of the group, smoothed
 * @property {{ step: number, value: number, run: string }[]} raw
 */

/** @typedef {{ title: string, series: { name: string, metrics: string[] }[] }} TrainingPlot */

/** @type {TrainingPlot[]} each series takes the first of its metrics that a run has */
export const trainingPlots = [
  { title: "Reward", series: [{ name: "reward", metrics: ["reward"] }] },
  {
    title: "Reward terms",
    series: [
      { name: "format", metrics: ["rewardTerms.format", "rewardFormat"] },
      { name: "accuracy", metrics: ["rewardTerms.accuracy", "rewardAccuracy"] },
      { name: "refinement", metrics: ["rewardTerms.refine", "rewardRefine"] },
    ],
  },
  {
    title: "Accuracy on the same questions",
    series: [
      { name: "refined", metrics: ["accuracyRefined"] },
      { name: "plain", metrics: ["accuracyPlainCompared", "accuracyPlain"] },
    ],
  },
  { title: "Refinements per answer", series: [{ name: "refinements", metrics: ["refinements", "refineSpans"] }] },
  { title: "Needless refinements per answer", series: [{ name: "needless", metrics: ["needless", "evaluation.needless"] }] },
  {
    title: "Refinements by the plain answers",
    series: [
      { name: "where plain is right", metrics: ["refinementsWherePlainRight"] },
      { name: "where plain is wrong", metrics: ["refinementsWherePlainWrong"] },
    ],
  },
  {
    title: "Tokens per answer",
    series: [
      { name: "refined", metrics: ["tokensRefined", "tokensPerAnswer"] },
      { name: "plain", metrics: ["tokensPlain"] },
    ],
  },
  { title: "Loss", series: [{ name: "loss", metrics: ["loss"] }] },
  { title: "Loss on held-out examples", series: [{ name: "loss", metrics: ["evaluation.validationLoss"] }] },
  { title: "Format kept", series: [{ name: "share", metrics: ["formatRate"] }] },
  { title: "KL to the reference", series: [{ name: "KL", metrics: ["kl"] }] },
  { title: "Entropy of the policy (−log p of sampled tokens)", series: [{ name: "entropy", metrics: ["entropyEstimate"] }] },
  { title: "Gradient norm", series: [{ name: "norm", metrics: ["gradientNorm"] }] },
];

/** @param {HTMLElement} place @param {readonly TrainingHistory[]} training */
export function drawTraining(place, training) {
  const groups = [...new Set(training.map((history) => history.group ?? ""))];
  const drawn = new Set();
  const grid = element("div", { class: "small-multiples" });
  for (const { title, series } of trainingPlots) {
    const curves = groups.flatMap((group, groupIndex) =>
      series.flatMap(({ name, metrics }, seriesIndex) => {
        const histories = training.filter((history) => (history.group ?? "") === group);
        const metric = metrics.find((candidate) => histories.some((history) => candidate in history.metrics));
        if (metric === undefined) return [];
        drawn.add(metric);
        const label = [group, series.length > 1 || group === "" ? name : ""].filter((part) => part !== "").join(", ");
        return [makeCurve(label, metric, histories, series.length > 1 ? seriesIndex : groupIndex, groupIndex)];
      }),
    );
    if (curves.some((curve) => curve.mean.length > 0)) grid.append(curvesFigure(title, curves));
  }
  place.append(grid);
  const runs = training.map((history) => [history.group, history.label].filter(Boolean).join(", "));
  place.append(
    element(
      "p",
      { class: "note" },
      `Runs: ${runs.join("; ")}. Thin lines: single runs. Thick lines: the mean over runs, smoothed.`,
    ),
  );

  const others = [...new Set(training.flatMap((history) => Object.keys(history.metrics)))]
    .filter((metric) => !drawn.has(metric))
    .sort();
  if (others.length === 0) return;
  const more = element("div", { class: "small-multiples" });
  const details = element("details", {}, element("summary", {}, `${others.length} more curves`), more);
  details.addEventListener(
    "toggle",
    () => {
      for (const metric of others) {
        const curves = groups.map((group, index) => {
          const histories = training.filter((history) => (history.group ?? "") === group);
          return makeCurve(group || metric, metric, histories, index, index);
        });
        more.append(curvesFigure(metric, curves));
      }
    },
    { once: true },
  );
  place.append(details);
}

/** @param {string} name @param {string} metric @param {TrainingHistory[]} histories @param {number} colour @param {number} dash @returns {Curve} */
function makeCurve(name, metric, histories, colour, dash) {
  const raw = histories.flatMap(({ label, steps, metrics }) =>
    (metrics[metric] ?? []).flatMap((value, index) => (value === null ? [] : [{ step: steps[index], value, run: label }])),
  );
  /** @type {Map<number, number[]>} */
  const byStep = new Map();
  for (const { step, value } of raw) byStep.set(step, [...(byStep.get(step) ?? []), value]);
  const means = [...byStep]
    .sort(([first], [second]) => first - second)
    .map(([step, values]) => ({ step, value: average(values) }));
  const reach = Math.floor(means.length / 30);
  const mean = means.map(({ step }, index) => ({
    step,
    value: average(means.slice(Math.max(0, index - reach), index + reach + 1).map((point) => point.value)),
  }));
  return {
    name,
    mean,
    raw,
    colour: seriesColours[colour % seriesColours.length],
    dash: seriesDashes[dash % seriesDashes.length],
  };
}

/** @param {number[]} values */
function average(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** @param {string} title @param {Curve[]} curves */
function curvesFigure(title, curves) {
  const shown = curves.filter((curve) => curve.mean.length > 0);
  const changes = shown.map(
    ({ name, mean }) => `${name}: ${shortText(mean[0].value)} → ${shortText(mean[mean.length - 1].value)}`,
  );
  const readouts = shown.flatMap(({ mean, name }) =>
    mean.map(({ step, value }) => ({ x: step, y: value, text: `${name}\nstep ${wholeText(step)}: ${shortText(value)}` })),
  );
  const made = figure({
    title,
    readouts,
    label: `${title} by training step. ${changes.join("; ")}`,
    draw: (width) =>
      Plot.plot({
        width,
        height: 210,
        marginLeft: 46,
        marginRight: 12,
        marginTop: 14,
        marginBottom: 34,
        style: { fontSize: "12px", background: "transparent" },
        x: {
          label: "step →",
          ticks: 5,
          tickFormat: (/** @type {number} */ value) => (Number.isInteger(value) ? String(value) : ""),
        },
        y: { label: null, grid: true, ticks: 5, nice: true, tickFormat: shortText },
        marks: [
          ...shown.flatMap(({ raw, mean, colour, dash }) => [
            Plot.lineY(raw, { x: "step", y: "value", z: "run", stroke: colour, strokeOpacity: 0.25, strokeWidth: 1 }),
            Plot.lineY(mean, { x: "step", y: "value", stroke: colour, strokeWidth: 2.5, strokeDasharray: dash }),
          ]),
          readoutTip(readouts),
        ],
      }),
  });
  made.append(lineLegend(shown.map(({ colour, dash }, index) => ({ colour, dash, text: changes[index] }))));
  return made;
}
