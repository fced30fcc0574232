/**
 * Multiple choice: which option does an answer choose? Letters count only as words of their own, never inside of a word or a name ("vitamin
 * C"), and "A" only where it is no article. The options' texts and, for lettered options, their places (1 = A) are understood as well. What
 * the text denies is not chosen, and who names several chooses none.
 */
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { lastBoxes } from "./boxes.ts";
import { type Choices, optionByText, optionForms } from "./choice-texts.ts";
import { blank, leavesOpen, withoutDenied } from "./denials.ts";
import { hasOtherSigns, plainDigits, withoutInvisible } from "./digits.ts";
import { answerClauses, gradedText, lastLine, referencesOf, withoutMarkup } from "./extract.ts";

export type { Choices };

/** Where a choice was found, in the order in which the places are looked at. */
export type ChoicePlace = "whole" | "boxed" | "clause" | "clause-text" | "first-line" | "last-line" | "mark" | "letter" | "text";

export interface ChoiceReading {
  letter: string;
  by: ChoicePlace;
  /** The form that is asked for: "The answer is X", or nothing but the option. */
  strict: boolean;
}

/** The letter of an option: A to Z, then AA, AB and so on. */
export function letterAt(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letterAt(Math.floor(index / 26) - 1) + last;
}

/** Options of which only the letters are known. */
const bareLetters: Choices = [..."ABCDE"].map((letter) => ({ letter, text: "" }));

/**
 * The option chosen in a text that holds no thoughts any more (see `visibleAnswer`); undefined when none is, or when the text leaves open
 * which. Looks at: the whole text, the last box or an answer clause behind it, a first line that is an option with its explanation behind
 * it, the last line, the last "(X)" or "option X", the only letter that stands anywhere, the only option whose text stands in the last line.
 */
export function readChoice(whole: string, choices: Choices = bareLetters): ChoiceReading | undefined {
  const text = plainLetters(whole);
  const found = (letter: string | undefined, by: ChoicePlace, strict = false): ChoiceReading | undefined =>
    letter === undefined ? undefined : { letter, by, strict };

  const alone = text.includes("\n") ? undefined : found(optionAlone(text, choices), "whole", true);
  if (alone && !statesAnother(text, alone.letter, choices)) return alone;
  const box = lastBoxes(text, (first, second) => first.trim() === second.trim());
  const boxed = box === undefined ? undefined : found(optionAlone(box.content, choices, false), "boxed");
  for (const { lead, sentence, line, start, written } of answerClauses(text)) {
    if (boxed !== undefined && box !== undefined && start <= box.end) break;
    // Words of denial may be those of an option: "False, False".
    if (line.includes(blank) && !withoutDenied(lead).includes(blank)) {
      const exact = optionByText(withoutMarkup(written.slice(0, sentence.length)), choices, "equal");
      if (exact !== undefined) return { letter: exact, by: "clause-text", strict: false };
    }
    const said = leavesOpen(line) ? "ambiguous" : clauseOption(sentence, choices);
    if (said === "ambiguous") return undefined;
    if (said !== undefined) return said;
    if (line.length > sentence.length) {
      const later = optionByText(withoutMarkup(line), choices);
      if (later !== undefined) return { letter: later, by: "clause-text", strict: false };
    }
    const instead = line.includes(blank) ? onlyLetter(withoutMarkup(line), choices) : undefined;
    if (instead !== undefined) return { letter: instead, by: "clause", strict: false };
  }
  if (boxed !== undefined) return boxed;
  if (box !== undefined && listsSeveral(withoutMarkup(box.content), choices)) return undefined;
  const placed = box === undefined ? undefined : found(optionAlone(box.content, choices), "boxed");
  if (placed) return placed;
  const first = found(firstLineOption(text, choices), "first-line");
  if (first) return first;
  const own = withoutDenied(text.slice(-20_000));
  const last = lastLine(own);
  if (linesListSeveral(text, choices)) return undefined;
  const isOpen = listsSeveral(withoutMarkup(last), choices);
  return (
    found(optionAlone(last, choices), "last-line") ??
    (isOpen ? undefined : (found(lastMark(own, choices), "mark") ?? found(onlyLetter(own, choices), "letter"))) ??
    found(optionByText(withoutMarkup(last), choices) ?? denyingOption(lastLine(text), choices), "text")
  );
}

/** "A good reason is the heat. Answer: D": where options' texts are not known, whatever follows a letter might be one. */
const statesAnother = (text: string, letter: string, choices: Choices) =>
  [...answerClauses(text)].some(({ sentence }) => letterOf(clauseOption(sentence, choices), letter) !== letter);
