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

/** As `share`, and not 0, which would keep nothing. */
export function someShare(text: string): number {
  const value = share(text);
  if (value === 0) throw new InvalidArgumentError("It must be a number above 0 and at most 1.");
  return value;
}

/** Numbers by task, such as `4,mmlu=5`: one for every task, and others for those that are named. */
export interface NumbersByTask {
  each?: number | undefined;
  tasks: Readonly<Record<string, number>>;
}

/** Each of them read by `one`. */
export function byTask(one: (text: string) => number): (text: string) => NumbersByTask {
  return (text) => {
    // Tasks are looked up later, and may be called as what every object has.
    const tasks: Record<string, number> = Object.create(null);
    let each: number | undefined;
    for (const part of text.split(",")) {
      const at = part.lastIndexOf("=");
      const value = one(part.slice(at + 1));
      const name = part.slice(0, Math.max(0, at)).trim();
      if (at >= 0 && name === "") throw new InvalidArgumentError(`“${part}” names no task: write gsm8k=${value}.`);
      if (name === "" ? each !== undefined : tasks[name] !== undefined) {
        throw new InvalidArgumentError(`It has two numbers for ${name === "" ? "every task" : name}: give one.`);
      }
      if (name === "") each = value;
      else tasks[name] = value;
    }
    return { each, tasks };
  };
}
