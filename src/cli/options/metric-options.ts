/** The options that send a training's metrics somewhere besides its run directory, and opening what they name. */
import path from "node:path";
import { Option } from "commander";
import { type MetricSinks, openMetricSinks, type RunEnding } from "#record/metric-sinks.ts";
import type { RunDirectory } from "#record/run-directory.ts";

export interface MetricOptions {
  tensorboard?: string;
  mlflow?: string;
  experiment?: string;
}

export function metricOptions(): Option[] {
  return [
    new Option("--tensorboard <folder>", "write metrics as TensorBoard event files too"),
    new Option("--mlflow <address>", "send metrics to an MLflow tracking server too, such as http://127.0.0.1:5000"),
    new Option("--experiment <name>", "MLflow's experiment (default: midcourse)"),
  ];
}

/**
 * Runs a training with its metrics going where the options say; whatever becomes of it, they are delivered or told to be lost.
 * A server that is not there never ends a training.
 *
 * @param stepsDone where this process goes on from
 */
export async function withMetricSinks<Result>(
  options: MetricOptions,
  run: RunDirectory,
  train: (sinks: Pick<MetricSinks, "log">) => Promise<Result>,
  stepsDone = run.newestCheckpoint?.step ?? 0,
): Promise<Result> {
  const { tensorboard, mlflow, experiment } = options;
  const sinks = openMetricSinks({
    ...(tensorboard === undefined ? {} : { tensorboard }),
    ...(mlflow === undefined ? {} : { mlflow }),
    ...(experiment === undefined ? {} : { experiment }),
    runName: path.basename(path.resolve(run.folder)),
    runFolder: run.folder,
    stepsDone,
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
      if (lost > 0) process.stderr.write(`${sink}: ${lost} values did not reach ${place}.\n`);
    }
  }
}
