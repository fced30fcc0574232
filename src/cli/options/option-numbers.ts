/** Numbers as options take them; commander prints what is wrong with one beside the option's name. */
import { InvalidArgumentError } from "commander";

/** 0, 1, 2, … */
export function wholeNumber(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0 || text.trim() === "") {
    throw new InvalidArgumentError("It must be a whole number.");
  }
  return value;
}

/** 1, 2, 3, … */
export function fromOne(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It must be a whole number from 1.");
  return value;
}

export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError("It must be a number above 0.");
  return value;
}

export function notNegative(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value < 0 || text.trim() === "") {
    throw new InvalidArgumentError("It must be a number, 0 or above.");
  }
  return value;
}

export function share(text: string): number {
  const value = notNegative(text);
  if (value > 1) throw new InvalidArgumentError("It must be a number from 0 to 1.");
  return value;
}
