/** `midcourse train pasr`: measures a model, trains it with PASR on the small world or a file, measures it again. */
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import { namedFolder, shippedModel } from "#models/shipped-model.ts";
import { paperPasrOptions, smallWorldPasrOptions, trainPasr } from "#recipes/pasr/recipe.ts";
import { answerSource, measureSource, methodsOf } from "#recipes/shared/source-evaluation.ts";
import { probeRefinement } from "#recipes/shared/world-probe.ts";
import { worldSource } from "#recipes/sources/world-source.ts";
import { withRun } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { adapterOf, adapterRecord } from "../../options/adapter.ts";
import type { AdapterOptions } from "../../options/adapter-options.ts";
import { type MetricOptions, withMetricSinks } from "../../options/metric-options.ts";
import { applySettings, pasrSettings } from "../../options/recipe-settings.ts";
import { openSource, type SourceOptions } from "../../options/source-options.ts";
import { interruptSignal } from "../../terminal/interrupt.ts";
import { printMeasurement } from "../../terminal/measurement.ts";
import { Progress } from "../../terminal/progress.ts";
import { pasrFigures } from "../../terminal/training-figures.ts";

export interface TrainPasrOptions extends SourceOptions, MetricOptions, AdapterOptions {
  out: string;
  model?: string;
  preset: "small-world" | "paper";
  set: readonly string[];
  steps?: number;
  items: number;
  threads?: number;
  json?: boolean;
}

const presets = { "small-world": smallWorldPasrOptions, paper: paperPasrOptions };

export async function trainPasrCommand(options: TrainPasrOptions): Promise<void> {
  const folder = options.model ?? shippedModel;
  const source = await openSource(options);
  const preset = presets[options.preset];
  const prompts = options.preset === "paper" ? preset.prompts : source.prompts;
  const chosen = applySettings({ ...preset, prompts }, options.set, pasrSettings);
  const pasr = options.steps === undefined ? chosen : { ...chosen, steps: options.steps };
  const signal = interruptSignal();
  const progress = new Progress();
  const tokenizer = await Tokenizer.load(folder);
  await withRun(
    options.out,
    {
      command: "train pasr",
      options: {
        source: source.name,
        test: options.test ?? null,
        model: namedFolder(folder),
        seed: options.seed,
        items: options.items,
        ...adapterRecord(options),
        pasr: { ...pasr } as unknown as JsonObject,
      },
    },
    async (run) => {
      const engine = await EmbeddedEngine.open({
        folder,
        ...(options.threads === undefined ? {} : { threads: options.threads }),
        ...adapterOf(options, options.seed),
      });
      try {
        const measured = {
          source: { ...source, prompts: pasr.prompts },
          engine,
          tokenizer,
          run,
          items: options.items,
          seed: options.seed,
          signal,
        };
        const showing = (label: string) => ({
          onProgress: ({ done, total, method }: { done: number; total: number; method: string }) =>
            progress.update({ label, done, total, figures: { method } }),
        });
        const earlier = await answerSource({ ...measured, name: "base", ...showing("Measure the base") });
        const probe = source.validation(100, deriveSeed(options.seed, "probe"));
        const trained = await withMetricSinks(options, run, (sinks) =>
          trainPasr({
            engine,
            tokenizer,
            run,
            options: pasr,
            seed: options.seed,
            items: source.problems(deriveSeed(options.seed, "problems")),
            judge: source.verify,
            ...(source === worldSource
              ? {
                  evaluate: (_done: number, stop?: AbortSignal) =>
                    probeRefinement(new EmbeddedModel(engine, tokenizer), probe, pasr, stop),
                }
              : {}),
            evaluateEvery: Math.max(1, Math.round(pasr.steps / 10)),
            signal,
            onProgress: ({ stepsDone, steps, metrics }) => {
              sinks.log(stepsDone, metrics);
              progress.update({ label: "Train with PASR", done: stepsDone, total: steps, figures: pasrFigures(metrics) });
            },
          }),
        );
        if (!trained.finished) signal.throwIfAborted();
        const results = await measureSource({
          ...measured,
          name: "trained",
          methods: methodsOf(pasr, { plain: "pasr-plain-prompt", refined: "pasr" }),
          earlier,
          ...showing("Measure the trained model"),
        });
        progress.finish();
        run.writeFile("results.json", `${JSON.stringify(results, null, 2)}\n`);
        const model = path.join(run.folder, "model");
        await engine.save(model);
        printMeasurement(results, { json: options.json === true, lines: [`model    ${model}`, `run      ${run.folder}`] });
      } finally {
        progress.finish();
        await engine.close();
      }
    },
  );
}
