/**
 * SCoRe: “Training Language Models to Self-Correct via Reinforcement Learning”, Aviral Kumar, Vincent Zhuang, Rishabh Agarwal, Yi Su,
 * John D. Co-Reyes, Avi Singh, Kate Baumli, Shariq Iqbal, Colton Bishop, Rebecca Roelofs, Lei M. Zhang, Kay McKinney, Disha Shrivastava,
 * Cosmin Paduraru, George Tucker, Doina Precup, Feryal Behbahani, Aleksandra Faust; arXiv 2409.12917, 2024; ICLR 2025.
 *
 * Claims: with its own answers alone, and no verdict at inference, a model learns to correct itself in a second turn. MATH with Gemini 1.5
 * Flash: first turn 60.0, second 64.4 (base 52.6 → 41.4), wrong → right 5.8, right → wrong 1.4; HumanEval with Gemini 1.0 Pro 52.4 → 64.6.
 *
 * Algorithm
 *   1. For each question sample K conversations: question → y1 → a fixed request to look for a mistake → y2, all from the present policy.
 *      Each answer is right or wrong by a rule: r1, r2.
 *   2. Stage I holds the first turn and teaches the second: maximise r2 − β2·KL(first turn ‖ base).
 *   3. Stage II starts at stage I's last weights with a fresh optimiser and trains both turns: turn 1 earns r1, turn 2 earns
 *      r2 + α·(r2 − r1), the progress bonus, each minus β1·KL(turn ‖ base).
 *   4. Both by REINFORCE with the leave-one-out mean of the siblings as baseline; AdamW. The reference is the base in both stages.
 *   5. At inference always two turns; the second answer counts.
 *
 * Where this differs from the paper, or fills what it leaves open, on purpose:
 *   - Credit: the bonus is added to the second turn's reward, and each turn answers for its own reward (credit `own-turn`). The gradient of
 *     the written sum would also pay the first turn for the second (`to-go`), and with α = 10 pay it for being wrong.
 *   - Stage I applies KL to the first turn alone; the paper lets the ten times smaller β1 act as well (stageOneSecondTurnKl).
 *   - The KL term of a token is the sum over the rest of its turn, as exact as the whole turn's sum and with less noise.
 *   - The paper picks the checkpoint with the highest training reward and names neither its noise nor its stage. Here (keep `best-reward`)
 *     it is the mean over the last rewardWindow steps that is highest, without the KL term, among the weights of every checkpoint and the
 *     last of the stage; each stage chooses its own, because their rewards cannot be compared, and stage II starts from the choice of
 *     stage I. The options for the small world keep the last weights (`last`): their stages are a few windows long.
 *   - Sampled ids are trained as they were drawn, end tokens included. Where the chat template shows a first answer otherwise once another
 *     turn follows (some drop earlier reasoning), the question is dropped, and where every question is, training ends with the reason;
 *     earlierTurns `as-sampled` trains on the first answer as it was written instead.
 */
import path from "node:path";
import { replaceFolder } from "#files/durable.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { Engine } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import type { Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { fixed, percentSign } from "#text/numbers.ts";
import { type LoopResult, runTrainingLoop, type StepContext } from "#training/loop.ts";
import { type ReinforceOptions, reinforceStep } from "#training/policy/reinforce-step.ts";
import type { TurnRewards } from "#training/policy/reinforce-step-batch.ts";
import type { ReinforceMetrics } from "#training/policy/reinforce-step-metrics.ts";
import type { GradedTurn, TurnGrader, TurnGroup, TurnQuestion } from "#training/policy/turn-rollouts.ts";
import { learningRateAt } from "#training/steps.ts";
import { defineRecipe, modelWhenFinished } from "../recipe-card.ts";
import { checkedOptions } from "../recipe-options.ts";
import { earlyWarning } from "../shared/early-warning.ts";
import { type Judge, judged, strictAnswer } from "../shared/graded-samples.ts";
import { judgeMeter, type PolicyTraining, ungradedFigure } from "../shared/policy-training.ts";
import type { Source } from "../sources/source.ts";
import { turnAccuracies, turnTable, twoTurns } from "./evaluation.ts";
import { type Kept, keepBest, keepStateOf, keptFolder, nothingKept } from "./keep.ts";
import { paperCodeScoreOptions, retryRequest, type ScoreOptions, scoreOptions, smallWorldScoreOptions } from "./options.ts";
import { opening, retryFollowUp, type TurnTokenizer } from "./turns.ts";

