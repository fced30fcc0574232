/**
 * Which number does an answer give? Only clear numbers count: not the parts of a sum that is written out, of a time or a date, of a word,
 * and not what the text denies. The number is given back as `parseNumber` reads it. How numbers are written: `quantity.ts`.
 */
import type { Item, Score, Verifier } from "#kernel/item.ts";
import { withoutAsides } from "./asides.ts";
import { lastBoxes } from "./boxes.ts";
import { blank, leavesOpen, withoutDenied } from "./denials.ts";
import { withoutInvisible } from "./digits.ts";
import { answerClauses, gradedText, lastLine, lastSentence, referencesOf } from "./extract.ts";
import { parseNumber } from "./number.ts";
import { plainNumbers, type Quantity, quantitiesIn } from "./quantity.ts";
import { type Rational, within } from "./rational.ts";

export type NumberPlace = "whole" | "hashes" | "boxed" | "clause" | "first-line" | "last-line" | "text";

export interface NumberReading {
  /** Such as `18`, `-3/4`, `1234.50`. */
  number: string;
  by: NumberPlace;
  /** The form that is asked for: "The answer is N", or nothing but the number. */
  strict: boolean;
}

/**
 * The answer's number in a text that holds no thoughts any more. Looks at: the whole text, the last `#### n`, the last box, the last answer
 * clause, a first line that is a number with its explanation behind it, a last line that is one number with words or a unit, what a
 * calculation in the last sentence comes to, the last clear number. A clause that gives two numbers at once ("17 or 18"), a time, or a
 * calculation without its result gives none, and nothing else is looked at then; so is a box that holds no number.
 */
export function readNumber(whole: string): NumberReading | undefined {
  const text = withoutInvisible(whole);
  const found = (number: string | undefined, by: NumberPlace, strict = false): NumberReading | undefined =>
    number === undefined ? undefined : { number, by, strict };

  if (text.length <= 200 && !text.includes("\n")) {
    const alone = found(numberAlone(text), "whole", true);
    if (alone) return alone;
  }
  const hashes = text.lastIndexOf("####");
  if (hashes >= 0) {
    const line = text.slice(hashes + 4, hashes + 204).split("\n", 1)[0];
    const number = found(numberAlone(line), "hashes");
    if (number) return number;
    const [first] = quantitiesIn(plainNumbers(line).trimStart());
    const said = first?.start === 0 ? clauseNumber(line, line) : undefined;
    if (said === "ambiguous") return undefined;
    if (said !== undefined && said !== "denied") return found(said.number, "hashes");
  }
  const box = lastBoxes(text, sameNumber);
  let isUnread = false;
  for (const { sentence, line, start, isNextLine } of answerClauses(text)) {
    // What is boxed outranks the clauses before it and around it.
    if (box !== undefined && start <= box.end) break;
    // "is - 6" has a sign; a dash that begins the next line is the mark of a list.
    const marked = isNextLine ? /^\s{0,3}\d{1,2}[.)]\s{1,3}(?=\S)/.exec(line)?.[0] : undefined;
    const said = clauseNumber(
      marked !== undefined
        ? line.slice(marked.length)
        : isNextLine
          ? sentence
          : sentence.replace(/^\s{0,3}[-−–]\s(?=[$€£]?\d)/, "-"),
      line,
    );
    if (said === "ambiguous") return undefined;
    if (said === "denied") isUnread = true;
    else if (said !== undefined && (box === undefined || said.strict)) return said;
  }
  if (box !== undefined) return found(boxNumber(box.content), "boxed");
  if (isUnread) return undefined;
  const first = found(firstLineNumber(text), "first-line");
  if (first) return first;
  return readTail(text, found);
}

/** Where nothing states an answer: the last line, the last sentence, the last clear number. */
function readTail(
  text: string,
  found: (number: string | undefined, by: NumberPlace) => NumberReading | undefined,
): NumberReading | undefined {
  const own = withoutAsides(withoutDenied(text.slice(-20_000)));
  const last = plainNumbers(lastLine(own));
  if (last.length <= 60) {
    const numbers = quantitiesIn(last);
    if (numbers.length > 1 && (isList(last, numbers) || isEnumeration(last, numbers))) return undefined;
    const clear = numbers.filter((number) => number.text !== undefined);
    if (clear.length === 1) return found(clear[0].text, "last-line");
  }
  return found(lastResult(lastSentence(last)) ?? clearNumbers(plainNumbers(own)).at(-1)?.text, "text");
}

