/**
 * One method from its description: the card for the command line, the function for programs, and what every run of a method has in common.
 * What is left for a paper's file to say is the card, the prompts, and the steps:
 *
 *   export const twice = defineMethod({
 *     id: "twice", …, options: { again: { type: "boolean", default: true, description: "ask again" } }, …
 *     async *steps(run) {
 *       const first = yield* run.attempt(run.question, { seed: run.seed("attempt", 0) });
 *       …
 *       return { chosen: first, why: "the only answer" };
 *     },
 *   });
 */

import { type AnswerForm, answerFormOf } from "#kernel/answer-form.ts";
import { withInstruction } from "#kernel/call.ts";
import { type CallSpecs, callback, checkCall, checkIsObject, choice, needed, text, thing } from "#kernel/call-options.ts";
import { userError } from "#kernel/errors.ts";
import type { MethodCard } from "#kernel/method-card.ts";
import type { Message } from "#kernel/model.ts";
import {
  checkOptions,
  type GivenOptions,
  isBoundMethod,
  type OptionSpecs,
  type OptionValues,
  unknownOption,
} from "#kernel/options.ts";
import { checkRequest } from "#kernel/request-options.ts";
import { deriveSeed } from "#kernel/seed.ts";
import type { Method, MethodNeed, MethodRequest, MethodTools, Outcome, TraceEvent } from "#kernel/trace.ts";
import type { Candidate } from "./candidates.ts";
import { endEarly, endWith, stoppedBy, TracedCalls } from "./traced-calls.ts";

/** What a method chose, and why, for a reader; without a reason nothing is said of a choice. */
export interface Choice {
  chosen: Candidate | undefined;
  why?: string | undefined;
}

/** Options that no text can give, such as functions, and texts too long for a command line, by their defaults. */
type Extras = Readonly<Record<string, unknown>>;

type Widened<Value> = Value extends string ? string : Value;

/** Texts under one name are given in part; the others keep their defaults. */
type ExtraValues<More extends Extras> = {
  [Name in keyof More]: More[Name] extends Readonly<Record<string, string>>
    ? { [Each in keyof More[Name]]: string }
    : Widened<More[Name]>;
};

type GivenExtras<More extends Extras> = {
  [Name in keyof More]?:
    | (More[Name] extends Readonly<Record<string, string>> ? { [Each in keyof More[Name]]?: string } : Widened<More[Name]>)
    | undefined;
};

/** A method that another one has to be composed over. */
type Required<Specs extends OptionSpecs> = {
  [Name in keyof Specs]: Specs[Name] extends { type: "method"; default: string } ? Name : never;
}[keyof Specs];

export type MethodOptions<Specs extends OptionSpecs, More extends Extras> = GivenOptions<Specs> & {
  [Name in Required<Specs>]: OptionValues<Specs>[Name];
} & GivenExtras<More> & {
    /** Name in results. */
    id?: string | undefined;
  };

export interface MethodDefinition<Specs extends OptionSpecs, More extends Extras>
  extends Pick<MethodCard, "id" | "summary" | "paper" | "kind" | "status" | "calls"> {
  options: Specs;
  extras?: More;
  /** What it cannot work without, beside a model; the oracle among them makes it an upper bound. None when left out. */
  needs?: readonly MethodNeed[] | ((options: OptionValues<Specs>) => readonly MethodNeed[]);
  /** Most calls of the model for one answer; `calls` is the same as a formula. */
  maxCalls(options: OptionValues<Specs>): number;
  /** Whether the text of the only call may be shown while it arrives (`Method.liveAnswer`); not when left out. */
  liveAnswer?: Method["liveAnswer"] | ((options: OptionValues<Specs>) => Method["liveAnswer"]);
  /** Where a program calls it: the name in results when none is given, `id` when left out, and defaults other than the card's. */
  inPrograms?: { name?: (options: OptionValues<Specs>) => string; defaults?: GivenOptions<Specs> };
  /**
   * The method itself. A call that was not made or failed ends it where it stands; `run.ifStopped` then says what is chosen. What else is
   * thrown is thrown to whoever runs the method.
   */
  steps(run: MethodRun<OptionValues<Specs> & ExtraValues<More>>): AsyncGenerator<TraceEvent, Choice>;
}

export interface DefinedMethod<Specs extends OptionSpecs, More extends Extras> {
  /** The method with these options, checked; the others at their defaults. Throws user errors alone. */
  (
    ...options: [Required<Specs>] extends [never] ? [options?: MethodOptions<Specs, More>] : [options: MethodOptions<Specs, More>]
  ): Method;
  readonly card: MethodCard;
}