export type ScoreMetrics = ReinforceMetrics & { stage: 1 | 2 };

export interface ScoreTraining extends PolicyTraining<ScoreOptions, ScoreMetrics> {
  tokenizer: TurnTokenizer;
}

/** Folder in the run directory with the weights that stage II started from, as a checkpoint of the model. */
export const stageOneFolder = "stage-one";

export interface ScoreResult extends LoopResult<JsonObject> {
  /** Where the weights come from that the engine holds at the end; undefined when they are the last, and while it is not finished. */
  kept: Kept | undefined;
}

/**
 * Trains from the newest checkpoint of the run, or from the start. Metrics go to metrics.jsonl, one line a step. Finished, the engine
 * holds the weights that are kept.
 */
export async function trainScore(training: ScoreTraining): Promise<ScoreResult> {
  const { engine, tokenizer, judge, options, seed, run, checkpointEvery = 20, rolloutsEvery = 10 } = training;
  checkScoreOptions(options);
  const grader = turnGrader((ids) => tokenizer.decode(ids), judge);
  const followUp = retryFollowUp(tokenizer, options.prompts, options.earlierTurns);

  const keeping = { engine, run, window: options.rewardWindow, every: checkpointEvery };

  const takeStep = async ({ step, reference, state, signal }: StepContext<JsonObject>) => {
    const judgeCost = judgeMeter(training.judgeSpent);
    const stage = stageOf(step, options);
    const startsStageTwo = step === options.stageOneSteps && step > 0;
    if (startsStageTwo) await beginStageTwo(engine, run, keepStateOf(state).best);
    const rewards = stage === 1 ? stageOneRewards : stageTwoRewards(options.progressBonus);
    const setup = { engine, reference, followUp, grader, rewards, options: reinforceOptions(stage, options, tokenizer.stopIds) };
    const questions = questionsOf(step, stage, training);
    const result = await reinforceStep(setup, questions, learningRateOf(step, options), { seed, step, signal });
    noteDropped(run, step + 1, result.groups);
    if (rolloutsEvery > 0 && step % rolloutsEvery === 0) run.append("rollouts", { step: step + 1, ...describe(result.groups) });
    const metrics: ScoreMetrics = { stage, ...result.metrics, ...judgeCost() };
    if (options.keep === "last") return { metrics, state };
    const seen = { done: step + 1, reward: metrics.reward, isLastOfStage: isLastOfStage(step, options) };
    return { metrics, state: await keepBest(keeping, startsStageTwo ? nothingKept : keepStateOf(state), seen) };
  };

  const { stageOneKl, stageOneSecondTurnKl, stageTwoKl, baseFirstShare } = options;
  const needsReference = [stageOneKl, stageOneSecondTurnKl, stageTwoKl, baseFirstShare].some((each) => each !== 0);
  const result = await runTrainingLoop<ScoreMetrics, JsonObject>({
    ...training,
    steps: options.stageOneSteps + options.stageTwoSteps,
    checkpointEvery,
    initialState: {},
    takeStep,
    openReference: needsReference ? (training.openReference ?? "freeze-initial") : undefined,
  });
  const { best } = keepStateOf(result.state);
  if (!result.finished || best === null) return { ...result, kept: undefined };
  await engine.restore(keptFolder(run, best));
  return { ...result, kept: best };
}

/** What `reinforceStep` needs in a stage: stage I holds the first turn, stage II both. */
export function reinforceOptions(stage: 1 | 2, options: ScoreOptions, stopIds: readonly number[]): ReinforceOptions {
  const { samples, temperature, topP, topK, maxTokens, klPlacement, credit, normaliser, maskTruncated, adamW } = options;
  return {
    rollouts: { samples, turns: 2, temperature, topP, topK, maxTokens, stopIds },
    klCoefficients: stage === 1 ? [options.stageOneKl, options.stageOneSecondTurnKl] : [options.stageTwoKl, options.stageTwoKl],
    klPlacement,
    credit,
    normaliser,
    maskTruncated,
    adamW,
  };
}

