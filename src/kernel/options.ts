/**
 * What options a method or a recipe has, as data: their types, ranges, defaults and papers' values. One checker serves whoever gives them, a
 * command line, a file or a program, and the types of the checked values follow from the data.
 */

import { userError } from "./errors.ts";
import { struck } from "./secrets.ts";
import type { BoundMethod } from "./trace.ts";
import { isRecord } from "./values.ts";

interface OptionTypes {
  integer: number;
  number: number;
  boolean: boolean;
  text: string;
  /** One of `choices`. */
  choice: string;
  /** A list, as text with commas between. */
  numbers: readonly number[];
  /** What `is` accepts, as text JSON. */
  data: object;
  /** Another method, which this one is composed over; its default is the method as text. */
  method: BoundMethod;
}

export interface OptionSpec {
  type: keyof OptionTypes;
  /** Undefined or left out: the option may be without a value. */
  default?: number | boolean | string | readonly unknown[] | undefined;
  choices?: readonly string[];
  /** A text may be empty. */
  mayBeEmpty?: boolean;
  /** How many numbers a list has; any number of them, but at least one, when left out. */
  length?: number;
  /** Each number of a list is larger than the one before it. */
  rising?: boolean;
  /** Data that fits, and what that is in words. */
  is?: (value: unknown) => boolean;
  needs?: string;
  /** Its value is never shown. */
  isSecret?: boolean;
  /** Smallest value of a number, an integer or each of a list; 0 when left out. */
  minimum?: number;
  /** A number or integer has to be larger than this. */
  above?: number;
  /** Largest value of a number or integer. Infinity accepts Infinity too. */
  maximum?: number;
  /** A number or integer has to be smaller than this. */
  below?: number;
  /** What it does, in one line. */
  description: string;
  /** The paper's value, where it has one, such as "4 (GSM8K), 3 (dialogue)". */
  paper?: string;
}

export type OptionSpecs = Readonly<Record<string, OptionSpec>>;

/** The type of an option's values, from its constant spec. */
export type OptionValue<Spec extends OptionSpec = OptionSpec> = Spec extends {
  type: "choice";
  choices: readonly (infer Choice)[];
}
  ? Choice
  : Spec extends { type: "numbers"; length: 2 }
    ? readonly [number, number]
    : Spec extends { type: "data"; is: (value: unknown) => value is infer Data }
      ? Data
      : OptionTypes[Spec["type"]];

/** Every option after the check: at its value, or undefined where it has neither one nor a default. */
export type OptionValues<Specs extends OptionSpecs> = {
  -readonly [Name in keyof Specs]: Specs[Name] extends { default: number | boolean | string | readonly unknown[] }
    ? OptionValue<Specs[Name]>
    : OptionValue<Specs[Name]> | undefined;
};

/** Options as a program gives them; one that is left out or undefined takes its default. */
export type GivenOptions<Specs extends OptionSpecs> = { -readonly [Name in keyof Specs]?: OptionValue<Specs[Name]> | undefined };

/**
 * The values with the defaults filled in. Throws user errors alone, for unknown names and for values of another type or out of range.
 * `owner` is who has the options, such as `self-refine`.
 */
export function checkOptions<const Specs extends OptionSpecs>(
  owner: string,
  specs: Specs,
  given: Readonly<Record<string, unknown>>,
): OptionValues<Specs> {
  const unknown = Object.keys(given).find((name) => !Object.hasOwn(specs, name));
  if (unknown !== undefined) throw unknownOption(owner, unknown, Object.keys(specs));
  const entries = Object.entries(specs).map(([name, spec]): [string, unknown] => {
    const value = given[name] ?? undefined;
    if (value !== undefined) {
      if (!fits(spec, value)) throw wrongOption(owner, name, spec, written(spec, value));
      return [name, value];
    }
    if (spec.type !== "method" || spec.default === undefined) return [name, spec.default];
    throw userError("option-missing", `${owner}: ${name} is not given`, `${name}: ${spec.description}.`);
  });
  return Object.fromEntries(entries) as OptionValues<Specs>;
}

