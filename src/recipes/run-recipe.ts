/**
 * A recipe from its card to a trained and measured model in a run directory: options checked, the model measured, trained, measured again.
 * Everything is written down as it comes, and the same call goes on wherever an earlier one stopped.
 */
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { EvaluationProgress } from "#evaluation/records/evaluate.ts";
import type { Results } from "#evaluation/summary/results.ts";
import { isModelFolder } from "#files/adapter-base.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { modelIdentity } from "#files/model-content.ts";
import { shippedModel } from "#files/shipped-model.ts";
import {
  type CallSpecs,
  callback,
  checkCall,
  flag,
  needed,
  secret,
  signalOption,
  text,
  texts,
  thing,
} from "#kernel/call-options.ts";
import { bugError, userError } from "#kernel/errors.ts";
import type { OptionSpecs } from "#kernel/options.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method } from "#kernel/trace.ts";
import { isRecord } from "#kernel/values.ts";
import { waitingFor } from "#kernel/waiting.ts";
import { type MetricSinks, openMetricSinks, type RunEnding } from "#record/metric-sinks.ts";
import { type RunDirectory, withRun } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { checkedCard, contentOf } from "./outside-recipe.ts";
import type { RecipeCard, RecipeReport, RecipeWork, Trained } from "./recipe-card.ts";
import { changedOptions, defaultsOf, type RecipeChanges, type RecipeOptions, type RecipeValues } from "./recipe-options.ts";
import { type AdapterOptions, adapterOf, adapterRecord } from "./shared/adapter.ts";
import { leavingOut } from "./shared/left-out.ts";
import { withOpened } from "./shared/opened.ts";
import { stepsOfRounds } from "./shared/self-training.ts";
import { answerSource, measureSource } from "./shared/source-evaluation.ts";
import {
  judgeLines,
  judgeResults,
  judgeSettings,
  openTrainingJudge,
  type TrainingJudgeOptions,
} from "./shared/training-judge.ts";
import { openSource, type SourceFiles } from "./sources/file-source.ts";
import { fittingSource } from "./sources/fitting.ts";
import type { Source } from "./sources/source.ts";
import { trainingReport } from "./training-report.ts";

export interface RecipeRun<Options extends RecipeOptions = RecipeOptions>
  extends SourceFiles,
    AdapterOptions,
    TrainingJudgeOptions {
  /** The run directory. */
  out: string;
  /** Checkpoint folder to start from. */
  model?: string | undefined;
  preset?: string | undefined;
  /** Options in the place of the preset's; a later one stands against an earlier, and a function sees what was chosen so far. */
  options?:
    | RecipeChanges<Options>
    | readonly (RecipeChanges<Options> | ((values: RecipeValues<Options>) => RecipeChanges<Options>))[]
    | undefined;
  /** Questions in the place of files or the small world. */
  source?: Source | undefined;
  /** Held-out problems to measure on; 400 when left out. */
  items?: number | undefined;
  /** Of everything random; 1 when left out. */
  seed?: number | undefined;
  threads?: number | undefined;
  /** Stop where rows of the data would be left out, before anything is trained. */
  strict?: boolean | undefined;
  keepCheckpoints?: number | undefined;
  /** Where figures of the training go besides. */
  tensorboard?: string | undefined;
  mlflow?: string | undefined;
  experiment?: string | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: RecipeProgress) => void) | undefined;
  /** Told what the judge's server is asked before the first call, and undefined when it is asked nothing any more. */
  onProbe?: ((waitingFor: string | undefined) => void) | undefined;
  /** Something a person should read. */
  onNote?: ((text: string) => void) | undefined;
}

export interface RecipeProgress {
  label: string;
  done: number;
  total: number;
  figures: Record<string, string>;
}

export interface RecipeResult {
  /** Folder of the trained model. */
  model: string;
  run: string;
  /** As it stands in results.json. */
  results: object;
  /** The page of it. */
  page: string;
  /** Base and trained model side by side; undefined where the recipe measures for itself. */
  table: Results | undefined;
  lines: NonNullable<RecipeReport["lines"]>;
}

