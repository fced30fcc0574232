/** Which LaTeX commands and plain words mean the same, change nothing, or stand for a sign. */

/** Commands that only lay out. */
export const withoutMeaning = new Set(
  (
    "\\left \\right \\middle \\big \\Big \\bigg \\Bigg \\bigl \\bigr \\Bigl \\Bigr \\biggl \\biggr \\Biggl \\Biggr \\displaystyle \\textstyle \\scriptstyle " +
    "\\limits \\nolimits \\hfill \\strut \\mathstrut \\rm \\bf \\it \\tt \\sf \\nonumber \\notag \\centering \\hline \\null \\ensuremath \\unboldmath " +
    "\\! \\- \\/ \\$ \\& \\# \\@"
  ).split(" "),
);

/** Commands that stand for white space. */
export const whiteSpace = new Set([
  "\\,",
  "\\;",
  "\\:",
  "\\>",
  "\\ ",
  "~",
  "\\quad",
  "\\qquad",
  "\\enspace",
  "\\thinspace",
  "\\(",
  "\\)",
  "\\[",
  "\\]",
]);

/** Commands whose argument is dropped with them. */
export const skippedArgument = new Set([
  "\\tag",
  "\\label",
  "\\hspace",
  "\\vspace",
  "\\phantom",
  "\\hphantom",
  "\\vphantom",
  "\\color",
  "\\textcolor",
  "\\colorbox",
]);

/** Commands whose argument stands by itself. */
export const transparent = new Set([
  "\\boxed",
  "\\fbox",
  "\\framebox",
  "\\underline",
  "\\mathstrut",
  "\\displaylines",
  "\\boldsymbol",
  "\\bm",
  "\\mathbf",
  "\\mathit",
  "\\mathsf",
  "\\pmb",
]);

/** Commands whose argument is prose, or an upright letter. */
export const prose = new Set(
  "\\text \\textbf \\textit \\textrm \\textnormal \\textsf \\texttt \\emph \\mbox \\hbox \\mathrm \\operatorname \\operatorname* \\mathtt".split(
    " ",
  ),
);

/** Commands with one argument that keep it in braces. */
export const oneArgument = new Set(
  "\\overline \\bar \\dot \\ddot \\vec \\hat \\widehat \\tilde \\overrightarrow \\overleftrightarrow \\overset \\mathbb \\mathcal \\pmod \\pod".split(
    " ",
  ),
);

export const renamed: Record<string, string> = {
  "\\dfrac": "\\frac",
  "\\tfrac": "\\frac",
  "\\cfrac": "\\frac",
  "\\sfrac": "\\frac",
  "\\nicefrac": "\\frac",
  "\\xfrac": "\\frac",
  "\\flatfrac": "\\frac",
  "\\dbinom": "\\binom",
  "\\tbinom": "\\binom",
  "\\leq": "\\le",
  "\\leqslant": "\\le",
  "\\leqq": "\\le",
  "\\geq": "\\ge",
  "\\geqslant": "\\ge",
  "\\geqq": "\\ge",
  "\\lt": "<",
  "\\gt": ">",
  "\\neq": "\\ne",
  "\\times": "\\cdot",
  "\\ast": "\\cdot",
  "\\bullet": "\\cdot",
  "\\div": "/",
  "\\varnothing": "\\emptyset",
  "\\O": "\\emptyset",
  "\\dots": "\\ldots",
  "\\cdots": "\\ldots",
  "\\dotsc": "\\ldots",
  "\\dotsb": "\\ldots",
  "\\vdots": "\\ldots",
  "\\lbrace": "\\{",
  "\\rbrace": "\\}",
  "\\lbrack": "[",
  "\\rbrack": "]",
  "\\lvert": "|",
  "\\rvert": "|",
  "\\vert": "|",
  "\\mid": "|",
  "\\colon": ":",
  "\\ratio": ":",
  "\\%": "%",
  "\\lor": "\\or",
  "\\vee": "\\or",
  "\\land": "\\and",
  "\\wedge": "\\and",
  "\\sim": "\\approx",
  "\\simeq": "\\approx",
  "\\cong": "\\approx",
  "\\approxeq": "\\approx",
  "\\prime": "'",
  "\\backslash": "\\setminus",
  "\\smallsetminus": "\\setminus",
  "\\R": "\\mathbb{R}",
  "\\reals": "\\mathbb{R}",
  "\\Reals": "\\mathbb{R}",
  "\\lparen": "(",
  "\\rparen": ")",
  "\\infin": "\\infty",
  "\\bigcup": "\\cup",
  "\\tg": "\\tan",
  "\\ctg": "\\cot",
  "\\arctg": "\\arctan",
  "\\arcctg": "\\arccot",
  "\\cosec": "\\csc",
  "\\e": "e",
  "\\mathrm{e}": "e",
};

