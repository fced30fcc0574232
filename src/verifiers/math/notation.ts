/**
 * One spelling for what LaTeX and plain text can write in many ways: \dfrac12, \frac 1 2 and 1/2 become \frac{1}{2}; sqrt(2), √2 and
 * \sqrt2 become \sqrt{2}; layout commands, math delimiters and currency signs go. Nothing is computed. Linear in the length of the text.
 */
import { inOneLine, unitsOnOneLine } from "./layout.ts";
import { limits, withinLimits } from "./limits.ts";
import { withoutUnicodeSigns } from "./unicode.ts";
import {
  oneArgument,
  plainFunctions,
  plainWords,
  prose,
  renamed,
  skippedArgument,
  transparent,
  whiteSpace,
  withoutMeaning,
} from "./vocabulary.ts";

const token = /\\[a-zA-Z]+\*?|\\[^a-zA-Z]|\\$|\d+|[a-zA-Z]+|\s+|[\s\S]/gy;
const tables = /^(?:[pbvVB]?matrix|smallmatrix|array|cases|aligned|align\*?)$/;

/** The canonical spelling; undefined when the text is beyond the limits. */
export function canonicalLatex(raw: string): string | undefined {
  if (!withinLimits(raw)) return undefined;
  // Backslashes doubled on the way ("\\\\frac"). Within a table two of them end a row, and four are the doubled end.
  const doubled = /\\\\begin\{/.test(raw) ? raw.replaceAll("\\\\", "\\") : raw;
  const single = doubled.includes("\\begin") ? doubled : raw.replace(/\\\\(?=[a-zA-Z{}()[\]%$,;!])/g, "\\");
  const signs = withoutUnicodeSigns(unquoted(inOneLine(unitsOnOneLine(single.trim())))).replace(
    /\\(q?quad)(?=[a-zA-Z])/g,
    "\\$1 ",
  );
  const text = signs.includes("\\root")
    ? signs.replace(/\\root\s*\{?([^\\{}]{1,20})\}?\s*\\of(?![a-zA-Z])/g, "\\sqrt[$1]")
    : signs;
  if (!withinLimits(text, 4 * limits.characters)) return undefined;
  const written = new Rewriter(text.match(token) ?? []).all();
  return closing(fractions(functionsOf(written)));
}

/** \sin^{-1} is the inverse function, not a reciprocal; ]2,5[ is (2,5); 6.3 x 10^{-5} is a number. */
function functionsOf(written: string): string {
  let text = written;
  // Most answers have none of this, and finding that out is much faster so.
  if (text.includes("^{-1}")) {
    text = text
      .replace(/\\(?:arc)?(sin|cos|tan|cot|sec|csc)\^\{-1\} ?/g, (whole, name: string) =>
        whole.startsWith("\\arc") ? whole : `\\arc${name} `,
      )
      .replace(/\\(sin|cos|tan)h\^\{-1\} ?/g, "\\ar$1h ");
  }
  if (text.includes("\\mathbb")) text = text.replace(/(\\mathbb\{[A-Z]\}) ?- ?(?=\\\{)/g, "$1\\setminus ");
  if (text.includes("10^{")) text = text.replace(/(\d) ?[xX] ?(?=10\^\{)/g, "$1\\cdot");
  if (text.includes("C_{")) text = text.replace(/^(?:\{\})?[_^]\{(\d{1,6})\}C_\{(\d{1,6})\}/, "\\binom{$1}{$2}");
  if (text.startsWith("]") || text.endsWith("[") || text.includes("[\\") || text.includes("]\\")) {
    text = text.replace(halfOpen, (whole, before: string, open: string, inside: string, close: string) =>
      open === "]" || close === "[" ? `${before}${open === "]" ? "(" : "["}${inside}${close === "[" ? ")" : "]"}` : whole,
    );
  }
  return text.replace(/^(?:\\text\{(?:negative|minus)\}|negative|minus|负|負|マイナス) ?(?=[\d.\\(])/i, "-");
}

/** An interval between square brackets, where an interval may stand. */
const halfOpen = /(^|[=(]|\\(?:cup|cap|setminus|in) ?)([\][])([^\][]{1,80}[,;][^\][]{1,80})([\][])(?=$|[.,;)\\ ])/g;

/** a/b between whole numbers is a fraction ("1/2 pi" is half of pi); "3 1/2" is a mixed number; 6.02e23 is a power of ten. */
function fractions(text: string): string {
  const power = /^([+-]?\d+(?:\.\d+)?)[eE]([+-]?\d{1,5})$/.exec(text);
  if (power) return `${power[1]}\\cdot10^{${power[2].replace("+", "")}}`;
  return text
    .replace(/(?<![\w.}^)])(\d+) (\d+)\/(\d+)(?![\d.^!])/g, "$1\\frac{$2}{$3}")
    .replace(/(?<![\w.}^)!])(\d+)\/(\d+)(?![\d.^!])/g, "\\frac{$1}{$2}");
}

