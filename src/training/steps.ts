/** What every training step has: a learning rate by its number, calls of the engine that its sequences fit into, seconds by phase. */

/** The learning rate: warm-up from zero, then constant, linear or cosine decay. */
export interface Schedule {
  shape: "constant" | "linear" | "cosine";
  /** Highest learning rate, reached at the end of the warm-up. */
  peak: number;
  /** Share of the peak that is left at the last step (linear and cosine). */
  floor: number;
  /** Steps over which the rate rises to the peak; step 0 already moves where it rises linearly. */
  warmupSteps: number;
  /**
   * How it rises: peak·(step + 1)/warmupSteps, or as DeepSpeed's WarmupLR does when nothing is said there, peak·ln(step + 1)/ln(warmupSteps),
   * which is at two thirds of the peak after a tenth of 1,000 steps. Linear when left out.
   */
  warmupShape?: "linear" | "logarithmic";
  /** All steps of the run, warm-up included. */
  totalSteps: number;
}

/** Learning rate of the zero-based step. */
export function learningRateAt(step: number, schedule: Schedule): number {
  const { shape, peak, floor, warmupSteps, warmupShape = "linear", totalSteps } = schedule;
  if (step < warmupSteps) {
    if (warmupShape === "linear") return (peak * (step + 1)) / warmupSteps;
    return warmupSteps === 1 ? peak : (peak * Math.log(step + 1)) / Math.log(warmupSteps);
  }
  if (shape === "constant") return peak;
  const progress = Math.min(1, (step - warmupSteps) / Math.max(1, totalSteps - 1 - warmupSteps));
  const remaining = shape === "linear" ? 1 - progress : (1 + Math.cos(Math.PI * progress)) / 2;
  return peak * (floor + (1 - floor) * remaining);
}

/** Seconds by phase of a step. */
export class PhaseClock<Phase extends string> {
  readonly seconds: Record<Phase, number>;
  readonly #started = performance.now();

  constructor(phases: readonly Phase[]) {
    this.seconds = Object.fromEntries(phases.map((phase) => [phase, 0])) as Record<Phase, number>;
  }

  async time<T>(phase: Phase, work: () => Promise<T>): Promise<T> {
    const started = performance.now();
    try {
      return await work();
    } finally {
      this.seconds[phase] += (performance.now() - started) / 1000;
    }
  }

  /** Since the clock was made. */
  get total(): number {
    return (performance.now() - this.#started) / 1000;
  }
}

/** A step's sequences in the calls of the engine that take them: in order, each of as many as fit into so many tokens, and one at least. */
export function callsOf<Sequence extends { ids: readonly number[] }>(
  sequences: readonly Sequence[],
  tokensPerCall: number,
): Sequence[][] {
  const calls: Sequence[][] = [];
  let room = 0;
  for (const sequence of sequences) {
    room -= sequence.ids.length;
    if (room < 0 || calls.length === 0) {
      calls.push([]);
      room = tokensPerCall - sequence.ids.length;
    }
    calls[calls.length - 1].push(sequence);
  }
  return calls;
}
