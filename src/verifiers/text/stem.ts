/**
 * The Porter stemmer (M. F. Porter, "An algorithm for suffix stripping", 1980) with the extensions of NLTK, which is what published ROUGE
 * figures stem with: a few irregular words, "ies" and "ied" of four letters, and "y" kept after a vowel.
 */

const irregular: Readonly<Record<string, string>> = Object.assign(Object.create(null), {
  skies: "sky",
  sky: "sky",
  dying: "die",
  lying: "lie",
  tying: "tie",
  news: "news",
  innings: "inning",
  inning: "inning",
  outings: "outing",
  outing: "outing",
  cannings: "canning",
  canning: "canning",
  howe: "howe",
  proceed: "proceed",
  exceed: "exceed",
  succeed: "succeed",
});

/** The stem of a word in lower case. */
export function stem(word: string): string {
  const known = irregular[word];
  if (known !== undefined) return known;
  // Words longer than any word are left alone: what follows is not linear in them.
  if (word.length <= 2 || word.length > 60) return word;
  return [plural, pastOrGerund, finalY, doubleSuffix, singleSuffix, residue, finalE, finalL].reduce(
    (text, step) => step(text),
    word,
  );
}

function isConsonant(word: string, index: number): boolean {
  const letter = word[index];
  if ("aeiou".includes(letter)) return false;
  return letter !== "y" || index === 0 || !isConsonant(word, index - 1);
}

/** How often a vowel is followed by a consonant. */
function measure(word: string): number {
  let count = 0;
  for (let index = 1; index < word.length; index++) if (!isConsonant(word, index - 1) && isConsonant(word, index)) count += 1;
  return count;
}

const hasVowel = (word: string) => [...word].some((_, index) => !isConsonant(word, index));

function endsInDoubleConsonant(word: string): boolean {
  return word.length >= 2 && word.at(-1) === word.at(-2) && isConsonant(word, word.length - 1);
}

/** Consonant, vowel, consonant (none of w, x, y), or just vowel and consonant. */
function endsShort(word: string): boolean {
  const last = word.length - 1;
  if (last === 1) return !isConsonant(word, 0) && isConsonant(word, 1);
  return (
    last >= 2 &&
    isConsonant(word, last - 2) &&
    !isConsonant(word, last - 1) &&
    isConsonant(word, last) &&
    !"wxy".includes(word[last])
  );
}

/** The first suffix that fits decides, whether its condition holds or not. */
function replaceSuffix(
  word: string,
  rules: readonly (readonly [string, string])[],
  holds: (stem: string, suffix: string) => boolean,
): string {
  for (const [suffix, replacement] of rules) {
    if (!word.endsWith(suffix)) continue;
    const rest = word.slice(0, word.length - suffix.length);
    return holds(rest, suffix) ? rest + replacement : word;
  }
  return word;
}

function plural(word: string): string {
  if (word.length === 4 && word.endsWith("ies")) return `${word[0]}ie`;
  const rules = [
    ["sses", "ss"],
    ["ies", "i"],
    ["ss", "ss"],
    ["s", ""],
  ] as const;
  return replaceSuffix(word, rules, () => true);
}

function pastOrGerund(word: string): string {
  if (word.endsWith("ied")) return word.slice(0, word.length === 4 ? -1 : -2);
  if (word.endsWith("eed")) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const suffix = ["ed", "ing"].find((each) => word.endsWith(each) && hasVowel(word.slice(0, -each.length)));
  if (suffix === undefined) return word;
  const rest = word.slice(0, -suffix.length);
  if (/(?:at|bl|iz)$/.test(rest)) return `${rest}e`;
  if (endsInDoubleConsonant(rest)) return "lsz".includes(rest[rest.length - 1]) ? rest : rest.slice(0, -1);
  return measure(rest) === 1 && endsShort(rest) ? `${rest}e` : rest;
}

function finalY(word: string): string {
  const rest = word.slice(0, -1);
  return word.endsWith("y") && rest.length > 1 && isConsonant(rest, rest.length - 1) ? `${rest}i` : word;
}

const doubleSuffixes = [
  ["ational", "ate"],
  ["tional", "tion"],
  ["enci", "ence"],
  ["anci", "ance"],
  ["izer", "ize"],
  ["bli", "ble"],
  ["alli", "al"],
  ["entli", "ent"],
  ["eli", "e"],
  ["ousli", "ous"],
  ["ization", "ize"],
  ["ation", "ate"],
  ["ator", "ate"],
  ["alism", "al"],
  ["iveness", "ive"],
  ["fulness", "ful"],
  ["ousness", "ous"],
  ["aliti", "al"],
  ["iviti", "ive"],
  ["biliti", "ble"],
  ["fulli", "ful"],
  ["logi", "log"],
] as const;

function doubleSuffix(word: string): string {
  if (word.endsWith("alli") && measure(word.slice(0, -4)) > 0) return doubleSuffix(word.slice(0, -2));
  return replaceSuffix(word, doubleSuffixes, (rest, suffix) => measure(suffix === "logi" ? `${rest}l` : rest) > 0);
}

const singleSuffixes = [
  ["icate", "ic"],
  ["ative", ""],
  ["alize", "al"],
  ["iciti", "ic"],
  ["ical", "ic"],
  ["ful", ""],
  ["ness", ""],
] as const;

function singleSuffix(word: string): string {
  return replaceSuffix(word, singleSuffixes, (rest) => measure(rest) > 0);
}

const residues = "al ance ence er ic able ible ant ement ment ent ion ou ism ate iti ous ive ize"
  .split(" ")
  .map((suffix) => [suffix, ""] as const);

function residue(word: string): string {
  return replaceSuffix(word, residues, (rest, suffix) => measure(rest) > 1 && (suffix !== "ion" || /[st]$/.test(rest)));
}

function finalE(word: string): string {
  if (!word.endsWith("e")) return word;
  const rest = word.slice(0, -1);
  return measure(rest) > 1 || (measure(rest) === 1 && !endsShort(rest)) ? rest : word;
}

function finalL(word: string): string {
  return word.endsWith("ll") && measure(word.slice(0, -1)) > 1 ? word.slice(0, -1) : word;
}
