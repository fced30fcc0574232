/**
 * Takes a reply's text apart into the JSON values it holds, whatever stands around them: one value, server-sent events, a value a line,
 * values one behind the other, and mixtures. What it is, is seen in the text and not taken from the content type, which many servers and
 * proxies get wrong. Each character is looked at a fixed number of times, however the text is split.
 *
 * Server-sent events: WHATWG HTML, 9.2.6 “Interpreting an event stream”. Departures: a value is handed on once it is whole and does not wait
 * for the blank line behind it, which some servers leave out and others send late; a field named `error` is an event (llama.cpp#16109).
 */

export interface FramingListener {
  /** A whole JSON value, or one that a blank line broke off; `event` is the name of the event it came in. Bare ones came in none. */
  onValue(json: string, event: string | undefined, isBare: boolean): void;
  /** Text in an event that is no JSON. */
  onText(text: string, event: string | undefined): void;
}

/** A line's end that shows without what follows it: the mark can be the last that ever comes. */
const lastMark = /^data:\s*\[DONE\]\s*$/i;
const longestMark = 40;

export class ReplyFraming {
  readonly #listener: FramingListener;
  readonly #scanner = new ValueScanner();
  #state: "between" | "line" | "bare" = "between";
  #line: string[] = [];
  #lineLength = 0;
  #isComment = false;
  /** A line ended in CR, so an LF right behind it belongs to that end. */
  #afterReturn = false;
  #event: string | undefined;
  /** Data seen since the last blank line, for a name that comes behind it. */
  #dataOfEvent: string | undefined;
  #isFirst = true;
  /** What stood outside of values and events first; such a reply is no answer unless a value is there as well. */
  stray: string | undefined;

  constructor(listener: FramingListener) {
    this.#listener = listener;
  }

  /** Whether what came last is inside a value, or inside a line that is too long for anything else. */
  get isMidway(): boolean {
    return this.#scanner.isOpen || this.#lineLength > longestMark;
  }

