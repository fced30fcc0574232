/** `midcourse train star | isc | rise | pasr-ift`: measures a model, trains it as the paper says, measures it again. */
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { Method } from "#kernel/trace.ts";
import { answerSource, measureSource } from "#recipes/source-evaluation.ts";
import type { JsonObject } from "#record/json-lines.ts";
import { openRun } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { adapterOf } from "./adapter.ts";
import { baselineRecipes, type TrainBaselineOptions } from "./baseline-recipes.ts";
import { interruptSignal } from "./interrupt.ts";
import { printMeasurement } from "./measurement.ts";
import { Progress } from "./progress.ts";
import { shippedModel } from "./shipped-model.ts";
import { openSource } from "./source-options.ts";
import type { Baseline } from "./train-baselines-command.ts";

export async function trainBaseline(name: Baseline, options: TrainBaselineOptions): Promise<void> {
  const folder = options.model ?? shippedModel;
  const source = await openSource(options);
  const recipe = baselineRecipes[name](options, source);
  const signal = interruptSignal();
  const progress = new Progress();
  const tokenizer = await Tokenizer.load(folder);
  using run = openRun(options.out, {
    command: `train ${name}`,
    options: {
      source: source.name,
      test: options.test ?? null,
      model: path.relative(process.cwd(), folder),
      seed: options.seed,
      questions: options.questions,
      items: options.items,
      lora: options.lora ?? null,
      recipe: JSON.parse(JSON.stringify(recipe.plan)) as JsonObject,
    },
  });
  const lora = options.lora === undefined ? {} : { lora: adapterOf(options.lora, options.seed) };
  const engine = await EmbeddedEngine.open({ folder, ...(options.threads ? { threads: options.threads } : {}), ...lora });
  try {
    const measured = { source, engine, tokenizer, run, items: options.items, seed: options.seed, signal };
    const showing = (label: string) => ({
      onProgress: ({ done, total, method }: { done: number; total: number; method: string }) =>
        progress.update({ label, done, total, figures: { method } }),
    });
    const before = recipe.methods.map((method): Method => ({ ...method, id: `base ${method.id}` }));
    // Whatever is missing of it is asked of the weights the engine was opened with.
    const earlier = await answerSource({ ...measured, name: "base", methods: before, ...showing("Measure the base") });
    const model = await recipe.train({
      options,
      source,
      engine,
      tokenizer,
      run,
      signal,
      onSteps: (label, { stepsDone, steps, metrics }) =>
        progress.update({ label, done: stepsDone, total: steps, figures: { loss: metrics.loss.toFixed(4) } }),
    });
    if (model === undefined) signal.throwIfAborted();
    if (model !== undefined) await engine.restore(model);
    const results = await measureSource({
      ...measured,
      name: "trained",
      methods: recipe.methods,
      earlier,
      ...showing("Measure the trained model"),
    });
    progress.finish();
    run.writeFile("results.json", `${JSON.stringify(results, null, 2)}\n`);
    printMeasurement(results, { json: options.json === true, lines: [`model    ${model}`, `run      ${run.folder}`] });
  } finally {
    progress.finish();
    await engine.close();
  }
}
