/**
 * What a judge's mistakes and tastes do to PASR: the small world trained as the command trains it with `--judge`, over a server on loopback that
 * grades by a rule, turned around for a share of all answers, or by length too. Accuracy is by the rule, whatever the judge said.
 *
 *   node bench/judge-study.ts --out FOLDER [--steps 250] [--questions 12] [--seed 1] [--items 400]
 *     [--judges rule,right,10,20,30,length,whole-length]
 *
 * One folder a judge; the same command goes on where it stopped. `length` sees the answer, as a judge does here; `whole-length` the whole
 * completion, as in the authors' code.
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { parseArgs } from "node:util";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { type JsonObject, readLines } from "#files/json-lines.ts";
import type { Item } from "#kernel/item.ts";
import { mean } from "#kernel/numbers.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { openModel } from "#models/open-model.ts";
import { pasr } from "#recipes/pasr/recipe.ts";
import { type RecipeRun, runRecipe } from "#recipes/run-recipe.ts";
import { worldVerifier } from "#recipes/shared/world-methods.ts";
import { worldSource } from "#recipes/sources/world-source.ts";
import { fixed, percent } from "#text/numbers.ts";
import { judgeGrader } from "#verifiers/judges/judge.ts";
import { likesLength, type PlayedJudge, playJudge, type ShownAnswer, wrongNowAndThen } from "../test/support/judge-server.ts";

const { values } = parseArgs({
  options: {
    out: { type: "string" },
    steps: { type: "string", default: "250" },
    seed: { type: "string", default: "1" },
    questions: { type: "string", default: "12" },
    items: { type: "string", default: "400" },
    judges: { type: "string", default: "rule,right,10,20,30,length,whole-length" },
  },
});
if (values.out === undefined) throw new Error("Give --out FOLDER.");
const [steps, questionsPerStep] = [Number(values.steps), Number(values.questions)];
const [seed, items] = [Number(values.seed), Number(values.items)];

const isRight = ({ question, reference, answer }: ShownAnswer) => {
  const text = parseRefine(answer).answerText;
  return worldVerifier({ id: "", question, answer: reference }, text, answer).accuracy === 1;
};

/** Full marks for length: ten times a usual answer, and twice a usual completion. */
const [longAnswer, longCompletion] = [40, 300];

const judges: Record<string, PlayedJudge | undefined> = {
  rule: undefined,
  right: wrongNowAndThen(isRight, 0),
  length: likesLength(isRight, longAnswer),
  "whole-length": likesLength(isRight, longCompletion),
};

process.stdout.write(
  "| judge | accuracy by the rule | tokens | refinements | length of an answer | mean score of the judge | judge's calls |\n|---|---|---|---|---|---|---|\n",
);
for (const name of values.judges.split(",")) {
  const folder = path.join(values.out, name);
  const judge = name in judges ? judges[name] : wrongNowAndThen(isRight, Number(name) / 100);
  const run = { out: folder, seed, items, options: { steps, questionsPerStep } };
  if (judge === undefined) await runRecipe(pasr, run);
  else await judged(name, judge, run);
  process.stdout.write(`${row(name, folder)}\n`);
}

async function judged(name: string, judge: PlayedJudge, run: RecipeRun<typeof pasr.options>): Promise<void> {
  const server = await playJudge(judge);
  const asked = { model: "judge", baseUrl: server.baseUrl, apiKey: "none" };
  try {
    if (name !== "whole-length") return void (await runRecipe(pasr, { ...run, judge: "judge", judgeBaseUrl: server.baseUrl }));
    const opened = await openModel({ ...asked, cache: path.join(run.out, "answers", "judge") });
    const grade = judgeGrader({ model: opened.model, kind: "graded" });
    const verify = (item: Item, _: string, completion: string) => grade(item, completion, completion);
    await runRecipe(pasr, { ...run, source: { ...worldSource, name: "small world, whole completions judged", verify } });
    await opened.close();
  } finally {
    await server.close();
  }
}

function row(name: string, folder: string): string {
  const test = new Map(readLines<Item>(path.join(folder, "test-items.jsonl")).map((item) => [item.id, item]));
  const records = readLines<EvaluationRecord>(path.join(folder, "answers-trained.jsonl")).filter(
    ({ method }) => method === "pasr",
  );
  const accuracies = records.map(({ item, answer, text }) => worldVerifier(test.get(item)!, answer, text).accuracy);
  const { judge } = JSON.parse(readFileSync(path.join(folder, "results.json"), "utf8")) as { judge?: JsonObject };
  const of = (figure: (record: EvaluationRecord) => number) => mean(records.map(figure));
  const cells = [
    name,
    percent(mean(accuracies)),
    fixed(
      of(({ usage }) => usage.outputTokens ?? 0),
      0,
    ),
    fixed(
      of(({ refinements }) => refinements),
      2,
    ),
    fixed(
      of(({ answer }) => answer.length),
      1,
    ),
    percent(of(({ accuracy }) => accuracy)),
    String(judge?.calls ?? "–"),
  ];
  return `| ${cells.join(" | ")} |`;
}
