/**
 * Multiple choice: which option does an answer choose? Letters count only as words of their own, never inside of a word, and "A" only
 * where it is no article. The options' texts and, for lettered options, their places (1 = A) are understood as well.
 */
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { getOrMake } from "#kernel/values.ts";
import { lastBoxed } from "./boxes.ts";
import { plainSigns } from "./digits.ts";
import { answerClauses, gradedText, lastLine, referencesOf, withoutMarkup } from "./extract.ts";

export type Choices = NonNullable<Item["choices"]>;

/** Where a choice was found, in the order in which the places are looked at. */
export type ChoicePlace = "whole" | "boxed" | "clause" | "clause-text" | "last-line" | "mark" | "letter" | "text";

export interface ChoiceReading {
  letter: string;
  by: ChoicePlace;
  /** The form that is asked for: "The answer is X", or nothing but the option. */
  strict: boolean;
}

/** Options of which only the letters are known. */
const bareLetters: Choices = [..."ABCDE"].map((letter) => ({ letter, text: "" }));

/**
 * The option chosen in a text that holds no thoughts any more (see `visibleAnswer`); undefined when none is, or when the text leaves open
 * which. Looks at: the whole text, the last box, the last answer clause, the last line, the last "(X)" or "option X", the only letter
 * that stands anywhere, the only option whose text stands in the last line.
 */
export function readChoice(text: string, choices: Choices = bareLetters): ChoiceReading | undefined {
  const found = (letter: string | undefined, by: ChoicePlace, strict = false): ChoiceReading | undefined =>
    letter === undefined ? undefined : { letter, by, strict };

  if (!text.includes("\n")) {
    const whole = found(optionAlone(text, choices), "whole", true);
    if (whole) return whole;
  }
  const box = lastBoxed(text);
  if (box !== undefined) {
    const boxed = found(optionAlone(box, choices), "boxed");
    if (boxed) return boxed;
  }
  for (const { sentence, line } of answerClauses(text)) {
    const said = clauseOption(sentence, choices);
    if (said === "ambiguous") return undefined;
    if (said !== undefined) return said;
    if (line.length > sentence.length) {
      const later = optionByText(withoutMarkup(line), choices);
      if (later !== undefined) return { letter: later, by: "clause-text", strict: false };
    }
  }
  const last = lastLine(text);
  return (
    found(optionAlone(last, choices), "last-line") ??
    found(lastMark(text, choices), "mark") ??
    found(onlyLetter(text, choices), "letter") ??
    found(optionByText(withoutMarkup(last), choices), "text")
  );
}

/** `C`, `(C)`, `**C.**`, `Option C`, `C) Paris` where C is Paris, `Paris`, `3` for the third of lettered options. */
function optionAlone(text: string, choices: Choices): string | undefined {
  if (text.length > 2000) return undefined;
  const plain = withoutMarkup(text);
  const match = /^[\s("'“‘[{]*(?:(?:option|choice|answer|letter)[\s:]*)?[("'[{]*([A-Z]|\d)(?![\p{L}\p{N}])(.*)$/isu.exec(plain);
  if (match !== null) {
    const [, token, rest] = match as unknown as [string, string, string];
    if (isEnd(rest)) return labelOf(token, choices, true) ?? optionByText(plain, choices, "equal");
    const named = labelOf(token, choices, false);
    const separated = /^\s*[.):\]}–—-]+\s*(.+)$/su.exec(rest);
    if (named !== undefined && token === named && separated !== null) {
      const option = choices.find(({ letter }) => letter === named);
      if (option !== undefined && (option.text === "" || optionForms(option.text) === optionForms(separated[1] as string)))
        return named;
    }
  }
  return optionByText(plain, choices, "equal");
}

