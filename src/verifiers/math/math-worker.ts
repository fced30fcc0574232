/** A thread that compares with the engine. It answers one comparison at a time, in order; the thread that made it stops it when one takes too long. */
import { parentPort } from "node:worker_threads";
import type { Comparison, WorkerAnswer } from "./comparer.ts";
import { EngineValues } from "./expressions.ts";
import { decide } from "./verdict.ts";

const port = parentPort!;
const post = (answer: WorkerAnswer) => port.postMessage(answer);

// What the engine prints about odd input is no output of ours.
for (const method of ["log", "info", "warn", "error", "debug"] as const) console[method] = () => {};

let values = new EngineValues();
let compared = 0;
values.same("\\sqrt{8}", "2\\sqrt{2}");
post({ type: "ready" });

port.on("message", (comparisons: readonly Comparison[]) => {
  for (const { id, gold, answer } of comparisons) {
    // The engine remembers symbols it has met; a fresh one now and then keeps memory and comparisons free of what came before.
    if (++compared % 5000 === 0) values = new EngineValues();
    try {
      const { equal, by } = decide(gold, answer, values);
      post({ type: "verdict", id, verdict: { equal: equal === true, by } });
    } catch {
      post({ type: "verdict", id, verdict: { equal: false, by: "undecided" } });
    }
  }
});
