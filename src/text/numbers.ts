/**
 * Figures as text, in one way for terminal, page and file. Minus is "−"; what rounds to nothing has no minus; an unknown figure is a dash,
 * or what the caller says.
 */

/** Stands for a figure that is not known. */
export const dash = "–";

type Known<Value> = Value | undefined;

/** A number with a fixed count of digits after the point. */
export function fixed(value: Known<number>, digits: number, unknown = dash): string {
  if (value === undefined) return unknown;
  const text = Math.abs(value).toFixed(digits);
  return value < 0 && Number(text) !== 0 ? `−${text}` : text;
}

/** The same with its sign; what rounds to nothing is +0. */
export function signed(value: Known<number>, digits: number, unknown = dash): string {
  if (value === undefined) return unknown;
  const text = fixed(value, digits);
  return text.startsWith("−") ? text : `+${text}`;
}

/** A share of 1 in hundredths, without the sign for per cent: 48.8. */
export function percent(share: Known<number>, digits = 1, unknown = dash): string {
  return fixed(share === undefined ? undefined : share * 100, digits, unknown);
}

/** The same with the sign: 48.8 %. */
export function percentSign(share: Known<number>, digits = 1, unknown = dash): string {
  return share === undefined ? unknown : `${percent(share, digits)} %`;
}

/** For pages and files: the figure and its sign stay on one line. */
export function percentTogether(share: Known<number>, digits = 1, unknown = dash): string {
  return percentSign(share, digits, unknown).replace(" ", "\u00a0");
}

/** A difference of shares in percentage points, with its sign: +1.2. */
export function points(difference: Known<number>, unknown = dash): string {
  return signed(difference === undefined ? undefined : difference * 100, 1, unknown);
}

/** An interval of shares: 48.8–84.4. */
export function percentRange([low, high]: readonly [number, number]): string {
  return `${percent(low)}–${percent(high)}`;
}

/** An interval of differences: −1.0 to +2.5. */
export function pointRange([low, high]: readonly [number, number]): string {
  return `${points(low)} to ${points(high)}`;
}

/** A share with its interval: 48.8 (40.1–57.3). */
export function percentWithin(share: number, interval: readonly [number, number]): string {
  return `${percent(share)} (${percentRange(interval)})`;
}

/** A difference with its interval: +1.2 (−1.0 to +2.5). */
export function pointsWithin(difference: number, interval: readonly [number, number]): string {
  return `${points(difference)} (${pointRange(interval)})`;
}

/** Below a thousandth nothing but that; what is below 0.05 does not look as if it were not. */
export function formatP(value: number): string {
  if (Number.isNaN(value)) return dash;
  if (value < 0.001) return "< 0.001";
  const text = value.toFixed(3);
  return value < 0.05 && text === "0.050" ? "< 0.050" : text;
}

/** A whole number with its thousands apart: 1,904. */
export function whole(value: Known<number>, unknown = dash): string {
  if (value === undefined) return unknown;
  const text = Math.round(Math.abs(value)).toLocaleString("en-GB");
  return value < 0 && text !== "0" ? `−${text}` : text;
}

/** Counts of tokens where room is short: 812, 1,904, 12.3k, 1.25M. */
export function tokenCount(value: Known<number>, unknown = dash): string {
  if (value === undefined || value < 10_000) return whole(value, unknown);
  return value < 999_950 ? `${fixed(value / 1000, 1)}k` : `${fixed(value / 1e6, 2)}M`;
}

export function dollars(value: Known<number>, unknown = dash): string {
  return value === undefined ? unknown : `$${value < 999.5 ? value.toPrecision(3) : whole(value)}`;
}
