/** How the answers to mathematics benchmarks are read and told apart where no grader is asked: for votes and convergence. */
import { visibleAnswer } from "#verifiers/answers/extract.ts";
import { extractMath } from "#verifiers/math/extract.ts";
import { readInteger } from "#verifiers/math/math-graders.ts";

export { sameMath } from "#verifiers/math/math.ts";

/** The integer, without leading zeros. */
export function integerIn(completion: string): string | undefined {
  const answer = mathIn(completion);
  return answer === undefined ? undefined : readInteger(answer)?.toString();
}

/** LaTeX as it stands in the completion. */
export function mathIn(completion: string): string | undefined {
  return extractMath(visibleAnswer(completion)).flexible;
}