  push(text: string): void {
    let at = 0;
    if (this.#isFirst && text !== "") {
      this.#isFirst = false;
      if (text.startsWith("\uFEFF")) at = 1;
    }
    while (at < text.length) {
      if (this.#state === "bare") at = this.#bare(text, at);
      else if (this.#state === "line") at = this.#insideLine(text, at);
      else at = this.#between(text, at);
    }
    if (this.#state === "line" && this.#lineLength <= longestMark && lastMark.test(this.#line.join(""))) this.#endLine();
  }

  /** True where the text ended inside a value. */
  end(): boolean {
    if (this.#state === "line") this.#endLine();
    return this.#scanner.isOpen;
  }

  #between(text: string, start: number): number {
    let at = start;
    if (this.#afterReturn && text[at] === "\n") at++;
    this.#afterReturn = false;
    for (; at < text.length; at++) {
      const letter = text[at];
      if (letter === "\n" || letter === "\r") {
        this.#afterReturn = letter === "\r";
        this.#blankLine();
        return at + 1;
      }
      // Commas and record separators stand between values, a bracket behind the last of a list.
      if (letter === " " || letter === "\t" || letter === "," || letter === "\u001E") continue;
      const isValue = (letter === "{" || letter === "[") && !this.#scanner.isOpen;
      this.#state = isValue ? "bare" : "line";
      this.#isComment = letter === ":";
      return at;
    }
    return at;
  }

  #bare(text: string, start: number): number {
    const end = this.#scanner.feed(text, start);
    if (this.#scanner.isOpen) return end;
    this.#state = "between";
    this.#listener.onValue(this.#scanner.take(), this.#event, true);
    return end;
  }

  #insideLine(text: string, start: number): number {
    const found = /[\r\n]/g;
    found.lastIndex = start;
    const end = found.exec(text)?.index ?? text.length;
    if (!this.#isComment) {
      this.#line.push(text.slice(start, end));
      this.#lineLength += end - start;
    }
    if (end === text.length) return end;
    this.#afterReturn = text[end] === "\r";
    this.#endLine();
    return end + 1;
  }

  #endLine(): void {
    const line = this.#line.join("");
    this.#line = [];
    this.#lineLength = 0;
    this.#state = "between";
    if (this.#isComment) {
      this.#isComment = false;
      return;
    }
    const field = /^(data|event|error|id|retry)(?:$|:\s?)/i.exec(line);
    if (field === null) {
      this.#strayLine(line);
      return;
    }
    const value = line.slice(field[0].length);
    const name = field[1].toLowerCase();
    if (name === "data") this.#data(value, this.#event);
    else if (name === "error") this.#data(value, "error");
    else if (name === "event") {
      this.#event = value.trim().toLowerCase();
      if (this.#event === "error" && this.#dataOfEvent !== undefined) this.#listener.onText(this.#dataOfEvent, "error");
    }
  }

  #strayLine(line: string): void {
    const text = unquoted(line);
    if (text !== undefined && /^\s*[{[]/.test(text)) this.#data(text, this.#event);
    else this.stray ??= line;
  }

  #data(payload: string, event: string | undefined): void {
    let at = 0;
    if (this.#scanner.isOpen) {
      this.#scanner.feed("\n", 0);
      at = this.#value(payload, 0, event);
    }
    while (at < payload.length) {
      const letter = payload[at];
      if (letter === "{" || letter === "[") at = this.#value(payload, at, event);
      else if (letter === " " || letter === "\t" || letter === "\n" || letter === "\r" || letter === ",") at++;
      else {
        const rest = payload.slice(at).trim();
        // Proxies that frame what is framed already.
        const inner = /^data:/i.exec(rest);
        if (inner !== null) {
          at = payload.indexOf(inner[0], at) + inner[0].length;
          continue;
        }
        this.#dataOfEvent = rest;
        this.#listener.onText(unquoted(rest) ?? rest, event);
        return;
      }
    }
  }

  #value(payload: string, start: number, event: string | undefined): number {
    const end = this.#scanner.feed(payload, start);
    if (!this.#scanner.isOpen) {
      const json = this.#scanner.take();
      this.#dataOfEvent = json;
      this.#listener.onValue(json, event, false);
    }
    return end;
  }

  /** Ends an event; a value that is not whole by then never will be. */
  #blankLine(): void {
    const event = this.#event;
    this.#event = undefined;
    this.#dataOfEvent = undefined;
    if (this.#scanner.isOpen) this.#listener.onValue(this.#scanner.take(), event, false);
  }
}

/** What a JSON string says: some gateways encode a reply twice. */
function unquoted(text: string): string | undefined {
  if (!text.startsWith('"')) return undefined;
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}

/** Finds where a JSON object or list ends, from brackets outside of strings. */
class ValueScanner {
  #pieces: string[] = [];
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  /** Whether a value has begun and not ended. */
  get isOpen(): boolean {
    return this.#depth > 0;
  }

  /** Takes what belongs to the value, which begins at `start` or before it, and gives the place behind that. */
  feed(text: string, start: number): number {
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (this.#isEscaped) this.#isEscaped = false;
      else if (this.#isInString) {
        if (code === 0x5c) this.#isEscaped = true;
        else if (code === 0x22) this.#isInString = false;
      } else if (code === 0x22) this.#isInString = true;
      else if (code === 0x7b || code === 0x5b) this.#depth++;
      else if (code === 0x7d || code === 0x5d) {
        this.#depth--;
        if (this.#depth === 0) {
          this.#pieces.push(text.slice(start, at + 1));
          return at + 1;
        }
      }
    }
    this.#pieces.push(text.slice(start));
    return text.length;
  }

  /** The value, or what has come of it, and none from here on. */
  take(): string {
    const value = this.#pieces.join("");
    this.#pieces = [];
    this.#depth = 0;
    this.#isInString = false;
    this.#isEscaped = false;
    return value;
  }
}
