/** LaTeX that stands in several lines or storeys, set in one line. */

const upright = String.raw`\{\s{0,3}((?:\\(?:text|mathrm|textrm|mbox)\s?\{[^{}]{1,20}\}|\^\{?-?\d\}?|\\cdot\s?|\\,|\s){1,12})\}`;
const unitQuotient = new RegExp(
  String.raw`(?<=[\d)}](?:\\[,;: !]|~|\s|\\text\{ \}){0,3})\\[dtc]?frac\s?${upright}\s?${upright}`,
  "g",
);
const uprightQuotient =
  /\\(?:mathrm|text)\s?\{\s{0,3}\\[dtc]?frac\s?\{([a-zA-Zμ ]{1,12}(?:\^\{?\d\}?)?)\}\s?\{([a-zA-Zμ ]{1,12}(?:\^\{?\d\}?)?)\}\s{0,3}\}/g;

/** Fractions of units, \frac{\text{km}}{\text{h}} or \mathrm{\frac{m}{s}}, as \text{km/h}. */
export function unitsOnOneLine(text: string): string {
  if (!text.includes("frac") || !/\\(?:text|mathrm|textrm|mbox)/.test(text)) return text;
  const plain = (part: string) =>
    part
      .replace(/\\(?:text|mathrm|textrm|mbox)\s?\{([^{}]*)\}/g, "$1")
      .replace(/\\cdot|\\,/g, " ")
      .replace(/[{}]/g, "")
      .trim();
  return text
    .replace(uprightQuotient, (_, over: string, under: string) => `\\text{ ${plain(over)}/${plain(under)}}`)
    .replace(unitQuotient, (_, over: string, under: string) => `\\text{ ${plain(over)}/${plain(under)}}`);
}

const layout =
  /\\begin\{(aligned|align\*?|alignat|gather(?:ed)?\*?|split|eqnarray\*?|cases|equation\*?|multline\*?)\}([\s\S]*?)\\end\{\1\}/g;

/** Lines set below each other: a line that begins with a relation goes on with the one before it. */
export function inOneLine(text: string): string {
  if (!text.includes("\\begin")) return text;
  return text.replace(layout, (whole, name: string, inside: string) =>
    // Cases with conditions are one function.
    name === "cases" && inside.includes("&")
      ? whole
      : inside
          .split(/\\\\(?:\[[^\]]{0,9}\])?/)
          .map((line) => line.replaceAll("&", "").trim())
          .filter((line) => line !== "")
          .reduce(
            (all, line) =>
              all === "" ? line : `${all}${/^(?:[=<>≤≥]|\\(?:[lg]eq?|approx|to)(?![a-z]))/.test(line) ? " " : ";"}${line}`,
            "",
          ),
  );
}
