/**
 * Accuracy against tokens per answer as a drawing that needs no script: a numbered point a row with its interval, and what the base reaches
 * by voting over samples at each cost. Numbers in place of names leave room on a telephone; the list below says whose they are.
 */
import { percent, percentWithin, whole } from "#text/numbers.ts";
import { type Html, html } from "../report/html.ts";
import type { Interval } from "../statistics/statistics.ts";
import type { TableScope } from "./input.ts";
import { figuresOf, type RowResult, type TrainingTable } from "./table.ts";
import { rowName, scopeName } from "./words.ts";

const size = { width: 400, height: 320 };
const frame = { left: 40, right: size.width - 12, top: 24, bottom: size.height - 40 };

interface PlotPoint {
  row: RowResult;
  /** Place in the table, from 1. */
  number: number;
  tokens: number;
  accuracy: number;
  interval: Interval;
}

/** Undefined where no row's tokens are known. */
export function costPlot(table: TrainingTable, scope: TableScope): Html | undefined {
  const points = table.rows.flatMap((row, index): PlotPoint[] => {
    const { generated, accuracy, interval } = figuresOf(row, scope.id) ?? {};
    if (generated === undefined || !(generated > 0)) return [];
    return [{ row, number: index + 1, tokens: generated, accuracy: accuracy!, interval: interval! }];
  });
  if (points.length === 0) return undefined;
  const curve = (table.curves.find((own) => own.scope === scope.id)?.points ?? []).filter(({ generated }) => generated > 0);
  const left = table.rows.filter((row) => !points.some((point) => point.row === row));
  const tokens = [...points.map((point) => point.tokens), ...curve.map(({ generated }) => generated)];
  const bounds = [...points, ...curve].flatMap(({ interval }) => interval);
  const xDomain: Interval = [Math.min(...tokens) / 1.25, Math.max(...tokens) * 1.25];
  const yDomain: Interval = [Math.max(0, Math.min(...bounds) - 0.03), Math.min(1, Math.max(...bounds) + 0.03)];
  const x = (value: number) =>
    frame.left + (Math.log(value / xDomain[0]) / Math.log(xDomain[1] / xDomain[0])) * (frame.right - frame.left);
  const y = (value: number) => frame.bottom - ((value - yDomain[0]) / (yDomain[1] - yDomain[0])) * (frame.bottom - frame.top);
  const label = points.map(({ row, accuracy, tokens: own }) => `${rowName(row)}: ${percent(accuracy)} % at ${whole(own)} tokens`);
  return html`<figure><h3>Accuracy against tokens: ${scopeName(scope)}</h3>
<div class="canvas"><svg viewBox="0 0 ${size.width} ${size.height}" role="img" aria-label="${label.join("; ")}" font-family="inherit" font-size="12">
${yTicks(yDomain).map((tick) => html`<line x1="${frame.left}" x2="${frame.right}" y1="${round(y(tick))}" y2="${round(y(tick))}" stroke="var(--line)"/><text x="${frame.left - 6}" y="${round(y(tick) + 4)}" text-anchor="end" fill="var(--muted)">${Math.round(tick * 100)}</text>`)}
${xTicks(xDomain).map((tick) => html`<line x1="${round(x(tick))}" x2="${round(x(tick))}" y1="${frame.bottom}" y2="${frame.bottom + 5}" stroke="var(--muted)"/><text x="${round(x(tick))}" y="${frame.bottom + 18}" text-anchor="middle" fill="var(--muted)">${whole(tick)}</text>`)}
<text x="${frame.left - 34}" y="14" fill="var(--muted)">accuracy, %</text>
<text x="${frame.right}" y="${size.height - 6}" text-anchor="end" fill="var(--muted)">sampled tokens per answer, logarithmic →</text>
${curveOf(curve, x, y)}
${pointsOf(points, x, y, table.subject)}
</svg></div>
<ol class="legend">${points.map(({ row, number, accuracy, interval, tokens: own }) => html`<li><strong>${number}</strong> ${rowName(row)}: ${percentWithin(accuracy, interval)} at ${whole(own)}</li>`)}</ol>
<figcaption>Filled: trained; hollow: untrained; diamond: looks at the reference answer. Bars: 95 % intervals.${curve.length > 0 ? " Dashed line and band: voting over 1, 2, 3 … samples of the base, or its greedy answer where that is better." : ""}${left.length > 0 ? ` Not drawn, as answers or tokens are missing: ${left.map(rowName).join(", ")}.` : ""}</figcaption></figure>`;
}

function curveOf(
  curve: TrainingTable["curves"][number]["points"],
  x: (value: number) => number,
  y: (value: number) => number,
): Html {
  if (curve.length === 0) return html``;
  const path = (of: (point: (typeof curve)[number]) => number, points = curve) =>
    points.map((point) => `${round(x(point.generated))},${round(y(of(point)))}`).join(" ");
  const band = `${path(({ interval }) => interval[0])} ${path(({ interval }) => interval[1], [...curve].reverse())}`;
  return html`<polygon points="${band}" fill="var(--muted)" fill-opacity="0.16"/><polyline points="${path(({ accuracy }) => accuracy)}" fill="none" stroke="var(--muted)" stroke-width="2" stroke-dasharray="6 3"/>`;
}

