/**
 * The comparison of PASR's Table 1 (arXiv 2508.12903, section 3) in miniature: every trained baseline and the untrained ones on one base of a
 * million parameters, trained on questions and their answers, measured on sums, and on two domains that no method's training sees.
 *
 * Algorithm
 *   1. Teach the shipped model what the methods ask of it; this is everybody's base, for all seeds.
 *   2. Let the base answer the test problems, plainly, refined and post hoc, and sample the pool of the resampling baseline.
 *   3. For each seed train each row from the base, and let it answer the same problems in its own way, greedily.
 *
 * Where this differs from the paper: its size and its tasks; rewards by rule in place of a judge model; SCoRe, RISE and the others are
 * trained as their own papers say, where the paper's rows are trained again on its data with one library (its SCoRe row is preference
 * tuning). So nothing but the order of the rows can be set beside the paper's.
 */
import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { type EvaluationProgress, evaluateTask } from "#evaluation/records/evaluate.ts";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { guarded } from "#files/file-failures.ts";
import { type JsonObject, readLines } from "#files/json-lines.ts";
import { modelIdentity, type NamedContent } from "#files/model-content.ts";
import { userError } from "#kernel/errors.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method } from "#kernel/trace.ts";
import { ptrRounds } from "#methods/refinement/ptr-rounds.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import { domainItems, type WorldDomain, worldDomains } from "#tasks/world/domains.ts";
import { skillsCorpus } from "#tasks/world/skills.ts";
import { worldPrompts } from "#tasks/world/solutions.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import type { Progress } from "#training/loop.ts";
import { generatedStream } from "#training/stream.ts";
import { defaultsOf } from "../recipe-options.ts";
import { sft } from "../sft/recipe.ts";
import { answersFile, keepingAnswers } from "../shared/answers-file.ts";
import { MeteredEngine } from "../shared/metered-engine.ts";
import { withOpened } from "../shared/opened.ts";
import { askWorld } from "../shared/world-methods.ts";
import { worldSource } from "../sources/world-source.ts";
import type { TableOnePlan } from "./plan.ts";
import { ablationRows, described, rowMethod, type TableOneRow, tableOneRows, trainRow } from "./rows.ts";
import { isDone, readDone, runUnits, type Unit, type UnitFailure } from "./units.ts";

export interface TableOneSetup {
  /** Everything lands here; `openTableOne` has looked at it. */
  folder: string;
  plan: TableOnePlan;
  /** 1 … seeds. More can be asked for later. */
  seeds: number;
  /** Version of this code, kept with every unit it does. */
  code: string;
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  onUnit?: (name: string, done: number, total: number) => void;
  /** All that is left is in other hands. */
  onWaiting?: () => void;
  onTraining?: (name: string, progress: Progress<object>) => void;
  onEvaluation?: (name: string, progress: EvaluationProgress) => void;
}

/** Folders of the units, below the run's. */
export const unitNames = {
  base: "base",
  pool: "untrained/pool",
  row: (row: Pick<TableOneRow, "id" | "trained">, seed: number) =>
    row.trained ? `seed-${seed}/${row.id}` : `untrained/${row.id}`,
};

/** Every row of the table and of the ablation, in order. */
export const allRows: readonly TableOneRow[] = [...tableOneRows, ...ablationRows];

/** Rounds of PTR beyond the table's, on sums; the base's beside it. */
export const longRounds = "rounds";

/** Returns what could not be done. */
export async function runTableOne(setup: TableOneSetup): Promise<UnitFailure[]> {
  refuseOtherFolders(setup.folder);
  const { folder, seeds, code, signal, onUnit, onWaiting } = setup;
  const untrained = tableOneRows.filter(({ trained }) => !trained).map((row) => rowUnit(setup, row, 0));
  const trained = Array.from({ length: seeds }, (_, index) =>
    allRows.filter((row) => row.trained).map((row) => rowUnit(setup, row, index + 1)),
  );
  const units = [baseUnit(setup), ...untrained, poolUnit(setup), ...trained.flat()];
  return runUnits(
    folder,
    units.map((unit) => ({ ...unit, work: async (run, resumed) => ({ ...(await unit.work(run, resumed)), code }) })),
    { signal, onUnit, onWaiting },
  );
}

