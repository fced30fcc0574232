/**
 * Conversations of several turns sampled from the policy itself: question → answer → fixed text → answer. Each is one row of token ids
 * that only grows: sampled ids stay as they were drawn, with the log-probs they had, and what stands between two turns is appended.
 */
import type { Sample, SampleOptions, Scorer } from "#kernel/engine.ts";
import { messageOf } from "#kernel/errors.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { type Draw, endsTheStep } from "./rollouts.ts";

export interface TurnQuestion<Subject> {
  /** Names the question in every seed, so that a batch may be cut anywhere. */
  index: number;
  subject: Subject;
  prompt: readonly number[];
  /** The first answers come from the frozen first weights and are not trained: more kinds of answers for the second turn to meet. */
  firstFromReference?: boolean;
}

export interface Turn extends Sample {
  /** Place of its first id in the conversation's ids. */
  start: number;
  /** Written by the policy. False: by the reference, so there is nothing to train. */
  isOwn: boolean;
}

/** `T`: what is known of each turn; more once it was graded. */
export interface Conversation<T extends Turn = Turn> {
  /** Everything from the prompt to the end of the last turn. */
  ids: readonly number[];
  turns: readonly T[];
}

export interface TurnGrade {
  /** In [0, 1]. */
  accuracy: number;
  text: string;
  /** What was read out of the text as the answer. */
  answer: string;
}

export type GradedTurn = Turn & TurnGrade;

/** Why the conversations of a question taught nothing in a step. */
export type TurnDropReason = "follow-up" | "context-full" | "failed-grading";

export interface TurnGroup<Subject, T extends Turn = Turn> {
  question: TurnQuestion<Subject>;
  conversations: Conversation<T>[];
  dropped?: { reason: TurnDropReason; message: string };
}

/**
 * The ids that stand between a turn and the next: the end of the turn where it was cut, the fixed text, the opening of the next turn. When
 * it throws, the question is dropped; when it throws for every question of a step, so does the step.
 */
export type FollowUp<Subject> = (question: TurnQuestion<Subject>, conversation: Conversation) => readonly number[];

export interface TurnGrader<Subject> {
  /** `turn` counts from 0. A rejection drops the question. */
  grade(subject: Subject, sample: Sample, turn: number): TurnGrade | Promise<TurnGrade>;
}

export interface TurnRolloutOptions {
  /** Conversations per question. */
  samples: number;
  turns: number;
  temperature: number;
  topP: number;
  topK: number;
  /** Largest number of new tokens per turn. */
  maxTokens: number;
  stopIds: readonly number[];
}

/** Who writes: the policy, and for the first answers of some questions the reference. */
export interface TurnWriters {
  sampler: Scorer;
  reference: Scorer | undefined;
}

/** Every conversation of every question, one batch per turn. What a question samples does not depend on what stands beside it. */
export async function sampleTurns<S>(
  writers: TurnWriters,
  questions: readonly TurnQuestion<S>[],
  followUp: FollowUp<S>,
  options: TurnRolloutOptions,
  draw: Draw,
): Promise<TurnGroup<S>[]> {
  let groups = await sampleFirst(writers, questions, options, draw);
  for (let turn = 1; turn < options.turns; turn++) {
    groups = await sampleNext(writers.sampler, groups, followUp, turn, options, draw);
  }
  return groups;
}

async function sampleFirst<S>(
  { sampler, reference }: TurnWriters,
  questions: readonly TurnQuestion<S>[],
  options: TurnRolloutOptions,
  draw: Draw,
): Promise<TurnGroup<S>[]> {
  const isOwn = (question: TurnQuestion<S>) => reference === undefined || question.firstFromReference !== true;
  const write = async (writer: Scorer, asked: readonly TurnQuestion<S>[]) => {
    const seeds = asked.map((question) => deriveSeed(draw.seed, "turn", draw.step, 0, question.index));
    const prompts = asked.map((question) => question.prompt);
    return asked.length === 0 ? [] : writer.sample(prompts, samplingOf(options, options.samples, draw.seed, seeds), draw.signal);
  };
  const own = await write(sampler, questions.filter(isOwn));
  const others = await write(
    reference ?? sampler,
    questions.filter((question) => !isOwn(question)),
  );
  return questions.map((question) => {
    const samples = (isOwn(question) ? own : others).shift() as Sample[];
    const start = question.prompt.length;
    const conversations = samples.map((sample) => ({
      ids: [...question.prompt, ...sample.ids],
      turns: [{ ...sample, start, isOwn: isOwn(question) }],
    }));
    return { question, conversations };
  });
}

