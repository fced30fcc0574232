/** pass@t: the share of items with at least one right attempt against the tokens sampled so far, if an oracle did the choosing. */
import { element, percentText, wholeText } from "./dom.js";
import { figure, lineLegend, readoutTip, seriesColours, seriesDashes } from "./figures.js";

/** @import { TaskResult } from "../summary/results.ts" */

/** @param {HTMLElement} place @param {TaskResult} task */
export function drawPass(place, task) {
  const curves = task.passAtTokens.filter((curve) => curve.points.length > 0);
  if (curves.length === 0) {
    place.append(element("p", { class: "note" }, "No method made several attempts whose tokens are known."));
    return;
  }
  const drawn = curves.map((curve, index) => ({
    name: curve.id === task.pool?.method ? "plain samples" : curve.id,
    points: curve.points,
    colour: seriesColours[index % seriesColours.length],
    dash: seriesDashes[index % seriesDashes.length],
  }));
  const ends = drawn.map(({ name, points }) => {
    const last = points[points.length - 1];
    return `${name}: ${percentText(last.share)} at ${wholeText(last.tokens)} tokens`;
  });
  const readouts = drawn.flatMap(({ name, points }) =>
    points.map(({ tokens, share, attempts }) => ({
      x: tokens,
      y: share,
      text: `${name}, ${attempts} ${attempts === 1 ? "attempt" : "attempts"}\n${percentText(share)} at ${wholeText(tokens)} tokens`,
    })),
  );
  place.append(
    figure({
      readouts,
      label: `Share of items with a right attempt, by sampled tokens. ${ends.join("; ")}`,
      caption:
        "Items with at least one right attempt after 1, 2, 3 … attempts, all of them paid for. An upper bound (oracle): nobody could tell the right attempt without the reference answer. The distance to a method's accuracy is what its choosing loses.",
      draw: (width) =>
        Plot.plot({
          width,
          height: Math.min(380, Math.max(280, width * 0.42)),
          marginLeft: 48,
          marginRight: 20,
          marginBottom: 42,
          style: { fontSize: "12px", background: "transparent" },
          x: {
            type: "log",
            label: "sampled tokens of an item →",
            ticks: width < 600 ? 4 : 8,
            tickFormat: (/** @type {number} */ value) => wholeText(value),
          },
          y: {
            label: "↑ items with a right attempt",
            grid: true,
            ticks: 6,
            tickFormat: (/** @type {number} */ value) => percentText(value, 0),
          },
          marks: [
            ...drawn.map(({ points, colour, dash }) =>
              Plot.lineY(points, {
                x: "tokens",
                y: "share",
                stroke: colour,
                strokeWidth: 2.2,
                strokeDasharray: dash,
              }),
            ),
            ...drawn.map(({ points, colour }) => Plot.dot(points, { x: "tokens", y: "share", r: 3, fill: colour })),
            readoutTip(readouts),
          ],
        }),
    }),
    lineLegend(drawn.map(({ colour, dash }, index) => ({ colour, dash, text: ends[index] }))),
  );
}
