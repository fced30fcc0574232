/** `midcourse start`: the first run, with progress while it works and a table at the end. */
import type { Command } from "commander";
import { wholeNumber } from "../options/option-numbers.ts";
import { interruptSignal, printResults } from "../terminal/process.ts";
import { Progress } from "../terminal/progress.ts";

export function registerStart(program: Command): void {
  startOptions(program).action(start);
}

function startOptions(program: Command) {
  return program
    .command("start")
    .description("measure the shipped model, train it with PASR, measure it again on held-out problems, write a report")
    .option("--out <folder>", "run directory; the same command goes on where it stopped", "runs/start")
    .option("--model <folder>", "checkpoint folder to start from (default: the shipped model)")
    .option("--seed <number>", "seed of everything random", wholeNumber, 1)
    .option("--steps <number>", "training steps", wholeNumber)
    .option("--items <number>", "held-out problems each method answers", wholeNumber, 400)
    .option("--fast", "a smoke of the same code in about a minute: few steps, few problems; proves nothing")
    .option("--threads <number>", "cores to use (default: all, up to 8)", wholeNumber)
    .option("--json", "print results.json instead of the table")
    .addHelpText(
      "after",
      "\nExamples:\n  midcourse start\n  midcourse start --seed 2 --out runs/start-2\n  midcourse start --fast --out runs/smoke\n",
    );
}

type StartOptions = ReturnType<ReturnType<typeof startOptions>["opts"]>;

async function start(options: StartOptions): Promise<void> {
  const signal = interruptSignal();
  const progress = new Progress();
  const [{ startQuickly }, { renderMeasurement }, { evalNames }] = await Promise.all([
    import("#recipes/quick-start/quick-start.ts"),
    import("#evaluation/report/table.ts"),
    import("#recipes/shared/world-methods.ts"),
  ]);
  const outcome = await startQuickly(
    {
      folder: options.out,
      model: options.model,
      seed: options.seed,
      items: options.items,
      steps: options.steps,
      isFast: options.fast === true,
      threads: options.threads,
    },
    {
      signal,
      onEvaluation: (phase, { done, total, failures, method }) =>
        progress.update({
          label: `Measure (${phase})`,
          done,
          total,
          figures: { method, ...(failures > 0 ? { failures: String(failures) } : {}) },
        }),
      onTraining: (state) => progress.update({ label: "Train with PASR", ...state }),
    },
  ).finally(() => progress.finish());
  printResults(outcome, options.json, (results, shape) => renderMeasurement(results, { ...shape, evalNames }));
  process.stderr.write(progress.nothingDone());
}
