/** Is the strong model stronger? Both answer questions with known answers by themselves; Wilcoxon's signed-rank test on their scores. */
import { signedRank } from "#evaluation/statistics/wilcoxon.ts";
import type { Item } from "#kernel/item.ts";
import { meanOrZero } from "#kernel/numbers.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { parseNumber } from "#verifiers/answers/number.ts";
import { writtenNumberVerifier } from "#verifiers/answers/number-extract.ts";
import { asking } from "../shared/graded-samples.ts";
import { answerVerifier } from "../sources/file-verifiers.ts";
import { ask } from "./calls.ts";
import type { PtrDataSetup } from "./setup.ts";
import { runStage, type StageFile, type StageLine } from "./stage-file.ts";

export interface GapLine extends StageLine {
  /** Accuracy of each, in [0, 1]. */
  weak: number;
  strong: number;
}

export interface GapReport {
  questions: number;
  weakAccuracy: number;
  strongAccuracy: number;
  /** Two-sided. */
  pValue: number;
  /** Questions on which the two differ. */
  differing: number;
  /** The strong model is better and p < 0.05. */
  isThere: boolean;
}

export const gapLevel = 0.05;

/** Greedy answers; a question on which a call failed is left out of the test. */
export async function measureGap(
  setup: PtrDataSetup,
  items: readonly Item[],
  file: StageFile<GapLine>,
  onDone: (done: number, total: number) => void,
): Promise<GapReport> {
  const known = new Map(items.map((item) => [item.id, item]));
  const { concurrency, signal } = setup;
  const work = (id: string) => compareOn(setup, known.get(id)!);
  await runStage({ file, ids: [...known.keys()], concurrency, signal, work, onDone });
  const lines = [...known.keys()].flatMap((id) => {
    const line = file.read(id);
    return line === undefined || line.failed !== undefined ? [] : [line];
  });
  const { pValue, pairs } = signedRank(lines.map(({ weak, strong }) => strong - weak));
  const weakAccuracy = meanOrZero(lines.map(({ weak }) => weak));
  const strongAccuracy = meanOrZero(lines.map(({ strong }) => strong));
  const isThere = strongAccuracy > weakAccuracy && pValue < gapLevel;
  return { questions: lines.length, weakAccuracy, strongAccuracy, pValue, differing: pairs, isThere };
}

async function compareOn(setup: PtrDataSetup, item: Item): Promise<GapLine> {
  const { weak, strong, settings } = setup;
  const messages = asking(settings.system, item.question);
  const options = { n: 1, temperature: 0, seed: deriveSeed(settings.seed, "ptr-gap", item.id) };
  const [first, second] = await Promise.all([
    ask(setup, "weak", weak, messages, options),
    ask(setup, "strong", strong, messages, options),
  ]);
  const failed = first.failed ?? second.failed;
  return {
    id: item.id,
    weak: grade(item, first.texts[0]?.text),
    strong: grade(item, second.texts[0]?.text),
    failed,
    usage: { ...first.usage, ...second.usage },
  };
}

function grade(item: Item, text = ""): number {
  const verify = parseNumber(item.answer) === undefined ? answerVerifier : writtenNumberVerifier;
  return text === "" ? 0 : verify(item, parseRefine(text).answerText, text).accuracy;
}
