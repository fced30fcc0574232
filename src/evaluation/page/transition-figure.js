/** What each method made of the baseline's answers: stayed right, became right, became wrong, stayed wrong. */
import { element, percentText } from "./dom.js";
import { figure, readoutTip } from "./figures.js";

/** @import { MethodResult } from "../summary/results.ts" */

/** In reading order; the first two together are the accuracy. Became-segments are hatched, so colour is not the only sign. */
const fates = /** @type {const} */ ([
  { key: "rightToRight", name: "stayed right", fill: "var(--right)", ink: "var(--on-strong)" },
  { key: "wrongToRight", name: "wrong → right", fill: "url(#hatch-gained)", ink: "var(--ink)" },
  { key: "rightToWrong", name: "right → wrong", fill: "url(#hatch-lost)", ink: "var(--ink)" },
  { key: "wrongToWrong", name: "stayed wrong", fill: "var(--stayed-wrong)", ink: "var(--ink)" },
]);

/**
 * @typedef {object} TransitionResults
 * @property {string} baseline
 * @property {Pick<MethodResult, "id" | "rightToRight" | "wrongToRight" | "rightToWrong" | "wrongToWrong">[]} methods
 */

/** @param {HTMLElement} place @param {TransitionResults} results */
export function drawTransitions(place, results) {
  const methods = results.methods.filter((method) => method.id !== results.baseline);
  const segments = methods.flatMap((method) => {
    let start = 0;
    return fates.map(({ key, name, fill, ink }) => {
      const share = method[key];
      start += share;
      return { id: method.id, name, fill, ink, share, x1: start - share, x2: start };
    });
  });
  const drawn = segments.filter(({ share }) => share > 0);
  const read = drawn.map(({ id, name, share, x1, x2 }) => {
    const of = { x: (x1 + x2) / 2, y: id, text: `${id}\n${name}: ${percentText(share)}` };
    // Close enough to each other that the nearest one is in the bar that the pointer is in.
    const places = Math.ceil(share * 60);
    return { of, places: Array.from({ length: places }, (_, at) => ({ ...of, x: x1 + ((at + 0.5) / places) * share, of })) };
  });
  const readouts = read.map(({ of }) => of);
  place.append(
    figure({
      readouts,
      label: methods
        .map((method) => `${method.id}: ${fates.map(({ key, name }) => `${percentText(method[key])} ${name}`).join(", ")}`)
        .join("; "),
      caption: `Each bar is all answers of a method, compared with those of ${results.baseline} to the same problems.`,
      draw(width) {
        const narrow = width < 560;
        const marginLeft = narrow ? 10 : Math.max(130, ...methods.map((method) => method.id.length * 6.8 + 12));
        const rowHeight = narrow ? 58 : 44;
        const chart = Plot.plot({
          width,
          height: methods.length * rowHeight + 70,
          marginLeft,
          marginRight: 16,
          marginTop: 10,
          marginBottom: 40,
          style: { fontSize: "12px", background: "transparent" },
          x: {
            domain: [0, 1],
            label: "share of answers →",
            tickFormat: (/** @type {number} */ value) => percentText(value, 0),
            ticks: 5,
          },
          y: {
            type: "band",
            domain: methods.map((method) => method.id),
            label: null,
            tickSize: 0,
            axis: narrow ? null : "left",
            paddingInner: narrow ? 0.5 : 0.3,
          },
          marks: [
            patterns,
            Plot.barX(segments, { x1: "x1", x2: "x2", y: "id", fill: "fill", stroke: "var(--surface)", strokeWidth: 1.5 }),
            Plot.text(
              segments.filter((segment) => segment.share * (width - marginLeft) > 42),
              {
                x: (segment) => (segment.x1 + segment.x2) / 2,
                y: "id",
                text: (segment) => percentText(segment.share),
                fill: "ink",
                stroke: (segment) => (segment.ink === "var(--ink)" ? "var(--surface)" : "none"),
                strokeWidth: 3,
                fontWeight: 600,
              },
            ),
            narrow ? Plot.text(methods, { x: 0, y: "id", text: "id", textAnchor: "start", dy: -24, fill: "var(--ink)" }) : null,
            readoutTip(read.flatMap(({ places }) => places)),
          ],
        });
        return chart;
      },
    }),
    legend(),
  );
}

function legend() {
  const entries = fates.map(({ key, name }) =>
    element("li", {}, element("span", { class: `swatch ${key}`, "aria-hidden": "true" }), name),
  );
  return element("ul", { class: "legend" }, ...entries);
}

/** Hatchings as a mark, so that they live in the chart's own drawing. */
function patterns() {
  const space = "http://www.w3.org/2000/svg";
  const definitions = document.createElementNS(space, "defs");
  for (const [id, colour, angle] of [
    ["hatch-gained", "var(--right)", "45"],
    ["hatch-lost", "var(--wrong)", "-45"],
  ]) {
    const pattern = document.createElementNS(space, "pattern");
    for (const [name, value] of Object.entries({
      id,
      width: "7",
      height: "7",
      patternUnits: "userSpaceOnUse",
      patternTransform: `rotate(${angle})`,
    })) {
      pattern.setAttribute(name, value);
    }
    const ground = document.createElementNS(space, "rect");
    const stripe = document.createElementNS(space, "rect");
    for (const [rect, width, opacity] of /** @type {const} */ ([
      [ground, "7", "0.3"],
      [stripe, "3", "0.75"],
    ])) {
      rect.setAttribute("width", width);
      rect.setAttribute("height", "7");
      rect.setAttribute("fill", colour);
      rect.setAttribute("fill-opacity", opacity);
    }
    pattern.append(ground, stripe);
    definitions.append(pattern);
  }
  return definitions;
}
