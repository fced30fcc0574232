/** Units, magnitudes and other words behind a number. Units may be left out, but two different known units are two different answers. */

const synonyms: readonly (readonly [string, string])[] = [
  ["mm", "millimeter millimeters millimetre millimetres"],
  ["cm", "centimeter centimeters centimetre centimetres"],
  ["m", "meter meters metre metres"],
  ["km", "kilometer kilometers kilometre kilometres"],
  ["in", "inch inches"],
  ["ft", "foot feet"],
  ["yd", "yard yards"],
  ["mi", "mile miles"],
  ["mg", "milligram milligrams"],
  ["g", "gram grams"],
  ["kg", "kilogram kilograms"],
  ["lb", "lbs pound pounds"],
  ["oz", "ounce ounces"],
  ["ton", "tons tonne tonnes"],
  ["s", "sec secs second seconds"],
  ["min", "mins minute minutes"],
  ["h", "hr hrs hour hours"],
  ["day", "days"],
  ["week", "weeks"],
  ["month", "months"],
  ["year", "years yr yrs"],
  ["ml", "mL milliliter milliliters"],
  ["l", "L liter liters litre litres"],
  ["gal", "gallon gallons"],
  ["cent", "cents"],
  ["dollar", "dollars usd USD"],
  ["euro", "euros eur EUR"],
  ["yuan", "rmb RMB"],
  ["rupee", "rupees Rs rs"],
  ["am", ""],
  ["pm", ""],
  ["mi/h", "mph"],
  ["km/h", "kph kmh"],
  ["degree", "degrees"],
  ["radian", "radians rad"],
  ["unit", "units"],
];
const known = new Map(synonyms.flatMap(([unit, others]) => [unit, ...others.split(" ")].map((word) => [word, unit] as const)));

const magnitudes: Record<string, number> = { dozen: -1, hundred: 2, thousand: 3, million: 6, billion: 9, trillion: 12 };

export interface UnitText {
  /** What stands before the unit. */
  rest: string;
  /** Canonical units; only words that are known. */
  unit?: string;
}

/** "cm^2", "square centimeters" → cm2; "meters per second" → m/s; undefined when a word is not a known unit. */
function canonicalUnit(words: string, power: string): string | undefined {
  let exponent = power;
  let inverse = "";
  let unit = "";
  for (const word of words.replaceAll("/", " per ").replace(/[.]/g, "").trim().split(/\s+/)) {
    if (word === "square" || word === "sq") exponent = "2";
    else if (word === "cubic" || word === "cu") exponent = "3";
    else if (word === "per") inverse = "/";
    else {
      const meaning = known.get(word) ?? known.get(word.toLowerCase());
      if (meaning === undefined) return undefined;
      unit += inverse + meaning;
      inverse = "";
    }
  }
  return unit === "" || unit === "unit" ? undefined : unit + exponent;
}

/** Cuts a unit, or any words in \text, off the end of a quantity; multiplies magnitudes ("3 million") in as powers of ten. */
export function withoutUnit(text: string): UnitText {
  const modulus = /^(.+?)\\p(?:mod|od)\{([^{}]+)\}$/.exec(text);
  if (modulus) return { rest: modulus[1].trim(), unit: `mod ${modulus[2].replace("mod", "").trim()}` };
  const marked = /\\text\{([^{}]*)\}(?:\^\{(\d)\})?$/.exec(text);
  if (marked && marked.index > 0) return quantity(text.slice(0, marked.index).trim(), marked[1], marked[2] ?? "");
  const plain = /^(.*[\d})]) ?([A-Za-z][A-Za-z ./]{0,60})(?:\^\{(\d)\})?$/.exec(text);
  if (!plain || !/^[-+]?[\d.,}{\\a-z ]*$/.test(plain[1])) return { rest: text };
  const words = plain[2].trim();
  const parted = text[plain[1].length] === " ";
  const isUnit = canonicalUnit(words, "") !== undefined && (parted || words.length > 1);
  const areWords = words.split(/[ /]+/).some((word) => word.length >= 4 || word in magnitudes) && parted;
  return isUnit || areWords ? quantity(plain[1].trim(), words, plain[3] ?? "") : { rest: text };
}

function quantity(rest: string, words: string, power: string): UnitText {
  const [first = "", ...others] = words.trim().split(/\s+/);
  const magnitude = magnitudes[first.toLowerCase()];
  if (magnitude !== undefined && /\d/.test(rest)) {
    const factor = magnitude < 0 ? "12" : `10^{${magnitude}}`;
    const left = quantity(`${rest.replaceAll(",", "")}\\cdot${factor}`, others.join(" "), power);
    return others.length > 0 ? left : { rest: left.rest };
  }
  const unit = canonicalUnit(words, power);
  // "5 \text{ m} \text{ per s}" and the like: cut what is left over too.
  return unit === undefined ? { rest } : { rest, unit };
}