const clauseLetter =
  /^[\s:"'“”‘’(<[{–—-]*(?:(?:the|most|likely|probably|clearly|therefore|thus|definitely|indeed|simply)\s+){0,3}(?:(?:option|choice|letter|answer)\s*){0,2}[\s:"'“‘([{]*([A-Z]|\d{1,2})(?![\p{L}\p{N}])(.*)$/isu;

function clauseOption(sentence: string, choices: Choices): ChoiceReading | "ambiguous" | undefined {
  const plain = withoutMarkup(sentence).slice(0, 1000);
  if (/^\s*(?:not|n['’]t|neither|unclear|unknown)\b/i.test(plain)) return undefined;
  const exact = plain.length > 2 ? optionByText(plain, choices, "equal") : undefined;
  if (exact !== undefined) return { letter: exact, by: "clause-text", strict: false };
  const match = clauseLetter.exec(plain);
  if (match !== null) {
    const [, token, rest] = match as unknown as [string, string, string];
    const label = /^\s*[\p{L}\p{N}]/u.test(rest) ? wordLabel(plain, token, choices) : labelOf(token, choices, isEnd(rest));
    if (label !== undefined) {
      const other = /^[\s)\].,"']*(?:\b(?:or|and)\b|[/,&])\s*(?:option\s*)?\(?([A-Z])(?![\p{L}\p{N}'’])/iu.exec(rest)?.[1];
      if (other !== undefined && choices.some(({ letter }) => letter === other) && other !== label) return "ambiguous";
      return { letter: label, by: "clause", strict: true };
    }
  }
  const byText = optionByText(plain, choices);
  return byText === undefined ? undefined : { letter: byText, by: "clause-text", strict: false };
}

/** A letter with words behind it: "A because …" names an option, "A dog" may be the text of another, "a dog" is none. */
function wordLabel(clause: string, token: string, choices: Choices): string | undefined {
  if (token !== token.toUpperCase() || /\d/.test(token)) return undefined;
  const isText = (token === "A" || token === "I") && optionByText(clause, choices) !== undefined;
  return isText ? undefined : labelOf(token, choices, false);
}

const isEnd = (rest: string): boolean => /^[\s.,:;!)*"'”’\]}]*$/.test(rest);

/** The option of a letter, or of a place where options have letters and the number is not itself one of the options' texts. */
function labelOf(token: string, choices: Choices, lowerCaseToo: boolean): string | undefined {
  // The text of an option may be a letter itself: "c" then means that one, and "C" the third.
  const named = /[a-z]/.test(token) ? choices.filter(({ text }) => text === token) : [];
  if (named.length === 1) return named[0].letter;
  const upper = lowerCaseToo ? token.toUpperCase() : token;
  if (choices.some(({ letter }) => letter === upper)) return upper;
  if (!/^\d{1,2}$/.test(token) || choices.some(({ text }) => /\d/.test(text))) return undefined;
  return choices[Number(token) - 1]?.letter;
}

/** The last "(C)", "option C" or "choice C" that is not denied. */
function lastMark(text: string, choices: Choices): string | undefined {
  let last: string | undefined;
  for (const match of text.matchAll(/(\bnot\s+)?(?:\(([A-Z]|\d)\)|\b(?:option|choice)\s+\(?([A-Z]|\d)(?![\p{L}\p{N}]))/giu)) {
    const [, denied, inBrackets, named] = match;
    const label = labelOf((inBrackets ?? named) as string, choices, false);
    if (denied === undefined && label !== undefined) last = label;
  }
  return last;
}

/** The one letter that stands as a word of its own, where no other does. An "A" or "I" before a word is no option, except before a verb. */
function onlyLetter(text: string, choices: Choices): string | undefined {
  let only: string | undefined;
  for (const match of text.matchAll(/(\bnot\s+)?(?<![\p{L}\p{N}'’\\°])([A-Z])(?![\p{L}\p{N}'’])(?=(\s+\p{L}{1,20})?)/gu)) {
    const [whole, denied, letter, next] = match as unknown as [string, string | undefined, string, string | undefined];
    if (denied !== undefined || !choices.some((choice) => choice.letter === letter)) continue;
    if (isInitial(text, match.index + whole.length)) continue;
    const isWord = (letter === "A" || letter === "I") && next !== undefined && !/^\s+(?:is|was|because|seems|fits)$/.test(next);
    if (isWord) continue;
    if (only !== undefined && only !== letter) return undefined;
    only = letter;
  }
  return only;
}

/** "B. Smith" within a line. */
function isInitial(text: string, end: number): boolean {
  return /^\.\s\p{Lu}\p{Ll}/u.test(text.slice(end, end + 4)) && /\S\s+\S$/.test(text.slice(Math.max(0, end - 8), end));
}

/** Accuracy 1 when the option chosen is the item's answer. Never throws. */
export const choiceVerifier: Verifier = (item: Item, answer: string, completion: string): Score => {
  const choices = item.choices ?? lettersFor(item.answer);
  const reading = readChoice(gradedText(answer, completion), choices);
  if (reading === undefined) return { accuracy: 0, extracted: undefined, strictAccuracy: 0, status: "no-answer" };
  const accuracy = referencesOf(item).includes(reading.letter) ? 1 : 0;
  return { accuracy, extracted: reading.letter, strictAccuracy: reading.strict ? accuracy : 0 };
};

/** A to E, and as far as the reference needs. */
function lettersFor(answer: string): Choices {
  const code = answer.length === 1 ? answer.charCodeAt(0) : 0;
  if (code <= 69 || code > 90) return bareLetters;
  return Array.from({ length: code - 64 }, (_, index) => ({ letter: String.fromCharCode(65 + index), text: "" }));
}

const formsOf = new WeakMap<Choices, { letter: string; form: string }[]>();

/** Case, spacing, kinds of dash and quotation mark, and what stands around a text do not count. */
function optionForms(text: string): string {
  return plainSigns(text.normalize("NFKC").toLowerCase())
    .replace(/[“”‘’"'`]/g, "")
    .replace(/\s+/g, " ")
    .replace(/^[\s:;!?]+|[\s.,:;!?]+$/g, "")
    .trim();
}

/**
 * The option whose text a clause holds, where it is the only one: of several the one that holds all the others wins ("New York City" over
 * "York"). `equal` asks for the text and nothing else.
 */
function optionByText(clause: string, choices: Choices, how: "within" | "equal" = "within"): string | undefined {
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