/** One run: the request, the options, the calls, and every attempt so far. */
export class MethodRun<Options> extends TracedCalls {
  readonly #owner: string;
  readonly request: MethodRequest;
  readonly options: Options;
  /** The conversation, the question last, with the option `instruction` in its system message where the method has it. */
  readonly question: Message[];
  /** How answers are read and told apart. */
  readonly form: AnswerForm;
  /** For samples that must differ: the option `temperature`, else the request's, else, because greedy samples are all the same, the usual one. */
  readonly samplingTemperature: number;
  /** The choice where a call does not happen: the last attempt, unless the steps set another. */
  ifStopped: () => Choice = () => ({ chosen: this.candidates.at(-1) });

  constructor(owner: string, request: MethodRequest, options: Options) {
    super(request);
    this.#owner = owner;
    this.request = request;
    this.options = options;
    const { instruction, temperature } = options as { instruction?: string; temperature?: number };
    this.question = withInstruction(request.messages, instruction);
    this.form = answerFormOf(request);
    this.samplingTemperature = samplingTemperature(temperature, request.temperature);
  }

  /** The seed of one call, from the run's and a path of names and numbers. `"attempt", 0` is the plain answer's. */
  seed(...path: (string | number)[]): number {
    return deriveSeed(this.request.seed, ...path);
  }

  /** Whether both answers can be read and are the same one. */
  agree(first: Candidate, second: Candidate): boolean {
    const [before, after] = [this.form.read(first.text), this.form.read(second.text)];
    return before !== undefined && after !== undefined && this.form.same(before, after);
  }

  /** Help from outside of the model. Throws a user error where the request brings none; `instead` says what else one may do. */
  tool<Name extends keyof typeof tools>(name: Name, instead: string): NonNullable<ReturnType<(typeof tools)[Name]["of"]>> {
    const { of, code, lacks, advice } = tools[name];
    const tool = of(this.request.tools ?? {});
    if (tool === undefined) throw userError(code, `${this.#owner} ${lacks}`, `${advice}${instead}.`);
    return tool as NonNullable<ReturnType<(typeof tools)[Name]["of"]>>;
  }

  /** Asks a verifier for scores of attempts, in [0, 1]; undefined where one is no number. Throws a user error where there is none. */
  verifier(instead: string): (candidate: Candidate) => AsyncGenerator<TraceEvent, number | undefined> {
    const scoreCompletion = this.tool("scorer", instead);
    const { messages, signal } = this.request;
    const ask = async (text: string) => {
      const { score, usage } = await scoreCompletion(messages, text, signal);
      return { score: Number.isFinite(score) ? score : undefined, text: "", usage };
    };
    return async function* (
      this: MethodRun<Options>,
      { attempt, text }: Candidate,
    ): AsyncGenerator<TraceEvent, number | undefined> {
      return (yield* this.check({ attempt, by: "verifier", costs: true }, () => ask(text))).score;
    }.bind(this);
  }
}

/** The usual choice of the papers that sample (self-consistency: 0.7). */
const usualSamplingTemperature = 0.7;

/** The method's own, else the request's, else, because greedy samples are all the same, the usual one. */
export function samplingTemperature(own: number | undefined, requested: number): number {
  return own ?? (requested > 0 ? requested : usualSamplingTemperature);
}

const tools = {
  python: {
    of: ({ runPython }: MethodTools) => runPython,
    code: "no-python",
    lacks: "runs Python, and there is no sandbox to run it in",
    advice: "Bring a sandbox",
  },
  scorer: {
    of: ({ scoreCompletion }: MethodTools) => scoreCompletion,
    code: "no-scorer",
    lacks: "asks a verifier for scores, and there is none",
    advice: "Name a scorer",
  },
  "visible-tests": {
    of: ({ runVisibleTests }: MethodTools) => runVisibleTests,
    code: "no-visible-tests",
    lacks: "runs the tests that a question shows, and here there are none to run",
    advice: "Use it on programming tasks, with a sandbox",
  },
  "hidden-tests": {
    of: ({ oracle }: MethodTools) => oracle?.runHiddenTests,
    code: "no-hidden-tests",
    lacks: "runs the hidden tests of a programming task, and here there are none",
    advice: "Use it in an evaluation of a programming task, with a sandbox",
  },
  oracle: {
    of: ({ oracle }: MethodTools) => oracle,
    code: "no-oracle",
    lacks: "asks whether an answer is right, and there is nobody to ask",
    advice: "Use it in an evaluation, where reference answers are known",
  },
};

const definitionSpecs: CallSpecs<MethodDefinition<OptionSpecs, Extras>> = {
  id: needed({ type: "text", description: "its name" }),
  summary: needed(text("what it does, in one line")),
  paper: thing("title, authors, year and identifier"),
  kind: needed({ type: "text", description: "its folder in the catalogue" }),
  status: needed(choice("whether results may still change", ["stable", "experimental"])),
  calls: needed(text("most calls of the model, as a formula in the options' names")),
  options: needed(thing("the options")),
  extras: thing("options that no text can give, by their defaults"),
  needs: thing(
    "what it cannot work without",
    "a list or a function",
    (value) => Array.isArray(value) || typeof value === "function",
  ),
  maxCalls: needed(callback("most calls of the model for one answer")),
  liveAnswer: { type: "data", description: "whether the only call may be shown while it arrives" },
  inPrograms: thing("name and defaults where a program calls it"),
  steps: needed(callback("the method itself")),
};

