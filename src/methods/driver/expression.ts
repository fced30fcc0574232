/**
 * Methods written as text, such as `vanilla,self-refine(rounds=2),mine=best-of-n(self-refine(rounds=1),n=4)`.
 *
 *   list     = method { "," method }                       nothing stands between two methods but a comma and spaces
 *   method   = [ name "=" ] call                           the name is how results call it
 *   call     = name [ "(" [ argument { "," argument } ] ")" ] | name { ":" option "=" value }
 *   argument = option "=" value | call                     a call without a name goes to the option that takes a method
 *   value    = call | word | "quoted text" | 'quoted text'
 *   name     = word | quoted text                          a method of the catalogue, or a module: ./mine.ts, "C:\\mine.ts", @me/mine
 *
 * The form with colons needs no quotes in a shell. This file knows the form and no method: `bind.ts` gives it meaning.
 */
import { userError } from "#kernel/errors.ts";

export interface CallExpression {
  name: string;
  arguments: { option: string | undefined; value: ValueExpression; at: number }[];
  /** Where it begins in the text, in UTF-16 units. */
  at: number;
}

/** A word with arguments can only be a method; one without may be a method, a number or a choice. */
export type ValueExpression = { kind: "call"; call: CallExpression } | { kind: "text"; text: string };

export interface NamedExpression {
  alias: string | undefined;
  call: CallExpression;
}

const longestText = 20_000;
const deepestNesting = 8;

/** Throws a user error that shows the place. */
export function readExpressions(text: string): NamedExpression[] {
  if (text.length > longestText) {
    throw userError("method-syntax", `the list of methods is ${text.length} characters long`, `At most ${longestText} are read.`);
  }
  return new Reader(text).list();
}

type Token = { kind: "word" | "quoted" | "sign" | "end"; text: string; at: number };

class Reader {
  readonly #text: string;
  #at = 0;
  #token: Token;

  constructor(text: string) {
    this.#text = text;
    this.#token = this.#next();
  }

  list(): NamedExpression[] {
    const methods = [this.#named()];
    while (this.#takeSign(",")) methods.push(this.#named());
    if (this.#token.kind !== "end")
      this.#fail(
        "a comma or the end",
        "Methods stand between commas; a path with spaces or signs in it stands in quotes: \"'./my methods/mine.ts'\".",
      );
    return methods;
  }

  #named(): NamedExpression {
    const first = this.#name();
    if (!this.#takeSign("=")) return { alias: undefined, call: this.#call(first, 0) };
    if (!/^[\p{L}\p{N}_.+-]+$/u.test(first.text)) {
      throw userError(
        "method-syntax",
        `methods: “${first.text}” is no name for results`,
        "Letters, digits, hyphens and dots are.",
      );
    }
    return { alias: first.text, call: this.#call(this.#name(), 0) };
  }

  #call({ text: name, at }: Token, depth: number): CallExpression {
    if (depth > deepestNesting) {
      throw userError("method-syntax", `methods inside methods more than ${deepestNesting} deep`, "Take some of them out.");
    }
    const call: CallExpression = { name, arguments: [], at };
    if (this.#takeSign("(")) {
      if (this.#takeSign(")")) return call;
      do call.arguments.push(this.#argument(depth));
      while (this.#takeSign(","));
      if (!this.#takeSign(")")) this.#fail("a comma or )", `The options of ${name} end with ).`);
      return call;
    }
    while (this.#takeSign(":")) {
      const option = this.#word("the name of an option");
      if (!this.#takeSign("=")) this.#fail("=", `Write ${name}:${option.text}=VALUE.`);
      call.arguments.push({ option: option.text, value: this.#value(depth, false), at: option.at });
    }
    return call;
  }

  #argument(depth: number): CallExpression["arguments"][number] {
    const { at } = this.#token;
    if (this.#token.kind === "quoted")
      return { option: undefined, value: { kind: "call", call: this.#call(this.#take(), depth + 1) }, at };
    if (this.#token.kind !== "word") this.#fail("an option or a method", "Options are written option=value.");
    const first = this.#word("an option or a method");
    if (this.#takeSign("=")) return { option: first.text, value: this.#value(depth, true), at };
    return { option: undefined, value: { kind: "call", call: this.#call(first, depth + 1) }, at };
  }

  /** A colon after a value in a call with colons begins the next option of that call, not one of the value's. */
  #value(depth: number, mayHoldColons: boolean): ValueExpression {
    if (this.#token.kind === "quoted") {
      const text = this.#take();
      return this.#isSign("(") ? { kind: "call", call: this.#call(text, depth + 1) } : { kind: "text", text: text.text };
    }
    const word = this.#word("a value");
    const isCall = this.#isSign("(") || (mayHoldColons && this.#isSign(":"));
    return isCall ? { kind: "call", call: this.#call(word, depth + 1) } : { kind: "text", text: word.text };
  }

  #name(): Token {
    return this.#token.kind === "quoted" ? this.#take() : this.#word("the name of a method");
  }

  #word(expected: string): Token {
    if (this.#token.kind !== "word") this.#fail(expected, 'Such as self-refine(rounds=2); text with spaces stands in "quotes".');
    return this.#take();
  }

  #take(): Token {
    const token = this.#token;
    this.#token = this.#next();
    return token;
  }

  #isSign(sign: string): boolean {
    return this.#token.kind === "sign" && this.#token.text === sign;
  }

  #takeSign(sign: string): boolean {
    if (!this.#isSign(sign)) return false;
    this.#take();
    return true;
  }

  #next(): Token {
    const text = this.#text;
    while (this.#at < text.length && /\s/.test(text[this.#at])) this.#at++;
    const at = this.#at;
    const first = text[at];
    if (first === undefined) return { kind: "end", text: "", at };
    if (first === '"' || first === "'") return this.#quoted(first, at);
    const word = /[\p{L}\p{N}_.+@/~-]+/uy;
    word.lastIndex = at;
    const found = word.exec(text)?.[0];
    this.#at = at + (found ?? first).length;
    return found === undefined ? { kind: "sign", text: first, at } : { kind: "word", text: found, at };
  }

  /** A backslash takes the next character as it is, but n as a line break. */
  #quoted(quote: string, at: number): Token {
    let content = "";
    for (let index = at + 1; index < this.#text.length; index++) {
      const character = this.#text[index];
      if (character === quote) {
        this.#at = index + 1;
        return { kind: "quoted", text: content, at };
      }
      if (character !== "\\") content += character;
      else {
        const escaped = this.#text[++index] ?? "";
        content += escaped === "n" ? "\n" : escaped;
      }
    }
    throw userError(
      "method-syntax",
      `methods: the text that begins at ${excerpt(this.#text, at)} has no closing ${quote}`,
      "Close it.",
    );
  }

  #fail(expected: string, advice: string): never {
    const { kind, at } = this.#token;
    const found = kind === "end" ? "the end" : excerpt(this.#text, at);
    throw userError("method-syntax", `methods: expected ${expected}, found ${found}`, advice);
  }
}

function excerpt(text: string, at: number): string {
  const rest = text.slice(at, at + 24);
  return `“${rest}${at + 24 < text.length ? "…" : ""}” (character ${at + 1})`;
}
