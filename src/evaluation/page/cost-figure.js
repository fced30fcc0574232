/** Accuracy against tokens: each method as a point with its interval, and what voting over plain answers reaches at each cost. */
import { element, percentText, wholeText } from "./dom.js";
import { figure, placeLabels, readoutTip, seriesColours } from "./figures.js";

/** @import { CurvePoint, MethodResult, ResamplingPool } from "../summary/results.ts" */
/** @typedef {"generated" | "all"} Convention */
/**
 * Results of one task, which may have a best-of-n curve too.
 * @typedef {object} CostResults
 * @property {Pick<MethodResult, "id" | "accuracy" | "interval" | "tokensPerAnswer" | "allTokensPerAnswer">[]} methods
 * @property {readonly CurvePoint[]} resamplingCurve
 * @property {CurvePoint[]} [bestOfNCurve]
 * @property {Pick<ResamplingPool, "floor">} [pool]
 * @property {string | undefined} [curveName] what plain samples are made into; a vote when left out
 */

/** @param {HTMLElement} place @param {CostResults} results */
export function drawCost(place, results) {
  const holder = element("div");
  /** @param {Convention} convention */
  const show = (convention) => holder.replaceChildren(costFigure(results, convention));
  /** @param {Convention} value @param {string} text */
  const choice = (value, text) => {
    const input = element("input", { type: "radio", name: "token-convention", value, checked: value === "generated" });
    input.addEventListener("change", () => show(value));
    return element("label", {}, input, text);
  };
  place.append(
    element(
      "fieldset",
      { class: "choices" },
      element("legend", {}, "Count"),
      choice("generated", "sampled tokens"),
      choice("all", "sampled tokens and prompts"),
    ),
    holder,
  );
  show("generated");
}

