/** Plain and refined answers of a model to a source's problems: a quick look while it trains, and the measurement at the end. */
import path from "node:path";
import { type EvaluationProgress, evaluateTask } from "#evaluation/records/evaluate.ts";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { slimRecord } from "#evaluation/records/slim-record.ts";
import type { Results } from "#evaluation/summary/results.ts";
import { summarise } from "#evaluation/summary/summary.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { Scorer } from "#kernel/engine.ts";
import type { Item } from "#kernel/item.ts";
import { meanOrZero } from "#kernel/numbers.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method } from "#kernel/trace.ts";
import { pasrFormat } from "#methods/plain/pasr-format.ts";
import { vanilla } from "#methods/plain/vanilla.ts";
import { EmbeddedModel } from "#models/embedded.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import type { Tokenizer } from "#tokens/tokenizer.ts";
import type { Source } from "../sources/source.ts";
import { answersFile, itemsFile, keepingAnswers } from "./answers-file.ts";

const probeItems = 100;

/** A model as it is: plain prompt and refine prompt. */
export function methodsOf({ prompts }: Pick<Source, "prompts">, ids = { plain: "vanilla", refined: "pasr-prompt" }): Method[] {
  return [vanilla({ id: ids.plain, instruction: prompts.plain }), pasrFormat({ id: ids.refined, instruction: prompts.refine })];
}

/** Greedy accuracy on a few validation problems, plain and refined. */
export async function probeSource(
  source: Source,
  engine: Scorer,
  tokenizer: Tokenizer,
  seed: number,
  signal: AbortSignal | undefined,
): Promise<JsonObject> {
  const items = source.validation(probeItems, deriveSeed(seed, "probe"));
  const records = await evaluateTask({
    ...evaluationPlan(source, engine, tokenizer, items, seed),
    methods: methodsOf(source),
    signal,
  });
  const of = (method: string) => records.filter((record) => record.method === method);
  return {
    plainAccuracy: accuracy(of("vanilla")),
    refinedAccuracy: accuracy(of("pasr-prompt")),
    refinements: meanOrZero(of("pasr-prompt").map((record) => record.refinements)),
  };
}

export interface SourceMeasurement {
  source: Source;
  engine: Scorer;
  tokenizer: Tokenizer;
  run: RunDirectory;
  /** Names the file of answers, such as `base` or `trained`. */
  name: string;
  /** Test problems, or all that there are when there are fewer. */
  items: number;
  seed: number;
  /** Records of another model on the same problems, to be compared with. */
  earlier?: readonly EvaluationRecord[];
  methods?: readonly Method[];
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

/** Answers to the test problems, written down as they come, and what they say. */
export async function measureSource(measurement: SourceMeasurement): Promise<Results> {
  const records = await answerSource(measurement);
  const { source, run, seed, earlier = [] } = measurement;
  const all = [...earlier, ...records];
  const ids = [...new Set(all.map((record) => record.method))];
  return summarise({
    run: path.basename(run.folder),
    model: path.basename(run.folder),
    seed,
    temperature: 0,
    samples: 1,
    tasks: [{ id: source.name, items: testItems(source, measurement.items, seed).length }],
    records: all.map((record) => slimRecord(record)),
    methods: ids,
    comparisons: ids.slice(0, -1).map((id) => [ids.at(-1)!, id] as const),
  });
}

export async function answerSource(measurement: SourceMeasurement): Promise<EvaluationRecord[]> {
  const { source, engine, tokenizer, run, name, seed, signal, onProgress } = measurement;
  const items = testItems(source, measurement.items, seed);
  run.writeFile(path.basename(itemsFile(run.folder)), items.map((item) => `${JSON.stringify(item)}\n`).join(""));
  return keepingAnswers(answersFile(run.folder, name), (kept) =>
    evaluateTask({
      ...evaluationPlan(source, engine, tokenizer, items, seed),
      methods: measurement.methods ?? methodsOf(source),
      ...kept,
      onProgress,
      signal,
    }),
  );
}

function testItems(source: Source, count: number, seed: number): readonly Item[] {
  return source.test(count, deriveSeed(seed, "test"));
}

function evaluationPlan(source: Source, engine: Scorer, tokenizer: Tokenizer, items: readonly Item[], seed: number) {
  const { verify, maxTokens, judge } = source;
  // A judge is asked about final answers alone: it costs as much as an answer.
  const gradeAttempts = judge === undefined;
  return { model: new EmbeddedModel(engine, tokenizer), items, verify, gradeAttempts, maxTokens, temperature: 0, seed };
}

function accuracy(records: readonly EvaluationRecord[]): number {
  return meanOrZero(records.map((record) => record.accuracy));
}
