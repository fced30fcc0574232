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

/** Columns of the bar, where there is room and where there is not. */
const barWidths = { usual: 24, narrow: 10 };

export class Progress {
  readonly #stream: NodeJS.WriteStream;
  readonly #now: () => number;
  #label = "";
  #startedAt = 0;
  #startedDone = 0;
  #lastPrintAt = 0;
  #open = false;

  constructor(stream: NodeJS.WriteStream = process.stderr, now: () => number = () => performance.now()) {
    this.#stream = stream;
    this.#now = now;
  }

  update(state: ProgressState): void {
    const now = this.#now();
    if (state.label !== this.#label) {
      this.finish();
      this.#label = state.label;
      this.#startedAt = now;
      this.#startedDone = state.done;
      this.#lastPrintAt = 0;
    }
    const last = state.done >= state.total;
    const interval = this.#stream.isTTY ? 100 : 10_000;
    if (!last && this.#lastPrintAt !== 0 && now - this.#lastPrintAt < interval) return;
    this.#lastPrintAt = now;
    const width = this.#stream.isTTY ? (this.#stream.columns ?? 100) : 100;
    const line = progressLine(state, this.#secondsLeft(state, now), width < 80 ? barWidths.narrow : barWidths.usual);
    if (this.#stream.isTTY) {
      this.#stream.write(`\r\x1b[2K${shortened(line, width - 1)}`);
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

  #secondsLeft(state: ProgressState, now: number): number | undefined {
    const done = state.done - this.#startedDone;
    if (done <= 0) return undefined;
    return ((now - this.#startedAt) / 1000 / done) * (state.total - state.done);
  }
}

export function progressLine(state: ProgressState, secondsLeft: number | undefined, barWidth = barWidths.usual): string {
  const share = state.total > 0 ? Math.min(1, state.done / state.total) : 1;
  const filled = Math.round(share * barWidth);
  const bar = "█".repeat(filled) + "░".repeat(barWidth - filled);
  const figures = Object.entries(state.figures ?? {})
    .map(([name, value]) => `${name} ${value}`)
    .join(" · ");
  const left = secondsLeft === undefined || share === 1 ? "" : ` · ${formatDuration(secondsLeft)} left`;
  return `${pad(state.label, 28, "left")} ${bar} ${state.done}/${state.total}${left}${figures === "" ? "" : ` · ${figures}`}`;
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
