/** Progress on long work: one live line on a terminal, a plain line now and then elsewhere. */
import { displayWidth, pad } from "#text/table.ts";

export interface ProgressState {
  /** What is being done, a few words. */
  label: string;
  done: number;
  total: number;
  /** Named figures shown behind the bar. */
  figures?: Record<string, string>;
}

/** Columns of label and bar; the first form that fits. Without a bar there is more room for words, which say as much. */
const forms = [
  { label: 28, bar: 24 },
  { label: 0, bar: 10 },
  { label: 0, bar: 0 },
];

/** From here on the time left is shown whatever else is, below it the count alone. */
const widthForTime = 60;

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #now: () => number;
  #label = "";
  #startedAt = 0;
  #startedDone = 0;
  #lastPrintAt = 0;
  #open = false;
  /** A bar that had no room does not come back, so that the line does not jump. */
  #form = 0;
  #isUsed = false;

  constructor(stream: NodeJS.WriteStream = process.stderr, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  update(state: ProgressState): void {
    this.#isUsed = true;
    const now = this.#now();
    if (state.label !== this.#label) {
      this.finish();
      this.#label = state.label;
      this.#startedAt = now;
      this.#startedDone = state.done;
      this.#lastPrintAt = 0;
      this.#form = 0;
    }
    const last = state.done >= state.total;
    const interval = this.#stream.isTTY ? 100 : 10_000;
    if (!last && this.#lastPrintAt !== 0 && now - this.#lastPrintAt < interval) return;
    this.#lastPrintAt = now;
    const width = this.#stream.isTTY ? (this.#stream.columns ?? 100) - 1 : Number.POSITIVE_INFINITY;
    const { line, form } = progressLine(state, this.#secondsLeft(state, now), width, this.#form);
    this.#form = form;
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[2K${line}`);
      this.#open = true;
    } else {
      this.#stream.write(`${line}\n`);
    }
    if (last) this.finish();
  }

  /** Ends the live line so that the next output starts on a fresh one. */
  finish(): void {
    if (this.#open) this.#stream.write("\n");
    this.#open = false;
    this.#label = "";
  }

  /** What is to be said of a finished run that was asked for again; empty where something was done. */
  nothingDone(): string {
    return this.#isUsed ? "" : "Nothing was left to do: all of it was there already.\n";
  }

  #secondsLeft(state: ProgressState, now: number): number | undefined {
    const done = state.done - this.#startedDone;
    if (done <= 0) return undefined;
    return ((now - this.#startedAt) / 1000 / done) * (state.total - state.done);
  }
}

/** The widest form from `form` on that fits into `width` columns; figures are cut first, the name of the work last. */
export function progressLine(
  { label, done, total, figures = {} }: ProgressState,
  secondsLeft: number | undefined,
  width = Number.POSITIVE_INFINITY,
  form = 0,
): { line: string; form: number } {
  const share = total > 0 ? Math.min(1, done / total) : 1;
  const count = ` ${done}/${total}`;
  const left = secondsLeft === undefined || share === 1 ? "" : ` · ${formatDuration(secondsLeft)} left`;
  const rest = Object.entries(figures).map(([name, value]) => ` · ${name} ${value}`);
  const words = [count, left, ...rest].join("");
  for (const [index, { label: labelWidth, bar: barWidth }] of forms.entries()) {
    const filled = Math.round(share * barWidth);
    const bar = barWidth === 0 ? "" : ` ${"█".repeat(filled)}${"░".repeat(barWidth - filled)}`;
    const line = `${pad(label, labelWidth, "left")}${bar}${words}`;
    if (index >= form && displayWidth(line) <= width) return { line, form: index };
  }
  // And the sign that something was cut.
  const kept = displayWidth(width < widthForTime - 1 ? count : count + left) + 1;
  return { line: shortened(shortened(label, Math.max(1, width - kept)) + words, width), form: forms.length - 1 };
}

export function formatDuration(seconds: number): string {
  if (!Number.isFinite(seconds)) return "?";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${String(whole % 60).padStart(2, "0")} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, "0")} min`;
}

function shortened(line: string, width: number): string {
  if (displayWidth(line) <= width) return line;
  let kept = "";
  let used = 0;
  for (const { segment } of new Intl.Segmenter().segment(line)) {
    used += displayWidth(segment);
    if (used > width - 1) break;
    kept += segment;
  }
  return `${kept}…`;
}
