/** What every kind of sandbox does alike: runs so many programs at a time, and keeps what they print small, whatever they print. */

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
        reject(signal?.reason);
      };
      signal?.addEventListener("abort", abandon, { once: true });
      this.#waiting.push(begin);
    });
  }
}

const longestOutput = 4000;
/** Of what is kept while a program runs, per stream. */
const kept = 4000;
/** A program that prints more than this is stopped. */
export const floodBytes = 4 * 1024 * 1024;

/** Keeps the beginning and the end of a stream of bytes. */
export class OutputTail {
  #head = Buffer.alloc(0);
  #tail = Buffer.alloc(0);
  /** Bytes seen. */
  size = 0;

  add(chunk: Buffer): void {
    this.size += chunk.length;
    const room = Math.max(0, kept - this.#head.length);
    if (room > 0) this.#head = Buffer.concat([this.#head, chunk.subarray(0, room)]);
    const rest = chunk.subarray(room);
    if (rest.length > 0) this.#tail = Buffer.concat([this.#tail, rest.subarray(-kept)]).subarray(-kept);
  }

  text(): string {
    const isWhole = this.size <= this.#head.length + this.#tail.length;
    if (isWhole) return Buffer.concat([this.#head, this.#tail]).toString("utf8");
    return `${this.#head.toString("utf8")}\n…\n${this.#tail.toString("utf8")}`;
  }
}

/** Standard output, then the end of standard error, then how the program ended; at most 4,000 characters, the middle left out. */
export function composeOutput(standardOutput: string, standardError: string, ending: string): string {
  const error = standardError.trim().slice(-1000);
  const end = ending.trim().slice(-1500);
  const after = [error, end].filter((text) => text !== "").join("\n");
  const separator = standardOutput !== "" && after !== "" && !standardOutput.endsWith("\n") ? "\n" : "";
  const room = longestOutput - after.length - separator.length;
  return shorten(standardOutput, room) + separator + after;
}

function shorten(text: string, length: number): string {
  if (text.length <= length) return text;
  const half = Math.floor((length - 3) / 2);
  return `${text.slice(0, half)}\n…\n${text.slice(text.length - half)}`.toWellFormed();
}