const letterOf = (said: ReturnType<typeof clauseOption>, other: string) => (typeof said === "object" ? said.letter : other);

/** An option may be a denial: "not true". */
function denyingOption(line: string, choices: Choices): string | undefined {
  const found = optionByText(withoutMarkup(line), choices);
  return choices.some(({ letter, text }) => letter === found && withoutDenied(text).includes(blank)) ? found : undefined;
}

/** Letters of full width, in bold and in circles are letters; what cannot be seen is not there. */
function plainLetters(text: string): string {
  if (!hasOtherSigns(text)) return text;
  return plainDigits(withoutInvisible(text))
    .replace(/[\uff01-\uff5e\u{1d400}-\u{1d7ff}\u24b6-\u24cf\u24d0-\u24e9\u249c-\u24b5\u2460-\u2468]/gu, (letter) =>
      letter.normalize("NFKC"),
    )
    .replace(/[\u{1f130}-\u{1f149}\u{1f150}-\u{1f169}\u{1f170}-\u{1f189}]/gu, (letter) =>
      String.fromCharCode(65 + (((letter.codePointAt(0) as number) - 0x1f130) % 32)),
    )
    .replace(/[（【［「『]/g, "(")
    .replace(/[）】］」』]/g, ")")
    .replaceAll("：", ":")
    .replaceAll("，", ", ");
}

const label = "[A-Z]{1,2}|\\d{1,3}";
/** "B-cells", "C++" and "C#" are names. */
const afterLabel = "(?![\\p{L}\\p{N}]|[-‐‑]\\p{L}{2}|\\+\\+|#)";
const alone = new RegExp(
  `^[\\s("'“‘[{<*]*(?:(?:(?:the|my|final)\\s{1,4}){0,2}(?:option|choice|answer|letter|选项|選項|选|選|选择|選擇)[\\s:]*)?[("'[{<*]*(${label})${afterLabel}(.*)$`,
  "isu",
);

