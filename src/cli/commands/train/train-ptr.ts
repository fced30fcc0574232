/** `midcourse train ptr`: PTR's second phase on files of examples. */
import { fileDigest as digest } from "#data/files/rows.ts";
import { dataCard, renderCard } from "#data/training-files/data-card.ts";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { userError } from "#kernel/errors.ts";
import { namedFolder, shippedModel } from "#models/shipped-model.ts";
import { readExamples } from "#recipes/ptr/examples.ts";
import { type PtrOptions, ptrPresets, trainPtr } from "#recipes/ptr/recipe.ts";
import { withRun } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import type { Schedule } from "#training/steps.ts";
import { adapterOf, adapterRecord } from "../../options/adapter.ts";
import type { AdapterOptions } from "../../options/adapter-options.ts";
import { type MetricOptions, withMetricSinks } from "../../options/metric-options.ts";
import { interruptSignal } from "../../terminal/interrupt.ts";
import { Progress } from "../../terminal/progress.ts";
import { measureRounds, type RoundsOptions, roundsReport, roundsTask } from "./train-ptr-rounds.ts";
import { renderRounds } from "./train-ptr-rounds-text.ts";

export interface TrainPtrOptions extends MetricOptions, AdapterOptions, RoundsOptions {
  data: readonly string[];
  from?: string;
  model?: string;
  out: string;
  loadCheckpoint?: string;
  preset: keyof typeof ptrPresets;
  epochs?: number;
  maxSteps?: number;
  saveEvery?: number;
  keepCheckpoints: number;
  learningRate?: number;
  schedule?: Schedule["shape"];
  warmup?: number;
  weightDecay?: number;
  maxLength?: number;
  batchTokens?: number;
  gradientAccumulation?: number;
  loraTargets?: readonly string[];
  validation: string;
  evaluateEvery?: number;
  earlyStop?: number;
  likelihoodWeight?: number;
  confidenceWeight?: number;
  confidenceScale?: number;
  confidenceRamp?: PtrOptions["confidenceRamp"];
  learnThoughts?: boolean;
  minimumCharacters?: number;
  keepRepeats?: boolean;
  seed: number;
  threads?: number;
  json?: boolean;
}

export async function trainPtrCommand(options: TrainPtrOptions): Promise<void> {
  const folder = options.model ?? shippedModel;
  const validation = validationOf(options.validation);
  const tokenizer = await Tokenizer.load(folder);
  const signal = interruptSignal();
  const limits = {
    ...(options.minimumCharacters === undefined ? {} : { minimumAnswerCharacters: options.minimumCharacters }),
    ...(options.keepRepeats ? { keepRepeats: true } : {}),
  };
  const examples = await readExamples({
    data: options.data,
    ...(options.from ? { format: options.from } : {}),
    limits,
    validation,
  });
  const task = await roundsTask(options, examples.train);
  const engine = await openEngine(options, folder);
  const progress = new Progress();
  try {
    const chosen = ptrOptionsOf(options);
    const ptr = { ...chosen, maxTokens: Math.min(chosen.maxTokens, engine.info.maxContextTokens) };
    await withRun(
      options.out,
      await configurationOf(options, folder, ptr, validation),
      async (run) => {
        if (run.newestCheckpoint === undefined) {
          const card = dataCard({ title: "Training examples", examples: examples.train.length }, examples.tally);
          process.stderr.write(`${renderCard(card)}${examples.validation.length} examples for validation\n`);
        }
        // A run that goes on gets its own weights back when training does; what was to be measured before needs those it began with.
        if (options.loadCheckpoint !== undefined && (task || run.newestCheckpoint === undefined))
          await engine.restore(options.loadCheckpoint);
        const showing = (label: string) => ({
          onProgress: ({ done, total }: { done: number; total: number }) => progress.update({ label, done, total }),
        });
        const measured = { engine, tokenizer, run, signal };
        const before = task && (await measureRounds(task, "before", { ...measured, ...showing("Rounds before training") }));
        const result = await withMetricSinks(options, run, (sinks) =>
          trainPtr({
            engine,
            tokenizer,
            examples: examples.train,
            validation: examples.validation,
            options: ptr,
            seed: options.seed,
            run,
            signal,
            onProgress: ({ stepsDone, steps, metrics }) => {
              sinks.log(stepsDone, metrics);
              const figures = {
                loss: metrics.loss.toFixed(4),
                epoch: metrics.epoch.toFixed(2),
                "tokens/s": String(Math.round(metrics.timing.tokensPerSecond)),
              };
              progress.update({ label: "Train with PTR", done: stepsDone, total: steps, figures });
            },
          }),
        );
        if (!result.finished) signal.throwIfAborted();
        // The engine holds the last weights; what is measured are those that were kept.
        if (task) await engine.restore(result.model);
        const after = task && (await measureRounds(task, "after", { ...measured, ...showing("Rounds after training") }));
        progress.finish();
        const rounds = task && before && after ? { rounds: roundsReport(task, before, after) } : {};
        const first = run.readLines("evaluations")[0]?.validationLoss ?? null;
        run.writeFile(
          "results.json",
          `${JSON.stringify({ ...result, firstValidationLoss: first, model: "model", ...rounds }, null, 2)}\n`,
        );
        const how = result.stoppedEarly ? `ended early after ${result.stepsDone} steps` : `${result.stepsDone} steps`;
        const kept = result.best
          ? `step ${result.best.step}, validation loss ${result.best.validationLoss.toFixed(4)}`
          : "the last step";
        const lines = [
          `training ${how}`,
          `kept     ${kept}${typeof first === "number" ? ` (before training ${first.toFixed(4)})` : ""}`,
          `model    ${result.model}`,
          `run      ${run.folder}`,
        ];
        if (options.json) {
          process.stdout.write(`${JSON.stringify({ ...result, firstValidationLoss: first, ...rounds })}\n`);
          return;
        }
        const screen = { width: process.stdout.columns ?? 110, styled: process.stdout.isTTY === true };
        if (rounds.rounds) lines.unshift("", renderRounds(rounds.rounds, screen), "");
        process.stdout.write(`${lines.join("\n")}\n`);
      },
      { keepCheckpoints: options.keepCheckpoints },
    );
  } finally {
    progress.finish();
    await engine.close();
  }
}

