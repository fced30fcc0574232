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
