/** What a training by reinforcement is called with, whatever it pays for. */
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine, Scorer } from "#kernel/engine.ts";
import type { Item } from "#kernel/item.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { percentSign } from "#text/numbers.ts";
import type { TrainingLoop } from "#training/loop.ts";
import type { Stream } from "#training/stream.ts";
import type { JudgeSpent } from "../sources/source.ts";
import type { Judge } from "./graded-samples.ts";

export interface PolicyTraining<Options, Metrics extends object>
  extends Pick<TrainingLoop<Metrics, JsonObject>, "run" | "evaluate" | "evaluateEvery" | "signal" | "onProgress"> {
  /** Holds the first weights; a resumed run restores its own. */
  engine: Engine;
  /** Question i of the run; step s asks questions s·questionsPerStep and on. */
  items: Stream<Item>;
  /** Scores an answer in [0, 1]. */
  judge: Judge;
  /** What the judge has cost so far, where it is a model: each step's part goes to its metrics. */
  judgeSpent?: (() => JudgeSpent) | undefined;
  options: Options;
  seed: number;
  /** Opens the frozen reference. Absent: the run's first weights, from its own checkpoint of step 0. */
  openReference?: () => Promise<Scorer>;
  checkpointEvery?: number;
  /** Every so many steps the answers to one question go to rollouts.jsonl, for reading; 0 for never. */
  rolloutsEvery?: number;
}

/** From now on: gives what the judge has cost since, under the name it has in a step's metrics; nothing where no model judges. */
export function judgeMeter(spent: (() => JudgeSpent) | undefined): () => { judge?: JudgeSpent } {
  if (spent === undefined) return () => ({});
  const before = spent();
  return () => {
    const now = spent();
    const since = (name: keyof JudgeSpent) => {
      const [from, to] = [before[name], now[name]];
      return from === undefined || to === undefined ? undefined : to - from;
    };
    const judge: JudgeSpent = {
      answers: now.answers - before.answers,
      withoutScore: now.withoutScore - before.withoutScore,
      calls: now.calls - before.calls,
      inputTokens: since("inputTokens"),
      outputTokens: since("outputTokens"),
      dollars: since("dollars"),
    };
    return { judge };
  };
}

interface Graded {
  question: { subject: Item };
  dropped?: { reason: string; message?: string };
}

/** Writes down each question that taught nothing because its grading failed. */
export function noteUngraded(run: Pick<RunDirectory, "event">, step: number, groups: readonly Graded[]): void {
  for (const { question, dropped } of groups) {
    if (dropped?.reason !== "failed-grading") continue;
    run.event("note", { step, item: question.subject.id, message: `grading failed: ${dropped.message}` });
  }
}

/** For the line of progress: the share of a step's questions whose grading failed, where some did. */
export function ungradedFigure({ dropped }: { dropped: Record<string, number> }): Record<string, string> {
  const share = dropped["failed-grading"] ?? 0;
  return share > 0 ? { "not graded": percentSign(share, 0) } : {};
}
