/** Opens what grading and methods need beside the model: a sandbox, a judge, embeddings, a scorer. Only what the tasks and methods ask for. */
import path from "node:path";
import type { JsonObject } from "#files/json-lines.ts";
import { type ModelOptions, type OpenedModel, openModel } from "#models/open-model.ts";
import type { GradingTools } from "#tasks/task.ts";
import { visibleTestRunner } from "#verifiers/programs/examples.ts";
import { pythonRunner } from "#verifiers/programs/grader.ts";
import { type OpenSandboxOptions, openSandbox } from "#verifiers/sandbox/open.ts";
import type { Sandbox } from "#verifiers/sandbox/sandbox.ts";
import { embeddingClient } from "#verifiers/text/similarity.ts";
import { promptedScorer } from "../shared/prompted-scorer.ts";
import type { PreparedTask } from "./benchmark.ts";
import type { MethodHelp } from "./tools.ts";

export interface HelpWanted {
  sandbox: OpenSandboxOptions;
  /** Grade answers, or summaries alone; none when empty. */
  judges: readonly string[];
  /** Where they are served; at the model's own server when left out. */
  judgeBaseUrl?: string | undefined;
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
    const openOther = async (model: string, cacheName: string, baseUrl = models.baseUrl): Promise<OpenedModel> => {
      const cache = models.cache === false ? false : path.join(models.cache, cacheName);
      const opened = await openModel({ ...models, model, cache, baseUrl });
      toClose.push(opened);
      return opened;
    };
    const { judgeSamples, embeddings, scorer: scorerName } = wanted;
    const { seed } = models;
    const sandbox = needsSandbox(tasks) ? await openSandbox(wanted.sandbox) : undefined;
    if (sandbox) toClose.push(sandbox);
    const judges: OpenedModel[] = [];
    for (const name of wanted.judges) judges.push(await openOther(name, "judge", wanted.judgeBaseUrl));
    const scorer = scorerName === undefined ? undefined : await openOther(scorerName, "scorer");
    return {
      grading: {
        sandbox,
        judge: judges.length > 0 ? { model: judges.map(({ model }) => model), samples: judgeSamples, seed } : undefined,
        embed: embeddings === undefined ? undefined : embeddingClient({ model: embeddings }),
      },
      methods: {
        ...(sandbox && programHelp(sandbox)),
        scoreCompletion: scorer && promptedScorer(scorer.model, { seed }),
      },
      describe: () => ({
        judges: judges.length > 0 ? judges.map((judge) => judge.describe()) : undefined,
        judgeSamples: judges.length > 0 ? judgeSamples : undefined,
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
