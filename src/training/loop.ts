/**
 * The training loop around a step function: resume, checkpoints, sampler and reference snapshots, Ctrl-C, evaluation, progress. A run
 * that was killed and started again passes through the same weights as one that was not, because everything a step depends on is either
 * in the checkpoint (weights, optimiser, state), derived from seeds, or restored here (sampler, reference).
 */
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine, Scorer } from "#kernel/engine.ts";
import { messageOf, userError } from "#kernel/errors.ts";
import type { Checkpoint } from "#record/checkpoints.ts";
import type { RunDirectory } from "#record/run-directory.ts";

export interface StepContext<State> {
  /** Zero-based. */
  step: number;
  /** What writes the answers of this step. */
  sampler: Scorer;
  /** First weights of the run, when the loop was asked to keep them. */
  reference: Scorer | undefined;
  /** What the step before returned; saved with every checkpoint. */
  state: State;
  signal: AbortSignal | undefined;
}

export interface StepOutcome<Metrics, State> {
  metrics: Metrics;
  state: State;
}

export interface TrainingLoop<Metrics extends object, State extends JsonObject> {
  engine: Engine;
  run: RunDirectory;
  steps: number;
  /** Steps between checkpoints; the last step always has one. */
  checkpointEvery: number;
  initialState: State;
  /**
   * Does one step. It must leave the engine's weights untouched when it rejects because of the signal: an aborted step is dropped and
   * done again after resuming.
   */
  takeStep(context: StepContext<State>): Promise<StepOutcome<Metrics, State>>;
  /** Steps between refreshes of the sampler's weights; 1 samples from the engine itself. Every refresh above 1 writes a checkpoint. */
  samplerRefresh?: number;
  /** Where the frozen reference comes from: the first weights of this run, or whatever the function opens. Absent: there is none. */
  openReference?: ("freeze-initial" | (() => Promise<Scorer>)) | undefined;
  /** Called after every `evaluateEvery` steps, after the last one, and before the first; what it returns goes to evaluations.jsonl. */
  evaluate?: ((stepsDone: number, signal: AbortSignal | undefined) => Promise<JsonObject>) | undefined;
  evaluateEvery?: number | undefined;
  /** Asked before each step with the steps done so far; true ends the run there as finished, with a checkpoint. */
  isEnough?: (stepsDone: number) => boolean;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress<Metrics>) => void) | undefined;
}

export interface Progress<Metrics> {
  stepsDone: number;
  steps: number;
  metrics: Metrics;
  /** Mean over the steps of this process. */
  secondsPerStep: number;
  secondsLeft: number;
}

export interface LoopResult<State> {
  /** False when the signal stopped it; the same call goes on from the checkpoint that was written. */
  finished: boolean;
  stepsDone: number;
  /** Newest checkpoint; undefined when a run was stopped before its first step. */
  checkpoint: Checkpoint | undefined;
  state: State;
}

export async function runTrainingLoop<Metrics extends object, State extends JsonObject>(
  loop: TrainingLoop<Metrics, State>,
): Promise<LoopResult<State>> {
  const { engine, run, steps, signal, samplerRefresh = 1 } = loop;
  const snapshots = new Snapshots(engine, run, samplerRefresh, loop.openReference);
  let state = loop.initialState;
  let done = 0;
  try {
    const resumed = run.newestCheckpoint;
    if (resumed !== undefined) {
      await snapshots.restore(resumed);
      done = resumed.step;
      state = (resumed.state as State | undefined) ?? state;
      await evaluateAt(loop, done);
    } else {
      await evaluateAt(loop, 0);
      await snapshots.begin(state);
    }
    const pace = new Pace(done, steps);
    while (done < steps && !loop.isEnough?.(done)) {
      signal?.throwIfAborted();
      await snapshots.refresh(done, state);
      const context = { step: done, sampler: snapshots.sampler, reference: snapshots.reference, state, signal };
      const outcome = await loop.takeStep(context);
      done += 1;
      state = outcome.state;
      run.append("metrics", { step: done, ...outcome.metrics });
      loop.onProgress?.({ stepsDone: done, steps, metrics: outcome.metrics, ...pace.after(done) });
      await evaluateAt(loop, done);
      if (done % loop.checkpointEvery === 0 || done === steps) await snapshots.checkpoint(done, state);
    }
    if (done > 0) await snapshots.checkpoint(done, state);
    if (!run.readLines("events").some((event) => event.type === "finished")) run.event("finished", { step: done });
    return { finished: true, stepsDone: done, checkpoint: run.newestCheckpoint, state };
  } catch (error) {
    if (!isAbort(error, signal)) {
      recordFailure(run, done, error);
      throw error;
    }
    await engine.clearGradient();
    if (done > 0) await snapshots.checkpoint(done, state);
    run.event("interrupted", { step: done });
    return { finished: false, stepsDone: done, checkpoint: run.newestCheckpoint, state };
  } finally {
    await snapshots.close();
  }
}

