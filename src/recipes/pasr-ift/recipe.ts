/**
 * PASR+IFT: plain supervised training on good refinements, the baseline beside PASR (pasr.ts; arXiv 2508.12903) that shows what
 * reinforcement adds to imitation.
 *
 * Algorithm:
 *   1. Refined and plain answers to each question, written by a model that was trained with PASR (`drawPasrGroups`) or while it was being
 *      trained (`groupsOfRun`, from the run's rollouts.jsonl).
 *   2. An answer is a good path when it keeps the format, is right, and refines to use: by PASR's own comparison with the plain answers
 *      (r_refine = +1), and by `isUseful` where a task can tell more.
 *   3. The base is trained on the good paths under the refine prompt, cross-entropy on the whole answer.
 *
 * The paper names no filter and no constants for this baseline: the filter is ours; rate, schedule and epochs are those its authors give for
 * the other supervised baselines (1e-5, cosine, a tenth of warm-up, 2 epochs).
 */

import path from "node:path";
import { readLines } from "#files/json-lines.ts";
import { type TrainingConversation, taughtAnswer } from "#kernel/conversation.ts";
import { userError } from "#kernel/errors.ts";
import type { Grader, Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { getOrMake } from "#kernel/values.ts";
import { pasrFormat } from "#methods/plain/pasr-format.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import {
  trainWeighted,
  type WeightedResult,
  type WeightedRunOptions,
  type WeightedTraining,
} from "#training/supervised/weighted-supervised-run.ts";
import { defineRecipe, type RecipeWork } from "../recipe-card.ts";
import { checkedOptions, type RecipeValues, recipeOptions, withDefaults } from "../recipe-options.ts";
import { asking, gradedSamples, type Sampling, strictAnswer } from "../shared/graded-samples.ts";
import { withOpened } from "../shared/opened.ts";
import {
  collectingFlags,
  questionsOption,
  rerunWeighted,
  smallWeighted,
  tokenChoiceOptions,
  weightedOptions,
} from "../shared/option-groups.ts";
import { answerPrompts, type PasrRewardOptions, pasrReward, rewardOptions } from "../shared/refinement-reward.ts";
import { firstQuestions, type Source, toExample } from "../sources/source.ts";

/** The refined answers to one question, each with its reward in parts. */
export interface PasrGroup {
  item: Pick<Item, "question"> & { id: string };
  refined: readonly { text: string; reward: number; terms: Readonly<Record<string, number>> }[];
}

export interface PasrPathOptions {
  /** The refine prompt the answers were written under, and are learned under. */
  instruction: string;
  /** Least accuracy. */
  minimumAccuracy: number;
  /** Most paths of one question: highest reward first, then the shorter ones. */
  most: number;
  /** More that a path must do, such as mend a step that was wrong. */
  isUseful?: (text: string) => boolean;
}

export type PathCounts = { answers: number; malformed: number; wrong: number; unrefined: number; useless: number; kept: number };

/** Step 2. */
export function goodPaths(
  groups: readonly PasrGroup[],
  options: PasrPathOptions,
): { examples: TrainingConversation[]; counts: PathCounts } {
  const counts: PathCounts = { answers: 0, malformed: 0, wrong: 0, unrefined: 0, useless: 0, kept: 0 };
  const byQuestion = new Map<string, { item: PasrGroup["item"]; paths: Map<string, number> }>();
  for (const { item, refined } of groups) {
    for (const { text, reward, terms } of refined) {
      counts.answers++;
      const fault = faultOf(text, terms, options);
      if (fault) {
        counts[fault]++;
        continue;
      }
      const known = getOrMake(byQuestion, item.question, () => ({ item, paths: new Map<string, number>() }));
      known.paths.set(text, Math.max(reward, known.paths.get(text) ?? Number.NEGATIVE_INFINITY));
    }
  }
  const examples = [...byQuestion.values()].flatMap(({ item, paths }) =>
    [...paths]
      .sort(([first, high], [second, low]) => low - high || first.length - second.length || (first < second ? -1 : 1))
      .slice(0, options.most)
      .map(([text], index) => taughtAnswer(`${item.id}-${index + 1}`, options.instruction, item.question, text)),
  );
  return { examples, counts: { ...counts, kept: examples.length } };
}

