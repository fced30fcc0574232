/** Ends what a listener is told at the stop texts, for servers that sample past them: pieces are held back while they may begin one. */
import { firstStop } from "#kernel/call.ts";
import type { CompletionDelta } from "#kernel/model.ts";

export class StopCutter {
  readonly #stop: readonly string[];
  readonly #tell: (delta: CompletionDelta) => void;
  /** By sample: what is held back, and null once it has ended. */
  readonly #held = new Map<number, string | null>();

  constructor(stop: readonly string[], tell: (delta: CompletionDelta) => void) {
    this.#stop = stop.filter((text) => text !== "");
    this.#tell = tell;
  }

  push(delta: CompletionDelta): void {
    const { sample, text, ...others } = delta;
    const held = this.#held.get(sample) ?? (this.#held.has(sample) ? null : "");
    if (text === undefined || held === null) {
      if (others.reasoning !== undefined) this.#tell({ sample, ...others });
      return;
    }
    const whole = held + text;
    const end = firstStop(whole, this.#stop);
    const from = end ?? whole.length - this.#begun(whole);
    this.#held.set(sample, end === undefined ? whole.slice(from) : null);
    if (from > 0 || others.reasoning !== undefined) {
      this.#tell({ sample, ...others, ...(from > 0 ? { text: whole.slice(0, from) } : {}) });
    }
  }

  /** Tells what was held back and began no stop text after all. */
  end(): void {
    for (const [sample, held] of this.#held) if (held) this.#tell({ sample, text: held });
    this.#held.clear();
  }

  /** How much of the end of a text may be the beginning of a stop text. */
  #begun(text: string): number {
    let most = 0;
    for (const stop of this.#stop) {
      for (let length = Math.min(stop.length - 1, text.length); length > most; length--) {
        if (text.endsWith(stop.slice(0, length))) most = length;
      }
    }
    return most;
  }
}
