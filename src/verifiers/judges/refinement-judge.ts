/**
 * A model as judge of refinements: their type, coherence and alignment (PASR, arXiv 2508.12903), for a sample of the refinements in a set of
 * answers. A reply that does not end in the agreed form is asked for again and then counted as unparsable; it is never read as anything.
 */
import { failedCallUsage } from "#kernel/call.ts";
import { MidcourseError, messageOf, userError } from "#kernel/errors.ts";
import { inParallel } from "#kernel/in-parallel.ts";
import type { Item } from "#kernel/item.ts";
import { addUsage, type Model, noUsage, type Usage } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { deriveSeed } from "#kernel/seed.ts";
import {
  type JudgedType,
  judgedTypes,
  type RefinementVerdict,
  readRefinementVerdict,
  refinementMessages,
  type ShownRefinement,
} from "./refinement-judge-prompts.ts";

/** What is needed of an answer; evaluation records are such. */
export interface AnswerWithRefinements {
  task?: string;
  /** Id of its item. */
  item: string;
  method: string;
  sample: number;
  text: string;
}

export interface RefinementJudgeOptions {
  model: Model;
  records: readonly AnswerWithRefinements[];
  /** Where the questions stand, by the records' `item`; of their answers nothing is shown. Ids are unique here, so one task at a time. */
  items: readonly Pick<Item, "id" | "question">[];
  /** Refinements judged at most, chosen by the seed alone: the order of the records plays no part. */
  sample: number;
  seed: number;
  signal?: AbortSignal | undefined;
  /** Conversations in flight; 8 when left out. */
  concurrency?: number;
  /** 0.2 when left out. */
  temperature?: number;
  /** 512 when left out; a reasoning model wants more. */
  maxTokens?: number;
  /** Further calls where no verdict could be read or the call failed; 2 when left out. */
  retries?: number;
}

export interface JudgedRefinement {
  task?: string;
  item: string;
  method: string;
  sample: number;
  /** Which of the answer's complete refine spans, from 0. */
  refinement: number;
  /** `unparsable`: no reply could be read. `failed`: no call went through. */
  status: "judged" | "unparsable" | "failed";
  /** Present where judged. */
  verdict?: RefinementVerdict;
  /** Why the last call failed, where it did. */
  failure?: string;
}

/** Plain JSON. */
export interface RefinementJudgement {
  /** Refinements in the answers. */
  refinements: number;
  /** Those the judge was asked about: `judged` and `unparsable` and `failed` together. */
  asked: number;
  judged: number;
  unparsable: number;
  failed: number;
  /** These add up to `judged`; coherent and aligned are counts of the same. */
  types: Record<JudgedType, number>;
  coherent: number;
  aligned: number;
  /** Of every call, failed and unparsable ones included. */
  usage: Usage;
  /** In the order of the records. */
  verdicts: JudgedRefinement[];
}

type Place = Pick<JudgedRefinement, "task" | "item" | "method" | "sample" | "refinement">;

interface Job {
  place: Place;
  question: string;
  text: string;
  /** Of the refinement, without its tags. */
  start: number;
  end: number;
  /** Draws the sample, marks the parts and seeds the calls. */
  seed: number;
}

/** As far as steps are graded by rule, so that both speak of the same refinements. */
const longestCompletion = 100_000;

/** Rejects when aborted, and for what the user has to fix (a refused key); any other failed call is counted. */
export async function judgeRefinements(options: RefinementJudgeOptions): Promise<RefinementJudgement> {
  const { sample, concurrency = 8, signal } = options;
  if (!Number.isInteger(sample) || sample < 0) {
    throw userError("judge-sample", `${sample} is no number of refinements to judge`, "Give a whole number, such as 100.");
  }
  if (!Number.isInteger(concurrency) || concurrency < 1) {
    throw userError("judge-concurrency", `${concurrency} is no number of conversations in flight`, "Give a whole number from 1.");
  }
  signal?.throwIfAborted();
  const all = jobsOf(options);
  const chosen = new Set([...all].sort((first, second) => first.seed - second.seed).slice(0, sample));
  const jobs = all.filter((job) => chosen.has(job));
  const asked = await inParallel(jobs, concurrency, (job) => ask(job, options));
  const usage = asked.reduce((total, each) => addUsage(total, each.usage), noUsage);
  return summarise(
    all.length,
    asked.map(({ result }) => result),
    usage,
  );
}

