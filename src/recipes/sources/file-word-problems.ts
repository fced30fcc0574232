/** Word problems with placeholders as training material: the model writes the equation, its value is graded. */

import {
  evaluatePrefix,
  plainEquationConversation,
  refinedEquationConversation,
  resampleNumbers,
  type WordProblem,
  wordProblemItem,
  wordProblemPrompts,
} from "#data/files/word-problem-file.ts";
import { exchangeableWords, exchangeWords, inOneOrder, type Vocabulary } from "#data/sources/word-problem-variations.ts";
import { counted } from "#kernel/numbers.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";

import { shuffledStream } from "#training/stream.ts";
import { equationVerifier } from "./file-verifiers.ts";
import { type FileMaterial, linesText } from "./source.ts";

export interface WordProblemTeaching {
  /** Keep number0, number1 … in question and equation. */
  placeholders: boolean;
  /** New numbers in every pass. */
  resample: boolean;
  /** Other names and things in most conversations. */
  vary: boolean;
}

/** Share of conversations under the refine prompt, and how often these refine and begin wrong. */
const refinedShare = 0.4;
const refining = { refineShare: 0.6, wrongShare: 0.5 };

/** Share of conversations in which words are exchanged, and of their rarer words that are. */
const variedShare = 0.7;
const exchangeShare = 0.5;

export function wordProblemMaterial({ placeholders, resample, vary }: WordProblemTeaching): FileMaterial<WordProblem> {
  return {
    prompts: wordProblemPrompts,
    questionOf: (problem) => problem.template,
    item: (problem) => wordProblemItem(problem, { placeholders }),
    conversations(problems, seed) {
      const stream = shuffledStream(problems, deriveSeed(seed, "problems"));
      const vocabulary = vary ? exchangeableWords(problems) : undefined;
      return (index) => {
        const random = new Random(deriveSeed(seed, "conversation", index));
        const varied = toldOtherwise(stream(index), vocabulary, random);
        const problem = resample ? withNewNumbers(varied, random) : varied;
        return random.chance(refinedShare)
          ? refinedEquationConversation(problem, { placeholders, ...refining }, random)
          : plainEquationConversation(problem, placeholders);
      };
    },
    problems(problems, seed) {
      const stream = shuffledStream(problems, deriveSeed(seed, "problems"));
      return (index) => {
        const problem = stream(index);
        const fresh = resample ? withNewNumbers(problem, new Random(deriveSeed(seed, "numbers", index))) : problem;
        return wordProblemItem(fresh, { placeholders });
      };
    },
    verify: equationVerifier,
    maxTokens: 96,
  };
}

/** One way to write each equation; the story in other words, most times. */
function toldOtherwise(problem: WordProblem, vocabulary: Vocabulary | undefined, random: Random): WordProblem {
  const told = { ...problem, equation: inOneOrder(problem.equation) };
  return vocabulary !== undefined && random.chance(variedShare) ? exchangeWords(told, vocabulary, exchangeShare, random) : told;
}

/** The file's own numbers where no others fit the equation. */
function withNewNumbers(problem: WordProblem, random: Random): WordProblem {
  return resampleNumbers(problem, random) ?? problem;
}

/** The published files differ in case alone where they tell the same: without it a small vocabulary goes further. */
export function inLowerCase(problems: readonly WordProblem[]): WordProblem[] {
  return problems.map((problem) => ({ ...problem, template: problem.template.toLowerCase() }));
}

/** Rounded references still teach the right equation; these do not. */
const largestError = 0.1;

/** Problems whose equation gives their answer, and a note on the others. */
export function consistentProblems(
  path: string,
  problems: readonly WordProblem[],
): { usable: WordProblem[]; wrong: WordProblem[]; notes: string[] } {
  const isConsistent = ({ equation, numbers, answer }: WordProblem) =>
    Math.abs(evaluatePrefix(equation, numbers.map(Number))! - Number(answer)) <= largestError;
  const wrong = problems.filter((problem) => !isConsistent(problem));
  const lines = wrong.map(({ id }) => Number(id.slice(id.lastIndexOf(":") + 1)));
  return {
    usable: problems.filter(isConsistent),
    wrong,
    notes:
      wrong.length === 0
        ? []
        : [
            `${path}: ${counted(wrong.length, "problem is", "problems are")} left out of training, because the equation does not give the answer (${linesText(lines)})`,
          ],
  };
}
