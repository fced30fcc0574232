/** Opens what grading and methods need beside the model: a sandbox, a judge, embeddings, a scorer. Only what the tasks and methods ask for. */
import path from "node:path";
import type { JsonObject } from "#files/json-lines.ts";
import type { ModelOptions } from "#models/model-options.ts";
import { openModel } from "#models/open-model.ts";
import type { GradingTools } from "#tasks/task.ts";
import { visibleTestRunner } from "#verifiers/programs/examples.ts";
import { pythonRunner } from "#verifiers/programs/grader.ts";
import { type OpenSandboxOptions, openSandbox } from "#verifiers/sandbox/open.ts";
import type { Sandbox } from "#verifiers/sandbox/sandbox.ts";
import { embeddingClient } from "#verifiers/text/similarity.ts";
import { openJudges } from "../shared/judges.ts";
import { promptedScorer } from "../shared/prompted-scorer.ts";
import type { PreparedTask } from "./benchmark.ts";
import type { MethodHelp } from "./tools.ts";

export interface HelpWanted {
  sandbox: OpenSandboxOptions;
  /** Grade answers, or summaries alone; none when empty. */
  judges: readonly string[];
  /** Where they are served; at the model's own server when left out. */
  judgeBaseUrl?: string | undefined;
  /** Environment variable with their server's key; the model's own when left out. */
  judgeApiKeyEnv?: string | undefined;
  /** Verdicts of each judge on each answer. */
  judgeSamples: number;
  /** Embeddings model for summaries. */
  embeddings?: string | undefined;
  /** Model that scores answers without the reference. */
  scorer?: string | undefined;
}

export interface BenchmarkHelp {
  grading: GradingTools;
  methods: MethodHelp;
  /** What of it decides results, for the record. */
  describe(): JsonObject;
  close(): Promise<void>;
}

/** `models` says how judges and scorer are opened; each kind keeps its answers in a folder of its own inside its cache. */
export async function openHelp(
  wanted: HelpWanted,
  tasks: readonly PreparedTask[],
  models: ModelOptions & { cache: string | false; seed: number; signal: AbortSignal },
): Promise<BenchmarkHelp> {
  const toClose: { close(): Promise<void> }[] = [];
  const close = async () => {
    for (const opened of toClose.reverse()) await opened.close();
  };
  try {
    const { judgeSamples, embeddings, scorer: scorerName } = wanted;
    const { seed } = models;
    const sandbox = needsSandbox(tasks) ? await openSandbox(wanted.sandbox) : undefined;
    if (sandbox) toClose.push(sandbox);
    const judges = wanted.judges.length > 0 ? await openJudges(wanted, models) : undefined;
    if (judges) toClose.push(judges);
    const cache = models.cache === false ? false : path.join(models.cache, "scorer");
    const scorer = scorerName === undefined ? undefined : await openModel({ ...models, model: scorerName, cache });
    if (scorer) toClose.push(scorer);
    return {
      grading: {
        sandbox,
        judge: judges && { model: judges.models, samples: judgeSamples, seed },
        embed: embeddings === undefined ? undefined : embeddingClient({ model: embeddings }),
      },
      methods: {
        ...(sandbox && programHelp(sandbox)),
        scoreCompletion: scorer && promptedScorer(scorer.model, { seed }),
      },
      describe: () => ({
        judges: judges?.describe(),
        judgeSamples: judges && judgeSamples,
        scorer: scorer?.describe(),
        embeddings,
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
