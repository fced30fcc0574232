/** A made-up but consistent report: every figure is drawn from a seed, with answers that try to break the page among them. */
import { type EvaluationRecord, recordKey } from "#evaluation/records/evaluation-record.ts";
import { slimRecord } from "#evaluation/records/slim-record.ts";
import type { ReportData } from "#evaluation/report/page-data.ts";
import type { TrainingHistory } from "#evaluation/report/training-history.ts";
import { summarise } from "#evaluation/summary/summary.ts";
import type { Item } from "#kernel/item.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";

interface Chain {
  item: Item;
  numbers: number[];
}

/** Texts that end scripts, open comments or carry markup; each stands in one answer. */
export const hostileTexts = [
  "</script><script>window.broken = true</script>",
  "<!-- <script> -->",
  "<img src=x onerror='window.broken = true'>",
  "line\u2028separator & &amp; \"quotes\" 'single'",
];

export function exampleTraining(count = 60): ReportData {
  const chains = Array.from({ length: count }, (_, index) => makeChain(index));
  const items = chains.map(({ item }) => item);
  const answer = (method: string, skill: number, refine: number) =>
    chains.map((chain) => writeAnswer(chain, method, skill, refine));
  const vanilla = answer("vanilla", 0.8, 0);
  const prompted = answer("pasr-prompt", 0.79, 0.6);
  const trained = answer("pasr", 0.86, 0.35);
  const rounds = [1, 3].map((round) =>
    answer(`self-refine-${round}`, 0.79 + 0.01 * round, 0).map((record) => ({
      ...record,
      usage: { calls: 1 + 2 * round, inputTokens: 60 * round + 40, outputTokens: 30 + 62 * round, milliseconds: 1 },
    })),
  );
  const votes = chains.map((chain) => vote(chain));
  const broken = trained.map((record, index) =>
    index < hostileTexts.length ? withText(record, `${hostileTexts[index]}${record.text}`) : record,
  );
  const records = [...vanilla, ...prompted, ...rounds.flat(), ...votes, ...broken];
  const slim = records.map((record) => slimRecord(record));
  const methods = [...new Set(records.map(({ method }) => method))];
  const whole = new Map(records.map((record) => [recordKey(record), record]));
  const results = (temperature: number) =>
    summarise({
      run: "example",
      model: "tiny decoder",
      seed: 1,
      temperature,
      samples: 1,
      tasks: [{ id: "world", title: "Small world", items: items.length }],
      records: slim,
      methods,
      comparisons: methods.slice(0, -1).map((method) => ["pasr", method] as const),
    });
  return {
    title: "PASR on a small world of arithmetic",
    facts: [
      { label: "Model", value: "tiny decoder, 3.2 M parameters" },
      { label: "Training", value: "200 steps, 3 seeds, 12 questions × (8 refined + 8 plain)" },
      { label: "Machine", value: "2 cores" },
      { label: "Command", value: "npm start" },
    ],
    results: { ...results(0), others: [results(0.9)] },
    records: slim,
    readTraces: (keys) => keys.flatMap((key) => whole.get(key) ?? []),
    itemsOf: (_task, ids) => items.filter(({ id }) => ids.includes(id)),
    methodNotes: { pasr: "trained, refine prompt, one pass" },
    subject: "pasr",
    compare: ["pasr-prompt", "pasr"],
    training: [...[1, 2, 3].map((seed) => history("PASR", seed, 1)), history("any refinement", 1, -1)],
  };
}

function makeChain(index: number): Chain {
  const random = new Random(deriveSeed(1, "chain", index));
  const numbers = [random.integer(100, 999), random.integer(3, 9), random.integer(10, 99)];
  const [first, factor, added] = numbers as [number, number, number];
  const product = first * factor;
  const item = {
    id: `test-${index}`,
    question: `Start with ${first}. Multiply by ${factor}. Add ${added}.`,
    answer: String(product + added),
    group: "chain-hard",
    steps: [`${first}*${factor}=${product}`, `${product}+${added}=${product + added}`],
  };
  return { item, numbers };
}

