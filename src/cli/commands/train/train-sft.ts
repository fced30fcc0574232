/** `midcourse train sft`: supervised training of a new or an existing model, measured at the end. */

import { userError } from "#kernel/errors.ts";
import { modelSizes, runSupervised } from "#recipes/sft/supervised-run.ts";
import { fileSftOptions, type SftOptions, worldSftOptions } from "#recipes/sft/train.ts";
import { measureSource, probeSource } from "#recipes/shared/source-evaluation.ts";
import { withRun } from "#record/run-directory.ts";
import { adapterOf, adapterRecord } from "../../options/adapter.ts";
import type { AdapterOptions } from "../../options/adapter-options.ts";
import { type MetricOptions, withMetricSinks } from "../../options/metric-options.ts";
import { openSource, type SourceOptions } from "../../options/source-options.ts";
import { interruptSignal } from "../../terminal/interrupt.ts";
import { printMeasurement } from "../../terminal/measurement.ts";
import { Progress } from "../../terminal/progress.ts";
import { supervisedFigures } from "../../terminal/training-figures.ts";

export interface TrainSftOptions extends SourceOptions, MetricOptions, AdapterOptions {
  out: string;
  model?: string;
  size?: string;
  steps?: number;
  learningRate?: number;
  items: number;
  seed: number;
  threads?: number;
  json?: boolean;
}

export async function trainSft(options: TrainSftOptions): Promise<void> {
  const sizeName = options.size ?? (options.data === undefined ? "small" : "tiny");
  const size = modelSizes[sizeName as keyof typeof modelSizes];
  if (size === undefined)
    throw userError("model-size", `There is no model size "${sizeName}"`, `Give one of ${Object.keys(modelSizes).join(", ")}.`);
  const source = await openSource(options);
  const preset = options.data === undefined ? worldSftOptions : fileSftOptions;
  const sft: SftOptions = {
    ...preset,
    ...(options.steps === undefined ? {} : { steps: options.steps }),
    ...(options.learningRate === undefined ? {} : { learningRate: options.learningRate }),
  };
  const signal = interruptSignal();
  const progress = new Progress();
  await withRun(
    options.out,
    {
      command: "train sft",
      options: {
        source: source.name,
        model: options.model ?? sizeName,
        test: options.test ?? null,
        items: options.items,
        ...adapterRecord(options),
        seed: options.seed,
        sft: { ...sft, adamW: { ...sft.adamW } },
      },
    },
    async (run) => {
      const trained = await withMetricSinks(options, run, (sinks) =>
        runSupervised({
          source,
          start: options.model === undefined ? { size } : { folder: options.model },
          options: sft,
          seed: options.seed,
          run,
          ...(options.threads === undefined ? {} : { threads: options.threads }),
          ...adapterOf(options, options.seed),
          evaluate: (engine, tokenizer, stop) => probeSource(source, engine, tokenizer, options.seed, stop),
          signal,
          onProgress: ({ stepsDone, steps, metrics }) => {
            sinks.log(stepsDone, metrics);
            progress.update({ label: "Supervised training", done: stepsDone, total: steps, figures: supervisedFigures(metrics) });
          },
        }),
      );
      try {
        const measured = await measureSource({
          source,
          engine: trained.engine,
          tokenizer: trained.tokenizer,
          run,
          name: "trained",
          items: options.items,
          seed: options.seed,
          signal,
          onProgress: ({ done, total, method }) => progress.update({ label: "Measure", done, total, figures: { method } }),
        });
        progress.finish();
        run.writeFile("results.json", `${JSON.stringify(measured, null, 2)}\n`);
        printMeasurement(measured, {
          json: options.json === true,
          lines: [`model    ${trained.folder}`, `run      ${run.folder}`],
        });
      } finally {
        progress.finish();
        await trained.engine.close();
      }
    },
  );
}