/** `C`, `(C)`, `**C.**`, `Option C`, `C) Paris` where C is Paris, `Paris`, `3` for the third of lettered options. */
function optionAlone(text: string, choices: Choices, byPlace = true): string | undefined {
  if (text.length > 2000) return undefined;
  const plain = withoutMarkup(text);
  const match = alone.exec(plain);
  if (match !== null) {
    const [, token, rest] = match as unknown as [string, string, string];
    if (isEnd(rest)) {
      const option = !byPlace && /\d/.test(token) ? undefined : labelOf(token, choices, true);
      if (option !== undefined) return option;
    }
    const named = labelOf(token, choices, false);
    const separated = /^[\s.):\]}>*–—-]{1,12}(.+)$/su.exec(rest);
    if (named !== undefined && token === named && separated !== null) {
      const option = choices.find(({ letter }) => letter === named);
      if (option !== undefined && (option.text === "" || optionForms(option.text) === optionForms(separated[1])))
        return option.text === "" && listsSeveral(plain, choices) ? undefined : named;
    }
  }
  return otherLabel(plain) ?? numeralOption(plain, choices) ?? optionByText(plain, choices, "equal");

  function otherLabel(said: string): string | undefined {
    const sign = /^[\s("']{0,4}([^\p{ASCII}])[\s)."'。]{0,4}$/u.exec(said)?.[1];
    return sign === undefined ? undefined : foreignLabel(sign, choices);
  }
}

/** The first letters of other alphabets, where they stand for the first options; В is left out, which may be either of two. */
const alphabets = ["АБ Г", "أبجده", "ا", "कखगघ", "アイウエオ", "甲乙丙丁", "가나다라", "ㄱㄴㄷㄹ", "กขคง", "αβγδ"];

function foreignLabel(sign: string, choices: Choices): string | undefined {
  if (choices.some(({ text }) => text === sign)) return undefined;
  for (const letters of alphabets) {
    const place = letters.indexOf(sign);
    if (place >= 0) return choices[place]?.letter;
  }
  return undefined;
}

const numerals: Readonly<Record<string, number>> = {
  one: 0,
  first: 0,
  i: 0,
  two: 1,
  second: 1,
  ii: 1,
  three: 2,
  third: 2,
  iii: 2,
  four: 3,
  fourth: 3,
  iv: 3,
  five: 4,
  fifth: 4,
  v: 4,
};

/** "Option II", "option two", "the second option" where the options have letters. */
function numeralOption(plain: string, choices: Choices): string | undefined {
  const match =
    /^\W{0,4}(?:the\s)?(?:option|choice)\s(?:number\s)?(\w{1,6})\W{0,4}$|^\W{0,4}(?:the\s)?(\w{5,6})\s(?:option|choice|one)\W{0,4}$/i.exec(
      plain,
    );
  const place = match === null ? undefined : numerals[(match[1] ?? match[2]).toLowerCase()];
  return place === undefined || choices.some(({ text }) => /\d/.test(text)) ? undefined : choices[place]?.letter;
}

const clauseLetter = new RegExp(
  `^[\\s:"'“”‘’(<[{–—*-]*(?:(?:the|most|likely|probably|clearly|therefore|thus|definitely|la|le|el|die|der|das|lettre|letra|indeed|simply|certainly|obviously|surely|actually|really|a letra|a alternativa|a opção|buchstabe|буква|вариант)\\s{1,4}){0,3}(?:l['’])?(?:(?:option|choice|letter|answer|选项|選項|选|選|number)\\s*){0,2}[\\s:"'“‘([{<*]*(${label})${afterLabel}(.*)$`,
  "isu",
);

function clauseOption(sentence: string, choices: Choices): ChoiceReading | "ambiguous" | undefined {
  // A small "a" before a capital is an article of Portuguese.
  const plain = withoutMarkup(sentence)
    .slice(0, 1000)
    .replace(/^(\s*)[ao]\s(?=[A-Z](?![\p{L}\p{N}]))/u, "$1");
  if (/^\s*(?:not|n['’]t|neither|unclear|unknown)\b/i.test(plain)) return undefined;
  const exact = plain.length > 2 ? optionByText(plain, choices, "equal") : undefined;
  if (exact !== undefined) return { letter: exact, by: "clause-text", strict: false };
  const match = clauseLetter.exec(plain);
  if (match !== null) {
    const [, token, rest] = match as unknown as [string, string, string];
    const chosen = wordsBehind.test(rest) ? wordLabel(plain, token, rest, choices) : labelOf(token, choices, isEnd(rest));
    if (chosen !== undefined) {
      if (namesAnother(rest, chosen, choices)) return "ambiguous";
      return { letter: chosen, by: "clause", strict: true };
    }
  }
  const sign = /^[\s:("']{0,6}([^\p{ASCII}])(?![\p{L}\p{M}])/u.exec(plain)?.[1];
  const foreign = sign === undefined ? undefined : foreignLabel(sign, choices);
  if (foreign !== undefined) return { letter: foreign, by: "clause", strict: true };
  const numeral = numeralOption(plain, choices);
  if (numeral !== undefined) return { letter: numeral, by: "clause", strict: false };
  if (listsSeveral(plain, choices)) return "ambiguous";
  const byText = optionByText(plain, choices);
  if (byText !== undefined) return { letter: byText, by: "clause-text", strict: false };
  const only = onlyLetter(plain, choices);
  return only === undefined ? undefined : { letter: only, by: "clause", strict: false };
}

/** Behind the letter chosen another option is named as well: "or B", "and (B)", "/ B", "as well as blue", "B". */
function namesAnother(rest: string, chosen: string, choices: Choices): boolean {
  const joined =
    /^[\s)\].,;"'*]{0,6}(?:(?:\b(?:or|and|and\/or|as well as|plus|along with|together with|alongside)\b|[/,;&+|]|或者?|和|与|及|、)\s{0,4}|\s{1,4}|\(\s?or\s)(?:(?:possibly|maybe|perhaps|also|either|even|both|otherwise|else)\s{1,4}){0,2}(?:the\s)?(?:(?:option|choice)s?\s{0,4})?/iu.exec(
      rest,
    );
  if (joined === null) return false;
  const next = rest.slice(joined[0].length);
  const letter = /^\(?([A-Z]{1,2})(?![\p{L}\p{N}'’])/u.exec(next)?.[1];
  const isWord =
    letter === undefined ||
    (/^[AI]$/.test(letter) && /^\(?[AI]\s+[\p{L}]/u.test(next) && !/^\(?[AI]\s+(?:or|and|is|too|as)\b/.test(next));
  if (!isWord && letter !== chosen && choices.some((choice) => choice.letter === letter)) return true;
  if (!/\p{L}/u.test(joined[0])) return false;
  const other = optionByText(next.slice(0, 80).split(/[.,;]/, 1)[0], choices);
  return other !== undefined && other !== chosen;
}

/** Each line is an option, and not always the same. */
function linesListSeveral(text: string, choices: Choices): boolean {
  const lines = text
    .slice(0, 2000)
    .split("\n")
    .filter((line) => line.trim() !== "");
  if (lines.length < 2 || lines.length > 60) return false;
  const named = new Set(lines.map((line) => optionAlone(line, choices, false)));
  return named.size > 1 && !named.has(undefined);
}

/** Two letters or more that are nothing but named one after the other: "(A) or (B)", "A B C D", "A, B". */
function listsSeveral(plain: string, choices: Choices): boolean {
  let before: { letter: string; end: number } | undefined;
  for (const match of plain.slice(0, 1000).matchAll(/(?<![\p{L}\p{N}'’\\°])([A-Z]{1,2})(?![\p{L}\p{N}'’])/gu)) {
    const letter = match[1];
    if (!choices.some((choice) => choice.letter === letter)) continue;
    const end = match.index + letter.length;
    if (before !== undefined && before.letter !== letter) {
      const between = plain.slice(before.end, match.index);
      const isAlone = !/^[AI]$/.test(letter) || !/^\s\p{Ll}/u.test(plain.slice(end, end + 2));
      if (
        isAlone &&
        between.length <= 40 &&
        /^[\s()[\]"'.,;:/&+|*_-]*(?:(?:and\/or|or|and|option|choice|either|maybe|perhaps|possibly|both|或者?|和|与|及|、)[\s()[\]"'.,;:/&+|*_-]*){0,3}$/iu.test(
          between,
        )
      )
        return true;
    }
    before = { letter, end };
  }
  return false;
}

/** A letter with words behind it: "A because …" names an option, "A dog" may be the text of another, "a dog" is none, nor is "I think". */
function wordLabel(clause: string, token: string, rest: string, choices: Choices): string | undefined {
  if (token !== token.toUpperCase() || /\d/.test(token)) return undefined;
  if (token === "I" && (!verbBehind.test(rest) || rest.trimStart().startsWith(blank))) return undefined;
  if (
    token === "A" &&
    !verbBehind.test(rest) &&
    !/^\s+(?:and|or|as|with|which|since|so|but|for|in|by|of course|not|rather|instead|[\p{Lu}])/u.test(rest)
  ) {
    if (optionByText(clause, choices) !== undefined || choices.some(({ text }) => text !== "")) return undefined;
  }
  const isText =
    (token === "A" || token === "I") &&
    optionByText(clause, choices) !== undefined &&
    !/^\s+(?:and|or|as|because|since)\b/.test(rest);
  return isText ? undefined : labelOf(token, choices, false);
}

/** What is denied behind it were words as well. */
const wordsBehind = new RegExp(`^\\s*[\\p{L}\\p{N}${blank}]`, "u");

const verbBehind = /^\s+(?:\ufffc|is|was|because|seems|fits|would|must|should|could|can|has|since|not|选项|選項)(?![\p{L}])/u;

const isEnd = (rest: string): boolean =>
  /^[\s.,:;!)*"'”’\]}>。、!✅✓✔]*(?:(?:选项|選項|です|だ|입니다|है)[\s.。!]*)?$/u.test(rest);

/** The option of a letter, or of a place where options have letters and the number is not itself one of the options' texts. */
function labelOf(token: string, choices: Choices, lowerCaseToo: boolean): string | undefined {
  // The text of an option may be a letter itself: "c" then means that one, and "C" the third.
  const named = /[a-z]/.test(token) ? choices.filter(({ text }) => text === token) : [];
  if (named.length === 1) return named[0].letter;
  const upper = lowerCaseToo ? token.toUpperCase() : token;
  if (choices.some(({ letter }) => letter === upper)) return upper;
  if (!/^\d{1,3}$/.test(token) || choices.some(({ text }) => /\d/.test(text))) return undefined;
  return choices[Number(token) - 1]?.letter;
}

/** "B", "(B) blue" or "Option B" on the first line, and its explanation behind. */
function firstLineOption(text: string, choices: Choices): string | undefined {
  const start = text.search(/\S/);
  const end = start < 0 ? -1 : text.indexOf("\n", start);
  if (end < 0 || end - start > 300) return undefined;
  const line = text.slice(start, end);
  if (/^\s*\d{1,2}[.)]?\s*$/.test(line)) return undefined;
  // A list of the options is no choice.
  const next = text.slice(end).trimStart().slice(0, 400).split("\n", 1)[0];
  const listed = optionAlone(next, choices, false);
  const chosen = optionAlone(line, choices, false);
  return listed !== undefined && listed !== chosen ? undefined : chosen;
}

const marks =
  /\((?:([A-Z]{1,2})|(\d{1,3}))\)|\b(?:option|choice)\s{1,4}\(?([A-Z]{1,2}|\d{1,3})(?![\p{L}\p{N}])|(?:选项|選項)\s{0,2}\(?([A-Z])(?![A-Za-z])|(?<![\p{L}A-Za-z])([A-Z])(?=\s?(?:选项|選項|项|項)?(?:是|为|為)?(?:正确|正確|对的|對的))/giu;

/** "(B) False" */
const saidFalse = /^[\s:.)–-]{0,4}(?:false|incorrect|wrong|[✗✘❌])(?![\p{L}])/iu;

/** The last "(C)", "option C" or "choice C"; none where several are named in one go. */
function lastMark(text: string, choices: Choices): string | undefined {
  let last: { letter: string; end: number } | undefined;
  let isList = false;
  for (const match of text.matchAll(marks)) {
    const letter = labelOf(match.slice(1).find((group) => group !== undefined) as string, choices, false);
    const end = match.index + match[0].length;
    if (letter === undefined || saidFalse.test(text.slice(end, end + 16))) continue;
    const between = last === undefined ? "" : text.slice(last.end, match.index);
    isList =
      last !== undefined && last.letter !== letter && /^[\s,;/&]{0,6}(?:(?:and\/or|or|and|或者?|和|与)\s{0,4})?$/iu.test(between);
    last = { letter, end };
  }
  return isList ? undefined : last?.letter;
}

/** What may stand right before a letter that names an option; any other word makes it part of a name: "Vitamin C", "Plan B". */
const leadsToLetter =
  /^(?:is|be|are|was|answer|option|choice|letter|choose|chose|chosen|pick|picked|select|selected|selecting|say|think|guess|go|with|for|on|therefore|so|thus|hence|then|perhaps|maybe|probably|likely|definitely|clearly|certainly|only|just|to|because|that|and|or|but|mark|means|leaving|leaves|it|s|d|m|ist|es|est|é|è|both|either|as|by|of|favor|favour|prefer|chosing|choosing|final|correct|right|best|true|doubt|actually|really|indeed|surely|obviously|simply|sino|sondern|mais|pero|maar|men|utan|choisi|choisis|elijo|elegiría|wähle|escolho|scelgo|kies|väljer|wybieram|pilih)$/iu;

/**
 * The one letter that stands as a word of its own, where no other does. An "A" or "I" before a word is no option, except before a verb, nor
 * is a letter that begins a line of words ("A: Let us see").
 */
function onlyLetter(text: string, choices: Choices): string | undefined {
  let only: string | undefined;
  for (const match of text.matchAll(
    /(?<![\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}\p{N}'’\\°_.])(?<!\d\s)([A-Z]{1,2})(?![\p{Script=Latin}\p{N}'’_#]|\+\+|[-‐‑]\p{L}{2}|\.[A-Z])(?=(\s+[\p{L}\ufffc]{1,20}|:\s+\p{L}{1,20})?)/gu,
  )) {
    const [, letter, next] = match as unknown as [string, string, string | undefined];
    if (!choices.some((choice) => choice.letter === letter)) continue;
    if (isInitial(text, match.index + letter.length)) continue;
    const isWord =
      (letter === "A" || letter === "I") &&
      next !== undefined &&
      !/^\s+(?:is|was|because|seems|fits|without|remains|works|holds|applies|stands|wins)$|^:\s+(?:correct|right|true|yes)$/.test(
        next,
      ) &&
      (next.includes(blank) || !/[^\p{ASCII}]/u.test(next));
    if (isWord) continue;
    const before = /([\p{L}]{1,20})\s{1,4}$/u.exec(text.slice(Math.max(0, match.index - 24), match.index))?.[1];
    if (before !== undefined && !leadsToLetter.test(before) && !/[^\p{ASCII}]/u.test(before)) continue;
    if (only !== undefined && only !== letter) return undefined;
    only = letter;
  }
  return only;
}

/** "B. Smith" within a line. */
function isInitial(text: string, end: number): boolean {
  return (
    /^\.\s(?:\p{Lu}\p{Ll}|\p{Ll}{3}(?<!bec|sin))/u.test(text.slice(end, end + 5)) &&
    /\S\s+\S$/.test(text.slice(Math.max(0, end - 8), end))
  );
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
  if (!/^[A-Z]{1,2}$/.test(answer)) return bareLetters;
  const place = [...answer].reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0);
  return place <= 5 ? bareLetters : Array.from({ length: place }, (_, index) => ({ letter: letterAt(index), text: "" }));
}