/** A preset's options with the changes made, each checked by its range and all together. Throws user errors alone. */
export function chosenOptions<Options extends RecipeOptions>(
  card: Pick<RecipeCard<Options, unknown>, "id" | "options" | "presets" | "check">,
  source: Source,
  { preset, options = [] }: Pick<RecipeRun<Options>, "preset" | "options">,
): RecipeValues<Options> {
  let values = chosenPreset(card, source, preset);
  for (const change of Array.isArray(options) ? options : [options])
    values = changedOptions(card.id, card.options, values, typeof change === "function" ? change(values) : change);
  card.check?.(values);
  return values;
}

export function chosenPreset<Options extends RecipeOptions>(
  card: Pick<RecipeCard<Options, unknown>, "id" | "options" | "presets">,
  source: Source,
  preset?: string,
): RecipeValues<Options> {
  const names = Object.keys(card.presets);
  const name = preset ?? names[0];
  const chosen = Object.hasOwn(card.presets, name) ? card.presets[name] : undefined;
  if (chosen === undefined)
    throw userError("unknown-preset", `${card.id} has no preset “${name}”`, `There are: ${names.join(", ")}.`);
  const changes = typeof chosen === "function" ? chosen(source) : chosen;
  if (!isRecord(changes)) throw userError("bad-preset", `${card.id}: what preset ${name} returns is no object`);
  return changedOptions(card.id, card.options, defaultsOf(card.options), changes);
}

/** What every recipe takes beside its options; the command line checks the same by its flags. */
const runSettings = {
  items: { type: "integer", description: "held-out problems to measure on" },
  seed: { type: "integer", description: "seed of everything random" },
  threads: { type: "integer", minimum: 1, description: "cores to use" },
  keepCheckpoints: { type: "integer", minimum: 1, description: "how many of the newest checkpoints stay on the disk" },
  lora: { type: "integer", minimum: 1, description: "rank of the adapter, for example 8" },
  loraAlpha: { type: "number", above: 0, description: "the adapter's update is scaled by this over the rank" },
  loraDropout: { type: "number", below: 1, description: "share of the adapter's inputs left out while training" },
  ...judgeSettings,
} as const satisfies OptionSpecs;

const specs: CallSpecs<RecipeRun> = {
  ...runSettings,
  out: needed({ type: "text", description: "the run directory" }),
  model: text("checkpoint folder to start from"),
  preset: text("what the options start from"),
  options: thing(
    "changes of the preset's options",
    "an object or a list",
    (value) => typeof value === "object" || typeof value === "function",
  ),
  source: thing("questions in the place of files"),
  tensorboard: text("folder of TensorBoard event files"),
  mlflow: secret(text("address of an MLflow server")),
  experiment: text("MLflow's experiment"),
  signal: signalOption,
  onProgress: callback("told of each step"),
  onNote: callback("told what a person should read"),
  onProbe: callback("told what a server is asked"),
  judge: text("names of judge models, with commas between"),
  judgeBaseUrl: secret(text("where the judge is served")),
  judgeApiKeyEnv: secret(text("environment variable with the key of its server")),
  judgeExtraBody: secret(text("JSON object of fields for every request to the judge")),
  data: text("question–answer file"),
  test: text("file to measure on"),
  question: text("name of the question column"),
  answer: text("name of the answer column"),
  strict: flag("stop where rows of the data would be left out"),
  resample: flag("word problems get new numbers in every pass"),
  loraTargets: texts("the matrices that it is laid over"),
};

