/**
 * Options of library calls, checked as a command's are: a name that does not exist and a value out of range are user errors, where JavaScript
 * would pass them in silence.
 */
import { userError } from "./errors.ts";
import { checkOptions, type OptionSpec } from "./options.ts";
import { isRecord } from "./values.ts";

/** One spec for each option that the call has, no more and no fewer. */
export type CallSpecs<Options extends object> = { readonly [Name in keyof Required<Options>]: CallSpec };

interface CallSpec extends OptionSpec {
  required?: true;
}

/**
 * Throws a user error for options that `owner`, such as `refine`, does not have, for values that it does not take and for required ones that
 * are missing. Undefined and null are left out.
 */
export function checkCall<Options extends object>(owner: string, specs: CallSpecs<Options>, given: Options | undefined): void {
  const options: unknown = given ?? {};
  checkIsObject(owner, options, Object.keys(specs));
  checkOptions(owner, specs as Readonly<Record<string, CallSpec>>, options);
  const missing = Object.entries<CallSpec>(specs).find(
    ([name, { required }]) => required && (options[name] ?? undefined) === undefined,
  );
  if (missing === undefined) return;
  const [name, { description }] = missing;
  throw userError("option-missing", `${owner}: ${name} is not given`, `${name}: ${description}.`);
}

/** `selfRefine(3)` is a slip for `selfRefine({ rounds: 3 })`. Throws a user error. */
export function checkIsObject(
  owner: string,
  given: unknown,
  names: readonly string[],
): asserts given is Readonly<Record<string, unknown>> {
  if (isRecord(given)) return;
  const kind = given === null ? "null" : Array.isArray(given) ? "a list" : `a ${typeof given}`;
  const known = names.length === 0 ? "It has none." : `It has: ${names.join(", ")}.`;
  throw userError("option-value", `${owner}: the options are ${kind} and no object`, known);
}

/** The option has to be given. */
export function needed<Spec extends CallSpec>(spec: Spec): Spec & { required: true } {
  return { ...spec, required: true };
}

export function whole(description: string, minimum = 0): CallSpec {
  return { type: "integer", minimum, description };
}

/** Infinity sets no limit. */
export function most(description: string, minimum = 0): CallSpec {
  return { type: "integer", minimum, maximum: Number.POSITIVE_INFINITY, description };
}

export function seconds(description: string): CallSpec {
  return { type: "number", above: 0, maximum: Number.POSITIVE_INFINITY, description };
}

export function figure(description: string, range: Pick<OptionSpec, "minimum" | "above" | "maximum"> = {}): CallSpec {
  return { type: "number", description, ...range };
}

export function choice(description: string, choices: readonly string[]): CallSpec {
  return { type: "choice", choices, description };
}

export function text(description: string): CallSpec {
  return { type: "text", mayBeEmpty: true, description };
}

export function flag(description: string): CallSpec {
  return { type: "boolean", description };
}

/** What `is` accepts, which is `needs` in words. */
export function thing(description: string, needs = "an object", is: (value: unknown) => boolean = isRecord): CallSpec {
  return { type: "data", needs, is, description };
}

export function list(description: string, of: (value: unknown) => boolean = () => true): CallSpec {
  return thing(description, "a list", (value) => Array.isArray(value) && value.every(of));
}

export function texts(description: string): CallSpec {
  return thing(
    description,
    "a list of texts",
    (value) => Array.isArray(value) && value.every((each) => typeof each === "string"),
  );
}

export function callback(description: string): CallSpec {
  return thing(description, "a function", (value) => typeof value === "function");
}

/** Never shown, whatever it is. */
export function secret(spec: CallSpec): CallSpec {
  return { ...spec, isSecret: true };
}

export const seedOption: CallSpec = {
  type: "integer",
  minimum: Number.MIN_SAFE_INTEGER,
  description: "of everything random",
};

export const temperatureOption = figure("of the samples; 0 takes the likeliest token");

export const maxTokensOption = whole("most new tokens of a call", 1);

/** Signals of other realms, such as a test environment's, are none of our own class. */
export const signalOption = thing(
  "ends the work",
  "an AbortSignal",
  (value) => isRecord(value) && typeof value.aborted === "boolean" && typeof value.addEventListener === "function",
);

export const modelOption = thing("what is asked", "a model", isModel);

export function isModel(value: unknown): boolean {
  return isRecord(value) && typeof value.generate === "function";
}
