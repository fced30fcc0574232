/** From cards and option values to methods that can be run: checks the values, fills in the defaults, names the result. */
import { userError } from "#kernel/errors.ts";
import type { MethodCard, MethodOptionValue, MethodOptionValues } from "#kernel/method-card.ts";
import {
  checkOptions,
  isBoundMethod,
  meant,
  type OptionSpec,
  readOption,
  shortened,
  unknownOption,
  wrongOption,
} from "#kernel/options.ts";
import type { BoundMethod, MethodNeed } from "#kernel/trace.ts";
import { type CallExpression, type NamedExpression, readExpressions, type ValueExpression } from "./expression.ts";

/** More calls for one answer are a slip of the keyboard. */
const mostCalls = 100_000;

/**
 * The methods a text names, by `cards`; each name in results occurs once. Throws user errors alone. A name in results is the text without
 * spaces and without options that stand at their default, unless the text gives another.
 */
export function parseMethodList(text: string, cards: readonly MethodCard[]): BoundMethod[] {
  return buildMethods(readExpressions(text), cards);
}

/** The same from a text that was read. */
export function buildMethods(expressions: readonly NamedExpression[], cards: readonly MethodCard[]): BoundMethod[] {
  const methods = expressions.map(({ alias, call }) => build(call, cards, alias));
  const seen = new Set<string>();
  for (const { method } of methods) {
    if (seen.has(method.id)) {
      throw userError("method-twice", `${method.id} is named twice`, "Name it once, or give one another name: again=METHOD.");
    }
    seen.add(method.id);
  }
  return methods;
}

/** A method with the options given, the others at their defaults; `id` names it in results. Throws user errors alone. */
export function bindOptions(card: MethodCard, given: MethodOptionValues, cards: readonly MethodCard[], id?: string): BoundMethod {
  const composed = Object.entries(card.options)
    .filter(([name, { type }]) => type === "method" && given[name] === undefined)
    .map(([name, option]): [string, MethodOptionValue] => [name, defaultOf(option, cards)]);
  const values: MethodOptionValues = checkOptions(card.id, card.options, { ...given, ...Object.fromEntries(composed) });
  const maxCalls = card.maxCalls(values);
  const method = card.create(values, id ?? canonicalName(card, values, cards));
  const isAmount = typeof maxCalls === "number" && (Number.isInteger(maxCalls) || maxCalls === Number.POSITIVE_INFINITY);
  if (!isAmount || maxCalls < 0) throw noCost(method.id, maxCalls);
  if (maxCalls > mostCalls) {
    const amount = maxCalls.toLocaleString("en-GB");
    throw userError(
      "too-many-calls",
      `${method.id} may make ${amount} calls for one answer`,
      `At most ${mostCalls} are accepted.`,
    );
  }
  if (method.usesOracle && !method.id.includes("oracle")) {
    throw userError(
      "hidden-oracle",
      `${method.id} is a name for a method that looks at the reference answer, and does not say so`,
      `Put "oracle" into the name, such as ${method.id}-oracle.`,
    );
  }
  return { method, maxCalls, needs: needsOf(card, values) };
}

function needsOf(card: MethodCard, values: MethodOptionValues): MethodNeed[] {
  const own = card.needsWith?.(values) ?? card.needs;
  const inner = Object.values(values).flatMap((value) => (isBoundMethod(value) ? (value.needs ?? []) : []));
  return [...new Set([...own, ...inner])];
}

function build(call: CallExpression, cards: readonly MethodCard[], alias?: string): BoundMethod {
  const card = cards.find(({ id }) => id === call.name);
  if (!card) throw unknownMethod(call.name, cards);
  const given: Record<string, MethodOptionValue> = {};
  for (const argument of call.arguments) {
    const name = argument.option ?? methodOption(card, argument.value);
    const option = Object.hasOwn(card.options, name) ? card.options[name] : undefined;
    if (!option) throw unknownOption(card.id, name, Object.keys(card.options));
    if (Object.hasOwn(given, name)) throw userError("option-twice", `${card.id}: ${name} is given twice`, "Give it once.");
    given[name] = givenValue(card, name, option, argument.value, cards);
  }
  return bindOptions(card, given, cards, alias);
}

/** The option that a method without a name goes to. */
function methodOption(card: MethodCard, value: ValueExpression): string {
  const found = Object.entries(card.options).find(([, option]) => option.type === "method");
  if (found) return found[0];
  const text = value.kind === "call" ? value.call.name : value.text;
  const names = Object.keys(card.options);
  const example = names.find((name) => card.options[name].type === "integer") ?? names[0];
  throw userError(
    "option-without-name",
    `${card.id} is not composed of other methods, so that “${shortened(text)}” has no meaning inside it`,
    example === undefined
      ? `${card.id} has no options.`
      : `Options have names, such as ${card.id}(${example}=${shortened(text)}).`,
  );
}

function givenValue(
  card: MethodCard,
  name: string,
  option: OptionSpec,
  value: ValueExpression,
  cards: readonly MethodCard[],
): MethodOptionValue {
  if (option.type === "method") {
    return build(value.kind === "call" ? value.call : { name: value.text, arguments: [], at: 0 }, cards);
  }
  if (value.kind === "call") throw wrongOption(card.id, name, option, `${value.call.name}(…)`);
  return readOption(card.id, name, option, value.text);
}

function defaultOf(option: OptionSpec, cards: readonly MethodCard[]): MethodOptionValue {
  if (option.type !== "method" || option.default === undefined) return option.default;
  return parseMethodList(String(option.default), cards)[0];
}

function canonicalName(card: MethodCard, values: MethodOptionValues, cards: readonly MethodCard[]): string {
  const parts: string[] = [];
  for (const [name, option] of Object.entries(card.options)) {
    const value = values[name];
    if (value === undefined) continue;
    const standard = defaultOf(option, cards);
    if (isBoundMethod(value)) {
      if (!isBoundMethod(standard) || standard.method.id !== value.method.id) parts.unshift(value.method.id);
      continue;
    }
    const text = written(option, value);
    // By content: lists and data are other objects each time they are read.
    if (standard === undefined || text !== written(option, standard)) parts.push(`${name}=${text}`);
  }
  return parts.length === 0 ? card.id : `${card.id}(${parts.join(",")})`;
}

function written({ type }: OptionSpec, value: MethodOptionValue): string {
  const isShort = type !== "text" && type !== "numbers" && type !== "data";
  const text = type === "data" ? JSON.stringify(value) : String(value);
  if (isShort || /^[\p{L}\p{N}_.+-]+$/u.test(text)) return text;
  return `"${text.replace(/["\\]/g, "\\$&").replaceAll("\n", "\\n")}"`;
}

function noCost(method: string, maxCalls: unknown) {
  return userError(
    "no-cost",
    `${method}: its maxCalls is ${String(maxCalls)}, which is no whole number from 0`,
    "It says how often the model is asked at most for one answer.",
  );
}

function unknownMethod(name: string, cards: readonly MethodCard[]) {
  const ids = cards.map(({ id }) => id);
  return userError(
    "unknown-method",
    `there is no method “${shortened(name)}”`,
    `${meant(name, ids)}There are: ${ids.join(", ")}.`,
  );
}