/** The number a short text is: `18`, `$18.00`, `18%`, `\frac{3}{4}`, `-5.` */
function numberAlone(text: string): string | undefined {
  const plain = plainNumbers(text).replace(/^[\s"'“(]{1,20}|[\s"'”)]{1,20}$/g, "");
  if (!/\d/.test(plain) || plain.length > 200 || /^\W*\([^)]{0,80}\d,(?!\d{3}(?!\d))[^)]{0,80}\)/.test(text.slice(0, 200)))
    return undefined;
  const [only, ...others] = quantitiesIn(plain);
  if (others.length > 0 || only?.text === undefined || only.start > 0) return undefined;
  return /^\s?(?:%|percent|°)?\s?[.。]?$/.test(plain.slice(only.end)) ? only.text : undefined;
}

const sameNumber = (first: string, second: string): boolean => {
  const [one, other] = [boxNumber(first), boxNumber(second)];
  return one !== undefined && other !== undefined && within(parseNumber(one), parseNumber(other), undefined);
};

/** A box holds one number, perhaps with words, a letter of an option before it, or as the last side of an equation. */
function boxNumber(content: string): string | undefined {
  if (content.length > 400) return undefined;
  const plain = withoutDenied(
    plainNumbers(content.replace(/(?<=\d)~(?=\d{3}(?!\d))/g, " ").replace(/^\s{0,4}[-−–]\s{1,3}(?=\d)/, "-")),
  )
    .replace(/^\s{0,4}\(?[A-Z]\)\s{0,4}(?=\S)/, "")
    .trim();
  const alone = numberAlone(plain);
  if (alone !== undefined && !/!$/.test(plain)) return alone;
  const side = plain.slice(plain.lastIndexOf("=") + 1);
  const numbers = quantitiesIn(side);
  const [only] = numbers;
  if (numbers.length !== 1 || only.text === undefined || /^\s?!/.test(side.slice(only.end))) return undefined;
  return plain.includes(blank) ? undefined : only.text;
}

const immediate =
  /^[\s:：="'“([{*≈~]*(?:(?:about|approximately|exactly|simply|just|therefore|thus|around|roughly|nearly|equal to|a total of|indeed|only|clearly|[\p{L}]\s?(?:=|≈)|≈|选项|約|约|大约|aproximadamente|environ|ungefähr|etwa|примерно)\s*){0,3}$/iu;
/** Another number is given with the first: "or 7", "and 7", "to 7", ", 6 or 7", "hours and 30 minutes", "feet 3 inches". */
const joined =
  /^\s{0,3}(?:%|°)?\s{0,3}(?:[\p{L}$€£]{1,12}\.?\s{1,3})?(?:,\s{0,3})?\(?(?:or|and\/or|and|to|vs\.?|&|\/|\||through|until|oder|und|ou|et|o|y|e|eller|och|lub|atau|dan|veya|ve|hoặc|và|или|и|або|أو|و|या|और|বা|또는|이나|か|や|と|หรือ|或|和|至|到|～|~|–|,)\s{0,3}(?:(?:possibly|maybe|perhaps|even|else|alternatively|about)\s)?[$€£]?-?\.?\d|^\s{0,3};\s{0,3}-?\d[\d.,]{0,20}\s{0,3}(?:[;)\]}]|$)|^\s{0,3}(?:,|;|and|or)\s{0,3}(?:and\s)?[a-zA-Z]\s?=\s?-?\d|^\s{0,3}(?!(?:in|of|out|per|at|on|by|for|after|from|since|as|with|when|if|times|than|because|is|was|are|not|but|so|the|each|every)\b)[\p{L}\p{M}]{1,12}\.?\s{1,3}\d|^\s{0,3}(?:或|和|、|至|到)/iu;

