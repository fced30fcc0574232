import type { Usage } from "./model.ts";

/** One question with its reference answer, as tasks yield it and verifiers grade it. */
export interface Item {
  /** Unique within its task and split, stable across runs. */
  id: string;
  question: string;
  /** Reference answer as text. Never shown to a method. */
  answer: string;
  /** Difficulty or category, for breakdowns. */
  group?: string | undefined;
  /** Items of one cluster (questions on one passage, twins of one sentence) are not independent; intervals allow for it. */
  cluster?: string | undefined;
  /** Reference solution steps where the task knows them; used by graded accuracy and by the report, never by a method. */
  steps?: readonly string[] | undefined;
  /** The options of a multiple-choice question, in the order shown; `answer` is then one of the letters. */
  choices?: readonly { letter: string; text: string }[] | undefined;
  /** Other reference answers that are as good as `answer`. */
  alternatives?: readonly string[] | undefined;
  /** A programming problem: `prompt` is the code to complete, `tests` define `check(candidate)`. Tests are never shown to a method. */
  program?: { prompt: string; entryPoint: string; tests: string } | undefined;
}

/** accuracy ∈ [0, 1]; 0/1 for rule verifiers, graded for judges and step-wise scoring. */
export interface Score {
  accuracy: number;
  /** The answer found in the text, or undefined when none was. */
  extracted: string | undefined;
  /** Accuracy when only the answer form that was asked for is read; `accuracy` reads any clear statement of an answer. */
  strictAccuracy?: number | undefined;
  /** First wrong step of the solution, zero-based, where the verifier can tell. */
  firstWrongStep?: number | undefined;
  /** Why there is no accuracy, or how a program ended: `timeout`, `memory`, `unparsable`, … */
  status?: string | undefined;
  /** What grading cost, where a model was asked. */
  usage?: Usage | undefined;
  /** Further figures, such as ROUGE. */
  measures?: Readonly<Record<string, number>> | undefined;
}

/** (item, final answer text, whole completion) → score. Pure and synchronous: a rule. */
export type Verifier = (item: Item, answer: string, completion: string) => Score;

/** Like a verifier, and may take its time: runs programs, asks a judge model. Every verifier is a grader. */
export type Grader = (item: Item, answer: string, completion: string, signal?: AbortSignal) => Score | Promise<Score>;
