/**
 * Tells reasoning that a model writes inside tags at the start of its answer (`<think>…</think>`) from the answer itself, on a whole text or
 * on pieces split anywhere. Off unless asked for: formats such as PASR's keep their tags in the text, where methods and graders read them.
 */

/**
 * `keep`: the text stays as it is. `split`: a tagged passage at the very start is reasoning. `split-from-start`: the text begins inside the
 * passage, for chat templates that write the opening tag into the prompt. `join`: reasoning that the server told apart is put back, in
 * `<think>` tags before the answer, for methods that read the tags; pieces of a stream still tell it apart.
 */
export type ReasoningTags = (typeof reasoningWays)[number];

export const reasoningWays = ["keep", "split", "split-from-start", "join"] as const;

const pairs: readonly { open: string; close: string }[] = [
  { open: "<think>", close: "</think>" },
  { open: "<thinking>", close: "</thinking>" },
  { open: "◁think▷", close: "◁/think▷" },
];

/** White space before an opening tag; behind more of it nothing is a tag, so that little is ever held back. */
const mostBlank = 1000;

export interface ReasoningPieces {
  text: string;
  reasoning: string;
}

/** Takes text in pieces; what it gives back, put together, is the same however the text was split. */
export class ReasoningSplitter {
  readonly #tags: ReasoningTags;
  /** `start`: white space or a part of a tag so far; `reasoning`: inside; `gap`: white space behind the closing tag; `text`: the answer. */
  #state: "start" | "reasoning" | "gap" | "text";
  #close = pairs[0].close;
  /** Characters whose meaning the next ones decide. */
  #held = "";

  constructor(tags: ReasoningTags) {
    this.#tags = tags;
    this.#state = tags === "keep" || tags === "join" ? "text" : "start";
  }

  push(piece: string): ReasoningPieces {
    const out: ReasoningPieces = { text: "", reasoning: "" };
    let rest = this.#held + piece;
    this.#held = "";
    if (this.#state === "start") rest = this.#begin(rest);
    if (this.#state === "reasoning") rest = this.#inside(rest, out);
    if (this.#state === "gap") {
      rest = rest.trimStart();
      if (rest !== "") this.#state = "text";
    }
    if (this.#state === "text") out.text = rest;
    return out;
  }

  /** What is left at the end. A passage that never closed is reasoning to its end. */
  end(): ReasoningPieces {
    const held = this.#held;
    this.#held = "";
    const inside = this.#state === "reasoning" || (this.#state === "start" && this.#tags === "split-from-start");
    return inside ? { text: "", reasoning: held } : { text: held, reasoning: "" };
  }

  #begin(rest: string): string {
    const trimmed = rest.trimStart();
    const opened = rest.length - trimmed.length <= mostBlank ? pairs.find((pair) => trimmed.startsWith(pair.open)) : undefined;
    if (opened) {
      this.#state = "reasoning";
      this.#close = opened.close;
      return trimmed.slice(opened.open.length);
    }
    if (rest.length - trimmed.length <= mostBlank && pairs.some((pair) => pair.open.startsWith(trimmed))) {
      this.#held = rest;
      return "";
    }
    this.#state = this.#tags === "split-from-start" ? "reasoning" : "text";
    return rest;
  }

  #inside(rest: string, out: ReasoningPieces): string {
    const at = rest.indexOf(this.#close);
    if (at >= 0) {
      out.reasoning = rest.slice(0, at);
      this.#state = "gap";
      return rest.slice(at + this.#close.length);
    }
    // The end may be the beginning of the closing tag.
    let kept = Math.min(rest.length, this.#close.length - 1);
    while (kept > 0 && !this.#close.startsWith(rest.slice(rest.length - kept))) kept--;
    this.#held = rest.slice(rest.length - kept);
    out.reasoning = rest.slice(0, rest.length - kept);
    return "";
  }
}

export function splitReasoning(text: string, tags: ReasoningTags): ReasoningPieces {
  const splitter = new ReasoningSplitter(tags);
  const first = splitter.push(text);
  const last = splitter.end();
  return { text: first.text + last.text, reasoning: first.reasoning + last.reasoning };
}