/** Trains and measures. Throws the signal's reason when interrupted; the same call goes on. */
export async function runRecipe<Options extends RecipeOptions, Material>(
  card: RecipeCard<Options, Material>,
  setup: RecipeRun<Options>,
): Promise<RecipeResult> {
  const { items = 400, seed = 1, threads, signal, onNote = () => {} } = setup;
  checkedCard(card, "the card given");
  checkCall(`train ${card.id}`, specs, setup as RecipeRun);
  const asked = setup.source ?? (await openSource({ ...setup, seed }, onNote));
  const options = chosenOptions(card, asked, setup);
  const adapter = adapterOf(setup, seed);
  EmbeddedEngine.requireRuntime();
  const material = (await card.read?.(options, seed)) as Material;
  const start = setup.model ?? (card.newModel ? undefined : shippedModel);
  if (start !== undefined) await Tokenizer.load(start);
  const judge = await openTrainingJudge(setup, { ...setup, seed, recipe: card });
  const source = judge?.graded(asked) ?? asked;
  const configuration = {
    command: `train ${card.id}`,
    options: {
      ...(card.learnsFrom === "questions"
        ? { source: source.identity ? undefined : source.name, test: setup.test ?? null, items }
        : {}),
      resample: setup.resample || undefined,
      ...source.identity,
      model: start === undefined ? null : modelIdentity(start),
      seed,
      judge: judge?.record,
      module: contentOf(card),
      ...adapterRecord(setup),
      ...(card.decides ? await card.decides(options) : { [card.id]: options as unknown as JsonObject }),
    },
  };
  const work = async (run: RunDirectory) => {
    const leaveOut = leavingOut(run, { strict: setup.strict, onNote });
    leaveOut(source.leftOut ?? [], { isSaid: true });
    await judge?.begin(run, source.problems(deriveSeed(seed, "problems"))(0), onNote);
    const folder = start ?? (await card.newModel?.(options, source, run, seed)) ?? shippedModel;
    const open = (other: string, how = {}) => EmbeddedEngine.open({ folder: other, threads, ...how });
    return withOpened(await open(folder, adapter), async (engine) => {
      const tokenizer = await Tokenizer.load(folder);
      const limits = { ...engine.info, tokenizer, longestExample: card.longestExample?.(options) };
      const fitting = fittingSource(source, options, limits);
      leaveOut(fitting.leftOut);
      const opened = {
        options,
        engine,
        tokenizer,
        run,
        seed,
        source: fitting.source,
        leaveOut,
        material,
        openEngine: open,
        signal,
        onNote,
      };
      return measuredTraining(card, opened, items, setup);
    });
  };
  try {
    return await withRun(setup.out, configuration, work, { keepCheckpoints: setup.keepCheckpoints });
  } finally {
    await judge?.close();
  }
}

type OpenedWork<Values, Material> = Omit<RecipeWork<Values, Material>, "onSteps" | "onEvaluation"> & { tokenizer: Tokenizer };

async function measuredTraining<Options extends RecipeOptions, Material>(
  card: RecipeCard<Options, Material>,
  work: OpenedWork<RecipeValues<Options>, Material>,
  items: number,
  setup: RecipeRun<Options>,
): Promise<RecipeResult> {
  const { options, source, run, signal } = work;
  const isMeasured = card.learnsFrom === "questions";
  const onEvaluation = (label: string, { done, total, method }: EvaluationProgress) =>
    setup.onProgress?.({ label, done, total, figures: { method } });
  const measurement = (name: string, methods: readonly Method[], label: string) => ({
    ...work,
    items,
    name,
    methods,
    onProgress: (progress: EvaluationProgress) => onEvaluation(label, progress),
  });
  const methods = isMeasured ? checkedMethods(card.id, "methods", card.methods(options, source)) : [];
  const renamed = methods.map((method): Method => ({ ...method, id: `base ${method.id}` }));
  const baseMethods = isMeasured ? checkedMethods(card.id, "baseMethods", card.baseMethods?.(options, source) ?? renamed) : [];
  // Whatever is missing of it is asked of the weights the engine was opened with.
  const base = baseMethods.length > 0 ? await answerSource(measurement("base", baseMethods, "Measure the base")) : [];
  const { model, report } = await withMetricSinks(setup, run, async (sinks) => {
    let present = { round: 0, stepsBefore: 0 };
    const ended: unknown = await waitingFor(`the training of ${card.id}`, async () =>
      card.train({
        ...work,
        onEvaluation,
        onSteps({ stepsDone, steps, metrics }, { label = `Train with ${card.name}`, round, figures = figuresOf(metrics) } = {}) {
          if (round !== undefined && round !== present.round) present = { round, stepsBefore: stepsOfRounds(run.folder, round) };
          sinks.log(present.stepsBefore + stepsDone, round === undefined ? metrics : { round, ...metrics });
          setup.onProgress?.({ label, done: stepsDone, total: steps, figures });
        },
      }),
    );
    return checkedTrained(card.id, ended);
  });
  if (model === undefined) {
    signal?.throwIfAborted();
    const without = `${card.id} ended without a model`;
    if (contentOf(card) === undefined) throw bugError("recipe-without-model", without);
    throw userError("recipe-model", without, "Only a training that the signal stopped returns none.");
  }
  const trained = isMeasured ? await answerSource(measurement("trained", methods, "Measure the trained model")) : [];
  const earlier = [...base, ...trained];
  const table = isMeasured ? await measureSource({ ...measurement("trained", [], ""), earlier }) : undefined;
  const more = report?.({ base, trained });
  const judge = judgeResults(run, source);
  const results = { ...table, ...more?.results, judge };
  run.writeFile("results.json", `${JSON.stringify(results, null, 2)}\n`);
  const page = run.writeFile("report.html", trainingReport([run.folder]).html);
  return {
    model,
    run: run.folder,
    results,
    table,
    page,
    lines: (screen) => [...(more?.lines?.(screen) ?? []), ...judgeLines(judge)],
  };
}

