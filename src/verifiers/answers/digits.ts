/** Digits, signs and spaces of every script as the plain ones, so that readers of numbers know one way of writing. */

const otherSigns = /[\u0080-\uffff]/;

let asked = "";
let answered = false;

/** Whether any character is not of ASCII; most texts have none, and what reads other scripts is spared then. A text is asked about many times. */
export function hasOtherSigns(text: string): boolean {
  if (text === asked) return answered;
  const has = otherSigns.test(text);
  if (text.length > 200) [asked, answered] = [text, has];
  return has;
}

const zeros = new Map<number, number>();

/** Decimal digits stand in runs of ten; the mathematical ones in five runs without a gap. */
function digitValue(code: number): number {
  if (code >= 0x1d7ce && code <= 0x1d7ff) return (code - 0x1d7ce) % 10;
  let zero = zeros.get(code);
  if (zero === undefined) {
    zero = code;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1)) && code - zero < 9) zero--;
    zeros.set(code, zero);
  }
  return code - zero;
}

/** ٤٢, ৪২, ４２ and 𝟒𝟐 are 42; ٫ is a decimal point, ٬ a comma. */
export function plainDigits(text: string): string {
  if (!hasOtherSigns(text)) return text;
  return text
    .replace(/(?![0-9])\p{Nd}/gu, (digit) => String(digitValue(digit.codePointAt(0)!)))
    .replaceAll("٫", ".")
    .replaceAll("٬", ",");
}

/** Characters that cannot be seen: joiners, marks of direction, variation selectors, soft hyphens. */
export function withoutInvisible(text: string): string {
  if (!hasOtherSigns(text)) return text;
  return text.replace(/[\u00ad\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]|\p{Variation_Selector}/gu, "");
}

/**
 * Every kind of dash as a minus sign, and the narrow and unbreakable spaces as plain ones. The long dash is one only where it stands before
 * digits and behind a space.
 */
export function plainSigns(text: string): string {
  if (!hasOtherSigns(text)) return text;
  return text
    .replace(/[−‒–‐‑⁻˗➖﹣－]/g, "-")
    .replace(/(?<=^|[\s(=:：{])[—―](?=\s?\d)/g, "-")
    .replace(/[\u00a0\u2000-\u200a\u202f\u205f\u3000]/g, " ");
}