/** 'Quoted' is quoted. */
function unquoted(text: string): string {
  return /^(['‘])[^'‘’]*['’]$/.test(text) ? text.slice(1, -1) : text;
}

/** Without the punctuation of the sentence around it. */
function closing(text: string): string {
  let end = text.length;
  while (end > 0 && ".,;:\\ ?".includes(text[end - 1])) end--;
  if (text[end] === "." && /\\ldots$/.test(text.slice(0, end))) return text;
  let start = 0;
  while (start < end && ",;: ".includes(text[start])) start++;
  return text.slice(start, end);
}

class Rewriter {
  readonly #tokens: string[];
  #at = 0;
  #tableDepth = 0;

  constructor(tokens: string[]) {
    this.#tokens = tokens;
  }

  all(): string {
    let out = "";
    // A closing brace too many is passed over.
    while (this.#at < this.#tokens.length) {
      out = join(out, this.#sequence("}"), false);
      this.#at++;
    }
    return out;
  }

  /** Rewrites up to `end` or the end of the text; `end` itself is not consumed. */
  #sequence(end: string): string {
    let out = "";
    let spaced = false;
    for (; this.#at < this.#tokens.length; ) {
      const next = this.#tokens[this.#at];
      if (next === end || next === "}") break;
      this.#at++;
      if (/^\s/.test(next) || whiteSpace.has(next)) {
        spaced = true;
        continue;
      }
      const piece = this.#piece(next, out);
      if (piece === "") continue;
      out = join(out, piece, spaced);
      spaced = false;
    }
    return out;
  }

  #piece(next: string, before: string): string {
    if (next === "$" || next === '"' || next === "`" || withoutMeaning.has(next)) return this.#dropped(next);
    if (next === "{") return this.#group();
    if (next === "^") return this.#power(before);
    if (next === "_") return `_{${this.#script()}}`;
    if (next === "*") return this.#skip("*") ? this.#power(before) : "\\cdot";
    if (next === "+" && this.#isEitherSign(before)) return "\\pm";
    if (next === "," && this.#separatesThousands()) return "";
    if (next === "." && this.#peek() === "." && this.#tokens[this.#at + 1] === ".") {
      while (this.#peek() === ".") this.#at++;
      return "\\ldots";
    }
    if (next === "&" && this.#tableDepth === 0) return "";
    if ((next === "<" || next === ">") && this.#skip("=")) return next === "<" ? "\\le" : "\\ge";
    if (next === "!" && this.#peek() === "=") return this.#skip("=") ? "\\ne" : "!";
    if (next === "=") while (this.#peek() === "=") this.#at++;
    if (/^[a-zA-Z]/.test(next)) return this.#word(next, before);
    return next.startsWith("\\") ? this.#command(next, before) : next;
  }

  #dropped(next: string): string {
    // "\left." draws nothing.
    if ((next === "\\left" || next === "\\right") && this.#peek() === ".") this.#at++;
    return "";
  }

  #group(): string {
    const inside = this.#sequence("}");
    this.#skip("}");
    if (inside === "," && this.#separatesThousands()) return "";
    return inside === "," ? "," : `{${inside}}`;
  }

  /** After a comma: "\!" or a brace group's end, then exactly three digits. Consumes what stands between. */
  #separatesThousands(): boolean {
    const braces = this.#tokens[this.#at - 1] === "}";
    let ahead = this.#at;
    let negative = false;
    while (ahead < this.#tokens.length && (this.#tokens[ahead] === "\\!" || /^\s+$/.test(this.#tokens[ahead]))) {
      negative ||= this.#tokens[ahead] === "\\!";
      ahead++;
    }
    if (!(negative || braces) || !/^\d{3}$/.test(this.#tokens[ahead] ?? "")) return false;
    this.#at = ahead;
    return true;
  }

  /** "+-3" and "+/-3" are written for ±3; behind a term "+ -3" is a sum. */
  #isEitherSign(before: string): boolean {
    const slash = this.#peek() === "/" && this.#tokens[this.#at + 1] === "-";
    if (!slash && !(this.#peek() === "-" && (before === "" || "=({[,;".includes(before.slice(-1))))) return false;
    this.#at += slash ? 2 : 1;
    return true;
  }

  #power(before: string): string {
    if (this.#tokens[this.#skipSpace()] === "(") {
      this.#at++;
      const inside = this.#sequence(")");
      this.#skip(")");
      return `^{${inside}}`;
    }
    const script = this.#script();
    const degree = script === "\\circ" || script === "\\degree" || (/^[oO]$/.test(script) && /\d/.test(before.slice(-1)));
    return degree ? "\\degree" : `^{${script}}`;
  }

  /** What stands raised or lowered: a group, a whole number with its sign, or one thing. "2^10" is meant as 2^{10}. */
  #script(): string {
    let sign = "";
    let next = this.#tokens[this.#skipSpace()];
    while (next === "-" || next === "+") {
      if (next === "-") sign += "-";
      this.#at++;
      next = this.#tokens[this.#skipSpace()];
    }
    return sign + this.#raised(next);
  }

  #raised(next: string | undefined): string {
    if (next === undefined || !/^\d/.test(next)) return this.#argument();
    this.#at++;
    const decimals = this.#tokens[this.#at + 1] ?? "";
    if (this.#peek() !== "." || !/^\d/.test(decimals)) return next;
    this.#at += 2;
    return `${next}.${decimals}`;
  }

  /** A TeX argument: a group, else one digit, letter or command. */
  #argument(): string {
    const next = this.#tokens[this.#skipSpace()];
    if (next === undefined || next === "}") return "";
    this.#at++;
    if (next === "{") {
      const inside = this.#sequence("}");
      this.#skip("}");
      return inside;
    }
    if (/^[\da-zA-Z]/.test(next)) {
      if (next.length > 1) this.#tokens[--this.#at] = next.slice(1);
      return next[0];
    }
    return next.startsWith("\\") ? this.#piece(next, "") : next;
  }

  #command(next: string, before: string): string {
    const name = renamed[next] ?? next;
    if (name === "\\\\") {
      if (this.#tokens[this.#at] === "[") while (this.#at < this.#tokens.length && this.#tokens[this.#at++] !== "]");
      return this.#tableDepth > 0 ? "\\\\" : ";";
    }
    if (name === "\\not") return this.#negated();
    if (name === "\\frac" || name === "\\binom") return `${name}{${this.#argument()}}{${this.#argument()}}`;
    if (name === "\\sqrt") return this.#root();
    if (skippedArgument.has(name)) {
      this.#argument();
      return "";
    }
    if (transparent.has(name)) return this.#transparent(name);
    if (prose.has(name)) return this.#prose(before);
    if (oneArgument.has(name)) return `${name}{${this.#argument()}}`;
    if (name === "\\begin" || name === "\\end") return this.#environment(name);
    // Behind a number, or raised, a small circle is a degree sign; between functions it composes them.
    return name === "\\circ" && (before === "" || /\d/.test(before.slice(-1))) ? "\\degree" : name;
  }

  /** \not= is ≠, \not\in is ∉. */
  #negated(): string {
    const next = this.#tokens[this.#skipSpace()];
    const sign = next === "=" ? "\\ne" : next === "\\in" ? "\\notin" : undefined;
    if (sign === undefined) return "\\not";
    this.#at++;
    return sign;
  }

  #root(): string {
    let index = "";
    if (this.#tokens[this.#skipSpace()] === "[") {
      this.#at++;
      index = `[${this.#sequence("]")}]`;
      this.#skip("]");
    }
    if (this.#tokens[this.#skipSpace()] !== "(") return `\\sqrt${index}{${this.#argument()}}`;
    this.#at++;
    const inside = this.#sequence(")");
    this.#skip(")");
    return `\\sqrt${index}{${inside}}`;
  }

  /** Two boxes beside each other are a list. */
  #transparent(name: string): string {
    const inside = this.#argument();
    const boxes = name === "\\boxed" || name === "\\fbox";
    return boxes && ["\\boxed", "\\fbox"].includes(this.#tokens[this.#skipSpace()]) ? `${inside},` : inside;
  }

  #prose(before: string): string {
    const start = this.#skipSpace();
    if (this.#tokens[start] !== "{") return this.#argument();
    let depth = 0;
    do {
      const next = this.#tokens[this.#at++];
      depth += next === "{" ? 1 : next === "}" ? -1 : 0;
    } while (depth > 0 && this.#at < this.#tokens.length);
    const content = this.#tokens.slice(start + 1, depth === 0 ? this.#at - 1 : this.#at).join("");
    const text = content
      .replace(/[$~]|\\[,;:! ]/g, " ")
      .replace(/\s+/g, " ")
      .trim();
    const plain = text.toLowerCase();
    if (/^[,;+-]?$/.test(text)) return text;
    // Behind a number "min" is minutes.
    if (plain === "min" && /[\d})]$/.test(before)) return "\\text{min}";
    if (Object.hasOwn(plainWords, plain)) return plainWords[plain];
    // "12:30 PM", "3 apples", "7 or 8"
    if (/^\d[\w .,:/-]*$/.test(text)) return text.replace(/ (or|and) (?=\d)/g, "\\$1 ");
    if (/^[A-Z](?:, ?[A-Z]){0,9}(?:,? and |, ?)[A-Z]$/.test(text)) return text.replace(/,? and /, ",");
    // Behind a number an upright letter is a unit; elsewhere one letter, or a number, is that letter or number.
    if (/^[mgshlLVJNWAKCTFHB]$/.test(text) && /(?:[\d})]|\\degree|\\cdot|\\text\{[^{}]{1,20}\}(?:\^\{-?\d\})?\/)$/.test(before))
      return `\\text{${text}}`;
    // "2\text{ hours and }30\text{ minutes}"
    const [, unit, joining] = /^(.{1,60}?),? (and|or)$/.exec(text) ?? [];
    if (unit !== undefined && /[\d})]/.test(before.slice(-1))) return `\\text{${unit.replace(/[{}]/g, "")}}\\${joining}`;
    return /^(?:[A-Za-z]|[\d.,/+-]*\d[\d.,/+-]*)$/.test(text) ? text : `\\text{${text.replace(/[{}]/g, "")}}`;
  }

  #environment(name: string): string {
    const environment = this.#argument();
    if (tables.test(environment)) this.#tableDepth += name === "\\begin" ? 1 : -1;
    if (environment === "array" && name === "\\begin") this.#argument();
    return `${name}{${environment === "array" ? "matrix" : environment}}`;
  }

  #word(word: string, before: string): string {
    const next = this.#tokens[this.#at];
    const called = Object.hasOwn(plainFunctions, word) ? plainFunctions[word] : undefined;
    if (called && (next === "(" || (word === "sqrt" && /^\d/.test(next ?? "")))) {
      this.#at++;
      if (next !== "(") return called(next);
      const inside = this.#sequence(")");
      this.#skip(")");
      return called(inside);
    }
    const glued = /[\d)}]$/.test(before) ? /^(or|and)(?=.)/.exec(word) : null;
    if (glued) this.#tokens[--this.#at] = word.slice(glued[0].length);
    if (glued) return `\\${glued[0]}`;
    const lower = word.toLowerCase();
    if (word === "U" && /[)\]}]$/.test(before)) return "\\cup";
    if (word === "in" && /[a-zA-Z)]$/.test(before) && /^[[({]$|^\\\{/.test(this.#tokens[this.#skipSpace()] ?? "")) return "\\in";
    if (Object.hasOwn(plainWords, lower) && (word === lower || lower === "infinity" || lower === "or" || lower === "and"))
      return plainWords[lower];
    // "sinx", "lnx"
    const joined = /^(sin|cos|tan|cot|sec|csc|ln|log)([xyzt])$/.exec(word);
    return joined ? `\\${joined[1]} ${joined[2]}` : word;
  }

  #peek(): string | undefined {
    return this.#tokens[this.#at];
  }

  #skip(expected: string): boolean {
    if (this.#tokens[this.#at] !== expected) return false;
    this.#at++;
    return true;
  }

  /** Passes over white space; the index of what follows. */
  #skipSpace(): number {
    while (this.#at < this.#tokens.length && (/^\s/.test(this.#tokens[this.#at]) || whiteSpace.has(this.#tokens[this.#at])))
      this.#at++;
    return this.#at;
  }
}

const longestCommand = 24;

/** White space stays only where it parts two words or two numbers ("32, 349" is no thousands); a command is parted from a letter. */
function join(out: string, piece: string, spaced: boolean): string {
  if (!/^[a-zA-Z0-9.]/.test(piece)) return out + piece;
  const tail = out.slice(-longestCommand);
  const parted = spaced && /[a-zA-Z0-9.,}%]$/.test(tail);
  return out + (parted || (/^[a-zA-Z]/.test(piece) && /\\[a-zA-Z]+$/.test(tail)) ? " " : "") + piece;
}