function writeAnswer({ item, numbers }: Chain, method: string, skill: number, refine: number): EvaluationRecord {
  const random = new Random(deriveSeed(2, method, item.id));
  const shared = new Random(deriveSeed(2, item.id));
  const [first, factor, added] = numbers as [number, number, number];
  // The same problems are hard for every method.
  const hard = shared.uniform() * 0.7 + random.uniform() * 0.3;
  let product = first * factor;
  const slip = hard > skill ? random.integer(1, 9) * 10 : 0;
  let thought = `${first}*${factor}=${product + slip};`;
  const refines = random.chance(refine);
  if (refines) thought += `<refine>${first}*${factor}=${first * factor}</refine>`;
  else product += slip;
  const missing = random.chance(0.03);
  if (!missing) thought += `${product}+${added}=${product + added};`;
  const text = `<think>${thought}</think><answer>${missing ? product : product + added}</answer>`;
  return withText(
    {
      item: item.id,
      method,
      sample: 0,
      text: "",
      answer: String(missing ? product : product + added),
      accuracy: !missing && String(product + added) === item.answer ? 1 : 0,
      verdict: "ok",
      refinements: 0,
      reason: "done",
      usage: { calls: 1, inputTokens: 22, outputTokens: Math.round(text.length * 0.7), milliseconds: 4 },
    },
    random.chance(0.04) ? text.replace("</answer>", "") : text,
  );
}

function withText(record: EvaluationRecord, text: string): EvaluationRecord {
  const { verdict, refines } = parseRefine(text);
  return { ...record, text, verdict, refinements: refines.length };
}

function vote(chain: Chain): EvaluationRecord {
  const samples = Array.from({ length: 8 }, (_, index) => writeAnswer(chain, `sample ${index}`, 0.75, 0));
  const attempts = samples.map(({ answer, accuracy, usage }) => ({ answer, accuracy, outputTokens: usage.outputTokens! }));
  const best = samples.find((sample) => samples.filter((other) => other.answer === sample.answer).length >= 4) ?? samples[0];
  const outputTokens = attempts.reduce((sum, attempt) => sum + attempt.outputTokens, 0);
  return { ...best, method: "self-consistency", attempts, usage: { calls: 1, inputTokens: 22, outputTokens, milliseconds: 9 } };
}

function history(group: string, seed: number, direction: 1 | -1): TrainingHistory {
  const random = new Random(deriveSeed(3, group, seed));
  const steps = Array.from({ length: 200 }, (_, step) => step + 1);
  const curve = (from: number, to: number, noise: number) =>
    steps.map((step) => from + (to - from) * (1 - Math.exp(-step / 60)) + random.normal() * noise);
  const good = direction > 0;
  return {
    label: `seed ${seed}`,
    group,
    steps,
    metrics: {
      reward: curve(1.4, good ? 1.95 : 2.7, 0.1),
      "rewardTerms.format": curve(0.9, 0.99, 0.02),
      "rewardTerms.accuracy": curve(0.6, good ? 0.82 : 0.58, 0.06),
      "rewardTerms.refine": curve(-0.1, good ? 0.15 : 1.1, 0.06),
      accuracyRefined: curve(0.6, good ? 0.82 : 0.58, 0.06),
      accuracyPlainCompared: curve(0.62, good ? 0.74 : 0.6, 0.06),
      refinements: curve(0.8, good ? 0.4 : 2.4, 0.06),
      needless: curve(0.6, good ? 0.1 : 1.9, 0.02).map((value, index) => (index % 20 === 0 ? value : null)),
      refinementsWherePlainRight: curve(0.5, good ? 0.08 : 1.9, 0.05),
      refinementsWherePlainWrong: curve(0.9, good ? 0.7 : 2.5, 0.07),
      tokensRefined: curve(42, good ? 38 : 70, 1.5),
      tokensPlain: curve(30, 31, 1),
      formatRate: curve(0.93, 0.99, 0.01),
      kl: curve(0, 0.05, 0.003).map((value, index) => (index % 40 === 7 ? null : Math.max(0, value))),
      gradientNorm: curve(0.9, 0.6, 0.1),
      clipFraction: curve(0, 0.04, 0.004),
      tokensPerSecond: curve(2200, 2300, 90),
    },
  };
}
