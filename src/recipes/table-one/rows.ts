/**
 * The rows of the table: what each one is, how it answers, and how it is trained. Everybody starts from the same base and is trained on the
 * first questions of the same stream of sums; of the other domains no method's training sees a problem. Everybody has the questions and their
 * reference answers, and nobody has a teacher: see `tries.ts` for the papers that have one.
 */
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import type { TableRow } from "#evaluation/trainings/input.ts";
import { bugError, userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
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
import { isc } from "../isc/recipe.ts";
import { pasr } from "../pasr/recipe.ts";
import { pasrIft } from "../pasr-ift/recipe.ts";
import { type PtrMaterial, ptr } from "../ptr/recipe.ts";
import type { RecipeCard } from "../recipe-card.ts";
import { defaultsOf } from "../recipe-options.ts";
import { rise } from "../rise/recipe.ts";
import { score } from "../score/recipe.ts";
import { MeteredEngine } from "../shared/metered-engine.ts";
import type { PasrRewardOptions } from "../shared/refinement-reward.ts";
import { plainMethod, refiningMethod } from "../shared/world-methods.ts";
import type { Source } from "../sources/source.ts";
import { worldSource } from "../sources/world-source.ts";
import { star } from "../star/recipe.ts";
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
  /** How it answers; as its recipe says when left out. */
  method?: (plan: TableOnePlan) => Method;
  /** How it is trained. Absent: the base answers. */
  recipe?: RecipeCard;
  /** The recipe's options in the table. `modelOf`: the model folder of a row of the same seed. */
  settings?: (plan: TableOnePlan, modelOf: RowWork["modelOf"]) => object;
  /** What everybody has in the place of a teacher, where its paper has one. */
  prepare?: (work: RowWork) => Promise<{ solutionOf?: (item: Item) => string | undefined; material?: PtrMaterial }>;
  /** Row whose model must be there first. */
  after?: string;
}

/** What the table and the record say of it. */
export function described({ method: _m, recipe: _r, settings: _s, prepare: _p, after: _a, ...row }: TableOneRow): TableRow {
  return row;
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
    recipe: ptr,
    settings: ({ ptr: options }) => options,
    method: (plan) => rounds("ptr", plan.rounds.ptr),
    async prepare(work) {
      const tries = await secondTries(work, work.plan.ptr.attempts);
      return { material: { train: tries.map(ptrConversation), validation: [] } };
    },
  },
  {
    id: "score",
    label: "SCoRe",
    what: "reinforcement learning over two turns; two turns at test",
    trained: true,
    recipe: score,
    settings: ({ score: options }) => options,
  },
  {
    id: "star",
    label: "STaR",
    what: "trained on its own right solutions, hinted ones included; plain prompt",
    trained: true,
    recipe: star,
    settings: ({ star: options, questions, validation }) => ({ ...options, questions, validation }),
  },
  {
    id: "isc",
    label: "ISC",
    what: "trained to answer, judge and correct in one pass, on samples of the base and its right second tries",
    trained: true,
    recipe: isc,
    settings: ({ isc: options, questions }) => ({ ...options, questions }),
    async prepare(work) {
      // A run that goes on draws them again, from the base as well; what was collected with them is on the disk by then.
      const solutions = new Map((await secondTries(work, 1)).map(({ item, text }) => [item.id, text]));
      return { solutionOf: ({ id }) => solutions.get(id) };
    },
  },
  {
    id: "rise",
    label: "RISE",
    what: "reward-weighted on its own best second tries; turns in one chat, vote over the turns",
    trained: true,
    recipe: rise,
    settings: ({ rise: options, questions, rounds: { rise: turns } }) => ({ ...options, questions, turns }),
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
    recipe: pasrIft,
    settings: ({ pasr: { temperature, tolerance, refineReward, prompts }, ift, questions, maxTokens }, modelOf) => ({
      ...{ temperature, tolerance, refineReward, prompts, questions, maxTokens, ...ift },
      trained: modelOf("pasr"),
    }),
  },
  {
    id: "pasr",
    label: "PASR",
    what: "reinforcement learning that compares refined with plain answers; refine prompt",
    ...pasrRow(),
  },
];

/** The paper's ablations of the reward (section 3.4), the same otherwise. */
export const ablationRows: readonly TableOneRow[] = [
  {
    id: "pasr-single-reference",
    label: "PASR, single reference",
    what: "the refinement is compared with one plain answer in place of the group",
    ...pasrRow({ refineReward: "versus-single" }),
  },
  {
    id: "pasr-any-refinement",
    label: "PASR, any refinement",
    what: "every refinement is paid, compared with nothing",
    ...pasrRow({ refineReward: "any-refinement" }),
  },
  {
    id: "pasr-no-refine-reward",
    label: "PASR, accuracy alone",
    what: "no refinement is paid: the same optimiser on format and accuracy, a control of ours",
    ...pasrRow({ refineReward: "none" }),
  },
];

function pasrRow(reward: Partial<PasrRewardOptions> = {}): Pick<TableOneRow, "trained" | "recipe" | "settings"> {
  return { trained: true, recipe: pasr, settings: (plan) => ({ ...plan.pasr, ...reward }) };
}

export function rowMethod(row: TableOneRow, plan: TableOnePlan): Method {
  if (row.method) return row.method(plan);
  const methods =
    row.recipe?.methods(
      rowOptions(row, plan, () => ""),
      worldSource,
    ) ?? [];
  const last = methods.at(-1);
  if (last === undefined) throw bugError("row-without-method", `${row.id} says not how it answers`);
  return { ...last, id: row.id };
}

/** False when the signal stopped it. */
export async function trainRow(row: TableOneRow & { recipe: RecipeCard }, work: RowWork): Promise<boolean> {
  const { plan, engine, tokenizer, run, seed, threads, signal, onProgress } = work;
  const { solutionOf, material } = (await row.prepare?.(work)) ?? {};
  const others: MeteredEngine[] = [];
  const { model } = await row.recipe.train({
    options: rowOptions(row, plan, work.modelOf),
    engine,
    tokenizer,
    run,
    seed,
    source: { ...tableSource(plan, seed), solutionOf },
    material,
    async openEngine(folder) {
      const other = new MeteredEngine(await EmbeddedEngine.open({ folder, threads }));
      others.push(other);
      return other;
    },
    signal,
    onSteps: onProgress,
    onEvaluation: () => {},
    onNote: () => {},
  });
  for (const { sampledTokens } of others) engine.sampledTokens += sampledTokens;
  return model !== undefined;
}

function rowOptions({ recipe, settings }: TableOneRow, plan: TableOnePlan, modelOf: RowWork["modelOf"]) {
  return { ...defaultsOf(recipe?.options ?? {}), ...settings?.(plan, modelOf) };
}

/** Everybody's questions of a seed, whatever a recipe's own seed; nobody is watched while it trains. */
function tableSource({ validation }: TableOnePlan, seed: number): Source {
  const { probe: _probe, solutionOf: _solutionOf, ...source } = worldSource;
  return {
    ...source,
    verify: sums.verify,
    problems: () => generatedStream(() => worldStream({ split: "train", seed: deriveSeed(seed, "table-questions") })),
    validation: () => worldItems(validation, { split: "validation", seed: deriveSeed(seed, "table-validation") }),
  };
}

async function secondTries({ plan, engine, tokenizer, run, seed, signal }: RowWork, attempts: number): Promise<RightTry[]> {
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

function questions({ questions: count }: TableOnePlan, seed: number): WorldItem[] {
  return worldItems(count, { split: "train", seed: deriveSeed(seed, "table-questions") });
}