function faultOf(text: string, { accuracy = 0, refine = 0 }: Readonly<Record<string, number>>, options: PasrPathOptions) {
  const parsed = parseRefine(text);
  if (!parsed.ok) return "malformed";
  if (!(accuracy >= options.minimumAccuracy)) return "wrong";
  if (parsed.refines.length === 0) return "unrefined";
  return refine > 0 && (options.isUseful?.(text) ?? true) ? undefined : "useless";
}

/** Step 1, from a run of `midcourse train pasr`, which writes down one group now and then. */
export function groupsOfRun(run: Pick<RunDirectory, "readLines" | "folder">): PasrGroup[] {
  const groups = run
    .readLines<PasrGroup & object>("rollouts")
    .filter(({ item, refined }) => item?.question && Array.isArray(refined));
  if (groups.length > 0) return groups;
  throw userError(
    "no-rollouts",
    `${run.folder} holds no rollouts of PASR (rollouts.jsonl)`,
    "Give the folder of a run of `midcourse train pasr`, or draw answers of its model.",
  );
}

export interface PasrDraws extends PasrRewardOptions {
  refinedSamples: number;
  plainSamples: number;
  prompts: { refine: string; plain: string };
}

/** Step 1, from a model that was trained with PASR. Questions whose plain or refined answers failed are left out. */
export async function drawPasrGroups(
  items: readonly Item[],
  sampling: Sampling & { verify: Grader },
  options: PasrDraws,
  seed: number,
): Promise<PasrGroup[]> {
  const draw = (kind: "refine" | "plain", n: number) =>
    gradedSamples(
      sampling,
      items.map((item) => ({
        item,
        messages: asking(options.prompts[kind], item.question),
        n,
        seed: deriveSeed(seed, kind, item.id),
      })),
    );
  const plain = await draw("plain", options.plainSamples);
  const refined = await draw("refine", options.refinedSamples);
  return items.flatMap((item, index) => {
    const expected = plain[index].map(({ accuracy }) => accuracy);
    if (expected.length === 0 || refined[index].length === 0) return [];
    const graded = refined[index].map(({ text, accuracy }) => {
      const parsed = parseRefine(text);
      // As in training: without exactly one answer span there is no answer.
      const earned = strictAnswer(parsed) === undefined ? 0 : accuracy;
      return { text, ...pasrReward(parsed, earned, expected, options) };
    });
    return [{ item: { id: item.id, question: item.question }, refined: graded }];
  });
}

export interface PasrIftTraining extends Omit<WeightedTraining, "examples" | "validation"> {
  tokenizer: Pick<Tokenizer, "encodeTraining">;
  paths: readonly TrainingConversation[];
  validation?: readonly TrainingConversation[];
}

/** Step 3. The model that is kept lies under `model` in the run directory. */
export async function trainPasrIft(training: PasrIftTraining): Promise<WeightedResult> {
  const { tokenizer, paths, validation = [] } = training;
  const options = checkedOptions("pasr-ift", weightedOptions, training.options);
  const encode = (path: TrainingConversation) => toExample(tokenizer, path);
  return trainWeighted({ ...training, options, examples: paths.map(encode), validation: validation.map(encode) });
}

