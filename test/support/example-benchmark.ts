/** A made-up benchmark run, drawn from a seed: two tasks, methods of every kind, full traces, and answers that try to break a page. */
import type { AttemptRecord, EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import type { Item } from "#kernel/item.ts";
import { addUsage, type Message, noUsage, type Usage } from "#kernel/model.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { TraceEvent } from "#kernel/trace.ts";

export const hostileTexts = [
  "</script><script>window.broken = true</script>",
  "<!-- <script> -->",
  "<img src=x onerror='window.broken = true'>",
  "line\u2028separator & &amp; \"quotes\" 'single'",
];

export const exampleTasks = [
  { id: "sums", title: "Sums of small numbers", promptVersion: "sums-1", items: 48, votable: true },
  { id: "programs", title: "Short programs", promptVersion: "programs-2", items: 30, votable: false, chance: 0 },
] as const;

export const exampleMethods = ["vanilla", "self-refine", "best-of-n", "debate", "oracle-refine", "silent"];

export interface ExampleBenchmark {
  items: Map<string, Item[]>;
  records: EvaluationRecord[];
}

/** `skill` shifts every method, as another model would. */
export function exampleBenchmark(
  options: { seed?: number; skill?: number; samples?: number; pool?: number } = {},
): ExampleBenchmark {
  const { seed = 1, skill = 0, samples = 1, pool = 8 } = options;
  const items = new Map(
    exampleTasks.map((task) => [task.id as string, Array.from({ length: task.items }, (_, index) => makeItem(task.id, index))]),
  );
  const records = exampleTasks.flatMap((task) =>
    items.get(task.id)!.flatMap((item, index) =>
      Array.from({ length: samples }, (_, sample) => sample).flatMap((sample) => {
        const writer = new Writer(task.id, item, index, sample, seed, skill);
        return [
          writer.vanilla(),
          writer.selfRefine(),
          writer.bestOfN(),
          writer.debate(),
          writer.oracleRefine(),
          writer.silent(),
          ...(sample === 0 ? [writer.pool(pool)] : []),
        ];
      }),
    ),
  );
  return { items, records };
}

function makeItem(task: string, index: number): Item {
  const random = new Random(deriveSeed(1, task, index));
  const [first, second] = [random.integer(12, 98), random.integer(12, 98)];
  const group = ["easy", "middle", "hard"][index % 3];
  if (task === "sums")
    return {
      id: `sums-${index}`,
      question: `What is ${first} + ${second}? Give the sum alone in the last line.`,
      answer: String(first + second),
      group,
    };
  return {
    id: `programs-${index}`,
    question: `def add_${first}(value):\n    """Adds ${first} to the value."""\n`,
    answer: `    return value + ${first}`,
    cluster: `passage-${Math.floor(index / 2)}`,
  };
}

interface Draft {
  text: string;
  answer: string;
  right: boolean;
  usage: Usage;
}

class Writer {
  readonly #task: string;
  readonly #item: Item;
  readonly #index: number;
  readonly #sample: number;
  readonly #ability: number;
  readonly #seed: number;

  constructor(task: string, item: Item, index: number, sample: number, seed: number, skill: number) {
    this.#task = task;
    this.#item = item;
    this.#index = index;
    this.#sample = sample;
    this.#seed = seed;
    // The same items are hard for every method.
    const hardness = new Random(deriveSeed(seed, "hardness", item.id)).uniform();
    this.#ability = 0.9 + skill - 0.75 * hardness;
  }

  vanilla(): EvaluationRecord {
    const draft = this.#attempt("vanilla", 0, this.#ability);
    return this.#record("vanilla", [draft], [], draft);
  }

  selfRefine(): EvaluationRecord {
    const random = this.#random("self-refine");
    const draft = this.#attempt("vanilla", 0, this.#ability);
    const feedbackText = draft.right
      ? "The steps look right to me."
      : "Check the carry in the second step:\n7 + 8 is 15, not 14.";
    const accepted = random.chance(draft.right ? 0.8 : 0.35);
    const events: TraceEvent[] = [
      {
        type: "feedback-end",
        attempt: 0,
        messages: this.#conversation(draft.text, "Criticise the answer."),
        text: feedbackText,
        usage: tokens(160, 28),
      },
      {
        type: "check-end",
        attempt: 0,
        by: "own verdict",
        passed: accepted,
        text: accepted ? "It is correct." : "It is not correct.",
        usage: tokens(120, 6),
      },
    ];
    if (accepted) return this.#record("self-refine", [draft], events, draft);
    const revision = this.#attempt("self-refine", 1, this.#ability + 0.12);
    return this.#record("self-refine", [draft, revision], events, revision);
  }

  bestOfN(): EvaluationRecord {
    const random = this.#random("best-of-n");
    const drafts = [0, 1, 2, 3].map((at) => this.#attempt("best-of-n", at, this.#ability));
    const scores = drafts.map(({ right }) => Math.min(1, Math.max(0, (right ? 0.62 : 0.45) + random.normal() * 0.18)));
    const events = scores.map(
      (score, attempt): TraceEvent => ({
        type: "check-end",
        attempt,
        by: "reward model",
        score,
        text: `score ${score.toFixed(2)}`,
        usage: tokens(90, 1),
      }),
    );
    const best = drafts[scores.indexOf(Math.max(...scores))];
    events.push({
      type: "choice-end",
      attempt: drafts.indexOf(best),
      reason: `best of 4 by score, ${Math.max(...scores).toFixed(2)}`,
    });
    return this.#record("best-of-n", drafts, events, best);
  }

  debate(): EvaluationRecord {
    const inner = this.#attempt("debate inner", 0, this.#ability);
    const final = this.#attempt("debate", 0, this.#ability + 0.05);
    const event: TraceEvent = {
      type: "attempt-end",
      attempt: 0,
      messages: this.#conversation(),
      text: inner.text,
      usage: tokens(60, 34),
    };
    const events: TraceEvent[] = [
      {
        type: "step-end",
        role: "question in other words",
        messages: this.#conversation(),
        text: `In other words: ${this.#item.question}`,
        usage: tokens(70, 22),
      },
      { type: "inner", method: "vanilla", branch: 0, event },
      { type: "inner", method: "vanilla", branch: 1, event: { type: "inner", method: "deeper", branch: 0, event } },
    ];
    return this.#record("debate", [final], events, final);
  }

  oracleRefine(): EvaluationRecord {
    const draft = this.#attempt("vanilla", 0, this.#ability);
    const revision = this.#attempt("oracle", 1, this.#ability + 0.1);
    const attempts = draft.right ? [draft] : [draft, revision];
    return { ...this.#record("oracle-refine", attempts, [], attempts.at(-1)!), usesOracle: true };
  }

  /** A server that gives no usage, and fails now and then. */
  silent(): EvaluationRecord {
    const draft = this.#attempt("silent", 0, this.#ability);
    const usage: Usage = { calls: 1, inputTokens: undefined, outputTokens: undefined, milliseconds: 1 };
    const record = this.#record("silent", [draft], [], draft);
    if (this.#index % 11 !== 5) return { ...record, usage };
    const message = "503 from http://127.0.0.1:9/v1: overloaded";
    return {
      ...record,
      usage,
      text: "",
      answer: "",
      extracted: undefined,
      accuracy: 0,
      reason: "error",
      error: message,
      events: [{ type: "error", message }],
    };
  }

  pool(size: number): EvaluationRecord {
    const drafts = Array.from({ length: size }, (_, at) => this.#attempt("resampling", at, this.#ability));
    return this.#record("resampling", drafts, [], drafts[0], true);
  }

  #random(...path: (string | number)[]): Random {
    return new Random(deriveSeed(this.#seed, this.#item.id, this.#sample, ...path));
  }

  #attempt(name: string, at: number, ability: number): Draft {
    const random = this.#random("attempt", name, at);
    const right = random.chance(Math.min(0.98, Math.max(0.02, ability)));
    const wrong = this.#task === "sums" ? String(Number(this.#item.answer) + random.pick([-10, 10, 1])) : "    return value";
    const answer = right ? this.#item.answer : wrong;
    const hostile = at === 0 && name === "vanilla" ? (hostileTexts[this.#index] ?? "") : "";
    const words = Array.from({ length: random.integer(8, 30) }, (_, step) => `step ${step} adds ${random.integer(1, 9)}`).join(
      "; ",
    );
    const text =
      this.#task === "sums"
        ? `${hostile}Let me add: ${words}.\n\nThe answer is ${answer}`
        : `${hostile}\`\`\`python\n${this.#item.question}${answer}\n\`\`\`\n${words}`;
    return { text, answer, right, usage: tokens(42, Math.round(text.length / 3.5)) };
  }

  #conversation(...more: string[]): Message[] {
    const turns = more.map((content, index): Message => ({ role: index % 2 === 0 ? "assistant" : "user", content }));
    return [{ role: "system", content: "Answer with care." }, { role: "user", content: this.#item.question }, ...turns];
  }

  #record(method: string, drafts: Draft[], others: TraceEvent[], final: Draft, sharedPrompt = false): EvaluationRecord {
    const random = this.#random("seconds", method);
    const attemptEvents = drafts.map(
      ({ text, usage }, attempt): TraceEvent => ({
        type: "attempt-end",
        attempt,
        messages: this.#conversation(),
        text,
        usage: sharedPrompt && attempt > 0 ? { ...usage, inputTokens: 0 } : usage,
      }),
    );
    const [first, ...rest] = attemptEvents;
    const events = method === "self-refine" ? [first!, ...others, ...rest] : [...attemptEvents, ...others];
    const usage = events.reduce((sum, event) => addUsage(sum, usageOf(event)), noUsage);
    const attempts = drafts.map(({ answer, right }, index): AttemptRecord => {
      const event = attemptEvents[index] as Extract<TraceEvent, { type: "attempt-end" }>;
      return {
        answer,
        extracted: answer.trim(),
        accuracy: right ? 1 : 0,
        outputTokens: event.usage.outputTokens!,
        inputTokens: event.usage.inputTokens!,
      };
    });
    return {
      task: this.#task,
      item: this.#item.id,
      method,
      sample: this.#sample,
      text: final.text,
      answer: final.answer,
      extracted: final.answer.trim(),
      accuracy: final.right ? 1 : 0,
      strictAccuracy: final.right && random.chance(0.9) ? 1 : 0,
      ...(this.#item.group === undefined ? {} : { group: this.#item.group }),
      ...(this.#item.cluster === undefined ? {} : { cluster: this.#item.cluster }),
      ...(this.#task === "programs" && !final.right ? { status: random.chance(0.3) ? "timeout" : "failed" } : {}),
      ...(attempts.length > 1 ? { attempts } : {}),
      verdict: "missing-think",
      refinements: 0,
      reason: "done",
      usage: { ...usage, dollars: (usage.inputTokens! * 0.1 + usage.outputTokens! * 0.4) / 1e6 },
      seconds: 0.5 + usage.calls * 0.7 * (0.5 + random.uniform()),
      promptVersion: exampleTasks.find(({ id }) => id === this.#task)!.promptVersion,
      events,
    };
  }
}

function tokens(inputTokens: number, outputTokens: number): Usage {
  return { calls: 1, inputTokens, outputTokens, milliseconds: 40 };
}

function usageOf(event: TraceEvent): Usage {
  if (event.type === "inner") return usageOf(event.event);
  return "usage" in event ? event.usage : noUsage;
}
