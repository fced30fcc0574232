/** A figure: a title, a chart that is drawn again when its width changes, and a sentence that says what it shows. */
import { element } from "./dom.js";

/** Colours of the page's style sheet, told apart in both modes and by colour-blind readers; never the only sign. */
export const seriesColours = [1, 2, 3, 4, 5, 6, 7].map((number) => `var(--series-${number})`);

export const seriesDashes = ["", "7 3", "2 3", "9 3 2 3", "4 2", "1 2", "12 4"];

/**
 * What a reader can read off a chart, in the chart's own units: the pointer shows the one it is nearest to, and the arrow keys go through all.
 * @typedef {{ x: number, y: number | string, text: string }} Readout
 */

/**
 * @param {object} figure
 * @param {string} [figure.title]
 * @param {string} [figure.caption]
 * @param {string} figure.label describes the chart to those who do not see it
 * @param {(width: number) => (Element | null)} figure.draw
 * @param {readonly Readout[]} [figure.readouts] in the order of the arrow keys; the chart shows them at the pointer by `readoutTip`
 */
export function figure({ title, caption, label, draw, readouts = [] }) {
  const canvas = element("div", { class: "canvas" });
  const said = element("p", { class: "readout", role: "status" });
  const made = element(
    "figure",
    {},
    title === undefined ? null : element("h3", {}, title),
    canvas,
    readouts.length === 0 ? null : said,
    caption === undefined ? null : element("figcaption", {}, caption),
  );
  let drawnWidth = 0;
  let at = -1;
  /** @type {Element | null} */
  let chart = null;
  const redraw = () => {
    const width = Math.floor(canvas.clientWidth);
    if (width === 0 || width === drawnWidth) return;
    drawnWidth = width;
    chart = draw(width);
    chart?.setAttribute("role", "img");
    chart?.setAttribute("aria-label", label);
    chart?.addEventListener("input", () => {
      // What the pointer is at; nothing where it has left the chart.
      const value = chart && "value" in chart ? /** @type {AtPointer | null} */ (chart.value) : null;
      if (value) say(value.of ?? value, false);
    });
    canvas.replaceChildren(...(chart ? [chart] : []));
  };
  /** @param {Readout} readout @param {boolean} ringed */
  const say = (readout, ringed) => {
    said.textContent = readout.text.replaceAll("\n", " · ");
    at = readouts.indexOf(readout);
    canvas.querySelector(".ring")?.remove();
    if (ringed && chart) ring(chart, readout);
  };
  if (readouts.length > 0) {
    canvas.tabIndex = 0;
    canvas.setAttribute("role", "group");
    canvas.setAttribute("aria-label", `${title ?? "Chart"}: ${readouts.length} values, read by the arrow keys`);
    canvas.addEventListener("keydown", (event) => {
      const ways = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -1e9, End: 1e9 };
      if (!(event.key in ways) || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const way = ways[/** @type {keyof typeof ways} */ (event.key)];
      const next = at < 0 ? (way === 1e9 ? readouts.length - 1 : 0) : at + way;
      say(readouts[Math.min(readouts.length - 1, Math.max(0, next))], true);
    });
  }
  new ResizeObserver(redraw).observe(canvas);
  return made;
}

/**
 * One that stands for another: what is wide, such as a bar, has several places where the pointer meets it.
 * @typedef {Readout & { of?: Readout }} AtPointer
 */

/** The readouts at the pointer, as a mark of the chart. @param {readonly AtPointer[]} readouts */
export function readoutTip(readouts) {
  return Plot.tip(readouts, Plot.pointer({ x: "x", y: "y", title: "text" }));
}

/** A ring around the place of a readout. @param {Element} chart @param {Readout} readout */
function ring(chart, { x, y }) {
  const { scale } = /** @type {import("@observablehq/plot").Plot} */ (/** @type {unknown} */ (chart));
  const [across, up] = [scale("x"), scale("y")];
  const drawing = chart.tagName === "svg" ? chart : chart.querySelector("svg");
  if (!across || !up || !drawing) return;
  const made = document.createElementNS("http://www.w3.org/2000/svg", "circle");
  const place = { cx: across.apply(x), cy: up.apply(y) + (up.bandwidth ?? 0) / 2, r: 10 };
  for (const [name, value] of Object.entries({ ...place, class: "ring" })) made.setAttribute(name, String(value));
  drawing.append(made);
}

/**
 * The names of a chart's lines, each beside a short stroke as the chart draws it.
 * @param {readonly { colour: string, dash: string, text: string }[]} lines
 */
export function lineLegend(lines) {
  return element(
    "ul",
    { class: "legend" },
    ...lines.map(({ colour, dash, text }) => element("li", {}, lineSwatch(colour, dash), text)),
  );
}

/** @param {string} colour @param {string} dash */
function lineSwatch(colour, dash) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 28 8");
  drawing.setAttribute("class", "line-swatch");
  drawing.setAttribute("aria-hidden", "true");
  const line = document.createElementNS(space, "line");
  const attributes = { x1: "0", x2: "28", y1: "4", y2: "4", "stroke-width": "2.5", "stroke-dasharray": dash };
  for (const [name, value] of Object.entries(attributes)) line.setAttribute(name, value);
  line.style.stroke = colour;
  drawing.append(line);
  return drawing;
}

/**
 * Places for labels beside points, none over another where there is room: right, left, above, below, then further off.
 * @param {{ x: number, y: number, text: string }[]} points in pixels
 * @param {{ left: number, right: number, top: number, bottom: number }} frame
 * @returns {{ x: number, y: number, text: string, anchor: "start" | "end" | "middle", free: boolean }[]} not `free` where every place is taken
 */
export function placeLabels(points, frame) {
  /** @type {{ left: number, right: number, top: number, bottom: number }[]} */
  const taken = points.map(({ x, y }) => ({ left: x - 7, right: x + 7, top: y - 7, bottom: y + 7 }));
  return points.map(({ x, y, text }) => {
    const width = text.length * 6.6;
    /** @type {[number, number, "start" | "end" | "middle"][]} */
    const places = [
      [11, 0, "start"],
      [-11, 0, "end"],
      [0, -16, "middle"],
      [0, 16, "middle"],
      [11, -14, "start"],
      [11, 14, "start"],
      [-11, -14, "end"],
      [-11, 14, "end"],
      [0, -30, "middle"],
      [0, 30, "middle"],
    ];
    const boxes = places.map(([dx, dy, anchor]) => {
      const left = x + dx - (anchor === "start" ? 0 : anchor === "end" ? width : width / 2);
      return { left, right: left + width, top: y + dy - 7, bottom: y + dy + 7 };
    });
    /** @param {typeof boxes[number]} box */
    const isFree = (box) =>
      box.left >= frame.left &&
      box.right <= frame.right &&
      box.top >= frame.top &&
      box.bottom <= frame.bottom &&
      taken.every(
        (other) => box.right < other.left || box.left > other.right || box.bottom < other.top || box.top > other.bottom,
      );
    const free = boxes.findIndex(isFree);
    const chosen = Math.max(0, free);
    if (free >= 0) taken.push(boxes[chosen]);
    const [dx, dy, anchor] = places[chosen];
    return { x: x + dx, y: y + dy, text, anchor, free: free >= 0 };
  });
}