/** Stage I pays the second answer alone. */
export const stageOneRewards: TurnRewards = ([, second]) => [0, second];

/** Stage II pays both, and adds to the second α times what it gained on the first. */
export function stageTwoRewards(progressBonus: number): TurnRewards {
  return ([first, second]) => [first, second + progressBonus * (second - first)];
}

/** Grades a turn by the answer that can be read out of it, tagged or not. */
export function turnGrader(decode: (ids: readonly number[]) => string, judge: Judge): TurnGrader<Item> {
  return {
    async grade(item, sample) {
      const text = decode(sample.ids);
      const parsed = parseRefine(text);
      const answer = strictAnswer(parsed) ?? parsed.answerText;
      const { accuracy, extracted } = judged(await judge(item, answer, text));
      return { accuracy, text, answer: extracted ?? answer };
    },
  };
}

function stageOf(step: number, { stageOneSteps }: ScoreOptions): 1 | 2 {
  return step < stageOneSteps ? 1 : 2;
}

function isLastOfStage(step: number, { stageOneSteps, stageTwoSteps }: ScoreOptions): boolean {
  return step + 1 === stageOneSteps || step + 1 === stageOneSteps + stageTwoSteps;
}

/**
 * A fresh optimiser on the weights of stage I that are kept, or its last. They lie under a name of their own, and a run that resumes
 * exactly here does the same again.
 */
async function beginStageTwo(engine: Engine, run: RunDirectory, kept: Kept | null): Promise<void> {
  if (kept !== null) await engine.restore(keptFolder(run, kept));
  const folder = path.join(run.folder, stageOneFolder);
  await replaceFolder(folder, (partial) => engine.save(partial));
  await engine.restore(folder);
}

function questionsOf(step: number, stage: 1 | 2, { items, tokenizer, options, seed }: ScoreTraining): TurnQuestion<Item>[] {
  return Array.from({ length: options.questionsPerStep }, (_, offset) => {
    const index = step * options.questionsPerStep + offset;
    const subject = items(index);
    const prompt = tokenizer.encodeConversation(opening(subject, options.prompts), { addGenerationPrompt: true });
    const firstFromReference = stage === 2 && new Random(deriveSeed(seed, "base-first", index)).chance(options.baseFirstShare);
    return { index, subject, prompt, firstFromReference };
  });
}

function learningRateOf(step: number, options: ScoreOptions): number {
  const { schedule, learningRate, warmupSteps, stageOneSteps, stageTwoSteps } = options;
  const isFirst = stageOf(step, options) === 1;
  return learningRateAt(isFirst ? step : step - stageOneSteps, {
    shape: schedule,
    peak: learningRate,
    floor: 0,
    warmupSteps,
    totalSteps: isFirst ? stageOneSteps : stageTwoSteps,
  });
}

/** What could not be continued or graded was left out, and the record says why. */
function noteDropped(run: RunDirectory, step: number, groups: readonly TurnGroup<Item, GradedTurn>[]): void {
  for (const { question, dropped } of groups) {
    if (dropped) run.event("note", { step, item: question.subject.id, message: `${dropped.reason}: ${dropped.message}` });
  }
}

/** One question for reading: the first that was not dropped, else the first. */
function describe(groups: readonly TurnGroup<Item, GradedTurn>[]) {
  const { question, conversations, dropped } = groups.find((each) => !each.dropped) ?? groups[0];
  return {
    item: { id: question.subject.id, question: question.subject.question, answer: question.subject.answer },
    dropped: dropped?.reason,
    conversations: conversations.map(({ turns }) => turns.map(({ text, accuracy }) => ({ text, accuracy }))),
  };
}

