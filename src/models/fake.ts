/** A model that plays a script and records its calls, for tests of methods and of anything that talks to a model. */
import type { Completion, GenerateOptions, Message, Model } from "#kernel/model.ts";

/** What one sample is answered with: text, a whole completion, or an error to throw for the call. */
export type FakeReply = string | Partial<Completion> | Error;

export interface FakeCall {
  messages: readonly Message[];
  options: GenerateOptions;
}

/** A list is played in order, one entry per sample; a function is asked for each sample. */
export type FakeScript = readonly FakeReply[] | ((call: FakeCall, sample: number, callIndex: number) => FakeReply);

export class FakeModel implements Model {
  readonly id: string;
  /** Every call so far, oldest first. */
  readonly calls: FakeCall[] = [];
  readonly #script: FakeScript;
  #played = 0;

  constructor(script: FakeScript, id = "fake") {
    this.#script = script;
    this.id = id;
  }

  /** Tokens are counted as words: the messages' in the first sample, the reply's in each. Throws when the script is at its end. */
  async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    const callIndex = this.calls.length;
    // A copy, because callers may go on appending to their list.
    const call: FakeCall = { messages: messages.map((message) => ({ ...message })), options };
    this.calls.push(call);
    options.signal?.throwIfAborted();
    const completions: Completion[] = [];
    for (let sample = 0; sample < options.n; sample++) {
      const reply = this.#next(call, sample, callIndex);
      if (reply instanceof Error) throw reply;
      const given: Partial<Completion> = typeof reply === "string" ? { text: reply } : reply;
      const text = given.text ?? "";
      const inputTokens = sample === 0 ? countWords(messages.map((message) => message.content).join(" ")) : 0;
      const usage = { calls: sample === 0 ? 1 : 0, inputTokens, outputTokens: countWords(text), milliseconds: 0 };
      completions.push({ finishReason: "stop", usage, ...given, text });
    }
    return completions;
  }

  #next(call: FakeCall, sample: number, callIndex: number): FakeReply {
    if (typeof this.#script === "function") return this.#script(call, sample, callIndex);
    const reply = this.#script[this.#played++];
    if (reply === undefined) throw new Error(`the script has ${this.#script.length} replies and was asked for one more`);
    return reply;
  }
}

function countWords(text: string): number {
  return text.split(/\s+/).filter((word) => word !== "").length;
}
