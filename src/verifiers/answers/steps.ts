/**
 * Reads the arithmetic steps in a think span and says of each whether it is right, whether it was refined, and whether it needed to be:
 * what graded accuracy, the count of needless refinements and the picture of transitions are made from.
 */
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { type ParsedAnswer, parseRefine } from "#kernel/refine-grammar.ts";
import { evaluateExpression } from "./expression.ts";
import { parseNumber } from "./number.ts";
import { equal } from "./rational.ts";

export interface GradedStep {
  /** The left side as written, without spaces: "347*6". */
  expression: string;
  /** Result as first written, and as it stands after refinement (the same when not refined). */
  attempt: string;
  final: string;
  /** The left side holds a product or a quotient. */
  hard: boolean;
  refined: boolean;
  /** The first attempt was wrong for its own left side, so a refinement was needed. */
  needed: boolean;
  /** The final result is right for its own left side. */
  right: boolean;
  /** UTF-16 range of the first attempt in the completion. */
  start: number;
  end: number;
}

export interface GradedSteps {
  steps: GradedStep[];
  /** Share of the reference steps that were written with the reference result, in order; 0 without reference steps. */
  accuracy: number;
  /** Index of the first step, by the reference, that is wrong or missing; undefined when all are right or no reference is known. */
  firstWrongStep: number | undefined;
  /** Refinements of steps whose first attempt was right; of steps whose first attempt was wrong; and wrong attempts left as they were. */
  needless: number;
  useful: number;
  missed: number;
  wrongToRight: number;
  rightToWrong: number;
}

const equation = /([-+*/×·÷−().\d ]*[+*/×·÷−-][-+*/×·÷−().\d ]*)=\s*([-−]?\d+(?:\.\d+)?)/g;
const longestCompletion = 100_000;

/** Grades every equation outside of refine spans; a refine span belongs to the last equation before it, and its last result replaces it. */
export function gradeSteps(completion: string, reference: readonly string[] = []): GradedSteps {
  const text = blankRuns(completion.slice(0, longestCompletion));
  const parsed = parseRefine(text);
  const steps = readSteps(text, parsed);
  const wanted = reference.map((line) => parseNumber(line.slice(line.lastIndexOf("=") + 1)));
  const matches = wanted.map((value, index) => index < steps.length && equal(value, parseNumber(steps[index].final)));
  const firstWrong = matches.indexOf(false);
  const count = (test: (step: GradedStep) => boolean) => steps.filter(test).length;
  return {
    steps,
    accuracy: matches.length === 0 ? 0 : matches.filter(Boolean).length / matches.length,
    firstWrongStep: firstWrong < 0 ? undefined : firstWrong,
    needless: count((step) => step.refined && !step.needed),
    useful: count((step) => step.refined && step.needed),
    missed: count((step) => !step.refined && step.needed),
    wrongToRight: count((step) => step.refined && step.needed && step.right),
    rightToWrong: count((step) => step.refined && !step.needed && !step.right),
  };
}

function readSteps(completion: string, parsed: ParsedAnswer): GradedStep[] {
  const think = parsed.spans.find((span) => span.kind === "think");
  if (think === undefined) return [];
  const refines = [...parsed.refines, { start: think.innerEnd, end: think.innerEnd }];
  const steps: GradedStep[] = [];
  let from = think.innerStart;
  for (const refine of refines) {
    const opening = refine.start === think.innerEnd ? think.innerEnd : refine.start - "<refine>".length;
    for (const match of completion.slice(from, Math.max(from, opening)).matchAll(equation)) {
      steps.push(gradeAttempt(match[1], match[2], from + match.index, from + match.index + match[0].length));
    }
    const last = steps.at(-1);
    if (last !== undefined && refine.end > refine.start) applyRefinement(last, completion.slice(refine.start, refine.end));
    from = Math.max(from, refine.end === think.innerEnd ? refine.end : refine.end + "</refine>".length);
  }
  return steps;
}

function gradeAttempt(left: string, attempt: string, start: number, end: number): GradedStep {
  const expression = left.replaceAll(" ", "");
  const right = isRight(expression, attempt);
  return {
    expression,
    attempt,
    final: attempt,
    hard: /[*/×·÷]/.test(expression),
    refined: false,
    needed: !right,
    right,
    start,
    end,
  };
}

function applyRefinement(step: GradedStep, inner: string): void {
  step.refined = true;
  const last = lastResult(inner);
  if (last === undefined) return;
  step.final = last;
  step.right = isRight(step.expression, step.final);
}

/** The last number after an equals sign in a refine span is what the following steps go on with. */
export function lastResult(inner: string): string | undefined {
  return [...inner.matchAll(/=\s*([-−]?\d+(?:\.\d+)?)/g)].at(-1)?.[1];
}

function isRight(expression: string, result: string): boolean {
  return equal(evaluateExpression(expression), parseNumber(result));
}

/** Wraps a verifier of the final answer: accuracy is the share of right steps, the final answer counted as one more step. */
export function stepwiseVerifier(final: Verifier): Verifier {
  return (item: Item, answer: string, completion: string): Score => {
    const score = final(item, answer, completion);
    if (item.steps === undefined || item.steps.length === 0) return score;
    const graded = gradeSteps(completion, item.steps);
    const accuracy = (graded.accuracy * item.steps.length + score.accuracy) / (item.steps.length + 1);
    return { ...score, accuracy, firstWrongStep: graded.firstWrongStep };
  };
}

/** Keeps the verifier's accuracy and adds the first wrong step, for reports. */
export function withFirstWrongStep(final: Verifier): Verifier {
  return (item, answer, completion) => {
    const score = final(item, answer, completion);
    if (item.steps === undefined) return score;
    const { firstWrongStep } = gradeSteps(completion, item.steps);
    return firstWrongStep === undefined ? score : { ...score, firstWrongStep };
  };
}

/** Longer than any left side that can be computed would be worth the search for it. */
const longestRun = 100;

/**
 * Takes long runs of signs and digits that are no left side (a ruled line, a sum without end) out of the text and leaves its length as it
 * is: the search for equations would take time with the cube of such a run's length.
 */
export function blankRuns(text: string): string {
  const run = /[-+*/×·÷−().\d ]+/g;
  return text.replace(run, (found, at: number) => {
    if (found.length <= longestRun) return found;
    const isLeftSide =
      /[-+*/×·÷−]/.test(found) && /^=\s{0,20}[-−]?\d/.test(text.slice(at + found.length, at + found.length + 23));
    return isLeftSide ? found : "x".repeat(found.length);
  });
}