async function sampleNext<S>(
  sampler: Scorer,
  groups: readonly TurnGroup<S>[],
  followUp: FollowUp<S>,
  turn: number,
  options: TurnRolloutOptions,
  draw: Draw,
): Promise<TurnGroup<S>[]> {
  const failures: unknown[] = [];
  const asked = groups.map((group): TurnGroup<S> => {
    if (group.dropped) return group;
    let conversations: Conversation[];
    try {
      conversations = group.conversations.map((each) => ({ ...each, ids: [...each.ids, ...followUp(group.question, each)] }));
    } catch (error) {
      failures.push(error);
      return { ...group, dropped: { reason: "follow-up", message: messageOf(error) } };
    }
    const longest = Math.max(...conversations.map((each) => each.ids.length));
    const room = sampler.info.maxContextTokens;
    if (longest < room) return { ...group, conversations };
    const message = `turn ${turn + 1} begins after ${longest} tokens, and the model reads ${room}`;
    return { ...group, dropped: { reason: "context-full", message } };
  });
  // What fails for every question is no accident of one answer.
  if (failures.length > 0 && failures.length === groups.length) throw failures[0];

  const going = asked.filter((group) => !group.dropped);
  const prompts = going.flatMap((group) => group.conversations.map((each) => each.ids));
  const seeds = going.flatMap(({ question, conversations }) =>
    conversations.map((_, j) => deriveSeed(draw.seed, "turn", draw.step, turn, question.index, j)),
  );
  const samples =
    prompts.length === 0 ? [] : await sampler.sample(prompts, samplingOf(options, 1, draw.seed, seeds), draw.signal);
  let next = 0;
  return asked.map((group) => {
    if (group.dropped) return group;
    const conversations = group.conversations.map(({ ids, turns }) => {
      const [sample] = samples[next++];
      return { ids: [...ids, ...sample.ids], turns: [...turns, { ...sample, start: ids.length, isOwn: true }] };
    });
    return { ...group, conversations };
  });
}

/** Every turn with its grade; a question whose grading failed, or gave no number in [0, 1], is dropped. */
export async function gradeTurns<S>(groups: readonly TurnGroup<S>[], grader: TurnGrader<S>): Promise<TurnGroup<S, GradedTurn>[]> {
  return Promise.all(
    groups.map(async ({ question, conversations, dropped }): Promise<TurnGroup<S, GradedTurn>> => {
      if (dropped) return { question, conversations: [], dropped };
      const gradeOne = async (turn: Turn, index: number): Promise<GradedTurn> => {
        const grade = await grader.grade(question.subject, turn, index);
        if (grade.accuracy >= 0 && grade.accuracy <= 1) return { ...turn, ...grade };
        throw new Error(`accuracy ${grade.accuracy}`);
      };
      try {
        const graded = await Promise.all(
          conversations.map(async ({ ids, turns }) => ({ ids, turns: await Promise.all(turns.map(gradeOne)) })),
        );
        return { question, conversations: graded };
      } catch (error) {
        if (endsTheStep(error)) throw error;
        const message = messageOf(error);
        return { question, conversations: [], dropped: { reason: "failed-grading", message } };
      }
    }),
  );
}

function samplingOf(options: TurnRolloutOptions, n: number, seed: number, promptSeeds: readonly number[]): SampleOptions {
  const { temperature, topP, topK, maxTokens, stopIds } = options;
  return { n, temperature, topP, topK, maxTokens, stopIds, seed, promptSeeds };
}