/** The preset with what was asked for instead. */
export function ptrOptionsOf(
  options: Omit<TrainPtrOptions, "data" | "out" | "validation" | "keepCheckpoints" | "seed">,
): PtrOptions {
  const preset = ptrPresets[options.preset];
  const tokensPerCall = options.batchTokens ?? preset.tokensPerCall;
  const perStep = options.gradientAccumulation ?? preset.tokensPerStep / preset.tokensPerCall;
  return {
    ...preset,
    tokensPerCall,
    tokensPerStep: Math.round(tokensPerCall * perStep),
    // Steps alone mean as many epochs as they need.
    epochs: options.epochs ?? (options.maxSteps === undefined ? preset.epochs : Number.POSITIVE_INFINITY),
    maxSteps: options.maxSteps ?? preset.maxSteps,
    maxTokens: options.maxLength ?? preset.maxTokens,
    learningRate: options.learningRate ?? preset.learningRate,
    schedule: options.schedule ?? preset.schedule,
    warmup: options.warmup ?? preset.warmup,
    saveEvery: options.saveEvery ?? preset.saveEvery,
    evaluateEvery: options.evaluateEvery ?? preset.evaluateEvery,
    patience: options.earlyStop ?? preset.patience,
    likelihood: options.likelihoodWeight ?? preset.likelihood,
    confidence: options.confidenceWeight ?? preset.confidence,
    confidenceScale: options.confidenceScale ?? preset.confidenceScale,
    confidenceRamp: options.confidenceRamp ?? preset.confidenceRamp,
    learnThoughts: options.learnThoughts ?? preset.learnThoughts,
    adamW: { ...preset.adamW, weightDecay: options.weightDecay ?? preset.adamW.weightDecay },
  };
}

/** “0.1” is a share, anything that is no number a file. */
export function validationOf(text: string): { file: string } | { share: number } {
  const share = Number(text);
  if (text.trim() === "" || Number.isNaN(share)) return { file: text };
  if (share >= 0 && share < 1) return { share };
  throw userError("validation-share", `${text} is no share of the questions`, "Give a number from 0 to below 1, or a file.");
}

async function openEngine(options: TrainPtrOptions, folder: string): Promise<EmbeddedEngine> {
  const { lora, loraTargets, threads, seed } = options;
  if (lora === undefined && loraTargets !== undefined)
    throw userError("lora-rank", "--lora-targets without --lora", "Give the rank too, for example --lora 8.");
  return EmbeddedEngine.open({
    folder,
    ...(threads === undefined ? {} : { threads }),
    ...adapterOf(options, seed, loraTargets),
  });
}

async function configurationOf(
  options: TrainPtrOptions,
  folder: string,
  ptr: PtrOptions,
  validation: { file: string } | { share: number },
) {
  const files = "file" in validation ? [...options.data, validation.file] : options.data;
  return {
    command: "train ptr",
    options: {
      model: namedFolder(folder),
      data: [...options.data],
      digests: await Promise.all(files.map(digest)),
      from: options.from ?? null,
      validation,
      loadCheckpoint: options.loadCheckpoint ?? null,
      ...adapterRecord(options),
      lora: options.lora === undefined ? null : { rank: options.lora, targets: [...(options.loraTargets ?? [])] },
      minimumCharacters: options.minimumCharacters ?? null,
      keepRepeats: options.keepRepeats === true,
      seed: options.seed,
      ptr: { ...ptr } as unknown as JsonObject,
    },
  };
}
