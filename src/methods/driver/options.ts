/** Reads the values of a card's options, which are known to be set and of their type when a method is built. */
import type { BoundMethod, MethodOptionValues } from "#kernel/method-card.ts";

/** The named options that have a value, as the method's own options; the others are left to its defaults. */
export function optionsOf<Options>(values: MethodOptionValues, ...names: (keyof Options & string)[]): Options {
  return Object.fromEntries(names.flatMap((name) => (values[name] === undefined ? [] : [[name, values[name]]]))) as Options;
}

export function numberOf(values: MethodOptionValues, name: string): number {
  return values[name] as number;
}

/** The method an option names; undefined where it names none. */
export function methodOf(values: MethodOptionValues, name: string): BoundMethod | undefined {
  return values[name] as BoundMethod | undefined;
}