function clauseNumber(sentence: string, line: string): NumberReading | "ambiguous" | "denied" | undefined {
  const clause = plainNumbers(sentence.slice(0, 400));
  const numbers = quantitiesIn(clause);
  const isDenied = clause.includes(blank);
  const [first] = numbers;
  if (first === undefined || (isDenied && clause.indexOf(blank) < first.start)) {
    if (!isDenied) return undefined;
    const rest = plainNumbers(line.slice(0, 400));
    const instead = clearNumbers(rest).find(({ start }) => rest.indexOf(blank) < start);
    return instead?.text === undefined ? "denied" : { number: instead.text, by: "clause", strict: false };
  }
  const lead = clause.slice(0, first.start);
  const isImmediate = immediate.test(lead) || isWordFor(lead, clause.slice(first.end));
  if (isImmediate) {
    if (first.text === undefined) {
      const result = lastResult(clause);
      return result === undefined ? "ambiguous" : { number: result, by: "clause", strict: false };
    }
    if (joined.test(clause.slice(first.end))) {
      const result = /[a-zA-Z]\s?=\s*$/.test(lead) ? undefined : lastResult(clause);
      return result === undefined ? "ambiguous" : { number: result, by: "clause", strict: false };
    }
    if (leavesOpen(line) || byCases.test(clause.slice(first.end))) return "ambiguous";
    return { number: first.text, by: "clause", strict: true };
  }
  if (/\b(?:one|any|either|both|all|each|some) of(?: the| these)?(?: numbers| values)?:?\s{0,3}$/i.test(lead)) return "ambiguous";
  const clear = numbers.filter(({ text }) => text !== undefined);
  if (clear.length === 0 || isList(clause, numbers)) return "ambiguous";
  return { number: clear[clear.length - 1].text!, by: "clause", strict: false };
}

/** "8 if it rains, 7 otherwise" */
const byCases = /\b(?:if|when|unless)\b[^.]{1,80}\b(?:otherwise|else|if not)\b|\bif\b[^.]{1,80}\d[^.]{0,40}\bif\b/i;

/** "eighteen (18)" says it twice. */
function isWordFor(lead: string, after: string): boolean {
  return /^[\s:]*[a-z]{3,9}(?:[- ][a-z]{3,9})?\s\($/i.test(lead) && /^\s?\)/.test(after);
}

/** The last two numbers are parted by "or", or are a range. */
function isList(text: string, numbers: readonly Quantity[]): boolean {
  const [before, last] = numbers.slice(-2);
  if (last === undefined) return false;
  const between = text.slice(before.end, last.start);
  return (
    /^\s{0,3}(?:[\p{L}]{1,12}\s)?(?:,\s{0,3})?(?:or|and\/or|oder|ou|o|или|或|to|and possibly|or possibly)\s{0,3}$/iu.test(
      between,
    ) || /\b(?:between|either|neither)\s{0,3}$/i.test(text.slice(Math.max(0, before.start - 12), before.start))
  );
}

/** Numbers and nothing else: "3, 6, 9". */
function isEnumeration(text: string, numbers: readonly Quantity[]): boolean {
  let end = 0;
  for (const number of numbers) {
    if (!/^[\s,;.&|()[\]{}"'*_-]{0,9}$/.test(text.slice(end, number.start))) return false;
    end = number.end;
  }
  return /^[\s,;.()[\]{}"'*_]{0,9}$/.test(text.slice(end));
}

/** "120/24 = 5 hours to read 120 pages" gives 5: what a calculation in the last sentence comes to, whatever is said after it. */
function lastResult(sentence: string): string | undefined {
  return clearNumbers(sentence).findLast(({ start }) => /=\s*$/.test(sentence.slice(Math.max(0, start - 4), start)))?.text;
}

/** "18", and its explanation on the lines behind. */
function firstLineNumber(text: string): string | undefined {
  const start = text.search(/\S/);
  if (start < 0) return undefined;
  const end = text.indexOf("\n", start);
  if (end < 0 || end - start > 80) return undefined;
  const number = numberAlone(text.slice(start, end));
  if (number === undefined) return undefined;
  return /^\s{0,40}[*_#(>-]{0,4}\s?(?:explanation|reason|because|since|confidence|certainty|check|verification|note|why|justification|rationale|this is|here|explicaci|begründung|解释|解析|理由|説明)/i.test(
    text.slice(end, end + 80),
  )
    ? number
    : undefined;
}

function clearNumbers(text: string): Quantity[] {
  return quantitiesIn(text).filter((quantity) => quantity.text !== undefined);
}

/** Accuracy 1 when the number given is the item's; exact unless a tolerance is given, whatever the way of writing. Never throws. */
export function writtenNumberGrader(tolerance?: Rational): Verifier {
  return (item: Item, answer: string, completion: string): Score => {
    const reading = readNumber(gradedText(answer, completion));
    if (reading === undefined) return { accuracy: 0, extracted: undefined, strictAccuracy: 0, status: "no-answer" };
    const found = parseNumber(reading.number);
    const accuracy = referencesOf(item).some((reference) => within(found, parseNumber(reference), tolerance)) ? 1 : 0;
    return { accuracy, extracted: reading.number, strictAccuracy: reading.strict ? accuracy : 0 };
  };
}

export const writtenNumberVerifier: Verifier = writtenNumberGrader();
