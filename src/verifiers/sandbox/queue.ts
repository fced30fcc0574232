/** Lets a fixed number of tasks run at a time; the others wait in order and can be called off. */

export class Queue {
  readonly #places: number;
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#places = Math.max(1, places);
  }

  /** Rejects with the signal's reason when it is aborted before the task begins; the task itself sees to it afterwards. */
  async run<T>(task: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    if (this.#running >= this.#places) await this.#wait(signal);
    else this.#running += 1;
    try {
      return await task();
    } finally {
      // The place goes to the next in line, so that nobody overtakes.
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }

  #wait(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener("abort", abandon);
        resolve();
      };
      const abandon = () => {
        this.#waiting.splice(this.#waiting.indexOf(begin), 1);
        reject(signal!.reason);
      };
      signal?.addEventListener("abort", abandon, { once: true });
      this.#waiting.push(begin);
    });
  }
}
