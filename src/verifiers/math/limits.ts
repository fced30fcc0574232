/** What an answer may be at most. Longer, deeper or larger ones are not compared as mathematics: equal only to the very same text. */

export const limits = {
  /** Characters of one answer. */
  characters: 4096,
  /** Brackets and braces inside one another. */
  nesting: 64,
  /** LaTeX commands. */
  commands: 256,
  /** Commas and semicolons. */
  separators: 256,
  /** Sides of an equation or inequality. */
  sides: 16,
  /** Digits in a row. */
  digits: 256,
  /** Exponents that are worked out exactly. */
  exponent: 10_000,
  /** Arguments of factorials and binomials that are worked out exactly. */
  factorial: 10_000,
  /** Bits of an exact numerator or denominator. */
  bits: 200_000,
  /** Elements of a list, a set or a tuple; entries of a matrix. */
  elements: 64,
  /** Nodes of a parsed expression. */
  nodes: 512,
} as const;

/** One pass over the text; true when it is short, shallow and plain enough to be read. */
export function withinLimits(text: string, characters: number = limits.characters): boolean {
  if (text.length > characters) return false;
  let depth = 0;
  let commands = 0;
  let separators = 0;
  let digits = 0;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    digits = character >= "0" && character <= "9" ? digits + 1 : 0;
    if (character === "\\") commands++;
    else if (character === "," || character === ";") separators++;
    else if (character === "(" || character === "[" || character === "{") depth++;
    else if (character === ")" || character === "]" || character === "}") depth = Math.max(0, depth - 1);
    if (depth > limits.nesting || commands > limits.commands || separators > limits.separators || digits > limits.digits)
      return false;
  }
  return true;
}
