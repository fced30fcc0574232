/**
 * Numbers in running text, each as far as it goes: a part is never taken for the whole. Conventions (docs/grading.md has examples):
 * commas, full stops, spaces, apostrophes and underscores between groups of three part thousands, and so do Indian commas (12,34,567); a comma
 * before other than three digits is a decimal comma; 3 1/2 is mixed; powers, e3 and × 10^3 are worked out; million, k and the like multiply;
 * dollars and cents are one amount. What would still have to be calculated is unclear, and so are ranges, ratios, times and lists.
 */
import { hasOtherSigns, plainDigits, plainSigns, withoutInvisible } from "./digits.ts";
import { withoutMarkup } from "./extract.ts";
import { parseNumber } from "./number.ts";
import { combine, fromDigits, negative, type Rational, rational } from "./rational.ts";

export interface Quantity {
  /** As `parseNumber` reads it; undefined where digits stand that give no clear number. */
  text: string | undefined;
  start: number;
  end: number;
}

const vulgar: Readonly<Record<string, string>> = {
  "⅓": "1/3",
  "⅔": "2/3",
  "½": "1/2",
  "¼": "1/4",
  "¾": "3/4",
  "⅛": "1/8",
  "⅜": "3/8",
  "⅝": "5/8",
  "⅞": "7/8",
  "⅕": "1/5",
  "⅖": "2/5",
  "⅗": "3/5",
  "⅘": "4/5",
  "⅙": "1/6",
  "⅚": "5/6",
};
const superscripts = "⁰¹²³⁴⁵⁶⁷⁸⁹";
const subscripts = "₀₁₂₃₄₅₆₇₈₉";

