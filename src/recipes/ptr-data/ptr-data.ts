/**
 * PTR, phase 1: the training data. “Think Thrice Before You Act: Progressive Thought Refinement in Large Language Models”, Chengyu Du,
 * Jinyi Han, Yizhou Ying, Aili Chen, Qianyu He, Haokun Zhao and others; arXiv 2410.13413, 2024; ICLR 2025.
 *
 * Algorithm (section 3.1 of the paper, with the authors' published generator):
 *   1. Queries: general instructions, cleaned; what belongs to one domain alone is taken out.
 *   2. A weak and a strong model are chosen by a gap in size, in version or in tuning for the domain, and the gap is tested (Wilcoxon, p < 0.05).
 *   3. The weak model writes attempts ŷ1 … ŷn. The strong model, which is shown question and attempts, writes the answer ŷn+1.
 *   4. Consistency: the strong model answers several times; where its answers agree too little, the query is dropped.
 *   5. A share of plain instruction data is mixed in, against forgetting.
 * Phase 2 trains on question, attempts, fixed request and answer with the answer alone weighted (`#data/training-files/ptr-layout.ts`).
 *
 * Where this differs, on purpose or because the paper is silent:
 *   - Queries are asked as a chat message; the generator's completion prompt is for base models. Top-k 30 is not sent: many servers lack it.
 *   - The threshold of the consistency filter is not published. Ours are 0.5 (share of equal answers) and 0.9 (mean cosine), options both.
 *     The sample that the others agree with most becomes the answer.
 *   - The gap is tested on questions with known answers that both models answer by themselves; the paper does not say on what.
 *   - Taking out queries of one domain is left to whoever chooses the file.
 *   - An answer that repeats an attempt word for word is dropped: it shows no refinement. An answer cut at its length is dropped: it has no end.
 *
 * Run directory: gap.jsonl, attempts.jsonl, answers.jsonl, agreement.jsonl (embeddings only), examples.jsonl, card.json. Stages go on where
 * they stopped; what failed is tried again by the next run.
 */

import path from "node:path";
import { mix } from "#data/filters/mixing.ts";
import type { Query } from "#data/sources/ptr-queries.ts";
import { type DataCard, DropTally } from "#data/training-files/data-card.ts";
import { ptrConversation } from "#data/training-files/ptr-layout.ts";
import { userError } from "#kernel/errors.ts";
import { formatP } from "#text/numbers.ts";
import {
  type AgreementLine,
  type AnswerLine,
  type AttemptLine,
  measureAgreement,
  sequenceOptions,
  writeAnswer,
  writeAttempts,
} from "./calls.ts";
import { ptrCard } from "./card.ts";
import { type GapLine, type GapReport, measureGap } from "./gap.ts";
import { type Selection, selectExample } from "./selection.ts";
import type { MixedExamples, PtrDataSetup } from "./setup.ts";
import { runStage, StageFile } from "./stage-file.ts";

export interface PtrDataResult {
  card: DataCard;
  examplesFile: string;
  cardFile: string;
}

