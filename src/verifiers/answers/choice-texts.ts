/** Options by their texts: which one does a clause hold? */
import type { Item } from "#kernel/item.ts";
import { getOrMake } from "#kernel/values.ts";
import { plainSigns } from "./digits.ts";

export type Choices = NonNullable<Item["choices"]>;

const formsOf = new WeakMap<Choices, { letter: string; form: string }[]>();

/** Case, spacing, kinds of dash and quotation mark, and what stands around a text do not count. */
export function optionForms(text: string): string {
  return plainSigns(text.normalize("NFKC").toLowerCase())
    .replace(/[“”‘’"'`]/g, "")
    .replace(/\s+/g, " ")
    .replace(
      /(?<=\d)\s?(kilo|centi|milli)?(met(?:er|re)s?|grams?|lit(?:er|re)s?)(?![\p{L}])/gu,
      (_, prefix: string | undefined, unit: string) => ` ${prefix?.[0] ?? ""}${unit[0]}`,
    )
    .replace(/(?<=\d)\s?percent(?![\p{L}])/gu, "%")
    .replace(/^[\s:;!?]+/, "")
    .replace(/[\s.,:;!?。]{1,20}$/, "")
    .trim();
}

/**
 * The option whose text a clause holds, where it is the only one: of several the one that holds all the others wins ("New York City" over
 * "York"). `equal` asks for the text and nothing else.
 */
export function optionByText(clause: string, choices: Choices, how: "within" | "equal" = "within"): string | undefined {
  const forms = getOrMake(formsOf, choices, () => choices.map(({ letter, text }) => ({ letter, form: optionForms(text) })));
  const said = optionForms(clause.slice(0, 4000));
  if (said === "") return undefined;
  const within = how === "equal" ? forms.filter(({ form }) => form === said) : forms.filter(({ form }) => holds(said, form));
  if (within.length === 0) return undefined;
  const longest = within.reduce((first, second) => (second.form.length > first.form.length ? second : first));
  return within.every((each) => each === longest || (each.form !== longest.form && longest.form.includes(each.form)))
    ? longest.letter
    : undefined;
}

/** Is the form there as words of its own? A number is not there in a longer number: 5 is not in -5, 0.5 or 5.2. */
function holds(said: string, form: string): boolean {
  if (form === "") return false;
  for (let at = said.indexOf(form); at >= 0; at = said.indexOf(form, at + 1)) {
    const before = said.slice(Math.max(0, at - 2), at);
    const after = said.slice(at + form.length, at + form.length + 2);
    const startsFree = /^\d/.test(form) ? !/(?:[\p{L}\p{N}/^:]|[.,]|-)$/u.test(before) : !/[\p{L}\p{N}]$/u.test(before);
    const endsFree = /\d$/.test(form) ? !/^(?:[\p{L}\p{N}%/^]|[.,:]\d)/u.test(after) : !/^[\p{L}\p{N}]/u.test(after);
    if (startsFree && endsFree && !/\bnot (?:the |a |an )?$/.test(said.slice(Math.max(0, at - 9), at))) return true;
  }
  return false;
}
