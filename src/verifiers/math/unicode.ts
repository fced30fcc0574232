/** Mathematical signs outside ASCII, written as LaTeX. */
import { plainDigits, withoutInvisible } from "../answers/digits.ts";

const signs: ReadonlyMap<string, string> = new Map(
  Object.entries({
    "−": "-",
    "–": "-",
    "—": "-",
    "‒": "-",
    "﹣": "-",
    "－": "-",
    "‐": "-",
    "‑": "-",
    "˗": "-",
    "➖": "-",
    "＋": "+",
    "＝": "=",
    "（": "(",
    "）": ")",
    "，": ",",
    "；": ";",
    "、": ",",
    "｛": "\\{",
    "｝": "\\}",
    "［": "[",
    "］": "]",
    "＜": "<",
    "＞": ">",
    "／": "/",
    "＾": "^",
    "＊": "*",
    "．": ".",
    "。": ".",
    "∘": "\\circ ",
    "○": "\\circ ",
    "‘": "'",
    "‚": ",",
    "٪": "%",
    "٫": ".",
    "٬": ",",
    "،": ",",
    "≡": "\\equiv ",
    "⊤": "\\top ",
    "：": ":",
    "×": "\\cdot ",
    "✕": "\\cdot ",
    "·": "\\cdot ",
    "⋅": "\\cdot ",
    "∙": "\\cdot ",
    "÷": "/",
    "∕": "/",
    "⁄": "/",
    "∶": ":",
    "≤": "\\le ",
    "⩽": "\\le ",
    "≥": "\\ge ",
    "⩾": "\\ge ",
    "≠": "\\ne ",
    "≈": "\\approx ",
    "≃": "\\approx ",
    "≅": "\\approx ",
    "±": "\\pm ",
    "∓": "\\mp ",
    "∞": "\\infty ",
    "∪": "\\cup ",
    "∩": "\\cap ",
    "∖": "\\setminus ",
    "∅": "\\emptyset ",
    "⌀": "\\emptyset ",
    "∈": "\\in ",
    ℝ: "\\mathbb{R}",
    ℤ: "\\mathbb{Z}",
    ℕ: "\\mathbb{N}",
    ℚ: "\\mathbb{Q}",
    ℂ: "\\mathbb{C}",
    "°": "\\degree ",
    º: "\\degree ",
    "%": "%",
    "％": "%",
    "′": "'",
    "’": "'",
    "…": "\\ldots ",
    "⋯": "\\ldots ",
    "∠": "\\angle ",
    "∨": "\\lor ",
    "∧": "\\land ",
    "⌊": "\\lfloor ",
    "⌋": "\\rfloor ",
    "⌈": "\\lceil ",
    "⌉": "\\rceil ",
    "⟨": "\\langle ",
    "⟩": "\\rangle ",
    "〈": "\\langle ",
    "〉": "\\rangle ",
    "∣": "|",
    "｜": "|",
    α: "\\alpha ",
    β: "\\beta ",
    γ: "\\gamma ",
    δ: "\\delta ",
    ε: "\\varepsilon ",
    ζ: "\\zeta ",
    η: "\\eta ",
    θ: "\\theta ",
    κ: "\\kappa ",
    λ: "\\lambda ",
    μ: "\\mu ",
    µ: "\\mu ",
    ν: "\\nu ",
    ξ: "\\xi ",
    π: "\\pi ",
    𝜋: "\\pi ",
    ρ: "\\rho ",
    σ: "\\sigma ",
    τ: "\\tau ",
    φ: "\\phi ",
    ϕ: "\\phi ",
    χ: "\\chi ",
    ψ: "\\psi ",
    ω: "\\omega ",
    Γ: "\\Gamma ",
    Δ: "\\Delta ",
    Θ: "\\Theta ",
    Λ: "\\Lambda ",
    Π: "\\Pi ",
    Σ: "\\Sigma ",
    Φ: "\\Phi ",
    Ω: "\\Omega ",
    "½": "\\frac{1}{2}",
    "⅓": "\\frac{1}{3}",
    "⅔": "\\frac{2}{3}",
    "¼": "\\frac{1}{4}",
    "¾": "\\frac{3}{4}",
    "⅕": "\\frac{1}{5}",
    "⅖": "\\frac{2}{5}",
    "⅗": "\\frac{3}{5}",
    "⅘": "\\frac{4}{5}",
    "⅙": "\\frac{1}{6}",
    "⅚": "\\frac{5}{6}",
    "⅛": "\\frac{1}{8}",
    "⅜": "\\frac{3}{8}",
    "⅝": "\\frac{5}{8}",
    "⅞": "\\frac{7}{8}",
    "€": "",
    "£": "",
    "¥": "",
    "₹": "",
    "\u00a0": " ",
    "\u2009": " ",
    "\u202f": " ",
    "\u2002": " ",
    "\u2003": " ",
    "\u200b": "",
    "\ufeff": "",
    "“": "",
    "”": "",
    "\u2062": "",
    "\u2061": "",
  }),
);
const raised = "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ";
const raisedMeaning = "0123456789+-()ni";
const lowered = "₀₁₂₃₄₅₆₇₈₉₊₋ₙ";
const loweredMeaning = "0123456789+-n";

function translate(run: string, from: string, to: string): string {
  return [...run].map((character) => to[from.indexOf(character)] ?? character).join("");
}

/** ½ → \frac{1}{2}, x² → x^{2}, a₁ → a_{1}, √12 → \sqrt{12}, − → -, and so on. Letters of other scripts stay. */
export function withoutUnicodeSigns(raw: string): string {
  if (!/\P{ASCII}/u.test(raw)) return raw;
  const text = withoutInvisible(plainDigits(raw));
  return (
    text
      .replace(/(?<![⁰¹²³⁴⁵⁶⁷⁸⁹])([⁰¹²³⁴⁵⁶⁷⁸⁹]+)[⁄∕/]([₀₁₂₃₄₅₆₇₈₉]+)/g, (_match, top: string, bottom: string) => {
        return `\\frac{${translate(top, raised, raisedMeaning)}}{${translate(bottom, lowered, loweredMeaning)}}`;
      })
      // A raised minus before plain digits is their sign.
      .replace(/(^|[^\p{L}\p{N})\]}⁰¹²³⁴⁵⁶⁷⁸⁹])⁻(?=\d)/gu, "$1-")
      .replace(/√\s*(\d+(?:\.\d+)?|[A-Za-zπ])/g, "\\sqrt{$1}")
      .replace(/∛\s*(\d+(?:\.\d+)?|[A-Za-z])/g, "\\sqrt[3]{$1}")
      .replaceAll("√", "\\sqrt ")
      // 12 m² is an area; 12m^2 may be a product.
      .replace(/(\d)\s*([kcmd]?m|ft|in|yd|mi)([²³])/g, (_match, digit: string, unit: string, power: string) => {
        return `${digit}\\text{${unit}}^{${translate(power, raised, raisedMeaning)}}`;
      })
      .replace(/[⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱ]+/g, (run) => `^{${translate(run, raised, raisedMeaning)}}`)
      .replace(/[₀₁₂₃₄₅₆₇₈₉₊₋ₙ]+/g, (run) => `_{${translate(run, lowered, loweredMeaning)}}`)
      .replace(/\P{ASCII}/gu, (character) => signs.get(character) ?? character)
  );
}