function checkedMethods(owner: string, name: string, methods: unknown): Method[] {
  const isList =
    Array.isArray(methods) && methods.every((each) => typeof each?.id === "string" && typeof each.run === "function");
  if (isList) return methods;
  throw userError("recipe-methods", `${owner}: what ${name} returns is no list of methods`, "A method has an id and a run.");
}

function checkedTrained(owner: string, ended: unknown): Trained {
  const { model = null, report } = isRecord(ended) ? (ended as Partial<Trained>) : {};
  const isStopped = isRecord(ended) && ended.model === undefined;
  if (!isStopped && typeof model !== "string")
    throw userError(
      "recipe-model",
      `${owner}: train returned no { model }`,
      "modelWhenFinished saves the model and gives its folder.",
    );
  if (!isStopped && !isModelFolder(String(model)))
    throw userError("recipe-model", `${owner}: train returned ${model}, where no model is`, "modelWhenFinished saves it.");
  if (report !== undefined && typeof report !== "function") throw userError("recipe-report", `${owner}: report is no function`);
  return ended as Trained;
}

function figuresOf(metrics: object): Record<string, string> {
  const { loss } = metrics as { loss?: unknown };
  return typeof loss === "number" ? { loss: loss.toFixed(4) } : {};
}

/**
 * Runs a training with its metrics going where the options say; whatever becomes of it, they are delivered or told to be lost.
 * A server that is not there never ends a training.
 */
async function withMetricSinks<Result>(
  { tensorboard, mlflow, experiment, onNote }: Pick<RecipeRun, "tensorboard" | "mlflow" | "experiment" | "onNote">,
  run: RunDirectory,
  train: (sinks: Pick<MetricSinks, "log">) => Promise<Result>,
): Promise<Result> {
  const sinks = openMetricSinks({
    tensorboard,
    mlflow,
    experiment,
    runName: path.basename(path.resolve(run.folder)),
    runFolder: run.folder,
    // Where rounds have run directories of their own, the run itself has no checkpoint.
    stepsDone: (run.newestCheckpoint?.step ?? 0) + stepsOfRounds(run.folder),
    parameters: run.configuration.options,
  });
  let ending: RunEnding = "failed";
  try {
    const result = await train(sinks);
    ending = "finished";
    return result;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") ending = "interrupted";
    throw error;
  } finally {
    for (const { sink, place, lost } of await sinks.close(ending)) {
      if (lost > 0) onNote?.(`${sink}: ${lost} values did not reach ${place}.`);
    }
  }
}
