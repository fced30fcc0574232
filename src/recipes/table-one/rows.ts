/**
 * The rows of the table: what each one is, how it answers, and how it is trained. Everybody starts from the same base and is trained on the
 * first questions of the same stream of sums; of the other domains no method's training sees a problem. Everybody has the questions and their
 * reference answers, and nobody has a teacher: see `table-one-tries.ts` for the papers that have one.
 */
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { TableRow } from "#evaluation/trainings/training-table.ts";
import { replaceFolder } from "#files/durable.ts";
import type { Engine } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method } from "#kernel/trace.ts";
import { ptrRounds } from "#methods/refinement/ptr-rounds.ts";
import { selfRefine } from "#methods/refinement/self-refine.ts";
import { selfRefineOracle } from "#methods/refinement/self-refine-oracle.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { worldDomains } from "#tasks/world/domains.ts";
import { type WorldItem, worldItems, worldStream } from "#tasks/world/items.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import type { Progress } from "#training/loop.ts";
import { generatedStream } from "#training/stream.ts";
import { saysAllRightInWorld } from "../benchmark/task-methods.ts";
import { iscMethod, trainIsc } from "../isc/recipe.ts";
import { trainPasr } from "../pasr/recipe.ts";
import { drawPasrGroups, goodPaths, trainPasrIft } from "../pasr-ift/recipe.ts";
import { trainPtr } from "../ptr/recipe.ts";
import { trainRise } from "../rise/recipe.ts";
import { riseTurns } from "../rise/turns.ts";
import { trainScore } from "../score/recipe.ts";
import { MeteredEngine } from "../shared/metered-engine.ts";
import type { PasrRewardOptions } from "../shared/refinement-reward.ts";
import { plainMethod, refiningMethod } from "../shared/world-methods.ts";
import { trainStar } from "../star/recipe.ts";
import type { TableOnePlan } from "./plan.ts";
import { ptrConversation, type RightTry, rightSecondTries } from "./tries.ts";

export interface RowWork {
  plan: TableOnePlan;
  /** Holds the base's weights; the training leaves its own there. */
  engine: MeteredEngine;
  tokenizer: Tokenizer;
  /** The row's own. The kept model is to lie there under `model`. */
  run: RunDirectory;
  seed: number;
  threads: number | undefined;
  /** Model folder of a row of the same seed that this one builds on. */
  modelOf: (row: string) => string;
  signal: AbortSignal | undefined;
  onProgress: (progress: Progress<object>) => void;
}

export interface TableOneRow extends TableRow {
  method: (plan: TableOnePlan) => Method;
  /** Absent: the base answers. False when the signal stopped it. */
  train?: (work: RowWork) => Promise<boolean>;
  /** Row whose model must be there first. */
  after?: string;
}

const plain = worldPrompts.plain;
const sums = worldDomains[0];
const postHoc = { instruction: plain, feedbackPrompt: worldPrompts.feedback, refinePrompt: worldPrompts.improve };
const rounds = (id: string, count: number) =>
  ptrRounds({ id, rounds: count, instruction: plain, refinePrompt: worldPrompts.improve });