/** Plain words of mathematics: what they are in LaTeX. */
export const plainWords: Record<string, string> = {
  pi: "\\pi",
  infinity: "\\infty",
  inf: "\\infty",
  infty: "\\infty",
  oo: "\\infty",
  theta: "\\theta",
  alpha: "\\alpha",
  beta: "\\beta",
  gamma: "\\gamma",
  delta: "\\delta",
  lambda: "\\lambda",
  phi: "\\phi",
  mu: "\\mu",
  sigma: "\\sigma",
  omega: "\\omega",
  rho: "\\rho",
  tau: "\\tau",
  epsilon: "\\epsilon",
  sin: "\\sin",
  cos: "\\cos",
  tan: "\\tan",
  cot: "\\cot",
  sec: "\\sec",
  csc: "\\csc",
  arcsin: "\\arcsin",
  arccos: "\\arccos",
  arctan: "\\arctan",
  asin: "\\arcsin",
  acos: "\\arccos",
  atan: "\\arctan",
  arccot: "\\arccot",
  arcsec: "\\arcsec",
  arccsc: "\\arccsc",
  acot: "\\arccot",
  asec: "\\arcsec",
  acsc: "\\arccsc",
  arcsinh: "\\arsinh",
  arccosh: "\\arcosh",
  arctanh: "\\artanh",
  asinh: "\\arsinh",
  acosh: "\\arcosh",
  atanh: "\\artanh",
  arsinh: "\\arsinh",
  arcosh: "\\arcosh",
  artanh: "\\artanh",
  sinh: "\\sinh",
  cosh: "\\cosh",
  tanh: "\\tanh",
  ln: "\\ln",
  log: "\\log",
  exp: "\\exp",
  max: "\\max",
  min: "\\min",
  gcd: "\\gcd",
  lcm: "\\operatorname{lcm}",
  or: "\\or",
  and: "\\and",
  percent: "%",
  percentage: "%",
  pct: "%",
  degree: "\\degree",
  degrees: "\\degree",
  deg: "\\degree",
  times: "\\cdot",
  union: "\\cup",
  choose: "\\choose",
};

/** Functions that plain text writes with brackets and LaTeX with a command of another shape. */
export const plainFunctions: Record<string, (argument: string) => string> = {
  sqrt: (argument) => `\\sqrt{${argument}}`,
  cbrt: (argument) => `\\sqrt[3]{${argument}}`,
  abs: (argument) => `|${argument}|`,
  floor: (argument) => `\\lfloor ${argument}\\rfloor`,
  ceil: (argument) => `\\lceil ${argument}\\rceil`,
};

const smallNumbers = new Map(
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen"
    .split(" ")
    .map((word, value) => [word, value]),
);
const tens = new Map(
  "twenty thirty forty fifty sixty seventy eighty ninety".split(" ").map((word, index) => [word, 10 * (index + 2)]),
);
const scales = new Map([
  ["thousand", 1000],
  ["million", 1_000_000],
  ["billion", 1_000_000_000],
]);

/** "twelve", "twenty one", "minus two hundred and five" in digits; undefined for other words. Lower case, hyphens as spaces. */
export function numberOfWords(words: string): string | undefined {
  const [, sign, unsigned] = /^(minus |negative )?(.{3,120})$/.exec(words) ?? [];
  let total = 0;
  let part: number | undefined;
  let last = 0;
  for (const word of unsigned?.split(" ") ?? []) {
    const small = smallNumbers.get(word) ?? tens.get(word);
    const scale = scales.get(word);
    if (word === "and" && part !== undefined && last >= 100) continue;
    if (small !== undefined && (part === undefined || last >= 100 || (last >= 20 && small > 0 && small < 10)))
      part = (part ?? 0) + small;
    else if (word === "hundred" && part !== undefined && part > 0 && part < 10) part *= 100;
    else if (scale !== undefined && part !== undefined && part > 0) {
      total += part * scale;
      part = 0;
    } else return undefined;
    last = small ?? scale ?? 100;
  }
  return part === undefined ? undefined : `${sign && total + part > 0 ? "-" : ""}${total + part}`;
}