function pointsOf(
  points: readonly PlotPoint[],
  x: (value: number) => number,
  y: (value: number) => number,
  subject: string,
): Html {
  const placed = points.map((point) => ({ ...point, at: { x: x(point.tokens), y: y(point.accuracy) } }));
  const labels = placeNumbers(placed);
  const bars = placed.map(
    ({ at, interval, number }) =>
      html`<line x1="${round(at.x)}" x2="${round(at.x)}" y1="${round(y(interval[0]))}" y2="${round(y(interval[1]))}" stroke="${colourOf(number)}" stroke-width="1.5" stroke-opacity="0.75"/>`,
  );
  const marks = placed.map(({ row, at, number, accuracy, tokens }) => {
    const radius = row.id === subject ? 6 : 4.5;
    const fill = row.trained ? colourOf(number) : "var(--surface)";
    const outline = row.trained ? "var(--surface)" : colourOf(number);
    const title = html`<title>${rowName(row)}: ${percent(accuracy)} % at ${whole(tokens)} tokens</title>`;
    const [cx, cy] = [round(at.x), round(at.y)];
    return row.oracle
      ? html`<rect x="${round(at.x - 4)}" y="${round(at.y - 4)}" width="8" height="8" transform="rotate(45 ${cx} ${cy})" fill="${fill}" stroke="${outline}" stroke-width="2">${title}</rect>`
      : html`<circle cx="${cx}" cy="${cy}" r="${radius}" fill="${fill}" stroke="${outline}" stroke-width="${row.trained ? 1 : 2}">${title}</circle>`;
  });
  const numbers = placed.map(({ at, number }, index) => {
    const label = labels[index];
    const far = Math.hypot(label.x - at.x, label.y - at.y) > 16;
    const line = far
      ? html`<line x1="${round(at.x)}" y1="${round(at.y)}" x2="${round(label.x)}" y2="${round(label.y)}" stroke="var(--muted)" stroke-width="0.7"/>`
      : html``;
    return html`${line}<text x="${round(label.x)}" y="${round(label.y + 4)}" text-anchor="middle" font-weight="600" fill="var(--ink)" stroke="var(--surface)" stroke-width="3" paint-order="stroke">${number}</text>`;
  });
  return html`${bars}${marks}${numbers}`;
}

/** A place for each number near its point, over no point and no other number where there is room; further off where there is not. */
function placeNumbers(points: readonly { number: number; at: { x: number; y: number } }[]): { x: number; y: number }[] {
  const taken = points.map(({ at }) => ({ ...at, width: 12, height: 12 }));
  return points.map(({ number, at }) => {
    const box = { width: String(number).length * 7 + 2, height: 12 };
    const places = [13, 20, 28, 37, 47].flatMap((distance) =>
      Array.from({ length: 12 }, (_, turn) => {
        const angle = (turn * Math.PI) / 6;
        return { x: at.x + distance * Math.cos(angle), y: at.y + distance * Math.sin(angle), ...box };
      }),
    );
    const isFree = (place: (typeof places)[number]) =>
      place.x > frame.left + 8 &&
      place.x < size.width - 8 &&
      place.y > 20 &&
      place.y < frame.bottom - 6 &&
      taken.every(
        (other) =>
          Math.abs(other.x - place.x) > (other.width + place.width) / 2 ||
          Math.abs(other.y - place.y) > (other.height + place.height) / 2,
      );
    const chosen = places.find(isFree) ?? places[0];
    taken.push(chosen);
    return chosen;
  });
}

function colourOf(number: number): string {
  return `var(--series-${((number - 1) % 7) + 1})`;
}

function yTicks([low, high]: Interval): number[] {
  const step = [0.02, 0.05, 0.1].find((candidate) => (high - low) / candidate <= 7) ?? 0.2;
  const first = Math.ceil(low / step - 1e-9);
  return Array.from({ length: Math.floor(high / step + 1e-9) - first + 1 }, (_, index) => (first + index) * step);
}

/** 1, 2 and 5 of each power of ten, or the powers alone where those would be too many. */
function xTicks([low, high]: Interval): number[] {
  const powers = Array.from(
    { length: Math.ceil(Math.log10(high / low)) + 2 },
    (_, index) => 10 ** (Math.floor(Math.log10(low)) + index),
  );
  const inside = (values: readonly number[]) => values.filter((value) => value >= low && value <= high && value >= 1);
  const fine = inside(powers.flatMap((power) => [power, 2 * power, 5 * power]));
  return fine.length <= 8 ? fine : inside(powers);
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
