/**
 * `midcourse/verifiers`: is an answer right? Equality of mathematical answers needs @cortex-js/compute-engine; programs run in a sandbox of
 * the machine's python3, or of pyodide.
 */

export type { Grader, Item, Score, Verifier } from "#kernel/item.ts";
export { MathComparer } from "#verifiers/math/comparer.ts";
export { integerGrader, mathGrader } from "#verifiers/math/graders.ts";
export { openSandbox } from "#verifiers/sandbox/open.ts";
