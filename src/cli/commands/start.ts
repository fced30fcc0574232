/** `midcourse start`: the first run, with progress while it works and a table at the end. */
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { renderMeasurement } from "#evaluation/report/table.ts";
import type { JsonObject } from "#files/json-lines.ts";
import { namedFolder, shippedModel } from "#models/shipped-model.ts";
import { smallWorldPasrOptions } from "#recipes/pasr/options.ts";
import { checkQuickStart, type QuickStartOptions } from "#recipes/quick-start/plan.ts";
import { quickStart } from "#recipes/quick-start/quick-start.ts";
import { withRun } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { interruptSignal } from "../terminal/interrupt.ts";
import { Progress } from "../terminal/progress.ts";
import { pasrFigures } from "../terminal/training-figures.ts";

export interface StartOptions {
  out: string;
  model?: string;
  seed: number;
  steps?: number;
  items: number;
  fast?: boolean;
  threads?: number;
  json?: boolean;
}

export async function start(options: StartOptions): Promise<void> {
  const folder = options.model ?? shippedModel;
  const plan: QuickStartOptions = {
    model: namedFolder(folder),
    seed: options.seed,
    items: options.fast ? Math.min(options.items, 24) : options.items,
    pasr: { ...smallWorldPasrOptions, steps: options.steps ?? (options.fast ? 4 : smallWorldPasrOptions.steps) },
  };
  checkQuickStart(plan);
  const signal = interruptSignal();
  const progress = new Progress();
  const tokenizer = await Tokenizer.load(folder);
  await withRun(options.out, { command: "start", options: { ...plan } as unknown as JsonObject }, async (run) => {
    const engine = await EmbeddedEngine.open({ folder, ...(options.threads === undefined ? {} : { threads: options.threads }) });
    try {
      const { results, resultsFile, reportFile } = await quickStart({
        engine,
        tokenizer,
        run,
        options: plan,
        signal,
        onEvaluation: (phase, { done, total, failures, method }) =>
          progress.update({
            label: `Measure (${phase})`,
            done,
            total,
            figures: { method, ...(failures > 0 ? { failures: String(failures) } : {}) },
          }),
        onTraining: ({ stepsDone, steps: total, metrics }) =>
          progress.update({ label: "Train with PASR", done: stepsDone, total, figures: pasrFigures(metrics) }),
      });
      progress.finish();
      process.stdout.write(
        options.json
          ? `${JSON.stringify(results)}\n`
          : `\n${renderMeasurement(results, { width: process.stdout.columns ?? 110, styled: process.stdout.isTTY === true })}\n\nresults  ${resultsFile}\nreport   ${reportFile}\n`,
      );
    } finally {
      progress.finish();
      await engine.close();
    }
  });
}