/** An option's value from a line of text or a flag, checked. Throws user errors alone. A method's text is read by the catalogue. */
export function readOption(owner: string, name: string, spec: OptionSpec, text: string): OptionValue {
  let value: OptionValue = text;
  if (spec.type === "integer" || spec.type === "number") value = numberOf(text);
  else if (spec.type === "numbers") value = text.split(",").map((part) => numberOf(part.trim())) as number[];
  else if (spec.type === "data") value = dataOf(text);
  else if (spec.type === "boolean") value = { true: true, yes: true, false: false, no: false }[text.toLowerCase()] ?? text;
  if (!fits(spec, value)) throw wrongOption(owner, name, spec, text);
  return value;
}

/** The text itself where it is no number. */
function numberOf(text: string): number | string {
  const isNumber = /^([+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})(e[+-]?\d{1,2})?|Infinity)$/i.test(text);
  return isNumber ? Number(text) : text;
}

function dataOf(text: string): object | string {
  try {
    return JSON.parse(text) as object;
  } catch {
    return text;
  }
}

function fits(spec: OptionSpec, value: unknown): value is OptionValue {
  const { type, choices = [], length, above, below, minimum = above ?? 0, maximum = Number.MAX_SAFE_INTEGER } = spec;
  if (type === "method") return isBoundMethod(value);
  if (type === "boolean") return typeof value === "boolean";
  if (type === "choice") return typeof value === "string" && choices.includes(value);
  if (type === "text") return typeof value === "string" && (value !== "" || spec.mayBeEmpty === true);
  if (type === "data") return spec.is?.(value) ?? true;
  if (type === "numbers") {
    const isList = Array.isArray(value) && (length === undefined ? value.length > 0 : value.length === length);
    // A list with holes has no number there.
    const isInOrder = (list: readonly number[]) => !spec.rising || list.every((each, at) => at === 0 || each > list[at - 1]);
    return isList && isInOrder(value) && Array.from(value).every((each) => fits({ ...spec, type: "number" }, each));
  }
  if (value === Number.POSITIVE_INFINITY) return maximum === value;
  const isNumber = typeof value === "number" && (type === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value));
  if (!isNumber || value < minimum || value > maximum) return false;
  return (above === undefined || value > above) && (below === undefined || value < below);
}

const optionTypes: readonly string[] = [
  "integer",
  "number",
  "boolean",
  "text",
  "choice",
  "numbers",
  "data",
  "method",
] satisfies (keyof OptionTypes)[];

/** What is wrong with an option as a card has it, in words; undefined where nothing is. */
export function specFault(spec: unknown): string | undefined {
  if (!isRecord(spec)) return "is no object";
  const { type, choices, description, default: standard } = spec;
  if (typeof type !== "string" || !optionTypes.includes(type)) return `type is none of ${optionTypes.join(", ")}`;
  if (typeof description !== "string") return "description is no text";
  const bounds = ["minimum", "above", "maximum", "below", "length"].filter((name) => spec[name] !== undefined);
  const wrong = bounds.find((name) => typeof spec[name] !== "number" || Number.isNaN(spec[name]));
  if (wrong !== undefined) return `${wrong} is no number`;
  if (spec.is !== undefined && typeof spec.is !== "function") return "is is no function";
  const isList = Array.isArray(choices) && choices.length > 0 && choices.every((each) => typeof each === "string");
  if (type === "choice" && !isList) return "choices is no list of texts";
  if (standard === undefined) return undefined;
  if (type === "method") return typeof standard === "string" ? undefined : "default is no text";
  const checked = spec as unknown as OptionSpec;
  return fits(checked, standard) ? undefined : `default is not ${allowed(checked)}`;
}

export function isBoundMethod(value: unknown): value is BoundMethod {
  return typeof value === "object" && value !== null && "method" in value && "maxCalls" in value;
}