export const tableOneRows: readonly TableOneRow[] = [
  {
    id: "base",
    label: "base",
    what: "the base, plain prompt",
    trained: false,
    method: () => plainMethod("base"),
  },
  {
    id: "self-refine",
    label: "Self-Refine",
    what: "the base: draft, feedback, revision, until the feedback finds nothing wrong",
    trained: false,
    method: ({ rounds: { selfRefine: most } }) =>
      selfRefine({ ...postHoc, id: "self-refine", rounds: most, isAllRight: saysAllRightInWorld }),
  },
  {
    id: "self-refine-plus-oracle",
    label: "Self-Refine+ (oracle)",
    what: "the same, told by the reference answer when to stop: an upper bound",
    trained: false,
    usesOracle: true,
    method: ({ rounds: { selfRefine: most } }) => selfRefineOracle({ ...postHoc, id: "self-refine-plus-oracle", rounds: most }),
  },
  {
    id: "base-rounds",
    label: "base, asked again",
    what: "the base in PTR's rounds, untrained: where PTR, SCoRe and RISE start from",
    trained: false,
    method: (plan) => rounds("base-rounds", plan.rounds.ptr),
  },
  {
    id: "ptr",
    label: "PTR",
    what: "thought-mask fine-tuning on attempts of the base and its right second tries; rounds in one chat",
    trained: true,
    method: (plan) => rounds("ptr", plan.rounds.ptr),
    async train({ plan, engine, tokenizer, run, seed, signal, onProgress }) {
      const tries = await secondTries({ plan, engine, tokenizer, run, seed, signal }, plan.ptr.attempts);
      const examples = tries.map(ptrConversation);
      return (await trainPtr({ engine, tokenizer, examples, options: plan.ptr, seed, run, signal, onProgress })).finished;
    },
  },
  {
    id: "score",
    label: "SCoRe",
    what: "reinforcement learning over two turns; two turns at test",
    trained: true,
    method: () => rounds("score", 2),
    async train({ plan, engine, tokenizer, run, seed, signal, onProgress }) {
      const options = plan.score;
      const training = { engine, tokenizer, run, options, seed, items: questionStream(seed), judge: sums.verify };
      const result = await trainScore({ ...training, signal, onProgress });
      return keep(result, engine, run);
    },
  },
  {
    id: "star",
    label: "STaR",
    what: "trained on its own right solutions, hinted ones included; plain prompt",
    trained: true,
    method: () => plainMethod("star"),
    async train({ plan, seed, onProgress, ...work }) {
      const validation = worldItems(plan.validation, { split: "validation", seed: deriveSeed(seed, "table-validation") });
      const training = { ...work, items: questions(plan, seed), validation, verify: sums.verify, options: plan.star, seed };
      return (await trainStar({ ...training, onProgress: (_loop, steps) => onProgress(steps) })).finished;
    },
  },
  {
    id: "isc",
    label: "ISC",
    what: "trained to answer, judge and correct in one pass, on samples of the base and its right second tries",
    trained: true,
    method: ({ isc }) => iscMethod(isc, "isc"),
    async train({ plan, seed, onProgress, ...work }) {
      // A run that goes on draws them again, from the base as well; what was collected with them is on the disk by then.
      const tries = await secondTries({ plan, seed, ...work }, 1);
      const solutions = new Map(tries.map(({ item, text }) => [item.id, text]));
      const training = {
        ...work,
        items: questions(plan, seed),
        verify: sums.verify,
        solutionOf: ({ id }: Pick<WorldItem, "id">) => solutions.get(id),
        options: plan.isc,
      };
      return (await trainIsc({ ...training, seed, onProgress: (_round, steps) => onProgress(steps) })).finished;
    },
  },
  {
    id: "rise",
    label: "RISE",
    what: "reward-weighted on its own best second tries; turns in one chat, vote over the turns",
    trained: true,
    method: (plan) => riseTurns({ ...plan.rise, id: "rise", turns: plan.rounds.rise }),
    async train({ plan, seed, onProgress, ...work }) {
      const training = { ...work, items: questions(plan, seed), verify: sums.verify, options: plan.rise, seed };
      return (await trainRise({ ...training, onProgress: (_iteration, steps) => onProgress(steps) })).finished;
    },
  },
  {
    id: "pasr-prompt",
    label: "PASR+prompt",
    what: "the base, refine prompt",
    trained: false,
    method: () => refiningMethod("pasr-prompt"),
  },
  {
    id: "pasr-ift",
    label: "PASR+IFT",
    what: "supervised on good refinement paths of the PASR model of the same seed; refine prompt",
    trained: true,
    after: "pasr",
    method: () => refiningMethod("pasr-ift"),
    train: trainIft,
  },
  {
    id: "pasr",
    label: "PASR",
    what: "reinforcement learning that compares refined with plain answers; refine prompt",
    ...pasrRow("pasr"),
  },
];

