/** The text of a method's only call, shown while it arrives: what is certain to be the answer as text, the rest as reasoning. */
import { type GrammarEvent, RefineParser } from "#kernel/refine-grammar.ts";

export interface LivePieces {
  text: string;
  reasoning: string;
}

export class LiveAnswer {
  readonly #mode: "whole" | "tagged";
  readonly #parser = new RefineParser();
  #told = "";
  /** White space that belongs to the answer only if more of it follows. */
  #blank = "";
  #sawTag = false;

  /** `whole`: text without tags is the answer; `tagged`: only what stands in the answer span. */
  constructor(mode: "whole" | "tagged") {
    this.#mode = mode;
  }

  push(chunk: string): LivePieces {
    return this.#take(this.#parser.push(chunk));
  }

  /** A beginning of a tag that never became one. */
  flush(): LivePieces {
    return this.#take(this.#parser.flush());
  }

  /** What has to follow so that the text told is the answer; set apart where something else was told in its place. */
  rest(answer: string): string {
    if (answer.startsWith(this.#told)) return answer.slice(this.#told.length);
    return answer === "" ? "" : `\n\n${answer}`;
  }

  #take(events: readonly GrammarEvent[]): LivePieces {
    const pieces: LivePieces = { text: "", reasoning: "" };
    for (const event of events) {
      if (event.type !== "text") this.#sawTag = true;
      else if (event.within === "answer" || (event.within === "outside" && this.#mode === "whole" && !this.#sawTag)) {
        pieces.text += this.#answer(event.text);
      } else pieces.reasoning += event.text;
    }
    return pieces;
  }

  #answer(text: string): string {
    const begun = this.#told === "" ? text.trimStart() : this.#blank + text;
    const kept = begun.trimEnd();
    this.#blank = begun.slice(kept.length);
    this.#told += kept;
    return kept;
  }
}
