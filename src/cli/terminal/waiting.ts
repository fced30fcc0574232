/** What a command waits for before it can begin: a live line on a terminal, a plain line where the wait is long elsewhere. */

import { harmless } from "#text/signs.ts";

/** What a command shows of the servers that it asks, for the options of a model. */
export function serverLines(stream: NodeJS.WriteStream = process.stderr) {
  return {
    onProbe: waitingLine(stream),
    onNote: (note: string) => void stream.write(`${stream.isTTY ? "\r\x1b[2K" : ""}${harmless(note)}\n`),
  };
}

/** Milliseconds before anything is said; servers that answer at once leave no trace. */
const unsaid = { terminal: 400, elsewhere: 1000 };

/** Milliseconds between plain lines. */
const between = 10_000;

/** Takes what is waited for, and undefined when it is nothing any more. */
export function waitingLine(stream: NodeJS.WriteStream = process.stderr): (what: string | undefined) => void {
  const isLive = stream.isTTY === true;
  let current: string | undefined;
  let startedAt = 0;
  let saidAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;
  let isOpen = false;
  const say = () => {
    if (current === undefined) return;
    const now = performance.now();
    if (isLive) {
      stream.write(`\r\x1b[2K${fitted(current, Math.round((now - startedAt) / 1000), (stream.columns ?? 100) - 1)}`);
      isOpen = true;
      timer = setTimeout(say, 1000).unref();
    } else if (now - saidAt >= between) {
      stream.write(`${current} …\n`);
      saidAt = now;
    }
  };
  return (what) => {
    clearTimeout(timer);
    if (what === undefined) {
      if (isOpen) stream.write("\r\x1b[2K");
      isOpen = false;
      current = undefined;
      return;
    }
    if (current === undefined) startedAt = performance.now();
    current = what;
    // A line that stands is brought up to date at once; the first one waits, from the first question on.
    const soonest = isLive ? unsaid.terminal : unsaid.elsewhere;
    if (isOpen) say();
    else timer = setTimeout(say, Math.max(0, startedAt + soonest - performance.now())).unref();
  };
}

/** How long it takes so far is cut last. */
function fitted(what: string, seconds: number, width: number): string {
  const time = ` … ${seconds} s`;
  const whole = `${what}${time} (Ctrl-C stops)`;
  return whole.length <= width ? whole : `${what.slice(0, Math.max(0, width - time.length))}${time}`.slice(0, width);
}
