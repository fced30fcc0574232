/** Numbers as options take them; commander prints what is wrong with one beside the option's name. */
import { InvalidArgumentError } from "commander";

function numberThat(fits: (value: number) => boolean, words: string): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !fits(value)) throw new InvalidArgumentError(`It must be ${words}.`);
    return value;
  };
}

/** 0, 1, 2, … */
export const wholeNumber = numberThat((value) => Number.isSafeInteger(value) && value >= 0, "a whole number");

/** 1, 2, 3, … */
export const fromOne = numberThat((value) => Number.isSafeInteger(value) && value >= 1, "a whole number from 1");

export const positiveNumber = numberThat((value) => Number.isFinite(value) && value > 0, "a number above 0");

export const notNegative = numberThat((value) => Number.isFinite(value) && value >= 0, "a number, 0 or above");

export function share(text: string): number {
  const value = notNegative(text);
  if (value > 1) throw new InvalidArgumentError("It must be a number from 0 to 1.");
  return value;
}
