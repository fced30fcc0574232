/**
 * Word problems told otherwise, so that a small model trained on a few thousand of them learns the relation and not the story: other names
 * and things in place of the rare words, always the same for the same; operands of sums and products in one order.
 */
import type { Random } from "#kernel/seed.ts";
import type { WordProblem } from "../files/word-problem-file.ts";

/** Words that may be put in place of each other: those of the training problems that are not among the most frequent. */
export interface Vocabulary {
  words: readonly string[];
  has: ReadonlySet<string>;
}

/** The words that carry the relations (how, many, left, each, than …) are the most frequent ones; these many stay what they are. */
const keptWords = 150;

export function exchangeableWords(problems: readonly WordProblem[], kept = keptWords): Vocabulary {
  const counts = new Map<string, number>();
  for (const { template } of problems) {
    for (const word of new Set(template.split(" "))) {
      if (/^\p{L}{3,}$/u.test(word)) counts.set(word, (counts.get(word) ?? 0) + 1);
    }
  }
  const words = [...counts]
    .sort(([first, firstCount], [second, secondCount]) => secondCount - firstCount || (first < second ? -1 : 1))
    .slice(kept)
    .map(([word]) => word);
  return { words, has: new Set(words) };
}

/** Each exchangeable word becomes another one with this probability, at all its places alike. */
export function exchangeWords(problem: WordProblem, vocabulary: Vocabulary, share: number, random: Random): WordProblem {
  const chosen = new Map<string, string>();
  const words = problem.template.split(" ").map((word) => {
    if (!vocabulary.has.has(word)) return word;
    if (!chosen.has(word)) chosen.set(word, random.chance(share) ? random.pick(vocabulary.words) : word);
    return chosen.get(word)!;
  });
  return { ...problem, template: words.join(" ") };
}

/**
 * The same equation with the operands of every sum and product in one order: compound ones first, then by name. Annotators chose either
 * order; a model need not learn which.
 */
export function inOneOrder(equation: readonly string[]): string[] {
  let at = 0;
  const read = (): string[] => {
    const operator = equation[at++];
    if (operator === undefined) return [];
    if (!/^[-+*/]$/.test(operator)) return [operator];
    const [left, right] = [read(), read()];
    const isFree = operator === "+" || operator === "*";
    return [operator, ...(isFree && orderKey(right) < orderKey(left) ? [...right, ...left] : [...left, ...right])];
  };
  return read();
}

function orderKey(operand: readonly string[]): string {
  return `${operand.length > 1 ? 0 : 1} ${operand.join(" ")}`;
}
