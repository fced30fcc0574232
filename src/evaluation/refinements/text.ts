/**
 * Reads the refinements of one answer by rule and says what kind each is. PASR (arXiv 2508.12903, "A Stitch in Time Saves Nine: Proactive
 * Self-Refinement for Language Models") has a judge sort refinements into four types and say whether they are coherent and whether the
 * answer keeps to them. Where thinking is arithmetic, as in the small world, most of that can be computed.
 *
 * A refinement belongs to the last equation before it outside of refine spans, its step. A result is right when it is the value of the
 * step's own left side, so a step that goes on from a wrong number can be right in itself. Before and after are the results the refinement
 * found and left: the step's first attempt (or what an earlier refinement of the same step made of it), and the last number after an equals
 * sign inside (or the same as before where there is none). Then exactly one type holds:
 *
 * - `errorCorrection`: wrong before, right after.
 * - `failedCorrection`: wrong before, wrong after, changed or not.
 * - `spoiled`: right before, wrong after.
 * - `bareRepetition`: right before and after, and every equation inside is the step's own with the same result; one at least.
 * - `workedConfirmation`: right before and after, and at least two equations inside, not all of them the step's own.
 * - `otherConfirmation`: right before and after, and neither of the two: words alone, nothing, or a single other equation.
 * - `unattached`: no step before it, or no complete think span to find steps in. Nothing more is said of these.
 *
 * Coherent by rule: there are equations inside, all of them are true, and the last one is about the step: the same left side, or one of the
 * same value (620+4 after 530+90=620, for 530+94). Aligned by rule: the next step's left side holds the result as one of its numbers
 * (signs aside, since the sign of a number reads like an operator), or, where no step follows, the answer is that number.
 *
 * Of the paper's types, error correction is `errorCorrection`. `workedConfirmation` adds intermediate results to a result that stood
 * alone, which is the paper's information complement. Solution improvement and task alignment cannot occur by rule: a question of the world
 * prescribes its steps, so there is no better way to choose, and there is no instruction about style or form to come back to. The other
 * types have no counterpart in the paper.
 */
import { parseRefine } from "#kernel/refine-grammar.ts";
import { evaluateExpression } from "#verifiers/answers/expression.ts";
import { extractNumber, parseNumber } from "#verifiers/answers/number.ts";
import { absolute, equal, type Rational } from "#verifiers/answers/rational.ts";
import { blankRuns, type GradedStep, gradeSteps, lastResult } from "#verifiers/answers/steps.ts";

export const refinementTypes = [
  "errorCorrection",
  "failedCorrection",
  "spoiled",
  "workedConfirmation",
  "bareRepetition",
  "otherConfirmation",
  "unattached",
] as const;

export type RefinementType = (typeof refinementTypes)[number];

/** The paper's name for a type, where it has one. */
export const paperTypes: Readonly<Partial<Record<RefinementType, string>>> = {
  errorCorrection: "error correction",
  workedConfirmation: "information complement",
};

export interface ReadRefinement {
  type: RefinementType;
  /** UTF-16 range of the text between the tags. */
  start: number;
  end: number;
  /** Absent where the refinement is unattached. */
  attached?: {
    /** Index of the step. */
    step: number;
    /** The step holds a product or a quotient. */
    hard: boolean;
    /** Results as written. */
    before: string;
    after: string;
    rightBefore: boolean;
    rightAfter: boolean;
    /** The two results are different numbers. */
    changed: boolean;
    coherent: boolean;
    aligned: boolean;
  };
}

export interface ReadAnswer {
  steps: GradedStep[];
  /** Every complete refine span, in order. */
  refinements: ReadRefinement[];
  /** Only the beginning of the text was read. */
  cut: boolean;
}

/** As far as steps are graded. */
const longestCompletion = 100_000;

/** Work is linear in the text; any text can be read. */
export function readRefinements(completion: string): ReadAnswer {
  const text = blankRuns(completion.slice(0, longestCompletion));
  const parsed = parseRefine(text);
  const { steps } = gradeSteps(text);
  const answer = readNumber(extractNumber(parsed.answerText));
  const standing = steps.map((step) => step.attempt);
  let next = 0;
  const refinements = parsed.refines.map(({ start, end }): ReadRefinement => {
    while (next < steps.length && steps[next].end <= start) next++;
    const step = steps[next - 1];
    if (step === undefined) return { type: "unattached", start, end };
    const inner = text.slice(start, end);
    const before = standing[next - 1];
    const after = lastResult(inner) ?? before;
    standing[next - 1] = after;
    const following = steps[next];
    return { start, end, ...classify(step, next - 1, before, after, inner, following?.expression ?? answer) };
  });
  return { steps, refinements, cut: completion.length > longestCompletion };
}

function classify(
  step: GradedStep,
  index: number,
  before: string,
  after: string,
  inner: string,
  following: string | Rational | undefined,
): Pick<ReadRefinement, "type" | "attached"> {
  const value = evaluateExpression(step.expression);
  const [old, refined] = [readNumber(before), readNumber(after)];
  const rightBefore = equal(value, old);
  const rightAfter = equal(value, refined);
  const equations = equationsOf(inner);
  const left = plainSigns(step.expression);
  const last = equations.at(-1);
  const isAbout =
    last !== undefined && (plainSigns(last.expression) === left || equal(evaluateExpression(last.expression), value));
  const repeats = equations.every(
    ({ expression, attempt }) => plainSigns(expression) === left && equal(readNumber(attempt), old),
  );
  return {
    type: typeOf(rightBefore, rightAfter, equations.length, repeats),
    attached: {
      step: index,
      hard: step.hard,
      before,
      after,
      rightBefore,
      rightAfter,
      changed: before !== after && !equal(old, refined),
      coherent: isAbout && equations.every((equation) => equation.right),
      aligned: typeof following === "string" ? holds(following, refined) : equal(following, refined),
    },
  };
}

function typeOf(rightBefore: boolean, rightAfter: boolean, equations: number, repeats: boolean): RefinementType {
  if (!rightBefore) return rightAfter ? "errorCorrection" : "failedCorrection";
  if (!rightAfter) return "spoiled";
  if (equations > 0 && repeats) return "bareRepetition";
  return equations > 1 ? "workedConfirmation" : "otherConfirmation";
}

/** Tags that stand inside (a nested refinement, a stray one) end an equation. */
function equationsOf(inner: string): GradedStep[] {
  return gradeSteps(`<think>${inner.replace(/<\/?(?:think|refine|answer)>/g, ";")}</think>`).steps;
}

function holds(expression: string, value: Rational | undefined): boolean {
  if (value === undefined) return false;
  const size = { ...value, numerator: absolute(value.numerator) };
  return (expression.match(/\d+(?:\.\d+)?/g) ?? []).some((number) => equal(readNumber(number), size));
}

function readNumber(text: string | undefined): Rational | undefined {
  return text === undefined ? undefined : parseNumber(text);
}

function plainSigns(expression: string): string {
  return expression.replace(/[×·]/g, "*").replaceAll("÷", "/").replaceAll("−", "-");
}
