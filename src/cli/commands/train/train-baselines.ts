/** `midcourse train star | isc | rise | pasr-ift`: measures a model, trains it as the paper says, measures it again. */
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { Method } from "#kernel/trace.ts";
import { namedFolder, shippedModel } from "#models/shipped-model.ts";
import { stepsOfRounds } from "#recipes/shared/self-training.ts";
import { answerSource, measureSource } from "#recipes/shared/source-evaluation.ts";
import type { MetricSinks } from "#record/metric-sinks.ts";
import { withRun } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { adapterOf, adapterRecord } from "../../options/adapter.ts";
import { withMetricSinks } from "../../options/metric-options.ts";
import { openSource } from "../../options/source-options.ts";
import { interruptSignal } from "../../terminal/interrupt.ts";
import { printMeasurement } from "../../terminal/measurement.ts";
import { Progress } from "../../terminal/progress.ts";
import { baselineRecipes, type TrainBaselineOptions } from "./baseline-recipes.ts";
import type { Baseline } from "./train-baselines-command.ts";

export async function trainBaseline(name: Baseline, options: TrainBaselineOptions): Promise<void> {
  const folder = options.model ?? shippedModel;
  const source = await openSource(options);
  const recipe = baselineRecipes[name](options, source);
  const signal = interruptSignal();
  const progress = new Progress();
  const tokenizer = await Tokenizer.load(folder);
  await withRun(
    options.out,
    {
      command: `train ${name}`,
      options: {
        source: source.name,
        test: options.test ?? null,
        model: namedFolder(folder),
        seed: options.seed,
        questions: options.questions,
        items: options.items,
        ...adapterRecord(options),
        lora: options.lora ?? null,
        recipe: JSON.parse(JSON.stringify(recipe.plan)) as JsonObject,
      },
    },
    async (run) => {
      const adapter = adapterOf(options, options.seed);
      const engine = await EmbeddedEngine.open({ folder, ...(options.threads ? { threads: options.threads } : {}), ...adapter });
      try {
        const measured = { source, engine, tokenizer, run, items: options.items, seed: options.seed, signal };
        const showing = (label: string) => ({
          onProgress: ({ done, total, method }: { done: number; total: number; method: string }) =>
            progress.update({ label, done, total, figures: { method } }),
        });
        const before = recipe.methods.map((method): Method => ({ ...method, id: `base ${method.id}` }));
        // Whatever is missing of it is asked of the weights the engine was opened with.
        const earlier = await answerSource({ ...measured, name: "base", methods: before, ...showing("Measure the base") });
        let present = { round: 0, stepsBefore: 0 };
        const train = (sinks: Pick<MetricSinks, "log">) =>
          recipe.train({
            options,
            source,
            engine,
            tokenizer,
            run,
            signal,
            onSteps: (label, round, { stepsDone, steps, metrics }) => {
              if (round !== present.round) present = { round, stepsBefore: stepsOfRounds(run.folder, round) };
              sinks.log(present.stepsBefore + stepsDone, { round, ...metrics });
              progress.update({ label, done: stepsDone, total: steps, figures: { loss: metrics.loss.toFixed(4) } });
            },
          });
        // Where rounds have run directories of their own, the run itself has no checkpoint.
        const stepsDone = (run.newestCheckpoint?.step ?? 0) + stepsOfRounds(run.folder);
        const model = await withMetricSinks(options, run, train, stepsDone);
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
    },
  );
}