async function evaluateAt<M extends object, S extends JsonObject>(loop: TrainingLoop<M, S>, done: number): Promise<void> {
  if (loop.evaluate === undefined) return;
  if (done % (loop.evaluateEvery ?? loop.steps) !== 0 && done !== loop.steps) return;
  // An interrupt during the evaluation leaves a checkpoint without it; resuming makes up for that, and repeats nothing.
  if (loop.run.readLines("evaluations").some((line) => line.step === done)) return;
  const evaluation = await loop.evaluate(done, loop.signal);
  loop.run.append("evaluations", { step: done, ...evaluation });
}

/** The copies of the weights that stand still while the engine moves, and how to have the same copies again after a restart. */
class Snapshots {
  sampler: Scorer;
  reference: Scorer | undefined;
  readonly #engine: Engine;
  readonly #run: RunDirectory;
  readonly #refreshEvery: number;
  readonly #openReference: TrainingLoop<object, JsonObject>["openReference"];
  #samplerStep = 0;

  constructor(
    engine: Engine,
    run: RunDirectory,
    refreshEvery: number,
    openReference: TrainingLoop<object, JsonObject>["openReference"],
  ) {
    this.#engine = engine;
    this.#run = run;
    this.#refreshEvery = refreshEvery;
    this.#openReference = openReference;
    this.sampler = engine;
  }

  /** At the start of a new run. The first weights are written down where a later process will need them again. */
  async begin(state: JsonObject): Promise<void> {
    if (this.#openReference === "freeze-initial" || this.#refreshEvery > 1) await this.checkpoint(0, state);
    this.reference = await this.#makeReference(() => this.#engine.freeze());
  }

  async restore(checkpoint: Checkpoint): Promise<void> {
    this.reference = await this.#makeReference(async () => {
      const initial = this.#run.checkpointAt(0);
      if (initial === undefined) throw initialMissing(this.#run.folder);
      await this.#engine.restore(initial.folder);
      return this.#engine.freeze();
    });
    this.#samplerStep = checkpoint.samplerStep;
    if (checkpoint.samplerStep !== checkpoint.step) {
      await this.#engine.restore(checkpoint.samplerFolder);
      this.sampler = await this.#engine.freeze();
    }
    await this.#engine.restore(checkpoint.folder);
  }

  /** Before the step after `done` steps: takes new sampler weights when they are due. */
  async refresh(done: number, state: JsonObject): Promise<void> {
    if (this.#refreshEvery <= 1 || done % this.#refreshEvery !== 0) return;
    await this.#closeSampler();
    this.sampler = await this.#engine.freeze();
    this.#samplerStep = done;
    // Later checkpoints point to this one for the sampler's weights.
    if (this.#run.checkpointAt(done) === undefined) await this.checkpoint(done, state);
  }

  async checkpoint(done: number, state: JsonObject): Promise<void> {
    if (this.#run.newestCheckpoint?.step === done) return;
    const isFresh = this.#refreshEvery <= 1 || done % this.#refreshEvery === 0;
    const samplerStep = isFresh ? done : this.#samplerStep;
    // Before the first step the optimiser has nothing to remember.
    await this.#run.checkpoint(done, (folder) => this.#engine.save(folder, { optimizer: done > 0 }), { samplerStep, state });
  }

  async close(): Promise<void> {
    await this.#closeSampler();
    await this.reference?.close();
  }

  async #closeSampler(): Promise<void> {
    if (this.sampler !== this.#engine) await this.sampler.close();
    this.sampler = this.#engine;
  }

  async #makeReference(freezeInitial: () => Promise<Scorer>): Promise<Scorer | undefined> {
    if (this.#openReference === undefined) return undefined;
    return this.#openReference === "freeze-initial" ? freezeInitial() : this.#openReference();
  }
}

function isAbort(error: unknown, signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true && (error === signal.reason || (error instanceof Error && error.name === "AbortError"));
}

/** The failure itself is what the caller must hear of, even where a full disk refuses this line too. */
function recordFailure(run: RunDirectory, done: number, error: unknown): void {
  try {
    run.event("failed", { step: done, message: messageOf(error) });
  } catch {}
}

class Pace {
  readonly #started = performance.now();
  readonly #first: number;
  readonly #steps: number;

  constructor(first: number, steps: number) {
    this.#first = first;
    this.#steps = steps;
  }

  after(done: number): { secondsPerStep: number; secondsLeft: number } {
    const secondsPerStep = (performance.now() - this.#started) / 1000 / (done - this.#first);
    return { secondsPerStep, secondsLeft: secondsPerStep * (this.#steps - done) };
  }
}

function initialMissing(folder: string) {
  return userError(
    "initial-checkpoint-missing",
    `${folder}/checkpoints/step-0 is gone, which holds the weights that the KL term compares with`,
    "Restore that folder, or start the run again under another name.",
  );
}