const own = /^(base|untrained|seed-\d+|judge-answers|results\.json|report\.html|table-1\.md)(\.partial)?$/;

/** Nothing is put beside other people's files. */
function refuseOtherFolders(folder: string): void {
  const names = guarded(`read ${folder}`, () => (existsSync(folder) ? readdirSync(folder) : []));
  const others = names.filter((name) => !own.test(name));
  if (others.length === 0 || names.includes("base")) return;
  throw userError(
    "not-a-table",
    `${folder} holds files that are not of this table (${others.slice(0, 3).join(", ")}${others.length > 3 ? ", …" : ""})`,
    "Choose a folder that does not exist yet, or an empty one.",
  );
}

/** Which versions of the code did what is done, each once. */
export function codeVersions(folder: string): string[] {
  const names = [
    unitNames.base,
    ...allRows.flatMap((row) =>
      Array.from({ length: Math.max(1, seedsIn(folder)) }, (_, index) => unitNames.row(row, index + 1)),
    ),
  ];
  const known = names.filter((name) => isDone(folder, name)).map((name) => readDone(folder, name).code);
  return [...new Set(known.filter((code) => typeof code === "string"))];
}

/** The largest seed that was begun; a later call may ask for fewer, and what is there is shown all the same. */
export function seedsIn(folder: string): number {
  let seeds = 0;
  while (existsSync(path.join(folder, `seed-${seeds + 1}`))) seeds++;
  return seeds;
}

/** The plan for the record, in which the model is the same one whatever folder the command is given in. */
function recorded({ plan, folder }: TableOneSetup): Omit<TableOnePlan, "model"> & { model: NamedContent | string } {
  return { ...plan, model: modelIdentity(plan.model, folder) };
}

function baseUnit(setup: TableOneSetup): Unit {
  const { plan, threads, signal, onTraining } = setup;
  return {
    name: unitNames.base,
    needs: [],
    options: plain({ model: recorded(setup).model, base: plan.base }),
    async work(run) {
      const startedAt = performance.now();
      await withOpened(await EmbeddedEngine.open({ folder: plan.model, threads }), async (engine) => {
        const { model } = await sft.train({
          options: { ...defaultsOf(sft.options), ...plan.base.training },
          engine,
          tokenizer: await Tokenizer.load(plan.model),
          run,
          seed: 1,
          source: {
            ...worldSource,
            conversations: (seed) => generatedStream(() => skillsCorpus(seed, plan.base.skills)),
            validation: () => [],
          },
          material: undefined,
          openEngine: (folder) => EmbeddedEngine.open({ folder, threads }),
          signal,
          onSteps: (progress) => onTraining?.("base", progress),
          onEvaluation: () => {},
          onNote: () => {},
        });
        if (model === undefined) signal?.throwIfAborted();
      });
      return { minutes: minutesSince(startedAt) };
    },
  };
}

function poolUnit(setup: TableOneSetup): Unit {
  const { plan } = setup;
  const { samples, temperature } = plan.pool;
  return {
    name: unitNames.pool,
    needs: [unitNames.base],
    options: plain({ items: plan.items, pool: plan.pool, maxTokens: plan.maxTokens }),
    async work(run) {
      const startedAt = performance.now();
      const method = selfConsistency({ id: "pool", samples, instruction: worldPrompts.plain, temperature });
      await withModel(setup, baseModel(setup), async (model) => {
        for (const domain of worldDomains) await answers(setup, run, model, method, domain, domain.id);
      });
      return { minutes: minutesSince(startedAt) };
    },
  };
}

