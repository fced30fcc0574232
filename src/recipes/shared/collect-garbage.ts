/**
 * Frees memory now. A long run turns over gigabytes of texts and keeps a few tens of megabytes of figures; left to itself the heap grows to
 * several times of what it holds before it is collected, and what comes after the run is added on top.
 */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

let collect: (() => void) | undefined;

/** Takes as long as what is alive is large. Does nothing where the engine offers no such call. */
export function collectGarbage(): void {
  if (collect === undefined) {
    setFlagsFromString("--expose-gc");
    const found: unknown = runInNewContext("globalThis.gc");
    collect = typeof found === "function" ? (found as () => void) : () => {};
  }
  collect();
}