/** @param {CostResults} results @param {Convention} convention */
function costFigure(results, convention) {
  const points = results.methods.flatMap((method, index) => {
    const tokens = convention === "generated" ? method.tokensPerAnswer : method.allTokensPerAnswer;
    if (tokens === undefined) return [];
    const [low, high] = method.interval;
    return [{ id: method.id, tokens, accuracy: method.accuracy, low, high, colour: seriesColours[index % seriesColours.length] }];
  });
  /** @param {readonly CurvePoint[]} curve */
  const pointsOf = (curve) =>
    curve.map((point) => ({
      tokens: point[convention],
      accuracy: point.accuracy,
      low: point.interval[0],
      high: point.interval[1],
      samples: point.samples,
    }));
  const curve = pointsOf(results.resamplingCurve);
  const best = pointsOf(results.bestOfNCurve ?? []);
  const unknown = results.methods.length - points.length;
  if (points.length + curve.length === 0) return element("p", { class: "note" }, "No method's tokens are known.");
  const onLine = (/** @type {typeof curve} */ line, /** @type {string} */ name) =>
    line.map(({ tokens, accuracy, low, high, samples }) => ({
      x: tokens,
      y: accuracy,
      text: `${name}, ${samples === 1 ? "1 sample" : `${samples} samples`}\n${withInterval(accuracy, low, high)}\n${wholeText(tokens)} tokens`,
    }));
  const readouts = [
    ...points.map(({ id, tokens, accuracy, low, high }) => ({
      x: tokens,
      y: accuracy,
      text: `${id}\n${withInterval(accuracy, low, high)}\n${wholeText(tokens)} tokens`,
    })),
    ...onLine(curve, "plain samples"),
    ...onLine(best, "best by the scorer"),
  ];
  const unnamed = element("p", { class: "note" });
  const drawing = figure({
    readouts,
    label: points.map(({ id, tokens, accuracy }) => `${id}: ${percentText(accuracy)} at ${wholeText(tokens)} tokens`).join("; "),
    caption:
      "Points: methods, with 95 % intervals. " +
      (curve.length > 0
        ? `Line and band: ${results.curveName ?? "voting over 1, 2, 3 … sampled plain answers"}.${results.pool?.floor ? " Where the greedy plain answer is better than these, it stands in their place, and the line is level." : ""} A method below the line loses to plain resampling at its own cost.`
        : "") +
      (best.length > 0 ? " Dotted line: the best of 1, 2, 3 … samples by the scorer." : "") +
      (unknown > 0
        ? ` ${unknown === 1 ? "1 method with unknown tokens is" : `${unknown} methods with unknown tokens are`} not shown.`
        : ""),
    draw(width) {
      const height = Math.min(460, Math.max(320, width * 0.5));
      const margin = { left: 48, right: 20, top: 26, bottom: 42 };
      const all = [...points, ...curve, ...best];
      const tokens = all.map((point) => point.tokens);
      /** @type {import("@observablehq/plot").ScaleOptions} */
      const x = {
        type: "log",
        domain: [Math.min(...tokens) / 1.25, Math.max(...tokens) * 1.25],
        range: [margin.left, width - margin.right],
      };
      const lowest = Math.max(0, Math.min(...all.map((point) => point.low)) - 0.04);
      const highest = Math.min(1, Math.max(...all.map((point) => point.high)) + 0.04);
      /** @type {import("@observablehq/plot").ScaleOptions} */
      const y = { domain: [lowest, highest], range: [height - margin.bottom, margin.top] };
      const [scaleX, scaleY] = [Plot.scale({ x }), Plot.scale({ y })];
      const labels = placeLabels(
        points.map((point) => ({ x: scaleX.apply(point.tokens), y: scaleY.apply(point.accuracy), text: point.id })),
        { left: margin.left, right: width - 2, top: 2, bottom: height - margin.bottom },
      );
      const hidden = points.filter((_, index) => !labels[index].free);
      unnamed.textContent =
        hidden.length === 0
          ? ""
          : `No room for the names of ${hidden.map(({ id, tokens, accuracy }) => `${id} (${percentText(accuracy)} at ${wholeText(tokens)})`).join(", ")}.`;
      /** @param {"start" | "end" | "middle"} anchor */
      const labelMark = (anchor) =>
        Plot.text(
          labels.filter((label) => label.free && label.anchor === anchor),
          {
            x: (label) => scaleX.invert?.(label.x),
            y: (label) => scaleY.invert?.(label.y),
            text: "text",
            textAnchor: anchor,
            fill: "var(--ink)",
            stroke: "var(--surface)",
            strokeWidth: 4,
            fontSize: 12,
          },
        );
      return Plot.plot({
        width,
        height,
        marginLeft: margin.left,
        marginRight: margin.right,
        marginTop: margin.top,
        marginBottom: margin.bottom,
        style: { fontSize: "12px", background: "transparent" },
        x: {
          ...x,
          label: "tokens per answer →",
          ticks: width < 600 ? 4 : 8,
          tickFormat: (/** @type {number} */ value) => wholeText(value),
        },
        y: {
          ...y,
          label: "↑ accuracy",
          ticks: 6,
          grid: true,
          tickFormat: (/** @type {number} */ value) => percentText(value, 0),
        },
        marks: [
          Plot.areaY(curve, { x: "tokens", y1: "low", y2: "high", fill: "var(--muted)", fillOpacity: 0.16 }),
          Plot.lineY(curve, { x: "tokens", y: "accuracy", stroke: "var(--muted)", strokeWidth: 2, strokeDasharray: "6 3" }),
          Plot.lineY(best, { x: "tokens", y: "accuracy", stroke: "var(--series-4)", strokeWidth: 2, strokeDasharray: "2 3" }),
          Plot.ruleX(points, { x: "tokens", y1: "low", y2: "high", stroke: "colour", strokeWidth: 2 }),
          Plot.dot(points, {
            x: "tokens",
            y: "accuracy",
            fill: "colour",
            symbol: "id",
            r: 6,
            stroke: "var(--surface)",
            strokeWidth: 1,
          }),
          labelMark("start"),
          labelMark("end"),
          labelMark("middle"),
          readoutTip(readouts),
        ],
      });
    },
  });
  drawing.append(unnamed);
  return drawing;
}

/** @param {number} share @param {number} low @param {number} high */
function withInterval(share, low, high) {
  return `${percentText(share)} (${percentText(low)} to ${percentText(high)})`;
}