function rowUnit(setup: TableOneSetup, row: TableOneRow, seed: number): Unit {
  const { plan } = setup;
  const { recipe, after } = row;
  const unit = unitNames.row(row, seed);
  return {
    name: unit,
    needs: [unitNames.base, ...(after === undefined ? [] : [`seed-${seed}/${after}`])],
    options: plain({ row: described(row), seed, plan: recorded(setup) }),
    async work(run, resumed) {
      const startedAt = performance.now();
      const cost = recipe ? await trainedRow(setup, { ...row, recipe }, run, seed, resumed) : {};
      const trainedFor = minutesSince(startedAt);
      await withModel(setup, recipe ? path.join(run.folder, "model") : baseModel(setup), async (model) => {
        for (const domain of worldDomains) await answers(setup, run, model, rowMethod(row, plan), domain, domain.id);
        if (row.id === "ptr" || row.id === "base") {
          const rounds = { id: `${row.id}-${longRounds}`, rounds: plan.rounds.ptrLong, instruction: worldPrompts.plain };
          const long = ptrRounds({ ...rounds, refinePrompt: worldPrompts.improve });
          await answers(setup, run, model, long, worldDomains[0], longRounds);
        }
      });
      return { ...cost, minutes: recipe && !resumed ? trainedFor : undefined };
    },
  };
}

/** Unless the model is there already. What a training cost is known when one process did all of it. */
async function trainedRow(
  setup: TableOneSetup,
  row: Parameters<typeof trainRow>[0],
  run: RunDirectory,
  seed: number,
  resumed: boolean,
): Promise<JsonObject> {
  if (existsSync(path.join(run.folder, "model"))) return {};
  const { plan, threads, signal, onTraining } = setup;
  return withOpened(new MeteredEngine(await EmbeddedEngine.open({ folder: baseModel(setup), threads })), async (engine) => {
    const finished = await trainRow(row, {
      plan,
      engine,
      tokenizer: await Tokenizer.load(baseModel(setup)),
      run,
      seed: deriveSeed(seed, "table"),
      threads,
      modelOf: (other) => path.join(setup.folder, `seed-${seed}`, other, "model"),
      signal,
      onProgress: (progress) => onTraining?.(unitNames.row(row, seed), progress),
    });
    if (!finished) signal?.throwIfAborted();
    const { sampledTokens, trainedTokens, steps } = engine;
    return resumed ? {} : { sampledTokens, trainedTokens, steps };
  });
}

async function withModel(setup: TableOneSetup, folder: string, work: (model: EmbeddedModel) => Promise<void>): Promise<void> {
  await withOpened(await EmbeddedEngine.open({ folder, threads: setup.threads }), async (engine) =>
    work(new EmbeddedModel(engine, await Tokenizer.load(folder))),
  );
}

/** Greedy answers to a domain's test problems, in `answers-NAME.jsonl`; those written before are not asked again. */
async function answers(
  setup: TableOneSetup,
  run: RunDirectory,
  model: EmbeddedModel,
  method: Method,
  domain: WorldDomain,
  name: string,
): Promise<void> {
  const { plan, signal, onEvaluation } = setup;
  await keepingAnswers(answersFile(run.folder, name), (kept) =>
    evaluateTask({
      model,
      items: testItems(plan, domain),
      methods: [method],
      verify: domain.verify,
      ask: askWorld,
      tools: (item) => ({
        oracle: { isRight: async (text) => domain.verify(item, parseRefine(text).answerText, text).accuracy >= 1 },
      }),
      temperature: 0,
      maxTokens: plan.maxTokens,
      seed: testSeed,
      ...kept,
      onProgress: (progress) => onEvaluation?.(`${path.basename(run.folder)}, ${name}`, progress),
      signal,
    }),
  );
}

/** One set of test problems for all rows and seeds, so that everything is paired; no setting was chosen on them. */
const testSeed = deriveSeed(250812903, "table-test");

export function testItems(plan: Pick<TableOnePlan, "items">, domain: WorldDomain) {
  return domainItems(domain, plan.items, { split: "test", seed: testSeed });
}

/** Answers of a unit as they were written, in the order of the test problems. */
export function readAnswers(folder: string, unit: string, name: string): EvaluationRecord[] {
  return readLines<EvaluationRecord>(answersFile(path.join(folder, unit), name));
}

function baseModel({ folder }: Pick<TableOneSetup, "folder">): string {
  return path.join(folder, unitNames.base, "model");
}

function minutesSince(startedAt: number): number {
  return (performance.now() - startedAt) / 60_000;
}

function plain(value: object): JsonObject {
  return JSON.parse(JSON.stringify(value)) as JsonObject;
}
