/**
 * Rounds of refinement in one chat, as PTR reports them (arXiv 2410.13413): what each round's answers are worth, what they cost, and
 * whether a vote of plain answers would have been worth more at the same cost. `ptr-round-figures.ts` works the figures out.
 */
import type { AnswerPlan } from "#evaluation/records/answer-item.ts";
import { type EvaluationProgress, evaluateTask } from "#evaluation/records/evaluate.ts";
import type { EvaluationRecord } from "#evaluation/records/evaluation-record.ts";
import { slimRecord } from "#evaluation/records/slim-record.ts";
import { refineRequest, type TrainingConversation } from "#kernel/conversation.ts";
import type { Item } from "#kernel/item.ts";
import { getOrMake } from "#kernel/values.ts";
import { ptrRounds } from "#methods/refinement/ptr-rounds.ts";
import { selfConsistency } from "#methods/sampling/self-consistency.ts";
import { type RoundFigures, roundFigures } from "./round-figures.ts";

/** What is said around the answers of a conversation. */
export interface RoundWords {
  /** System message of every call; none when left out. */
  instruction?: string;
  /** What the user says between an answer and the next; our own words when left out. */
  request?: string;
}

export interface RoundsPlan extends Pick<AnswerPlan, "model" | "verify" | "maxTokens" | "seed" | "ask" | "signal">, RoundWords {
  items: readonly Item[];
  /** R; the paper reports 3 and tries 10. */
  rounds?: number;
  /** Of the rounds; 0, greedy, when left out. */
  temperature?: number;
  /** Plain samples of each item for the vote at equal tokens: 2 R when left out, 0 for no vote. */
  poolSamples?: number;
  /** Of those samples; where it is left out and the rounds are greedy, what self-consistency takes then. */
  poolTemperature?: number;
  /** Records of an earlier, unfinished evaluation of the same model. */
  known?: readonly EvaluationRecord[];
  /** Called with each new record, to store it. */
  onRecord?: (record: EvaluationRecord) => void;
  onProgress?: ((progress: EvaluationProgress) => void) | undefined;
}

export interface RoundsResult {
  figures: RoundFigures[];
  /** Conversations that were given up before the last round, by the reason: `context-exceeded`, `error`. */
  endedEarly: Record<string, number>;
  /** One an item, of the rounds alone. */
  records: EvaluationRecord[];
}

export async function evaluateRounds(plan: RoundsPlan): Promise<RoundsResult> {
  const { rounds = 3, temperature = 0, instruction, request = refineRequest, known = [], ...rest } = plan;
  const { poolSamples = 2 * rounds, poolTemperature, ...others } = rest;
  const words = instruction === undefined ? {} : { instruction };
  const method = ptrRounds({ rounds, refinePrompt: request, ...words });
  const sampled = {
    id: `plain-${poolSamples}`,
    samples: poolSamples,
    ...(poolTemperature === undefined ? {} : { temperature: poolTemperature }),
  };
  const records = await evaluateTask({
    ...others,
    methods: [method, ...(poolSamples > 0 ? [selfConsistency({ ...sampled, ...words })] : [])],
    temperature,
    known,
  });
  const of = (id: string) => records.filter((record) => record.method === id);
  const pool = of(sampled.id).map((record) => slimRecord(record));
  return {
    figures: roundFigures(of(method.id), { rounds, seed: plan.seed, pool }),
    endedEarly: endings(of(method.id)),
    records: of(method.id),
  };
}

function endings(records: readonly EvaluationRecord[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { reason } of records) if (reason !== "done") counts[reason] = (counts[reason] ?? 0) + 1;
  return counts;
}

/**
 * The words that stand in most of the examples with an attempt, so that a model is asked as it was taught; where no example has one, the
 * system message that most examples have.
 */
export function wordsOfExamples(examples: readonly TrainingConversation[]): RoundWords {
  const refined = examples.flatMap(({ messages }) => {
    const request = messages.at(-2);
    const isRefined = messages.at(-1)?.role === "assistant" && messages.at(-3)?.role === "assistant" && request?.role === "user";
    return isRefined ? [{ ...instructionOf(messages), request: request.content }] : [];
  });
  return mostFrequent(refined) ?? mostFrequent(examples.map(({ messages }) => instructionOf(messages))) ?? {};
}

function instructionOf([first]: TrainingConversation["messages"]): RoundWords {
  return first?.role === "system" ? { instruction: first.content } : {};
}

/** Of those that stand there equally often the first. */
function mostFrequent(all: readonly RoundWords[]): RoundWords | undefined {
  const counts = new Map<string, { words: RoundWords; count: number }>();
  let most: { words: RoundWords; count: number } | undefined;
  for (const words of all) {
    getOrMake(counts, JSON.stringify(words), () => ({ words, count: 0 })).count++;
  }
  for (const counted of counts.values()) if (most === undefined || counted.count > most.count) most = counted;
  return most?.words;
}
