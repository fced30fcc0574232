/** `midcourse train score`: measures both turns of a model, trains it with SCoRe, measures them again. */

import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { namedFolder, shippedModel } from "#models/shipped-model.ts";
import { turnAccuracies, twoTurns } from "#recipes/score/evaluation.ts";
import { retryRequest } from "#recipes/score/options.ts";
import {
  checkScoreOptions,
  paperCodeScoreOptions,
  paperScoreOptions,
  type ScoreMetrics,
  type ScoreOptions,
  smallWorldScoreOptions,
  trainScore,
} from "#recipes/score/recipe.ts";
import { answerSource, measureSource } from "#recipes/shared/source-evaluation.ts";
import type { Source } from "#recipes/sources/source.ts";
import { worldSource } from "#recipes/sources/world-source.ts";
import { withRun } from "#record/run-directory.ts";
import { fixed, percentSign } from "#text/numbers.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { adapterOf, adapterRecord } from "../../options/adapter.ts";
import type { AdapterOptions } from "../../options/adapter-options.ts";
import { type MetricOptions, withMetricSinks } from "../../options/metric-options.ts";
import { applySettings, scoreSettings } from "../../options/recipe-settings.ts";
import { openSource, type SourceOptions } from "../../options/source-options.ts";
import { interruptSignal } from "../../terminal/interrupt.ts";
import { printMeasurement } from "../../terminal/measurement.ts";
import { Progress } from "../../terminal/progress.ts";
import { turnTable } from "../../terminal/turn-table.ts";

export interface TrainScoreOptions extends SourceOptions, MetricOptions, AdapterOptions {
  out: string;
  model?: string;
  preset: "small" | "paper" | "paper-code";
  set: readonly string[];
  steps?: number;
  items: number;
  threads?: number;
  json?: boolean;
}

export async function trainScoreCommand(options: TrainScoreOptions): Promise<void> {
  const { seed, items } = options;
  const folder = options.model ?? shippedModel;
  const source = await openSource(options);
  const score = scoreOptionsOf(options, source);
  const adapter = adapterOf(options, seed);
  const signal = interruptSignal();
  const progress = new Progress();
  const tokenizer = await Tokenizer.load(folder);
  await withRun(
    options.out,
    {
      command: "train score",
      options: {
        source: source.name,
        test: options.test ?? null,
        model: namedFolder(folder),
        seed,
        items,
        ...adapterRecord(options),
        score: { ...score } as unknown as JsonObject,
      },
    },
    async (run) => {
      const engine = await EmbeddedEngine.open({ folder, ...(options.threads ? { threads: options.threads } : {}), ...adapter });
      try {
        const measured = { source, engine, tokenizer, run, items, seed, signal };
        const showing = (label: string) => ({
          onProgress: ({ done, total, method }: { done: number; total: number; method: string }) =>
            progress.update({ label, done, total, figures: { method } }),
        });
        const untrained = [vanilla({ id: "vanilla", instruction: score.prompts.system }), twoTurns("base score", score.prompts)];
        const base = await answerSource({ ...measured, name: "base", methods: untrained, ...showing("Measure the base") });
        const trained = await withMetricSinks(options, run, (sinks) =>
          trainScore({
            engine,
            tokenizer,
            run,
            options: score,
            seed,
            items: source.problems(deriveSeed(seed, "problems")),
            judge: source.verify,
            signal,
            onProgress: ({ stepsDone, steps, metrics }) => {
              sinks.log(stepsDone, metrics);
              const label = `Train with SCoRe, stage ${metrics.stage}`;
              progress.update({ label, done: stepsDone, total: steps, figures: scoreFigures(metrics) });
            },
          }),
        );
        if (!trained.finished) signal.throwIfAborted();
        const model = path.join(run.folder, "model");
        await engine.save(model);
        const after = await answerSource({
          ...measured,
          name: "trained",
          methods: [twoTurns("score", score.prompts)],
          ...showing("Measure the trained model"),
        });
        const table = await measureSource({ ...measured, name: "trained", methods: [], earlier: [...base, ...after] });
        const turns = {
          base: turnAccuracies(
            base.filter((record) => record.method === "base score"),
            seed,
          ),
          trained: turnAccuracies(after, seed),
        };
        const { kept } = trained;
        const results = { ...table, turns, kept: kept ?? { step: trained.stepsDone } };
        progress.finish();
        run.writeFile("results.json", `${JSON.stringify(results, null, 2)}\n`);
        const weights = kept
          ? `step ${kept.step}, with the highest training reward (${kept.reward.toFixed(2)} over ${score.rewardWindow} steps)`
          : `step ${trained.stepsDone}, the last`;
        printMeasurement(results, {
          json: options.json === true,
          lines: [...turnTable(turns), "", `kept     ${weights}`, `model    ${model}`, `run      ${run.folder}`],
        });
      } finally {
        progress.finish();
        await engine.close();
      }
    },
  );
}

const presets = { small: smallWorldScoreOptions, paper: paperScoreOptions, "paper-code": paperCodeScoreOptions };

/** @throws userError for settings that do not exist or cannot train */
export function scoreOptionsOf(
  { preset, set, steps }: Pick<TrainScoreOptions, "preset" | "set" | "steps">,
  source: Source,
): ScoreOptions {
  const chosen = presets[preset];
  const retry = source === worldSource ? chosen.prompts.retry : retryRequest;
  const fitted =
    preset === "small" ? { ...chosen, maxTokens: source.maxTokens, prompts: { system: source.prompts.plain, retry } } : chosen;
  const options = applySettings(fitted, set, scoreSettings);
  checkScoreOptions(options);
  if (steps === undefined) return options;
  const share = options.stageOneSteps / (options.stageOneSteps + options.stageTwoSteps);
  const stageOneSteps = Math.round(steps * share);
  return { ...options, stageOneSteps, stageTwoSteps: steps - stageOneSteps };
}

/** The few numbers worth watching. */
function scoreFigures({ reward, accuracyFirst, accuracyLast, timing }: ScoreMetrics): Record<string, string> {
  return {
    reward: fixed(reward, 2),
    "turn 1": percentSign(accuracyFirst, 0),
    "turn 2": percentSign(accuracyLast, 0),
    "tokens/s": String(Math.round(timing.tokensPerSecond)),
  };
}