function jobsOf({ records, items, seed }: RefinementJudgeOptions): Job[] {
  const questions = new Map(items.map((item) => [item.id, item.question]));
  return records.flatMap(({ task, item, method, sample, text: whole }) => {
    const text = whole.slice(0, longestCompletion);
    const { refines } = parseRefine(text);
    if (refines.length === 0) return [];
    const question = questions.get(item);
    if (question === undefined) {
      throw userError(
        "judge-item-missing",
        `The question of the answer to ${item} is not among the items`,
        "Give the items that the records were made from.",
      );
    }
    return refines.map(
      ({ start, end }, refinement): Job => ({
        place: { ...(task === undefined ? {} : { task }), item, method, sample, refinement },
        question,
        text,
        start,
        end,
        seed: deriveSeed(seed, "refinement-judge", task ?? "", item, method, sample, refinement),
      }),
    );
  });
}

function shown({ question, text, start, end }: Job): ShownRefinement {
  const before = text.slice(0, start - "<refine>".length);
  return { question, before, revision: text.slice(start, end), after: text.slice(end + "</refine>".length) };
}

async function ask(job: Job, options: RefinementJudgeOptions): Promise<{ result: JudgedRefinement; usage: Usage }> {
  const { model, temperature = 0.2, maxTokens = 512, retries = 2, signal } = options;
  const messages = refinementMessages(shown(job), deriveSeed(job.seed, "mark").toString(16).padStart(8, "0"));
  let usage = noUsage;
  let failure: string | undefined;
  let replied = false;
  for (let round = 0; round <= retries; round++) {
    signal?.throwIfAborted();
    try {
      const seed = deriveSeed(job.seed, "call", round);
      const completions = await model.generate(messages, { n: 1, temperature, maxTokens, seed, signal });
      for (const completion of completions) usage = addUsage(usage, completion.usage);
      const reply = completions[0];
      if (reply === undefined || reply.finishReason === "error") {
        failure = "the model returned no usable completion";
        continue;
      }
      replied = true;
      const verdict = readRefinementVerdict(reply.text);
      if (verdict !== undefined) return { result: { ...job.place, status: "judged", verdict }, usage };
    } catch (error) {
      signal?.throwIfAborted();
      const isTooLong = MidcourseError.isInstance(error) && error.code === "context-exceeded";
      if (MidcourseError.isInstance(error) && error.family !== "remote" && !isTooLong) throw error;
      usage = addUsage(usage, failedCallUsage(error));
      failure = messageOf(error);
      // The matter of this one answer, and asking again would not change it.
      if (isTooLong) break;
    }
  }
  const status = replied ? "unparsable" : "failed";
  return { result: { ...job.place, status, ...(failure === undefined ? {} : { failure }) }, usage };
}

function summarise(refinements: number, verdicts: JudgedRefinement[], usage: Usage): RefinementJudgement {
  const count = (status: JudgedRefinement["status"]) => verdicts.filter((each) => each.status === status).length;
  const found = verdicts.flatMap(({ verdict }) => verdict ?? []);
  const types = judgedTypes.map((type) => [type, found.filter((verdict) => verdict.type === type).length]);
  return {
    refinements,
    asked: verdicts.length,
    judged: count("judged"),
    unparsable: count("unparsable"),
    failed: count("failed"),
    types: Object.fromEntries(types) as Record<JudgedType, number>,
    coherent: found.filter(({ coherent }) => coherent).length,
    aligned: found.filter(({ aligned }) => aligned).length,
    usage,
    verdicts,
  };
}