export async function makePtrData(setup: PtrDataSetup): Promise<PtrDataResult> {
  const { settings, queries, run, concurrency, signal, embedding } = setup;
  checkSettings(setup);
  const stageFile = <Line extends { id: string; usage: AttemptLine["usage"] }>(name: string) =>
    new StageFile<Line>(path.join(run.folder, `${name}.jsonl`));
  const go = { concurrency, signal };
  const progress = (stage: string) => (done: number, total: number) => setup.onProgress?.({ stage, done, total });

  // 2. The gap, before anything is paid for.
  const gapFile = stageFile<GapLine>("gap");
  const gap = await testGap(setup, gapFile, progress("Test the gap"));

  // 3. Attempts, then answers.
  const attempts = stageFile<AttemptLine>("attempts");
  await runStage({
    ...go,
    file: attempts,
    ids: queries.map(({ id }) => id),
    work: byId(queries, (query) => writeAttempts(setup, query)),
    onDone: progress("Attempts (weak)"),
  });
  const answers = stageFile<AnswerLine>("answers");
  const attempted = queries.filter(({ id }) => attempts.read(id)?.attempts.some(({ text }) => text.trim() !== ""));
  await runStage({
    ...go,
    file: answers,
    ids: attempted.map(({ id }) => id),
    work: byId(attempted, (query) => writeAnswer(setup, query, attempts.read(query.id)!)),
    onDone: progress("Answers (strong)"),
  });

  // 4. Agreement; that of answers is worked out below, where it costs nothing.
  const agreement = stageFile<AgreementLine>("agreement");
  if (settings.agreement === "embedding") {
    const answered = attempted.filter(({ id }) => answers.has(id));
    await runStage({
      ...go,
      file: agreement,
      ids: answered.map(({ id }) => id),
      work: (id) => measureAgreement(embedding!, answers.read(id)!, signal),
      onDone: progress("Agreement (embeddings)"),
    });
  }

  // 5. Selection and mixing: pure, so that they are simply done again.
  const tally = new DropTally();
  if (setup.leftOut) tally.addDropsOf(setup.leftOut);
  const selections: Selection[] = [];
  for (const { id, question } of queries) {
    const material = { question, attempts: attempts.read(id), answers: answers.read(id), agreement: agreement.read(id) };
    const selection = tally.take<Selection>(id, selectExample(id, material, settings));
    if (selection) selections.push(selection);
  }
  const mixed = mixIn(setup, selections);
  const examplesFile = run.writeFile("examples.jsonl", mixed.examples.map((example) => `${JSON.stringify(example)}\n`).join(""));
  const usage = { ...gapUsage(gapFile), ...attempts.usage, ...answers.usage, ...agreement.usage };
  const card = ptrCard({ setup, tally, selections, mixed, gap, usage });
  const cardFile = run.writeFile("card.json", `${JSON.stringify(card, null, 2)}\n`);
  run.event("finished", { examples: card.examples });
  return { card, examplesFile, cardFile };
}

function checkSettings({ settings, embedding, plain }: PtrDataSetup): void {
  const { agreement, samples, plainShare } = settings;
  if (agreement !== "none" && samples < 2) {
    throw userError(
      "ptr-samples",
      "Agreement needs several answers of the strong model",
      "Give --samples 4, or --agreement none.",
    );
  }
  if (agreement === "embedding" && embedding === undefined) {
    throw userError("ptr-embedding", "Agreement by embedding needs an embeddings server", "Set EMBEDDINGS_BASE_URL to one.");
  }
  if (!(plainShare >= 0 && plainShare < 1)) {
    throw userError(
      "ptr-plain-share",
      `A plain share of ${plainShare} is not in [0, 1)`,
      "Give a share such as --plain-share 0.2.",
    );
  }
  if (plainShare > 0 && (plain === undefined || plain.length === 0)) {
    throw userError("ptr-plain", "There is no plain instruction data to mix in", "Give a file with --plain, or --plain-share 0.");
  }
}

async function testGap(
  setup: PtrDataSetup,
  file: StageFile<GapLine>,
  onDone: (done: number, total: number) => void,
): Promise<GapReport | undefined> {
  const { gapItems, settings, names } = setup;
  if (gapItems === undefined || gapItems.length === 0) {
    if (!settings.requireGap) return undefined;
    throw userError(
      "ptr-no-gap-questions",
      "A gap is required and there is nothing to test it on",
      "Give questions with answers: --gap-check FILE.",
    );
  }
  const gap = await measureGap(setup, gapItems, file, onDone);
  if (settings.requireGap && !gap.isThere) {
    throw userError(
      "ptr-no-gap",
      `${names.strong} is not better than ${names.weak} on the ${gap.questions} questions of the test (p ${formatP(gap.pValue)})`,
      "Choose models further apart, test on more questions, or leave --require-gap out.",
    );
  }
  return gap;
}

function byId<Line>(queries: readonly Query[], work: (query: Query) => Promise<Line>): (id: string) => Promise<Line> {
  const known = new Map(queries.map((query) => [query.id, query]));
  return (id) => work(known.get(id)!);
}

function mixIn({ settings, plain = [] }: PtrDataSetup, selections: readonly Selection[]): MixedExamples {
  const { plainShare, seed } = settings;
  const made = selections.map(({ example }) => ptrConversation(example, sequenceOptions(settings)));
  if (plainShare === 0) return { examples: made, counts: [{ name: "refinement", wanted: made.length, taken: made.length }] };
  const sources = [
    { name: "refinement", examples: made, share: 1 - plainShare },
    { name: "plain", examples: plain, share: plainShare },
  ];
  return mix(sources, { seed, whole: "refinement" });
}

/** Its calls are told apart from those that make data. */
function gapUsage(file: StageFile<GapLine>) {
  return Object.fromEntries(Object.entries(file.usage).map(([name, usage]) => [`${name} (gap test)`, usage]));
}
