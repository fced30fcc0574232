/** Opens what grading and methods need beside the model: a sandbox, a judge, embeddings, a scorer. Only what the tasks and methods ask for. */
import path from "node:path";
import type { JsonObject } from "#files/json-lines.ts";
import type { ModelOptions } from "#models/open-model.ts";
import { type OpenedModel, openModel } from "#models/open-model.ts";
import type { PreparedTask } from "#recipes/benchmark/benchmark.ts";
import type { MethodHelp } from "#recipes/benchmark/tools.ts";
import { promptedScorer } from "#recipes/shared/prompted-scorer.ts";
import type { GradingTools } from "#tasks/task.ts";
import { pythonRunner } from "#verifiers/programs/program.ts";
import { visibleTestRunner } from "#verifiers/programs/program-examples.ts";
import type { Sandbox } from "#verifiers/sandbox/sandbox.ts";
import { openSandbox } from "#verifiers/sandbox/sandbox-open.ts";
import { embeddingClient } from "#verifiers/text/similarity.ts";
import { parseNames } from "../options/eval-options.ts";

export interface HelpOptions extends ModelOptions {
  out: string;
  seed: number;
  judge?: string;
  judgeBaseUrl?: string;
  judgeSamples: number;
  embeddings?: string;
  scorer?: string;
  sandbox: "auto" | "process" | "pyodide";
  allowBare?: boolean;
}

export interface BenchmarkHelp {
  grading: GradingTools;
  methods: MethodHelp;
  /** What of it decides results, for the record. */
  describe(): JsonObject;
  close(): Promise<void>;
}

export async function openBenchmarkHelp(
  options: HelpOptions,
  tasks: readonly PreparedTask[],
  signal: AbortSignal,
): Promise<BenchmarkHelp> {
  const toClose: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const opened of toClose.reverse()) await opened.close();
  };
  try {
    const openOther = async (model: string, cacheName: string, baseUrl = options.baseUrl): Promise<OpenedModel> => {
      const { cache = path.join(options.out, "answers") } = options;
      const folder = cache === false ? false : path.join(cache, cacheName);
      const opened = await openModel({ ...options, model, cache: folder, signal, ...(baseUrl === undefined ? {} : { baseUrl }) });
      toClose.push(opened);
      return opened;
    };
    const sandbox = needsSandbox(tasks)
      ? await openSandbox({ prefer: options.sandbox, allowBare: options.allowBare === true })
      : undefined;
    if (sandbox) toClose.push(sandbox);
    const judges: OpenedModel[] = [];
    for (const name of options.judge === undefined ? [] : parseNames(options.judge, "--judge")) {
      judges.push(await openOther(name, "judge", options.judgeBaseUrl));
    }
    const scorer = options.scorer === undefined ? undefined : await openOther(options.scorer, "scorer");
    return {
      grading: {
        ...(sandbox ? { sandbox } : {}),
        ...(judges.length > 0
          ? { judge: { model: judges.map(({ model }) => model), samples: options.judgeSamples, seed: options.seed } }
          : {}),
        ...(options.embeddings === undefined ? {} : { embed: embeddingClient({ model: options.embeddings }) }),
      },
      methods: {
        ...(sandbox ? programHelp(sandbox) : {}),
        ...(scorer ? { scoreCompletion: promptedScorer(scorer.model, { seed: options.seed }) } : {}),
      },
      describe: () => ({
        ...(judges.length > 0 ? { judges: judges.map((judge) => judge.describe()), judgeSamples: options.judgeSamples } : {}),
        ...(scorer ? { scorer: scorer.describe() } : {}),
        ...(options.embeddings === undefined ? {} : { embeddings: options.embeddings }),
      }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function needsSandbox(tasks: readonly PreparedTask[]): boolean {
  return tasks.some(
    ({ task, methods }) =>
      task.answerKind === "program" ||
      methods.some(({ needs = [] }) => needs.includes("python") || needs.includes("visible-tests")),
  );
}

function programHelp(sandbox: Sandbox): MethodHelp {
  return {
    runPython: pythonRunner(sandbox),
    runVisibleTests: async (item, completion, signal) => {
      const run = visibleTestRunner(sandbox, item);
      // No example can object to the answer, then.
      return run ? run(completion, signal) : { passed: true, status: "ok", output: "The question shows no example." };
    },
  };
}