export const iftOptions = recipeOptions({
  trained: {
    type: "text",
    default: undefined,
    description: "checkpoint folder of a model trained with PASR, to draw answers of",
  },
  fromRun: {
    type: "text",
    default: undefined,
    description: "run directory of midcourse train pasr or start, to take its rollouts of",
  },
  questions: questionsOption,
  samples: { type: "integer", default: 8, minimum: 1, description: "refined, and as many plain, answers drawn to each question" },
  temperature: { type: "number", default: 0.9, above: 0, description: "of sampling" },
  ...tokenChoiceOptions,
  maxTokens: { type: "integer", default: 160, minimum: 1, description: "most new tokens of an answer" },
  ...withDefaults(rewardOptions, { tolerance: 0.25 }),
  prompts: answerPrompts,
  training: weightedOptions,
});

type IftOptions = RecipeValues<typeof iftOptions>;

const fitted =
  (training: WeightedRunOptions) =>
  ({ prompts: { refine, plain }, maxTokens }: Source) => ({ prompts: { refine, plain }, maxTokens, training });

export const pasrIft = defineRecipe({
  id: "pasr-ift",
  name: "PASR+IFT",
  paper: { title: "A Stitch in Time Saves Nine: Proactive Self-Refinement for Language Models", arxiv: "2508.12903", year: 2025 },
  status: "stable",
  summary: "plain training on the good refinements of a model trained with PASR",
  options: iftOptions,
  presets: { small: fitted(smallWeighted), paper: fitted(rerunWeighted) },
  flags: {
    "--trained <folder>": { option: "trained" },
    "--from-run <folder>": { option: "fromRun" },
    "--samples <number>": { option: "samples" },
    ...collectingFlags,
  },
  check({ trained, fromRun }) {
    if ((trained === undefined) !== (fromRun === undefined)) return;
    throw userError(
      "pasr-ift-source",
      "the good refinements come from one of two places",
      "Give --trained with a model's folder, or --from-run.",
    );
  },
  learnsFrom: "questions",
  methods: ({ prompts }) => [pasrFormat({ id: "pasr-ift", instruction: prompts.refine })],
  async train(work) {
    const { options, engine, tokenizer, run, seed, signal, onSteps } = work;
    const { fromRun: folder } = options;
    const groups =
      folder === undefined
        ? await drawnGroups(work)
        : groupsOfRun({ folder, readLines: (name) => readLines(path.join(folder, `${name}.jsonl`)) });
    const { examples, counts } = goodPaths(groups, { instruction: options.prompts.refine, minimumAccuracy: 1, most: 1 });
    run.writeFile("paths.json", `${JSON.stringify({ counts, examples }, null, 2)}\n`);
    if (examples.length === 0) {
      throw userError(
        "nothing-kept",
        `none of the refined answers is a good path: ${JSON.stringify(counts)}`,
        "Ask more questions, draw more samples, or take a model that refines to use.",
      );
    }
    const result = await trainPasrIft({
      engine,
      tokenizer,
      paths: examples,
      options: options.training,
      seed,
      run,
      signal,
      onProgress: (progress) => onSteps(progress, { label: "PASR+IFT", round: 1 }),
    });
    if (result.finished) await engine.restore(result.model);
    return { model: result.finished ? result.model : undefined };
  },
  costs: ({ questions, samples, fromRun }) => ({ answers: fromRun === undefined ? 2 * questions * samples : 0 }),
  examples: ["midcourse train pasr-ift --trained runs/pasr/model --out runs/pasr-ift"],
});

async function drawnGroups({ options, source, seed, signal, openEngine }: RecipeWork<IftOptions>): Promise<PasrGroup[]> {
  const {
    trained: folder = "",
    questions,
    samples,
    tolerance,
    refineReward,
    prompts,
    temperature,
    topP,
    topK,
    maxTokens,
  } = options;
  return withOpened(await openEngine(folder), async (trained) => {
    const model = new EmbeddedModel(trained, await Tokenizer.load(folder));
    const sampling = { model, verify: source.verify, temperature, topP, topK, maxTokens, signal };
    const draws = { tolerance, refineReward, refinedSamples: samples, plainSamples: samples, prompts };
    return drawPasrGroups(firstQuestions(source, questions, seed), sampling, draws, deriveSeed(seed, "paths"));
  });
}
