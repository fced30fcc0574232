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
  "\\cosec": "\\csc",
  "\\e": "e",
  "\\mathrm{e}": "e",
  "\\bmod": "\\bmod",
  "\\lg": "\\lg",
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

export const numberWords: Record<string, string> = Object.fromEntries(
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    .split(" ")
    .map((word, value) => [word, String(value)]),
);
