/**
 * The study of judges (judge-study.ts) where it takes a minute: PASR on the table of test/support/refine-world.ts, four kinds of questions,
 * two of which a plain answer always gets right and refining can only harm, two of which it gets right half the time. The judge is a server on
 * loopback, asked as `--judge` asks it; every question asked has verdicts of its own.
 *
 *   node bench/judge-table.ts [--steps 120] [--seeds 1,2,3]
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { parseArgs } from "node:util";
import type { Item } from "#kernel/item.ts";
import { mean, sum } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { paperPasrOptions } from "#recipes/pasr/options.ts";
import { trainPasr } from "#recipes/pasr/recipe.ts";
import { openTrainingJudge } from "#recipes/shared/training-judge.ts";
import { worldSource } from "#recipes/sources/world-source.ts";
import { readRun, withRun } from "#record/run-directory.ts";
import { fixed, percent } from "#text/numbers.ts";
import { likesLength, type PlayedJudge, playJudge, type ShownAnswer, wrongNowAndThen } from "../test/support/judge-server.ts";
import { items, makeBase, prompts, stopId, tokenizer } from "../test/support/refine-world.ts";
import type { TabularEngine } from "../test/support/tabular-engine.ts";

const { values } = parseArgs({
  options: { steps: { type: "string", default: "120" }, seeds: { type: "string", default: "1,2,3" } },
});
const seeds = values.seeds.split(",").map(Number);
const steps = Number(values.steps);

const isRight = ({ reference, answer }: ShownAnswer) => answer === reference || answer.endsWith(`<answer>${reference}</answer>`);

interface Row {
  name: string;
  judge: PlayedJudge;
  /** The whole completion is judged, as in the authors' code, and not the answer. */
  whole?: boolean;
}

const rows: Row[] = [
  { name: "right", judge: wrongNowAndThen(isRight, 0) },
  ...[10, 20, 30, 40].map((share) => ({ name: `${share} % wrong`, judge: wrongNowAndThen(isRight, share / 100) })),
  { name: "likes length, sees the answer", judge: likesLength(isRight, 60) },
  { name: "likes length, sees everything", judge: likesLength(isRight, 60), whole: true },
];

interface Outcome {
  right: number;
  /** Share of answers that refine, where a plain one is always and where it is half the time right. */
  needless: number;
  needed: number;
  tokens: number;
  calls: number;
}

const base = await makeBase();
const root = mkdtempSync(path.join(tmpdir(), "judge-table-"));
const print = (cells: readonly string[]) => process.stdout.write(`| ${cells.join(" | ")} |\n`);
print(["judge", "right, by the rule", "refined needlessly", "refined where needed", "tokens", "judge's calls"]);
print(["---", "---", "---", "---", "---", "---"]);
print(cellsOf("before", [await probe(base, 0)]));
for (const row of rows) {
  const outcomes: Outcome[] = [];
  for (const seed of seeds) outcomes.push(await trained(row, seed));
  print(cellsOf(row.name, outcomes));
}
rmSync(root, { recursive: true });

async function trained({ name, judge: played, whole = false }: Row, seed: number): Promise<Outcome> {
  const server = await playJudge(played);
  const out = path.join(root, `${name} ${seed}`);
  const opened = (await openTrainingJudge({ judge: "judge", judgeBaseUrl: server.baseUrl }, { seed, out }))!;
  const { verify } = opened.graded(worldSource);
  const engine = (await base.freeze()) as TabularEngine;
  const draw = new Random(deriveSeed(seed, "questions"));
  const asked = Array.from({ length: steps * 8 }, (_, index): Item => ({ ...draw.pick(items), id: `question-${index}` }));
  await withRun(out, { command: "train pasr", options: {} }, (run) =>
    trainPasr({
      engine,
      tokenizer,
      items: (index) => asked[index],
      judge: (item, answer, completion) =>
        verify({ ...item, question: `${item.question}, ${item.id}` }, whole ? completion : answer, completion),
      judgeSpent: opened.spent,
      options: {
        ...paperPasrOptions,
        ...{ prompts, maxTokens: 16, questionsPerStep: 8, steps, learningRate: 0.05, samplerRefresh: 1 },
      },
      seed,
      run,
      checkpointEvery: steps,
    }),
  );
  const calls = sum(readRun(out).metrics.map(({ judge }) => (judge as { calls: number }).calls));
  await opened.close();
  await server.close();
  return probe(engine, calls);
}

async function probe(engine: TabularEngine, calls: number): Promise<Outcome> {
  const ask = items.map(({ question }) =>
    tokenizer.encodeConversation([
      { role: "system", content: prompts.refine },
      { role: "user", content: question },
    ]),
  );
  const samples = await engine.sample(ask, { n: 500, maxTokens: 16, temperature: 1, stopIds: [stopId], seed: 1 });
  const answers = items.flatMap(({ group, answer }, index) =>
    samples[index].map(({ ids }) => ({ group, answer, text: tokenizer.decode(ids), tokens: ids.length })),
  );
  const refined = (kind: string) =>
    mean(answers.filter(({ group }) => group === kind).map(({ text }) => (text.includes("<refine>") ? 1 : 0)));
  return {
    right: mean(answers.map(({ text, answer }) => (text.endsWith(`<answer>${answer}</answer>`) ? 1 : 0))),
    needless: refined("easy"),
    needed: refined("hard"),
    tokens: mean(answers.map(({ tokens }) => tokens)),
    calls,
  };
}

/** The mean over seeds, with the least and the most in brackets. */
function cellsOf(name: string, outcomes: readonly Outcome[]): string[] {
  const shown = (of: (outcome: Outcome) => number, text: (value: number) => string) => {
    const all = outcomes.map(of);
    const range = all.length === 1 ? "" : ` (${text(Math.min(...all))}–${text(Math.max(...all))})`;
    return `${text(mean(all))}${range}`;
  };
  return [
    name,
    shown((each) => each.right, percent),
    shown((each) => each.needless, percent),
    shown((each) => each.needed, percent),
    shown(
      (each) => each.tokens,
      (value) => fixed(value, 1),
    ),
    fixed(mean(outcomes.map(({ calls }) => calls)), 0),
  ];
}
