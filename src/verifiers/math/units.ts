/**
 * Units, magnitudes and other words behind a number. A unit may be left out, but two different units are two different answers, and so are two
 * different words: 5 MB is not 5 GB, nor are 5 apples 5 pears.
 */
import { powerOfWord } from "../answers/quantity.ts";

/** Measures that take prefixes: the sign, then names. */
const measures: readonly (readonly [string, string])[] = [
  ["m", "meter metre"],
  ["g", "gram gramme"],
  ["s", "second sec"],
  ["l", "liter litre"],
  ["A", "ampere amp"],
  ["K", "kelvin"],
  ["mol", "mole"],
  ["cd", "candela"],
  ["Hz", "hertz"],
  ["N", "newton"],
  ["Pa", "pascal"],
  ["J", "joule"],
  ["W", "watt"],
  ["C", "coulomb"],
  ["V", "volt"],
  ["F", "farad"],
  ["Ω", "ohm"],
  ["S", "siemens"],
  ["Wb", "weber"],
  ["T", "tesla"],
  ["H", "henry"],
  ["lm", "lumen"],
  ["lx", "lux"],
  ["Bq", "becquerel"],
  ["Gy", "gray"],
  ["Sv", "sievert"],
  ["eV", "electronvolt"],
  ["B", "byte"],
  ["bit", ""],
  ["cal", "calorie"],
  ["bar", ""],
  ["Wh", ""],
];
const prefixes: readonly (readonly [string, string])[] = [
  ["P", "peta"],
  ["T", "tera"],
  ["G", "giga"],
  ["M", "mega"],
  ["k", "kilo"],
  ["h", "hecto"],
  ["d", "deci"],
  ["c", "centi"],
  ["m", "milli"],
  ["μ", "micro"],
  ["n", "nano"],
  ["p", "pico"],
  ["f", "femto"],
];

/** The rest, and what is written otherwise. */
const synonyms: readonly (readonly [string, string])[] = [
  ["m", "米 公尺 м метр метра метров"],
  ["cm", "厘米 公分 см"],
  ["mm", "毫米 мм"],
  ["km", "千米 公里 км"],
  ["in", "inch inches"],
  ["ft", "foot feet"],
  ["yd", "yard yards"],
  ["mi", "mile miles"],
  ["g", "克 г"],
  ["kg", "千克 公斤 кг"],
  ["mg", "毫克 мг"],
  ["lb", "lbs pound pounds"],
  ["oz", "ounce ounces"],
  ["ton", "tons tonne tonnes 吨"],
  ["s", "secs 秒 с"],
  ["min", "mins minute minutes 分钟 мин"],
  ["h", "hr hrs hour hours 小时 時間 시간 ч"],
  ["day", "days 天 日 день дня дней"],
  ["week", "weeks 周"],
  ["month", "months"],
  ["year", "years yr yrs 年 岁 год года лет"],
  ["l", "L 升 л"],
  ["ml", "mL 毫升 мл"],
  ["gal", "gallon gallons"],
  ["cent", "cents"],
  ["dollar", "dollars usd USD 美元"],
  ["euro", "euros eur EUR 欧元"],
  ["sterling", "gbp GBP"],
  ["yuan", "rmb RMB CNY 元 块 圆 块钱 元钱 人民币"],
  ["yen", "JPY 円"],
  ["rupee", "rupees Rs rs INR"],
  ["rouble", "roubles ruble rubles руб рубль рубля рублей"],
  ["am", ""],
  ["pm", ""],
  ["atm", "atmosphere atmospheres"],
  ["ha", "hectare hectares"],
  ["acre", "acres"],
  ["kB", "KB"],
  ["degree", "degrees 度"],
  ["radian", "radians rad"],
  ["unit", "units"],
];

const known = new Map<string, string>();
function know(unit: string, names: readonly string[]): void {
  for (const name of [unit, ...names]) if (name !== "" && !known.has(name)) known.set(name, unit);
}
for (const [unit, names] of synonyms) know(unit, names.split(" "));
for (const [sign, names] of measures) {
  const plural = names.split(" ").flatMap((name) => (name === "" ? [] : [name, `${name}s`]));
  know(sign, plural);
  for (const [prefix, word] of prefixes)
    know(
      prefix + sign,
      plural.map((name) => word + name),
    );
}
const compounds = new Map([
  ["mph", "mi/h"],
  ["kph", "km/h"],
  ["kmh", "km/h"],
  ["kmph", "km/h"],
  ["mps", "m/s"],
]);

/** Words that multiply, as factors. */
function factorOf(word: string): string | undefined {
  if (/^dozens?$/i.test(word)) return "12";
  const power = powerOfWord(word);
  return power === undefined ? undefined : `10^{${power}}`;
}

export interface UnitText {
  /** What stands before the unit. */
  rest: string;
  /** Canonical units; only words that are known. */
  unit?: string | undefined;
  /** The words that say what is counted, known units among them by their sign; empty where they say nothing. */
  words?: readonly string[] | undefined;
}

