/** One question with its reference answer, as tasks yield it and verifiers grade it. */

export interface Item {
  /** Unique within its task and split, stable across runs. */
  id: string;
  question: string;
  /** Reference answer as text. Never shown to a method. */
  answer: string;
  /** Difficulty or category, for breakdowns. */
  group?: string;
  /** Reference solution steps where the task knows them; used by graded accuracy and by the report, never by a method. */
  steps?: readonly string[];
}

/** accuracy ∈ [0, 1]; 0/1 for rule verifiers, graded for judges and step-wise scoring. */
export interface Score {
  accuracy: number;
  /** The answer found in the text, or undefined when none was. */
  extracted: string | undefined;
  /** First wrong step of the solution, zero-based, where the verifier can tell. */
  firstWrongStep?: number;
}

/** (item, final answer text, whole completion) → score. Pure and synchronous for rules. */
export type Verifier = (item: Item, answer: string, completion: string) => Score;