/** LaTeX, Markdown and other scripts' signs of simple numbers as plain text; longer formulas stay as they are and give no clear number. */
export function plainNumbers(text: string): string {
  let plain = text;
  if (hasOtherSigns(plain)) {
    plain = withoutInvisible(plain)
      .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,8}\s?[⁄/]\s?[₀₁₂₃₄₅₆₇₈₉]{1,8}/gu, (parts) => {
        const [over, under] = parts.split(/\s?[⁄/]\s?/);
        return ` ${digitsOf(over, superscripts)}/${digitsOf(under, subscripts)}`;
      })
      .replace(
        /(?<=[\p{L}\p{N})}])⁻?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,8}/gu,
        (raised) => `^${raised.startsWith("⁻") ? "-" : ""}${digitsOf(raised.replace("⁻", ""), superscripts)}`,
      )
      .replace(/[½⅓⅔¼¾⅛⅜⅝⅞⅕⅖⅗⅘⅙⅚]/gu, (part) => ` ${vulgar[part]}`)
      .replaceAll("⁄", "/");
    plain = plainSigns(plainDigits(plain)).replace(/(?<=\d)[’＇ʼ](?=\d{3})/g, "'");
  }
  if (plain.includes("\\") || plain.includes("{")) {
    plain = plain
      .replace(/\{,\}|,\\!/g, ",")
      .replace(/\\(?:left|right|displaystyle|bigl?|bigr|Bigl?|Bigr)(?![a-zA-Z])|\\!/g, "")
      .replace(simpleFraction, (_, outer = "", top: string, bottom: string) => {
        const parts = [top, bottom].map((part) => part.replace(/[{}\s,]/g, ""));
        const isNegative = [outer, ...parts].filter((part: string) => part.includes("-")).length % 2 === 1;
        return ` ${isNegative ? "-" : ""}${parts.map((part) => part.replace("-", "")).join("/")}`;
      })
      .replace(/\\(?:,|;|:| |quad\b|qquad\b|enspace\b|thinspace\b)|~/g, " ")
      .replace(/\\(?:times|cdot)(?![a-zA-Z])/g, "×")
      .replace(/\\div(?![a-zA-Z])/g, "÷")
      .replace(/\\pm(?![a-zA-Z])/g, "±")
      .replace(/\\n(?:eq?|ot\s?=)(?![a-zA-Z])/g, "≠")
      .replace(/\\(?:[lg]eq?(?:slant)?|[lg]t)(?![a-zA-Z])/g, "≤")
      .replace(/\\(?:approx|simeq|sim)(?![a-zA-Z])/g, "≈")
      .replace(/\\(?:to|Rightarrow|implies|therefore|Longrightarrow|rightarrow)(?![a-zA-Z])/g, ":")
      .replace(/\^\s?\{\s?\\circ\s?\}|\^\s?\\circ(?![a-zA-Z])/g, "°")
      .replace(/\^\s{0,2}\{\s{0,2}(-?\d{1,8})\s{0,2}\}/g, "^$1")
      .replace(/\\([$%#&])/g, "$1");
  }
  if (plain.includes("**")) plain = plain.replace(/(?<=\d\s?)\*\*(?=\s?-?\d)/g, "^");
  return withoutMarkup(plain);
}

const digitsOrGroup = String.raw`(\d|\{\s{0,3}-?\s?\d{1,40}(?:,\d{3}){0,6}(?:\.\d{1,40})?\s{0,3}\})`;
const simpleFraction = new RegExp(
  String.raw`(-\s?)?\\(?:[dtc]?frac|nicefrac|sfrac)\s{0,3}${digitsOrGroup}\s{0,3}${digitsOrGroup}(?!\d)`,
  "g",
);

function digitsOf(raised: string, from: string): string {
  return [...raised].map((digit) => from.indexOf(digit)).join("");
}

const grouped = String.raw`\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?`;
const indian = String.raw`\d{1,2}(?:,\d{2})+,\d{3}(?!\d)(?:\.\d+)?`;
const dotted = String.raw`\d{1,3}(?:\.\d{3}){2,}(?!\d)(?:,\d+)?|\d{1,3}\.\d{3},\d+`;
const spaced = String.raw`\d{1,3}(?: \d{3})+(?!\d)(?:[.,]\d+)?|\d{1,3}(?:['’]\d{3})+(?!\d)(?:[.,]\d+)?|\d{1,3}(?:_\d{3})+(?!\d)(?:\.\d+)?`;
const simple = String.raw`\d+(?:[.,]\d+)?|[.,]\d+`;
const pair = /^\d+,\d+$/;
const thousands = new RegExp(`^(?:${indian}|${grouped})$`);
const written = new RegExp(`${indian}|${grouped}|${dotted}|${spaced}|${simple}`, "g");

/** Words that multiply the number before them, by powers of ten. */
const magnitudeWords: readonly (readonly [power: number, words: string])[] = [
  [2, "hundred hundert 百"],
  [
    3,
    "thousand thousands mil mille mila tausend duizend tusen tysiąc tysiące tysięcy ribu nghìn ngàn тысяча тысячи тысяч тыс тис χιλιάδες ألف آلاف हज़ार हजार হাজার พัน 千 천",
  ],
  [4, "万 萬 만 หมื่น"],
  [5, "lakh lakhs लाख লাখ লক্ষ แสน"],
  [
    6,
    "million millions mln mn mio millón millones milhão milhões milione milioni Million Millionen miljoen miljon miljoner milion miliony milionów milyon juta triệu миллион миллиона миллионов млн мільйон мільйона мільйонів εκατομμύριο εκατομμύρια مليون ملايين میلیون ล้าน",
  ],
  [7, "crore crores करोड़ करोड কোটি"],
  [8, "亿 億 억"],
  [
    9,
    "billion billions bn bln milliard milliards Milliarde Milliarden Mrd miliardo miliardi bilhão bilhões miljard miljarder miliard miliardy miliardów milyar miliar tỷ миллиард миллиарда миллиардов млрд мільярд مليار میلیارد",
  ],
  [12, "trillion trillions trilhão trilhões триллион триллиона триллионов трлн 兆"],
  [15, "quadrillion quadrillions"],
  [18, "quintillion quintillions"],
];
const powers = new Map(magnitudeWords.flatMap(([power, words]) => words.split(" ").map((word) => [word.toLowerCase(), power])));
/** Of "million" 6; undefined for words that do not multiply. */
export const powerOfWord = (word: string): number | undefined => powers.get(word.toLowerCase());

const letters: Readonly<Record<string, number>> = { k: 3, K: 3, M: 6, B: 9, T: 12 };
/** A word behind a number; signs of Chinese and Japanese stand there without a space, but 千米 and 千克 are units. */
const magnitude =
  /^(?:([kKMBT])(?![\p{L}\p{N}])|\s{0,2}(千(?![米克瓦卡焦帕伏赫])|[百万萬亿億兆만억])|[\s-]{0,2}([\p{L}\p{M}]{2,16})(?![\p{L}\p{M}\p{N}])\.?)/u;
const fraction = /^\s?\/\s?(\d{1,60})(?![\d.,]*\d)/;
const mixed = /^(?:\s{1,3}|\s?-\s?|\s?and\s)(\d{1,20})\s?\/\s?(\d{1,20})(?![\d/])/;
const tens = /^\s?[×xX*·]\s?10(?:\s?(?:\^|\*\*)\s?[({]?\s?([+-]?\d{1,3})\s?[)}]?)?(?![\d.,]*\d)/;
const exponent = /^[eE]([+-]?\d{1,3})(?![\p{L}\p{N}])/u;
const power = /^\s?(?:\^|\*\*)\s?[({]?\s?([+-]?\d{1,4})\s?[)}]?(?![\d])/;
const andAHalf = /^\s(?:and\s)?(?:a|one)\s(half|third|quarter)(?![\p{L}])/u;
const cents = /^\s?(?:(?:dollars?|euros?|pounds?|rupees?|bucks)\s)?(?:and\s)?(\d{1,2})\s?(?:cents?|pence|p|paise)(?![\p{L}])/u;

const raisedUnit = /\p{L}\^[-{]{0,2}$/u;

/** All numbers of a text that `plainNumbers` has made plain, in order, clear or not. */
export function quantitiesIn(text: string): Quantity[] {
  const found: Quantity[] = [];
  written.lastIndex = 0;
  for (let match = written.exec(text); match !== null; match = written.exec(text)) {
    const quantity = quantityAt(text, match.index, match[0]);
    // The 2 of cm² is no number of its own.
    if (!raisedUnit.test(text.slice(Math.max(0, match.index - 4), match.index))) found.push(quantity);
    written.lastIndex = Math.max(quantity.end, match.index + match[0].length);
  }
  return found;
}

function quantityAt(text: string, from: number, digits: string): Quantity {
  const plain = plainDecimal(digits);
  let value = parseNumber(plain);
  let written = plain;
  let end = from + digits.length;
  const rest = () => text.slice(end, end + 100);
  const take = (pattern: RegExp, change: (match: RegExpExecArray) => Rational | undefined): boolean => {
    const match = value === undefined ? null : pattern.exec(rest());
    if (match === null || match[0].length === 100) return false;
    const changed = change(match);
    if (changed === undefined) return false;
    value = changed;
    end += match[0].length;
    written = "";
    return true;
  };
  const times = (factor: Rational | undefined) => value && factor && combine(value, "*", factor);
  // Most numbers end where their digits do.
  const next = text.charCodeAt(end);
  if (!(next === 10 || Number.isNaN(next) || (next === 46 && !/\d/.test(text[end + 1] ?? "")))) {
    const isWhole = /^\d+$/.test(plain);
    const isMixed =
      isWhole &&
      take(mixed, ([, over, under]) =>
        value && BigInt(over) < BigInt(under) ? sum(value, rational(BigInt(over), BigInt(under))) : undefined,
      );
    if (!isMixed && isWhole && take(fraction, ([, under]) => value && rational(value.numerator, BigInt(under))))
      written = `${plain}/${fraction.exec(text.slice(from + digits.length))?.[1] ?? "1"}`;
    else if (!isMixed) {
      take(fraction, ([, under]) => value && combine(value, "/", rational(BigInt(under))!));
      take(exponent, ([, by]) => times(tenTo(Number(by))));
      take(power, ([, by]) => value && raised(value, Number(by)));
      take(tens, ([, by = "1"]) => times(tenTo(Number(by))));
    }
    const multiplied = ([, letter, sign, word]: RegExpExecArray) => {
      const power = letter === undefined ? powers.get((sign ?? word).toLowerCase()) : letters[letter];
      return power === undefined ? undefined : times(tenTo(power));
    };
    while (take(magnitude, multiplied));
    take(andAHalf, ([, part]) => value && sum(value, rational(1n, { half: 2n, third: 3n, quarter: 4n }[part] ?? 1n)));
    take(cents, ([, part]) => value && sum(value, rational(BigInt(part), 100n)));
  }
  // "(3,4)" may be a pair.
  if (
    pair.test(digits) &&
    /[([]\s?-?$/.test(text.slice(Math.max(0, from - 3), from)) &&
    /^\s?[)\]]/.test(text.slice(end, end + 2))
  )
    value = undefined;
  const [lead, own] = splitSign(text.slice(Math.max(0, from - 32), from));
  const start = from - own.length;
  if (/\./.test(plain) && /^(?:\.\.|…|\s?\\l?dots)/.test(text.slice(end, end + 8))) return { text: undefined, start, end };
  if (/^[.,]\d/.test(text.slice(end, end + 2))) {
    // Digits that go on in no known way are one thing, and unclear.
    while (/[\d.,]/.test(text[end] ?? "")) end++;
    return { text: undefined, start, end };
  }
  if (value === undefined || isUnclear(lead, own, text.slice(end, end + 32))) return { text: undefined, start, end };
  const isNegative = /-/.test(own) || minusWord.test(own);
  const unsigned = written === "" ? show(value) : written;
  return { text: isNegative ? `-${unsigned}` : unsigned, start, end };
}

/** Thousands have no marks any more, and a decimal comma is a point. */
function plainDecimal(digits: string): string {
  if (/^\d+(?:\.\d+)?$/.test(digits)) return digits;
  if (thousands.test(digits) && !digits.startsWith("0,")) return digits.replaceAll(",", "");
  if (/^\d{1,3}(?:\.\d{3})+(?:,\d+)?$/.test(digits)) return digits.replaceAll(".", "").replace(",", ".");
  return digits
    .replace(/[ '’_]/g, "")
    .replace(",", ".")
    .replace(/^\./, "0.");
}

const sum = (first: Rational, second: Rational | undefined) => second && combine(first, "+", second);

function tenTo(exponent: number): Rational | undefined {
  return Math.abs(exponent) > 300 ? undefined : fromDigits({ whole: "1", exponent });
}

function raised(base: Rational, exponent: number): Rational | undefined {
  const size = Math.abs(exponent);
  const digits = Math.max(base.numerator.toString().length, base.denominator.toString().length);
  if (size * digits > 600 || (base.numerator === 0n && exponent <= 0)) return undefined;
  const [top, bottom] = [base.numerator ** BigInt(size), base.denominator ** BigInt(size)];
  return exponent < 0 ? rational(bottom, top) : rational(top, bottom);
}

/** As a whole number, a fraction otherwise. */
function show(value: Rational): string {
  const { numerator, denominator } = value.numerator < 0n ? negative(value) : value;
  const text = denominator === 1n ? `${numerator}` : `${numerator}/${denominator}`;
  return value.numerator < 0n ? `-${text}` : text;
}

const minusWord = /(?:negative|minus|menos|moins|минус|मिनस|सالب|سالب|[负負]|マイナス|마이너스)\s?$/iu;
const currency = String.raw`(?:(?:US|A|C|NZ|HK|S|R)?[$€£¥₹₽₩₺￥]|(?<![\p{L}])(?:USD|EUR|GBP|INR|CNY|RMB|JPY|Rs\.?))\s?`;
const signAndCurrency = new RegExp(
  String.raw`(?:[+-]\s?)?${currency}-?$|[+-]$|(?<![\p{L}])(?:negative|minus|menos|moins|минус|سالب)\s$|(?:[负負]|マイナス|마이너스)$`,
  "iu",
);

/** A sign and a currency directly before digits belong to them, unless the sign stands behind a number or a word, where it is a dash. */
function splitSign(before: string): [lead: string, currencyAndSign: string] {
  const own = signAndCurrency.exec(before)?.[0] ?? "";
  const lead = before.slice(0, before.length - own.length);
  if (/^(?:minus|menos|moins|минус)/i.test(own) && /(?:\d|\))\s*$/.test(lead)) return [`${lead}-`, ""];
  if (!/^[+-]/.test(own) || !/[\p{L}\p{N})]\s*$/u.test(lead)) return [lead, own];
  if (/[\p{L}]\s+$/u.test(lead)) return [lead, own];
  const money = own.replace(/^[+-]\s?/, "");
  return [before.slice(0, before.length - money.length), money];
}

/** Letters that part no words: digits right behind them are numbers. */
const unspaced = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\p{Script=Thai}ー]/u;
const wordBefore = /[\p{L}\p{M}\p{N}_.,:/^'’]$/u;
const comparison =
  /(?:(?:less|greater|more|fewer|larger|smaller|bigger|higher|lower|(?<!\b(?:none|nothing|no one) )other) than|at (?:least|most)|up to|between|below|above|over|under|exceed(?:s|ing)?|beyond|multiples? of|factors? of|divisors? of|divisible by|twice|double|triple|thrice|half(?: of)?|roots? of|squares? of|cubes? of|logarithm of|equation)\s*\(?$|[<>≤≥≠±∓|]\s*$|!=\s*$/i;
/** A function, a root, an index, a set: what stands in it is no number of its own. */
const inFormula =
  /(?:√|\|\{|\\(?!(?:boxed|text|mathrm|mathbf|quad|fbox|therefore|because|dots|ldots|cdots|begin|end)(?![a-zA-Z]))[a-zA-Z]{1,16}(?:[_^](?:\{[^{}]{0,12}\}|\S))?\s?[{[(]?\s?|\}\s?\{|[\p{Script=Latin}]\(|\d\(|[_^]\{?|\(\s?[\d.]{1,12}\s?,\s?)$/u;
const operatorBefore = /(?:(?:\d|\))\s*[-+*×·÷/^]|[\p{L}]\s?[+×÷^]|\d\s*x)\s*$/iu;
const continued = /^(?::\s?\d|\.\d|\/\d|_|(?:st|nd|rd|th)\b|-\s?\d|,\d|['’′″]\s?\d|\s?°?[a-z]{1,3}\d|\s?:\s\d|[|])/i;
/** "48/2 = 24" gives 24; what is still to be calculated is not the answer. */
const operatorAfter =
  /^\s?(?:(?:squared|cubed|factorial)(?![\p{L}])|(?:times|multiplied by|divided by|plus|minus|over|raised to|to the power(?: of)?)\s\d|[+×·÷^]|\*(?!\*|[\s.,)]|$)|\*\s\d|[-/]\s*[$(]?\d|x\s*\d|-\s(?:[^\p{L}]|\p{L}(?![\p{L}'’]))|\*\*\d)/u;
const symbolAfter =
  /^\s?(?:[πθφ√∞]|pi(?![\p{L}])|\\(?:pi|sqrt|theta|phi|times|cdot|infty|log|ln|sin|cos|tan|frac|binom|alpha|beta|lambda|mathrm\{i\}))|^[ixyznabej](?![\p{L}\p{N}'’])|^[({](?=[\da-z])/iu;

/** May 8, 2020 */
const month =
  /\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|January|February|March|April|June|July|August|September|October|November|December)\.?\s(?:\d{1,2}(?:st|nd|rd|th)?,?\s)?$/;
/** 0.(3), 8.\overline{3} */
const endless = /^(?:\.\(\d|\.?\s?\\(?:overline|bar|dot)|\u0305|\u0304)/;

/** "2 hours and 30 minutes" and "5 feet 3 inches" are one measure, and neither number is it. */
const measure = String.raw`\s?(?:hours?|hrs?|h|minutes?|mins?|days?|weeks?|months?|years?|feet|foot|ft|yards?|miles?|pounds?|lbs?)\.?,?\s(?:and\s)?`;
const measureBefore = new RegExp(String.raw`\d${measure}$`, "i");
const measureAfter = new RegExp(
  String.raw`^${measure}\d+(?:\.\d+)?\s?(?:hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s|days?|weeks?|months?|inch(?:es)?|in|feet|foot|ft|yards?|ounces?|oz)(?![\p{L}])`,
  "iu",
);
const smallerUnit =
  /^\s?(?:minutes?|mins?|m|seconds?|secs?|s|hours?|days?|weeks?|months?|inch(?:es)?|in|feet|foot|ft|yards?|ounces?|oz)(?![\p{L}])/iu;

function isUnclear(lead: string, own: string, after: string): boolean {
  if (measureAfter.test(after) || (smallerUnit.test(after) && measureBefore.test(lead))) return true;
  const end = own === "" ? lead : lead.trimEnd();
  if (
    wordBefore.test(lead) &&
    !unspaced.test(lead.slice(-1)) &&
    !/[\p{L}\p{M}][:,]$|\.\.$|[…]$/u.test(lead) &&
    !(own !== "" && /[\p{L}:]$/u.test(lead))
  ) {
    if (!/(?:^|[\s(])['’]$/.test(lead)) return true;
  }
  if (month.test(lead) || endless.test(after)) return true;
  if (continued.test(after) || operatorAfter.test(after) || symbolAfter.test(after)) return true;
  return (
    comparison.test(end) || inFormula.test(end) || operatorBefore.test(lead) || /(?:\bnot(?: equal to)?|n['’]t)\s*$/i.test(lead)
  );
}
