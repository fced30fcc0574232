/**
 * What a base needs to know before methods can be compared on it: all domains, plain and refined, and the turns that methods ask for —
 * feedback, another try without feedback, a solution to a question whose answer is given. As in `corpus.ts` nothing says where care is
 * needed: products are worked out on digits or written in one go by chance.
 */
import type { CharacterRange, TrainingConversation, TrainingMessage } from "#kernel/conversation.ts";
import { sum } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import { defaultWorldOptions, isHard } from "./chains.ts";
import { type WorldDomain, worldDomains } from "./domains.ts";
import type { WorldItem } from "./items.ts";
import {
  assistant,
  defaultSolutionOptions,
  drillConversation,
  plainConversation,
  refinedConversation,
  type SolutionOptions,
  selfRefineConversation,
  slip,
  system,
  user,
  workedDrillConversation,
  worldPrompts,
  writePlain,
  writeWorked,
  writeWorkedStep,
} from "./solutions.ts";

export interface SkillsOptions extends SolutionOptions {
  /** Relative shares of the kinds of conversation. */
  shares: { drill: number; workedDrill: number; plain: number; refine: number; selfRefine: number; retry: number; hint: number };
  /** Relative shares of the domains. */
  domains: Record<WorldDomain["id"], number>;
  /**
   * Probability that a product is worked out in place of being written in one go: in second tries, in feedback and towards a given answer. The
   * same everywhere, and the same as for refinements (`refineShare`), so that no method finds more in the base than another.
   */
  workShare: number;
  /** Probability that a product written in one go carries no loss, so that the base stays as unsure of them as it was. */
  unlearnedProducts: number;
  /** What marks a given answer; STaR's. */
  hintMarker: string;
}

export const defaultSkillsOptions: SkillsOptions = {
  ...defaultSolutionOptions,
  shares: { drill: 0.14, workedDrill: 0.14, plain: 0.16, refine: 0.18, selfRefine: 0.12, retry: 0.16, hint: 0.1 },
  domains: { sums: 0.5, programs: 0.25, postfix: 0.25 },
  workShare: 0.4,
  unlearnedProducts: 0.9,
  hintMarker: "(CORRECT)",
};

/** Endless; the same for the same seed and options. Train problems only. */
export function* skillsCorpus(seed: number, options: SkillsOptions = defaultSkillsOptions): Generator<TrainingConversation> {
  const streams = worldDomains.map((domain) =>
    domain.stream({ split: "train", seed: deriveSeed(seed, domain.id), minSteps: domain.id === "sums" ? 1 : 2 }),
  );
  const domainShares = worldDomains.map(({ id }) => options.domains[id]);
  for (let index = 0; ; index++) {
    const random = new Random(deriveSeed(seed, "skill", index));
    const item = streams[draw(domainShares, random)].next().value as WorldItem;
    yield withUnlearnedProducts(conversationOf(item, random, options), random, options.unlearnedProducts);
  }
}

function conversationOf(item: WorldItem, random: Random, options: SkillsOptions): TrainingConversation {
  const { shares, workShare } = options;
  const kinds = Object.keys(shares) as (keyof typeof shares)[];
  switch (kinds[draw(Object.values(shares), random)]) {
    case "drill":
      return drillConversation(item.id, defaultWorldOptions, random.chance(0.7), 0.7, random);
    case "workedDrill":
      return workedDrillConversation(item.id, defaultWorldOptions, 0.8, random);
    case "plain":
      return plainConversation(item);
    case "refine":
      return refinedConversation(item, random, options);
    case "selfRefine":
      return selfRefineConversation(item, random.chance(0.7) ? 1 : random.integer(2, 3), random, workShare, writeWorkedStep);
    case "retry":
      return retryConversation(item, random, options);
    case "hint":
      return hintConversation(item, random, options);
  }
}

/** One to three tries, right or wrong, each followed by the words that ask for another; the last try is right and alone carries loss. */
export function retryConversation(item: WorldItem, random: Random, options = defaultSkillsOptions): TrainingConversation {
  const messages = [system(worldPrompts.plain), user(item.question)];
  for (let tries = random.chance(0.7) ? 1 : random.integer(2, 3); tries > 0; tries--) {
    const draft = slip(item.chain, random, 0.5, 0.1);
    messages.push(assistant(writePlain(draft), false), user(worldPrompts.improve));
  }
  messages.push(assistant(secondTry(item, random, options.workShare)));
  return { id: `${item.id}-retry`, messages };
}

/** The question with its answer on a line of its own, marked as STaR marks it; the solution does not mention the mark. */
export function hintConversation(item: WorldItem, random: Random, options = defaultSkillsOptions): TrainingConversation {
  const question = `${item.question}\n${item.answer} ${options.hintMarker}`;
  const solution = secondTry(item, random, options.workShare);
  return {
    id: `${item.id}-hint`,
    messages: [system(worldPrompts.plain), user(question), assistant(solution)],
  };
}

function secondTry({ chain }: WorldItem, random: Random, workShare: number): string {
  return writeWorked(chain, (step) => isHard(step) && random.chance(workShare));
}

/** Of a product of a long number that no work stands in front of: the result. */
const oneGo = /(?<![\d,])\d{3,}\*\d=(\d+)/g;

/** Some of the products that are written in one go are shown and not learned. */
export function withUnlearnedProducts(conversation: TrainingConversation, random: Random, share: number): TrainingConversation {
  const messages = conversation.messages.map((message): TrainingMessage => {
    if (!message.trainable || isReadOff(conversation.id, message)) return message;
    const known = message.masked ?? [];
    const more: CharacterRange[] = [];
    for (const { index, 0: step, 1: result } of message.content.matchAll(oneGo)) {
      const range: CharacterRange = [index + step.length - result.length, index + step.length];
      const isKnown = known.some(([start, end]) => start < range[1] && range[0] < end);
      if (!isKnown && random.chance(share)) more.push(range);
    }
    const masked = [...known, ...more].sort(([first], [second]) => first - second);
    return masked.length === 0 ? message : { ...message, masked };
  });
  return { ...conversation, messages };
}

/** A given answer, or a review of every step, stands before it: there is nothing to multiply. */
function isReadOff(id: string, { content }: TrainingMessage): boolean {
  return id.endsWith("-hint") || (id.includes("-self-refine-") && content.startsWith("<think>"));
}

/** Index of one of the shares. */
function draw(shares: readonly number[], random: Random): number {
  let rest = random.uniform() * sum(shares);
  for (const [index, share] of shares.entries()) {
    rest -= share;
    if (rest < 0) return index;
  }
  return shares.length - 1;
}