/** The paper's ablations of the reward (section 3.4), the same otherwise. */
export const ablationRows: readonly TableOneRow[] = [
  {
    id: "pasr-single-reference",
    label: "PASR, single reference",
    what: "the refinement is compared with one plain answer in place of the group",
    ...pasrRow("pasr-single-reference", { refineReward: "versus-single" }),
  },
  {
    id: "pasr-any-refinement",
    label: "PASR, any refinement",
    what: "every refinement is paid, compared with nothing",
    ...pasrRow("pasr-any-refinement", { refineReward: "any-refinement" }),
  },
];

function pasrRow(id: string, reward: Partial<PasrRewardOptions> = {}): Pick<TableOneRow, "trained" | "method" | "train"> {
  return {
    trained: true,
    method: () => refiningMethod(id),
    async train({ plan, engine, tokenizer, run, seed, signal, onProgress }) {
      const options = { ...plan.pasr, ...reward };
      const training = { engine, tokenizer, run, options, seed, items: questionStream(seed), judge: sums.verify };
      return keep(await trainPasr({ ...training, signal, onProgress }), engine, run);
    },
  };
}

async function trainIft({ plan, engine, tokenizer, run, seed, threads, modelOf, signal, onProgress }: RowWork): Promise<boolean> {
  const { temperature, tolerance, refineReward, prompts } = plan.pasr;
  const trained = new MeteredEngine(await EmbeddedEngine.open({ folder: modelOf("pasr"), ...(threads ? { threads } : {}) }));
  let paths: ReturnType<typeof goodPaths>;
  try {
    const sampling = {
      model: new EmbeddedModel(trained, tokenizer),
      verify: sums.verify,
      temperature,
      maxTokens: plan.maxTokens,
      signal,
    };
    const { samples } = plan.ift;
    const draws = { tolerance, refineReward, prompts, refinedSamples: samples, plainSamples: samples };
    const groups = await drawPasrGroups(questions(plan, seed), sampling, draws, deriveSeed(seed, "paths"));
    paths = goodPaths(groups, { instruction: prompts.refine, minimumAccuracy: 1, most: 1 });
  } finally {
    engine.sampledTokens += trained.sampledTokens;
    await trained.close();
  }
  run.writeFile("paths.json", `${JSON.stringify(paths, null, 2)}\n`);
  if (paths.examples.length === 0) {
    throw userError(
      "nothing-kept",
      `the PASR model of the same seed wrote no good refinement path: ${JSON.stringify(paths.counts)}`,
      "Train PASR for longer, or ask more questions.",
    );
  }
  const options = plan.ift.training;
  const training = { engine, tokenizer, paths: paths.examples, options, seed, run, signal, onProgress };
  return (await trainPasrIft(training)).finished;
}

async function keep({ finished }: { finished: boolean }, engine: Engine, run: RunDirectory): Promise<boolean> {
  if (finished) await replaceFolder(path.join(run.folder, "model"), (folder) => engine.save(folder));
  return finished;
}

type TryWork = Pick<RowWork, "plan" | "engine" | "tokenizer" | "run" | "seed" | "signal">;

async function secondTries({ plan, engine, tokenizer, run, seed, signal }: TryWork, attempts: number): Promise<RightTry[]> {
  const { temperature, count } = plan.tries;
  const model = new EmbeddedModel(engine, tokenizer);
  const sampling = { model, verify: sums.verify, temperature, maxTokens: plan.maxTokens, signal };
  const tries = await rightSecondTries(questions(plan, seed), sampling, { attempts, tries: count }, deriveSeed(seed, "tries"));
  run.writeFile(
    "tries.json",
    `${JSON.stringify(tries.map(({ item, messages, text }) => ({ item: item.id, messages, text })))}\n`,
  );
  if (tries.length > 0) return tries;
  throw userError("nothing-kept", `no second try of the base was right, of ${plan.questions} questions`, "Ask more questions.");
}

/** Everybody's training questions of a seed. */
function questionStream(seed: number) {
  return generatedStream(() => worldStream({ split: "train", seed: deriveSeed(seed, "table-questions") }));
}

function questions({ questions: count }: TableOnePlan, seed: number): WorldItem[] {
  return worldItems(count, { split: "train", seed: deriveSeed(seed, "table-questions") });
}