/** @throws userError for options that cannot train */
export function checkScoreOptions(options: ScoreOptions): void {
  const { stageOneSteps, stageTwoSteps, baseFirstShare } = checkedOptions("score", scoreOptions, options);
  const impossible = (message: string) => userError("option-value", `score: ${message}`, "Change that option.");
  if (stageOneSteps + stageTwoSteps < 1) throw impossible("stageOneSteps and stageTwoSteps must be at least 1 together");
  if (baseFirstShare === 1) throw impossible("baseFirstShare must be below 1");
}

const small = ({ prompts, maxTokens }: Source) => ({
  ...smallWorldScoreOptions,
  maxTokens,
  prompts: { system: prompts.plain, retry: prompts.improve ?? retryRequest },
});

/** As the stages divide theirs. */
function dividedSteps(total: number, { stageOneSteps, stageTwoSteps }: ScoreOptions) {
  const first = Math.round(total * (stageOneSteps / (stageOneSteps + stageTwoSteps)));
  return { stageOneSteps: first, stageTwoSteps: total - first };
}

export const score = defineRecipe({
  id: "score",
  name: "SCoRe",
  paper: { title: "Training Language Models to Self-Correct via Reinforcement Learning", arxiv: "2409.12917", year: 2024 },
  status: "stable",
  summary: "reinforcement learning over two turns, so that the second answer is better than the first",
  options: scoreOptions,
  presets: { small, paper: {}, "paper-code": paperCodeScoreOptions },
  flags: {
    "--steps <number>": {
      description: "steps of both stages, divided between them as the options divide theirs",
      spec: { type: "integer", minimum: 1, description: "steps of both stages" },
      changes: (total, options) => dividedSteps(total as number, options),
    },
  },
  check: checkScoreOptions,
  learnsFrom: "questions",
  baseMethods: ({ prompts }) => [vanilla({ id: "vanilla", instruction: prompts.system }), twoTurns("base score", prompts)],
  methods: ({ prompts }) => [twoTurns("score", prompts)],
  async train({ options, engine, tokenizer, run, seed, source, signal, onSteps, onNote }) {
    const warn = earlyWarning(run, onNote);
    const result = await trainScore({
      engine,
      tokenizer,
      run,
      options,
      seed,
      items: source.problems(deriveSeed(seed, "problems")),
      judge: source.verify,
      judgeSpent: source.judge?.spent,
      signal,
      onProgress: (progress) => {
        const { stage, reward, accuracyFirst, accuracyLast, timing, droppedShare } = progress.metrics;
        warn({ someRight: (accuracyFirst ?? 0) > 0 || (accuracyLast ?? 0) > 0, someTaught: droppedShare < 1 });
        const figures = {
          reward: fixed(reward, 2),
          "turn 1": percentSign(accuracyFirst, 0),
          "turn 2": percentSign(accuracyLast, 0),
          ...ungradedFigure(progress.metrics),
          "tokens/s": fixed(timing.tokensPerSecond, 0),
        };
        onSteps(progress, { label: `Train with SCoRe, stage ${stage}`, figures });
      },
    });
    const { kept, stepsDone } = result;
    const weights = kept
      ? `step ${kept.step}, with the highest training reward (${fixed(kept.reward, 2)} over ${options.rewardWindow} steps)`
      : `step ${stepsDone}, the last`;
    return {
      model: await modelWhenFinished(result, engine, run),
      report({ base, trained }) {
        const untrained = base.filter(({ method }) => method === "base score");
        const turns = { base: turnAccuracies(untrained, seed), trained: turnAccuracies(trained, seed) };
        return {
          results: { turns, kept: kept ?? { step: stepsDone } },
          lines: () => [...turnTable(turns), "", `kept     ${weights}`],
        };
      },
    };
  },
  costs: ({ stageOneSteps, stageTwoSteps, questionsPerStep, samples }) => {
    const steps = stageOneSteps + stageTwoSteps;
    return { answers: 2 * samples * questionsPerStep * steps, steps };
  },
  examples: [
    "midcourse train score --out runs/score",
    "midcourse train score --set progressBonus=0 --out runs/no-bonus      the ablation without reward shaping",
    "midcourse train score --set stageOneSteps=0 --out runs/one-stage     the ablation without stage I",
    "midcourse train score --model runs/base/model --data train.csv --test test.csv --set keep=best-reward --out runs/mine",
  ],
});
