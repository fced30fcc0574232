/** Whether a reader's work grows faster than its input: by how much more it does for three doublings, not by how long it takes. */

export const shortest = 8000;
/** Three doublings. Work in proportion to the length is 8 times as much, in proportion to its square 64 times. */
const longest = 8 * shortest;
const mostGrowth = 30;
/** Below this there is nothing to measure but the clock. */
const leastMilliseconds = 4;

function milliseconds(read: (text: string) => unknown, text: string): number {
  const begun = process.cpuUsage();
  read(text);
  const { user, system } = process.cpuUsage(begun);
  return (user + system) / 1000;
}

/** Of several tries the quickest: whatever else ran then is not the reader's. */
const quickest = (read: (text: string) => unknown, text: string): number =>
  Math.min(...Array.from({ length: 3 }, () => milliseconds(read, text)));

/** `text` makes a hostile input of about so many characters. */
export function growsTooFast(read: (text: string) => unknown, text: (length: number) => string): boolean {
  const long = text(longest);
  // The first try decides where it was quick: no other try could make more of it.
  const once = milliseconds(read, long);
  if (once < leastMilliseconds) return false;
  const allowed = mostGrowth * Math.max(quickest(read, text(shortest)), leastMilliseconds / 8);
  return once > allowed && quickest(read, long) > allowed;
}