/** The method as a function of its options, with its card. */
export function defineMethod<const Specs extends OptionSpecs, More extends Extras = Record<never, unknown>>(
  definition: MethodDefinition<Specs, More>,
): DefinedMethod<Specs, More> {
  checkCall<object>("defineMethod", definitionSpecs, definition);
  const {
    id,
    summary,
    paper,
    kind,
    status,
    calls,
    options: specs,
    needs = [],
    maxCalls,
    liveAnswer,
    inPrograms = {},
  } = definition;
  const extras: Extras = definition.extras ?? {};
  type Values = OptionValues<Specs> & ExtraValues<More>;

  function valuesOf(given: Readonly<Record<string, unknown>>): Values {
    const own = Object.entries(given).filter(([name]) => !Object.hasOwn(extras, name));
    const unknown = own.find(([name]) => !Object.hasOwn(specs, name));
    if (unknown) throw unknownOption(id, unknown[0], [...Object.keys(specs), ...Object.keys(extras)]);
    return { ...checkExtras(id, extras, given), ...checkOptions(id, specs, Object.fromEntries(own)) } as Values;
  }

  function create(options: Values, name: string): Method {
    const live = typeof liveAnswer === "function" ? liveAnswer(options) : liveAnswer;
    const inner = Object.values(options).some((value) => isBoundMethod(value) && value.method.usesOracle);
    const run = (request: MethodRequest) => play(definition, options, request);
    return { id: name, usesOracle: usesOracle || inner, liveAnswer: live, run };
  }

  const fixedNeeds = typeof needs === "function" ? [] : needs;
  const usesOracle = fixedNeeds.includes("oracle");
  const card: MethodCard = {
    ...{ id, summary, paper, kind, status, calls },
    options: specs,
    needs: fixedNeeds,
    needsWith: typeof needs === "function" ? (options) => needs(options as OptionValues<Specs>) : undefined,
    usesOracle,
    maxCalls: (options) => maxCalls(options as OptionValues<Specs>),
    create: (options, name) => create(valuesOf(options), name),
  };
  const method = (all: Record<string, unknown> & { id?: string | undefined } = {}) => {
    checkIsObject(id, all, [...Object.keys(specs), ...Object.keys(extras)]);
    const { id: name, ...given } = all;
    const values = valuesOf({ ...inPrograms.defaults, ...Object.fromEntries(Object.entries(given).filter(isGiven)) });
    return create(values, name ?? inPrograms.name?.(values) ?? id);
  };
  return Object.assign(method, { card }) as DefinedMethod<Specs, More>;
}

/** The steps from the first call to the outcome, whatever ends them. */
async function* play<Specs extends OptionSpecs, More extends Extras>(
  { id, steps }: MethodDefinition<Specs, More>,
  options: OptionValues<Specs> & ExtraValues<More>,
  request: MethodRequest,
): AsyncGenerator<TraceEvent, Outcome> {
  checkRequest(id, request);
  const run = new MethodRun(id, request, options);
  try {
    return yield* endWith({ ...(yield* steps(run)), usage: run.caller.spent });
  } catch (thrown) {
    return yield* endEarly(stoppedBy(thrown), { ...run.ifStopped(), usage: run.caller.spent });
  }
}

function isGiven([, value]: [string, unknown]): boolean {
  return value !== undefined;
}

/** Each extra option is of its default's type; one whose default is a function may be false, and one without a default is anything. */
function checkExtras(owner: string, extras: Extras, given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(extras).map(([name, standard]) => [name, checkExtra(owner, name, standard, given[name])]),
  );
}

function checkExtra(owner: string, name: string, standard: unknown, value: unknown): unknown {
  if (value === undefined) return standard;
  const isOff = typeof standard === "function" && value === false;
  if (standard !== undefined && !isOff && typeof value !== typeof standard) {
    throw userError("option-value", `${owner}: ${name} is no ${typeof standard}`, `It is a ${typeof value}.`);
  }
  if (typeof standard !== "object" || standard === null || Array.isArray(standard)) return value;
  // Texts under one name: those not given keep their defaults.
  const unknown = Object.keys(value as object).find((each) => !Object.hasOwn(standard, each));
  if (unknown !== undefined) throw unknownOption(`${owner}, ${name}`, unknown, Object.keys(standard));
  return checkExtras(`${owner}, ${name}`, standard as Extras, value as Extras);
}
