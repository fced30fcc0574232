/** A run folder of any size by the writer itself: a model that answers at once, whole traces on the disk, results and report at the end. */
import type { EvaluationEnd } from "#evaluation/records/evaluate.ts";
import type { Item } from "#kernel/item.ts";
import type { Completion, GenerateOptions, Message, Model } from "#kernel/model.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { type BenchmarkOutcome, evaluateBenchmarks } from "#recipes/benchmark/benchmark.ts";
import { bindFor } from "#recipes/benchmark/task-methods.ts";
import { withRun } from "#record/run-directory.ts";
import { gsm8k } from "#tasks/gsm8k.ts";

export interface LargeRun {
  items: number;
  /** As `--methods` takes them. */
  methods: string;
  samples?: number;
  poolSamples?: number;
  concurrency?: number;
  /** Words of made-up reasoning in each answer, each time others. */
  words?: number;
  signal?: AbortSignal | undefined;
  onProgress?: (done: number, total: number) => void;
}

export function writeLargeRun(folder: string, large: LargeRun): Promise<BenchmarkOutcome & { end: EvaluationEnd }> {
  const { items, methods, samples = 1, poolSamples = 0, concurrency = 256, words = 0, signal, onProgress } = large;
  return withRun(folder, { command: "eval", options: {} }, async (run) => {
    return await evaluateBenchmarks({
      model: instantModel(words),
      modelName: "instant",
      run,
      tasks: [{ task: gsm8k, items: questions(items), shots: [], methods: await bindFor(gsm8k, methods) }],
      settings: { samples, temperature: 0.7, seed: 1, poolSamples, poolTemperature: 0.7 },
      grading: {},
      help: {},
      concurrency,
      command: "a made-up run",
      version: "0",
      onProgress: ({ done, total }) => onProgress?.(done, total),
      signal,
    });
  });
}

/** Right two times of three; a review finds every answer worth improving. */
function instantModel(words: number): Model {
  return {
    id: "instant",
    async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
      const question = messages.find(({ role }) => role === "user")!.content;
      const pens = Number(/holds (\d+) pens/.exec(question)![1]);
      return Array.from({ length: options.n }, (_, sample) => {
        const draw = deriveSeed(options.seed, "instant", sample);
        const answer = 2 * pens + (draw % 3 === 0 ? 4 : 3);
        const text = `${"We count what each of the two boxes holds, one after the other, and write the sums down. ".repeat(3 + (draw % 3))}${reasoning(draw, words)}\nSo there are ${pens} and ${answer - pens} pens.\nThe answer is ${answer}.`;
        const usage = { calls: sample === 0 ? 1 : 0, inputTokens: sample === 0 ? 80 : 0, outputTokens: 70, milliseconds: 1 };
        return { text, finishReason: "stop", usage };
      });
    },
  };
}

const vocabulary =
  "first then so because we have count sum box pens left right carry add take half twice each total minus check again line step result write number above below".split(
    " ",
  );

function reasoning(draw: number, words: number): string {
  if (words === 0) return "";
  const random = new Random(draw);
  return Array.from({ length: words }, () => (random.chance(0.2) ? random.integer(1, 999) : random.pick(vocabulary))).join(" ");
}

function questions(count: number): Item[] {
  return Array.from({ length: count }, (_, index) => ({
    id: `item-${index}`,
    question: `A box holds ${index} pens and a second one holds three more than the first. Somebody counts them all. `.repeat(3),
    answer: String(2 * index + 3),
    group: `${2 + (index % 7)} steps`,
  }));
}