function knownUnit(word: string): string | undefined {
  return known.get(word) ?? (word.length > 1 ? known.get(word.toLowerCase()) : undefined);
}

/** "cm^2", "square centimeters" → cm2; "m/s", "m s^-1", "meters per second" → m s-1; undefined when a word is not a known unit. */
function canonicalUnit(words: string): string | undefined {
  const powers = new Map<string, number>();
  let sign = 1;
  let power: number | undefined;
  let last: string | undefined;
  const spaced = words
    .replace(/\\cdot ?|[·*⋅]/g, " ")
    .replace(/\/|\bper\b/g, " / ")
    .replaceAll(".", "");
  for (const word of spaced
    .trim()
    .split(/\s+/)
    .flatMap((one) => compounds.get(one)?.split(/(\/)/) ?? [one])) {
    if (word === "square" || word === "sq") power = 2;
    else if (word === "cubic" || word === "cu") power = 3;
    else if (word === "/") sign = -1;
    else if ((word === "squared" || word === "cubed") && last !== undefined) {
      powers.set(last, (powers.get(last) ?? 0) * (word === "squared" ? 2 : 3));
    } else {
      const [, name = "", written] = /^([^\d^]+?)(?:\^?\{?(-?\d)\}?)?$/.exec(word) ?? [];
      const unit = knownUnit(name) ?? knownUnit(word);
      if (unit === undefined) return undefined;
      last = unit;
      powers.set(unit, (powers.get(unit) ?? 0) + sign * (power ?? Number(written ?? 1)));
      sign = 1;
      power = undefined;
    }
  }
  powers.delete("unit");
  const parts = [...powers].map(([unit, exponent]) => (exponent === 1 ? unit : `${unit}${exponent}`));
  return parts.length === 0 ? undefined : parts.sort().join(" ");
}

/** Words that say nothing of what is counted. */
const fillers = new Set(
  "a all about altogether an and answer answers approx approximately are as at be by different distinct each exactly for from in is it left more of on only or over per possible remaining roughly so square that the there to total unit units value ways way with".split(
    " ",
  ),
);
/** What other languages put between a number and what is counted. */
const counters = new Set(
  "个 個 つ 개 只 隻 条 條 本 枚 名 位 人 명 匹 头 頭 件 张 張 种 種 次 回 棵 颗 顆 朵 台 把 支 根 组 組 шт".split(" "),
);
/** "5 ways" and "5 combinations" count alike; so do what a language's counters add. */
const singular = (word: string) => word.toLowerCase().replace(/(?<=[a-z]{3})(?:(?<=[sxh])es|s)$/, "");

function countedWords(words: string): readonly string[] {
  const plain = words
    .replace(/\([^()]*\)/g, " ")
    .replace(/(?<=\p{L})\.(?=\p{L}\.)/gu, "")
    .split(/[^\p{L}\p{M}]+/u);
  return plain.filter((word) => word !== "" && !fillers.has(word.toLowerCase())).map((word) => knownUnit(word) ?? singular(word));
}

