/**
 * How fast mathematical answers are compared, on MATH-500, and how many of the 80 tricky pairs come out right.
 *
 *   node bench/math.ts path/to/math500/test.json
 *
 * The file is a JSON array, or JSON lines, of objects with an `answer`. Every comparison is new to the engine: nothing is asked twice.
 */
import { readFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { MathComparer } from "#verifiers/math/comparer.ts";
import { canonicalLatex } from "#verifiers/math/notation.ts";

type Pair = [gold: string, answer: string, equal: boolean];

const file = process.argv[2];
if (file === undefined) throw new Error("Usage: node bench/math.ts path/to/math500/test.json");
const text = readFileSync(file, "utf8");
const rows = (
  text.trimStart().startsWith("[")
    ? JSON.parse(text)
    : text
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line))
) as {
  answer: string;
}[];
const golds = rows.map(({ answer }) => answer);

/** The value stays and its form changes, so that plain text comparison does not settle it. */
const forms: ((gold: string) => string)[] = [
  (gold) => `$${gold.replaceAll("\\frac", "\\dfrac")}$`,
  (gold) => `${gold}+0`,
  (gold) => `\\left(${gold}\\right)\\cdot 1`,
];
const rewritten = golds.flatMap((gold) => forms.map((form): [string, string] => [gold, form(gold)]));
const others = golds.flatMap((gold, index) =>
  [1, 7, 31, 127].map((step): [string, string] => [gold, golds[(index + step) % golds.length]]),
);
const hard = others.filter(([gold, answer]) => !/^[\d,.]+$/.test(canonicalLatex(gold) ?? "") && /[a-z]/.test(answer));

const comparer = new MathComparer();
let started = performance.now();
await comparer.compare("2\\sqrt2", "\\sqrt8");
const start = performance.now() - started;

console.log(`${cpus()[0]?.model.trim()}, ${availableParallelism()} cores, Node ${process.version}, one worker`);
console.log(`first answer of the engine after ${start.toFixed(0)} ms`);

/** Multiplications and divisions of doubles per second: what the rates below can be set against on another machine. */
started = performance.now();
let x = 1.1;
for (let step = 0; step < 2e7; step++) x = x * 1.0000001 + 1 / (x + step);
console.log(
  `this machine: ${(2e7 / (performance.now() - started) / 1000).toFixed(0)} million steps of a loop per second (${x > 0})\n`,
);

console.log("comparisons                         count   per second   equal   decided by");
await measure("gold against itself rewritten", rewritten);
await measure("gold against other golds", others);
await measure(
  "of these, expressions only",
  hard.map(([gold, answer]) => [gold, `${answer}\\cdot 1`]),
);

const { eighty } = JSON.parse(readFileSync(new URL("../src/verifiers/math/pairs.json", import.meta.url), "utf8")) as {
  eighty: Pair[];
};
const verdicts = await Promise.all(eighty.map(([gold, answer]) => comparer.compare(gold, answer)));
const right = eighty.filter(([, , equal], index) => verdicts[index].equal === equal).length;
console.log(`\n${right} of the ${eighty.length} tricky pairs right`);
console.log(`${Math.round(process.memoryUsage().rss / 1e6)} MB resident`);
await comparer.close();

async function measure(name: string, pairs: readonly (readonly [string, string])[]): Promise<void> {
  const begun = performance.now();
  const results = await Promise.all(pairs.map(([gold, answer]) => comparer.compare(gold, answer)));
  const seconds = (performance.now() - begun) / 1000;
  const by = new Map<string, number>();
  for (const result of results) by.set(result.by, (by.get(result.by) ?? 0) + 1);
  const ways = [...by].map(([way, count]) => `${way} ${count}`).join(", ");
  const equal = results.filter((result) => result.equal).length;
  const columns = [
    name.padEnd(34),
    String(pairs.length).padStart(6),
    (pairs.length / seconds).toFixed(0).padStart(12),
    String(equal).padStart(7),
  ];
  console.log(`${columns.join(" ")}   ${ways}`);
}
