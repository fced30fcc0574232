/**
 * Where metrics go besides metrics.jsonl: TensorBoard event files, an MLflow server, both or neither. What was asked for and cannot be is
 * an error at the start (a folder that cannot be written, an address that is none); from then on nothing here fails a training.
 */
import path from "node:path";
import { messageOf } from "#kernel/errors.ts";
import { isRecord, leavesOf } from "#kernel/values.ts";
import { MlflowRun } from "./mlflow.ts";
import { mlflowAuthorization } from "./mlflow-client.ts";
import { type Scalars, TensorBoardFile } from "./tensorboard.ts";

export interface MetricSinkOptions {
  /** Folder for event files; the run gets a folder of its name in it. */
  tensorboard?: string | undefined;
  /** Address of an MLflow tracking server. */
  mlflow?: string | undefined;
  /** MLflow's experiment; `midcourse` when left out. */
  experiment?: string | undefined;
  /** How the run is called in both. */
  runName?: string;
  /** The run's own folder: MLflow's run id is kept there, so that a process that resumes goes on with it. */
  runFolder?: string;
  /** Where this process goes on from; 0 in a new run. */
  stepsDone?: number;
  /** Shown by MLflow as the run's parameters; nested values under dotted names. */
  parameters?: object;
  /** Where MLflow's credentials are read from, under the names MLflow's own clients use. */
  environment?: Readonly<Record<string, string | undefined>>;
  /** Told the first failure of each sink. */
  tell?: (message: string) => void;
  /** Waits between tries and at the end, for MLflow. */
  retrySeconds?: readonly number[];
  closeSeconds?: number;
}

export interface SinkReport {
  sink: "tensorboard" | "mlflow";
  /** The event file, or the server. */
  place: string;
  /** Values that arrived, and values that did not. */
  sent: number;
  lost: number;
  firstFailure?: string | undefined;
}

/** How a run ended. */
export type RunEnding = "finished" | "interrupted" | "failed";

export interface MetricSinks {
  /** Takes every number in `metrics`, nested ones under names with slashes. `step` counts steps done. Never throws and never waits. */
  log(step: number, metrics: object): void;
  /** Delivers what is left, within some seconds, and says what arrived. Never rejects; a second call does nothing more. */
  close(ending?: RunEnding): Promise<SinkReport[]>;
}

interface Sink {
  log(step: number, scalars: Scalars): void;
  close(ending: RunEnding): Promise<SinkReport>;
}

/** @throws userError where a folder cannot be written or an address is none */
export function openMetricSinks(options: MetricSinkOptions): MetricSinks {
  const tell = options.tell ?? ((message) => process.stderr.write(`${message}\n`));
  const sinks: Sink[] = [];
  // The address first: a file that was opened would be left behind.
  if (options.mlflow !== undefined) sinks.push(mlflowSink(options, options.mlflow, tell));
  if (options.tensorboard !== undefined) sinks.push(tensorBoardSink(options, options.tensorboard, tell));
  let closing: Promise<SinkReport[]> | undefined;
  return {
    log(step, metrics) {
      if (closing !== undefined) return;
      const scalars = flattenMetrics(metrics);
      for (const sink of sinks) sink.log(step, scalars);
    },
    close(ending = "finished") {
      closing ??= Promise.all(sinks.map((sink) => sink.close(ending)));
      return closing;
    },
  };
}

/** Every number in an object, those of inner objects under `outer/inner`; lists, texts and the rest are left out. */
export function flattenMetrics(metrics: object): [name: string, value: number][] {
  return leavesOf(metrics, "/").filter((entry): entry is [string, number] => typeof entry[1] === "number");
}

function tensorBoardSink({ runName, stepsDone = 0 }: MetricSinkOptions, root: string, tell: (message: string) => void): Sink {
  const folder = runName === undefined ? root : path.join(root, path.basename(runName));
  const file = new TensorBoardFile(folder, stepsDone);
  const report: SinkReport = { sink: "tensorboard", place: file.file, sent: 0, lost: 0 };
  const attempt = (count: number, work: () => void) => {
    try {
      work();
      report.sent += count;
    } catch (error) {
      report.lost += count;
      if (report.firstFailure !== undefined) return;
      report.firstFailure = messageOf(error);
      tell(`TensorBoard: ${report.firstFailure}; training goes on, and metrics.jsonl has every value`);
    }
  };
  return {
    log: (step, scalars) => attempt(scalars.length, () => file.write(step, scalars)),
    async close() {
      attempt(0, () => file.close());
      return report;
    },
  };
}

const endings = { finished: "FINISHED", interrupted: "KILLED", failed: "FAILED" } as const;

function mlflowSink(options: MetricSinkOptions, uri: string, tell: (message: string) => void): Sink {
  const { experiment = "midcourse", runName, runFolder, parameters = {}, environment = process.env } = options;
  const authorization = mlflowAuthorization(environment);
  const run = new MlflowRun({
    uri,
    experiment,
    parameters: flattenParameters(parameters),
    tell: (message) => tell(`MLflow: ${message}; training goes on, and metrics.jsonl has every value`),
    authorization,
    runName,
    stateFile: runFolder && path.join(runFolder, "mlflow.json"),
    retrySeconds: options.retrySeconds,
    closeSeconds: options.closeSeconds,
  });
  return {
    log: (step, scalars) => run.log(step, scalars),
    async close(ending) {
      await run.close(endings[ending]);
      const { place, sent, lost, firstFailure } = run;
      return { sink: "mlflow", place, sent, lost, firstFailure };
    },
  };
}

function flattenParameters(parameters: object): [string, string][] {
  return leavesOf(parameters)
    .filter(([, value]) => value !== undefined && value !== null && !isRecord(value))
    .map(([name, value]) => [name, typeof value === "string" ? value : JSON.stringify(value)]);
}