/** What an option takes, in words. */
export function allowed({ type, choices = [], length, needs, minimum = 0, above, maximum, below, rising }: OptionSpec): string {
  if (type === "choice") return `one of ${choices.join(", ")}`;
  if (type === "boolean") return "true or false";
  if (type === "text") return "a text";
  if (type === "method") return "a method";
  if (type === "data") return needs ?? "data";
  if (type === "numbers") return `${length ?? "some"} numbers with commas between${rising ? ", the smaller first" : ""}`;
  const kind = type === "integer" ? "a whole number" : "a number";
  const from = above === undefined ? `from ${minimum}` : `above ${above}`;
  if (maximum === Number.POSITIVE_INFINITY) return `${kind} ${from}, or Infinity`;
  const end = below === undefined ? "" : ` and below ${below}`;
  if (maximum === undefined) return `${kind} ${from}${end}`;
  return `${kind} ${from} ${above === undefined ? "to" : "and at most"} ${maximum}${end && `,${end}`}`;
}

/** The user error for an option that does not exist. */
export function unknownOption(owner: string, name: string, names: readonly string[]) {
  const known = names.length === 0 ? "It has none." : `It has: ${names.join(", ")}.`;
  return userError("unknown-option", `${owner} has no option “${shortened(name)}”`, `${meant(name, names)}${known}`);
}

/** The user error for a value, as it is written, that an option does not take. */
export function wrongOption(owner: string, name: string, spec: OptionSpec, value: string) {
  return userError(
    "option-value",
    `${owner}: ${name}=${shortened(value)} is not ${allowed(spec)}`,
    `${name}: ${spec.description}.`,
  );
}

/** A program's or a file's value, with its kind where that is what is wrong: "3" in quotes looks like a number. */
function written({ type, isSecret }: OptionSpec, value: unknown): string {
  if (isSecret) return "…";
  if (isBoundMethod(value)) return String(value.method?.id);
  if (typeof value === "string") {
    const looksRight =
      type !== "text" && type !== "choice" && (typeof numberOf(value) === "number" || /^(true|false)$/.test(value));
    return looksRight ? `${JSON.stringify(value)} (a text)` : value;
  }
  if (typeof value !== "object" || value === null) return String(value);
  const kind = Array.isArray(value) ? "a list" : "an object";
  try {
    return `${shortened(JSON.stringify(value, (_name, each) => (Number.isNaN(each) ? "NaN" : each)))} (${kind})`;
  } catch {
    return kind;
  }
}

/** `Did you mean …? `, or nothing where no name is near. */
export function meant(name: string, names: readonly string[]): string {
  const nearest = nearestName(name, names);
  return nearest === undefined ? "" : `Did you mean ${nearest}? `;
}

/** Text of a user's as errors quote it. */
export function shortened(told: string, most = 60): string {
  const text = struck(told);
  return text.length > most ? `${text.slice(0, most)}…` : text;
}

/** The nearest of the names by edits, or the one with these initials (`cot` for chain-of-thought); undefined when none is near. */
function nearestName(wanted: string, names: readonly string[]): string | undefined {
  const typed = wanted.toLowerCase();
  const byInitials = names.find((name) => initials(name) === typed);
  if (byInitials !== undefined) return byInitials;
  const ranked = names.map((name) => ({ name, edits: edits(typed, name.toLowerCase()) }));
  ranked.sort((first, second) => first.edits - second.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

function initials(name: string): string {
  return name
    .split(/[-_]|(?=[A-Z])/)
    .map((word) => word.charAt(0).toLowerCase())
    .join("");
}

/** Insertions, deletions and replacements from one word to the other; a word too long to be a slip is as far as it is long. */
function edits(first: string, second: string): number {
  if (first.length > 64) return first.length;
  let row = Array.from({ length: second.length + 1 }, (_, index) => index);
  for (let index = 1; index <= first.length; index++) {
    const next = [index];
    for (let other = 1; other <= second.length; other++) {
      const replaced = row[other - 1] + (first[index - 1] === second[other - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[other] + 1, next[other - 1] + 1));
    }
    row = next;
  }
  return row[second.length];
}
