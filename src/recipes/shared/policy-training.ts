/** What a training by reinforcement is called with, whatever it pays for. */
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine, Scorer } from "#kernel/engine.ts";
import type { Item } from "#kernel/item.ts";
import type { TrainingLoop } from "#training/loop.ts";
import type { Stream } from "#training/stream.ts";
import type { Judge } from "./graded-samples.ts";

export interface PolicyTraining<Options, Metrics extends object>
  extends Pick<TrainingLoop<Metrics, JsonObject>, "run" | "evaluate" | "evaluateEvery" | "signal" | "onProgress"> {
  /** Holds the first weights; a resumed run restores its own. */
  engine: Engine;
  /** Question i of the run; step s asks questions s·questionsPerStep and on. */
  items: Stream<Item>;
  /** Scores an answer in [0, 1]. */
  judge: Judge;
  options: Options;
  seed: number;
  /** Opens the frozen reference. Absent: the run's first weights, from its own checkpoint of step 0. */
  openReference?: () => Promise<Scorer>;
  checkpointEvery?: number;
  /** Every so many steps the answers to one question go to rollouts.jsonl, for reading; 0 for never. */
  rolloutsEvery?: number;
}