const scales: readonly (readonly [string, number])[][] = [
  [
    ["week", 604800],
    ["day", 86400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ],
  [
    ["year", 12],
    ["month", 1],
  ],
  [
    ["dollar", 100],
    ["euro", 100],
    ["sterling", 100],
    ["cent", 1],
  ],
  [
    ["mi", 63360],
    ["yd", 36],
    ["ft", 12],
    ["in", 1],
  ],
  [
    ["km", 1_000_000],
    ["m", 1000],
    ["cm", 10],
    ["mm", 1],
  ],
  [
    ["kg", 1000],
    ["g", 1],
  ],
  [
    ["lb", 16],
    ["oz", 1],
  ],
  [
    ["l", 1000],
    ["ml", 1],
  ],
];
const parts = new Map(scales.flatMap((scale, kind) => scale.map(([unit, size]) => [unit, [kind, size] as const] as const)));

/** What kind of measure a unit is of, and how many of the smallest unit it has; undefined for units that are not put together. */
export function partOfWhole(unit: string | undefined): readonly [kind: number, size: number] | undefined {
  return unit === undefined ? undefined : parts.get(unit);
}

/** Whether what stands behind two numbers says that different things are counted. */
export function unitsDiffer(one: Omit<UnitText, "rest">, other: Omit<UnitText, "rest">): boolean {
  if (one.unit !== undefined && other.unit !== undefined) return one.unit !== other.unit;
  const measures = one.unit !== undefined || other.unit !== undefined;
  // A counter says nothing of what is counted, but that it is counted and not measured: 5 个 is not 5 元.
  const said = (words: readonly string[] = []) => (measures ? words : words.filter((word) => !counters.has(word)));
  const [first, second] = [said(one.words), said(other.words)];
  if (first.length === 0 || second.length === 0) return false;
  if (measures && [...first, ...second].some((word) => counters.has(word))) return !first.some((word) => second.includes(word));
  // Words of two scripts are two languages, which are not compared.
  const latin = (list: readonly string[]) => list.some((word) => /^\p{Script=Latin}/u.test(word));
  return latin(first) === latin(second) && !first.some((word) => second.includes(word));
}

const marked = /(\/|\\cdot ?)? ?(\\mu ?)?(?:\\text\{([^{}]*)\}|\\Omega ?)(?:\^\{(-?\d)\})?$/;
const quotient = /\\frac\{\\text\{([^{}]*)\}(?:\^\{(\d)\})?\}\{\\text\{([^{}]*)\}(?:\^\{(\d)\})?\}$/;
const mostPieces = 8;

const isAscii = /^\p{ASCII}*$/u;

/** What stands before the units that are marked as upright, and the units in plain text. */
function markedUnits(text: string): [rest: string, words: string] {
  let rest = text;
  let words = "";
  if (!text.includes("\\text") && !text.includes("\\Omega")) return [rest, words];
  for (let pieces = 0; pieces < mostPieces; pieces++) {
    const over = quotient.exec(rest);
    const piece = over ?? marked.exec(rest);
    if (!piece || piece.index === 0) break;
    const raised = (power: string | undefined) => (power === undefined ? "" : `^${power}`);
    const [, sign, micro, word = "Ω", power] = piece;
    const said = over
      ? `${over[1]}${raised(over[2])}/${over[3]}${raised(over[4])}`
      : `${micro ? "μ" : ""}${word}${raised(power)}`;
    const before = rest.slice(0, piece.index).trim();
    if (word === "Ω" && !over && !/[\d})]$/.test(before.replace(/[kMmG]$/, ""))) break;
    const prefix = word === "Ω" && !over ? (/[kMmG]$/.exec(before)?.[0] ?? "") : "";
    words = `${sign === "/" ? "/" : " "}${prefix}${said} ${words}`;
    rest = before.slice(0, before.length - prefix.length).trim();
  }
  return [rest, words];
}

/** Cuts a unit, or any words in \text, off the end of a quantity; multiplies magnitudes ("3 million") in as powers of ten. */
export function withoutUnit(text: string): UnitText {
  if (text.includes("mod") || text.includes("\\pod")) {
    const modulus =
      /^(.+?)\\p(?:mod|od)\{([^{}]+)\}$/.exec(text) ?? /^(.+?)\(?(?:\\(?:bmod|mod)|\\text\{mod\}) ?([^{}()]+)\)?$/.exec(text);
    if (modulus) return { rest: modulus[1].trim(), unit: `mod ${modulus[2].replace("mod", "").trim()}` };
  }
  const temperature = text.includes("\\degree") ? /^(.+?)\\degree ?(?:\\text\{ ?)?([CF])\}?$/.exec(text) : null;
  if (temperature) return { rest: temperature[1].trim(), unit: `degree ${temperature[2]}` };
  const [rest, words] = markedUnits(text);
  if (words !== "") return quantity(rest, words);
  const plain =
    /^(.*[\d})]) ?([A-Za-z][A-Za-z ./]{0,60}(?:\^\{-?\d\})?)$/.exec(text) ??
    (isAscii.test(text) ? null : /^(.*[\d})]) ?((?![A-Za-z])\p{L}[\p{L}\p{M} /]{0,40})$/u.exec(text));
  if (!plain || !/^[-+]?[\d.,}{\\a-z ^]*$/.test(plain[1])) return { rest: text };
  const said = plain[2].trim();
  const parted = text[plain[1].length] === " " || !/^[A-Za-z]/.test(said);
  const isUnit = canonicalUnit(said) !== undefined && (parted || /^[A-Za-z./]{2}/.test(said));
  const areWords =
    said.split(/[ /]+/).some((word) => word.length >= 4 || factorOf(word) !== undefined || !/[A-Za-z]/.test(word)) && parted;
  return isUnit || areWords ? quantity(plain[1].trim(), said) : { rest: text };
}

function quantity(rest: string, words: string): UnitText {
  const [, counter = "", behind = ""] = /^\s*([百千万萬亿億兆]|[\p{L}\p{M}]+)(.*)$/su.exec(words) ?? [];
  const factor = factorOf(counter);
  if (factor !== undefined && /\d/.test(rest)) {
    return quantity(`${rest.replaceAll(",", "")}\\cdot${factor}`, behind);
  }
  if (words.trim() === "") return { rest };
  // "8 squared" and "8 or more" are not 8.
  if (/^\s*(?:squared|cubed|factorial|or|if|unless|when)\b/i.test(words)) return { rest: `${rest}\\text{${words.trim()}}?` };
  return { rest, unit: canonicalUnit(words), words: countedWords(words) };
}
