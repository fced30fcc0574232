/** The six tags of the answer format, found in a stream. Tags are exact: `<Think>`, `< think >`, `<thinking>` and `<think/>` are text. */

export type TagKind = "think" | "refine" | "answer";

export interface Tag {
  kind: TagKind;
  open: boolean;
  text: string;
}

export type Lexeme = Tag | string;

const tags: readonly Tag[] = (["think", "refine", "answer"] as const).flatMap((kind) => [
  { kind, open: true, text: `<${kind}>` },
  { kind, open: false, text: `</${kind}>` },
]);

const longest = Math.max(...tags.map((tag) => tag.text.length));

export function withoutTags(text: string): string {
  return text.replaceAll(/<\/?(?:think|refine|answer)>/g, "");
}

/**
 * Cuts chunks of a stream into tags and the text between them. At most one unfinished tag is held back, and each `<` is looked at a
 * bounded number of times, so work is linear in the length of the stream.
 */
export class TagReader {
  #held = "";

  push(chunk: string): Lexeme[] {
    const text = this.#held + chunk;
    this.#held = "";
    const lexemes: Lexeme[] = [];
    let from = 0;
    let position = text.indexOf("<");
    while (position >= 0) {
      const tag = tags.find((candidate) => text.startsWith(candidate.text, position));
      if (tag) {
        if (position > from) lexemes.push(text.slice(from, position));
        lexemes.push(tag);
        from = position + tag.text.length;
      } else if (text.length - position < longest && isTagBeginning(text.slice(position))) {
        this.#held = text.slice(position);
        break;
      }
      position = text.indexOf("<", position + 1);
    }
    const end = text.length - this.#held.length;
    if (end > from) lexemes.push(text.slice(from, end));
    return lexemes;
  }

  /** The beginning of a tag that the stream ended in, or "". */
  rest(): string {
    const held = this.#held;
    this.#held = "";
    return held;
  }
}

function isTagBeginning(text: string): boolean {
  return tags.some((tag) => tag.text.startsWith(text));
}
