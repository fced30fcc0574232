/**
 * Chat ⇄ tokens ⇄ mask for one checkpoint. Ids that were sampled are kept as they are from the sampler to the gradient; text becomes ids
 * only where a person or a template wrote it.
 */
import { folderWith } from "#files/adapter-base.ts";
import type { TokenSequence } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import type { Message } from "#kernel/model.ts";
import type { Span } from "#kernel/refine-grammar.ts";
import { ChatTemplate, findEndOfTurn, textAfterTurn } from "./chat-template.ts";
import { readTokenizerFiles, specialToken, type TokenizerFiles } from "./checkpoint-files.ts";
import { tokensTouching } from "./spans.ts";
import { TextIds, TokenText } from "./token-text.ts";

export interface TokenizerOptions {
  /** More variables for the chat template, such as `enable_thinking` or a fixed `date_string`. */
  templateVariables?: Record<string, unknown>;
}

export interface DecodeOptions {
  /** Keep the text of end, padding and begin tokens. */
  keepAll?: boolean;
}

export interface RenderOptions {
  /** End with the words that open the assistant's turn. */
  addGenerationPrompt?: boolean | undefined;
  /** The last message is the assistant's and unfinished: end right after its content. */
  continueFinal?: boolean | undefined;
}

export interface TrainingOptions {
  /** Which assistant messages are learned; all of them when absent. */
  trainable?: (message: Message, index: number) => boolean;
  /** Parts of a learned message (UTF-16 offsets in its content) that are shown but not learned; tokens touching them get mask 0. */
  unlearned?: (message: Message, index: number) => readonly Span[];
}

export interface TrainingExample {
  /** The conversation up to and including the end token of the last learned message: nothing after it could be learned from. */
  ids: number[];
  /** mask[t] is 1 where ids[t] is the assistant's own and learned. Same length as ids. */
  mask: Uint8Array;
}

export interface CompletionText {
  text: string;
  /** True when the last id is a stop id, false when the sample was cut at its length. */
  ended: boolean;
}

export class Tokenizer {
  /** Largest id with a meaning, plus one. A checkpoint's embedding may have more rows. */
  readonly vocabularySize: number;
  /** End of sequence first; then the end of the assistant's turn and the ids of generation_config.json where they differ. */
  readonly stopIds: readonly number[];
  /** The padding token; the end of sequence where the checkpoint names none. */
  readonly padId: number;
  /** What ends an assistant's turn in this template; the end of sequence where there is no template. */
  readonly endOfTurnId: number;
  readonly #ids: TextIds;
  readonly #text: TokenText;
  readonly #template: ChatTemplate | undefined;
  readonly #files: TokenizerFiles;
  readonly #dropped: ReadonlySet<number>;

  private constructor(files: TokenizerFiles, options: TokenizerOptions) {
    const { config, json } = files;
    this.#files = files;
    this.#text = new TokenText(json, files.jsonFile);
    this.#ids = new TextIds(files);
    this.vocabularySize = this.#text.size;
    if (files.template !== undefined) {
      const tokens = Object.fromEntries(
        ["bos_token", "eos_token", "pad_token", "unk_token"].map((name) => [
          name,
          specialToken(config[name] as string | null) ?? "",
        ]),
      );
      this.#template = new ChatTemplate(files.template, { ...tokens, ...options.templateVariables }, files.templateFile);
    }
    const named = (name: string) => {
      const text = specialToken(config[name] as string | null);
      return text === undefined ? undefined : this.#ids.idOf(text);
    };
    const endOfSequence = named("eos_token");
    const endOfTurn =
      (this.#template && findEndOfTurn(this.#template, this.#ids, this.#text)) ?? endOfSequence ?? files.generationStopIds[0];
    if (endOfTurn === undefined) {
      throw userError(
        "end-token-missing",
        `${files.configFile} names no eos_token that the vocabulary holds, and the chat template ends no turn with a special token`,
        "Set eos_token in tokenizer_config.json, so that an answer can end.",
      );
    }
    this.endOfTurnId = endOfTurn;
    this.stopIds = [...new Set([endOfSequence ?? endOfTurn, endOfTurn, ...files.generationStopIds])];
    this.padId = named("pad_token") ?? endOfSequence ?? endOfTurn;
    const begin = named("bos_token");
    this.#dropped = new Set([...this.stopIds, this.padId, ...(begin === undefined ? [] : [begin])]);
  }

  /**
   * Reads tokenizer.json, tokenizer_config.json and, where they are, chat_template.jinja and generation_config.json; of an adapter without a
   * tokenizer those of its base.
   */
  static async load(folder: string, options: TokenizerOptions = {}): Promise<Tokenizer> {
    return new Tokenizer(await readTokenizerFiles(folderWith("tokenizer.json", folder)), options);
  }

  /** Text to ids. Names of special tokens in the text become those tokens; nothing is put in front or behind. */
  encode(text: string): number[] {
    return this.#ids.encode(text);
  }

  /** Ids to text: think, refine and answer tags stay; end, padding and begin tokens go unless all is to be kept. */
  decode(ids: readonly number[], options: DecodeOptions = {}): string {
    return this.tokenPieces(ids, options).join("");
  }

  /** The text each id adds; joined it is `decode(ids)`. A character spread over several tokens belongs to the one that completes it. */
  tokenPieces(ids: readonly number[], options: DecodeOptions = {}): string[] {
    return this.#text.pieces(ids, options.keepAll ? () => false : (id) => this.#dropped.has(id));
  }

  /** The conversation as text, by the checkpoint's template. */
  render(messages: readonly Message[], options: RenderOptions = {}): string {
    const template = this.#requireTemplate();
    if (!options.continueFinal) return template.render(messages, options.addGenerationPrompt ?? false);
    const final = messages.at(-1);
    if (final?.role !== "assistant") {
      throw userError(
        "nothing-to-continue",
        "The conversation is to be continued, but its last message is not the assistant's",
        "Add the beginning of the assistant's answer as the last message, or ask for a new turn.",
      );
    }
    return this.#renderBefore(messages, messages.length - 1) + final.content;
  }

  /** The ids a model is given before it writes. An unfinished final message is encoded by itself, as the model would have written it. */
  encodeConversation(messages: readonly Message[], options: RenderOptions = {}): number[] {
    if (!options.continueFinal) return this.#ids.encode(this.render(messages, options));
    const whole = this.render(messages, options);
    const content = messages[messages.length - 1].content;
    return [...this.#ids.encode(whole.slice(0, whole.length - content.length)), ...this.#ids.encodeInside(content)];
  }

  /**
   * The conversation with a mask of what the assistant writes. Each assistant turn is put together as it happens when sampling: the
   * prompt by the template, then the message's content word for word, then the end-of-turn token, so that decoding the marked ids of a
   * turn gives back exactly its content. Throws a user error where there is nothing to learn, or where the template renders an earlier
   * turn otherwise once later ones follow (some drop earlier reasoning): such turns must be separate examples.
   */
  encodeTraining(messages: readonly Message[], options: TrainingOptions = {}): TrainingExample {
    const ids: number[] = [];
    const mask: number[] = [];
    const add = (part: readonly number[], bit: 0 | 1) => {
      for (const id of part) {
        ids.push(id);
        mask.push(bit);
      }
    };
    let previous: { prompt: string; content: string } | undefined;
    for (const [index, message] of messages.entries()) {
      if (message.role !== "assistant" || !(options.trainable?.(message, index) ?? true)) continue;
      const prompt = this.#renderBefore(messages, index);
      if (previous === undefined) add(this.#ids.encode(prompt), 0);
      else add(this.#ids.encodeInside(this.#textAfterTurn(previous.prompt, previous.content, prompt)), 0);
      const start = ids.length;
      const content = this.#ids.encodeInside(message.content);
      add(content, 1);
      add([this.endOfTurnId], 1);
      const hidden = options.unlearned?.(message, index) ?? [];
      if (hidden.length > 0) {
        const pieces = this.tokenPieces(content, { keepAll: true });
        for (const span of tokensTouching(pieces, hidden)) mask.fill(0, start + span.start, start + span.end);
      }
      previous = { prompt, content: message.content };
    }
    if (!previous) {
      throw userError(
        "nothing-to-learn",
        `The conversation (${messages.map((message) => message.role).join(", ")}) has no assistant message to learn from`,
        "Leave it out, or mark one of its assistant messages as trainable.",
      );
    }
    return { ids, mask: Uint8Array.from(mask) };
  }

  /**
   * The think tag that a template opened for the model at the end of a prompt, as those of R1's kind do, with the white space behind it; it is the
   * beginning of what the model then writes. Empty where none is open.
   */
  openedThought(promptIds: readonly number[]): string {
    return /<think>\s*$/.exec(this.decode(promptIds.slice(-12), { keepAll: true }))?.[0] ?? "";
  }

  /** What a model wrote, as a message. `ended` is false where it was cut at its length. */
  completionMessage(ids: readonly number[]): CompletionText {
    return { text: this.decode(ids), ended: ids.length > 0 && this.stopIds.includes(ids[ids.length - 1]) };
  }

  /**
   * The prompt of the next turn of a sampled conversation, with every sampled id kept as it was. `before` is the conversation that
   * `promptIds` encodes, `next` what follows the sampled reply. A reply that was cut at its length is ended first.
   */
  continueConversation(
    promptIds: readonly number[],
    sampledIds: readonly number[],
    before: readonly Message[],
    next: readonly Message[],
  ): number[] {
    const { text, ended } = this.completionMessage(sampledIds);
    const prompt = this.render(before, { addGenerationPrompt: true });
    const reply: Message = { role: "assistant", content: text };
    const whole = this.render([...before, reply, ...next], { addGenerationPrompt: true });
    const after = this.#ids.encodeInside(this.#textAfterTurn(prompt, text, whole));
    return [...promptIds, ...sampledIds, ...(ended ? [] : [this.endOfTurnId]), ...after];
  }

  /** What a model is given before it writes message `index`. */
  #renderBefore(messages: readonly Message[], index: number): string {
    if (index > 0) return this.render(messages.slice(0, index), { addGenerationPrompt: true });
    throw userError(
      "nothing-to-answer",
      "The conversation begins with an assistant message, so there is nothing it answers",
      "Put a user message in front of it.",
    );
  }

  /** What `whole` says after the turn that `prompt` opened and `content` filled, its end token not included. */
  #textAfterTurn(prompt: string, content: string, whole: string): string {
    const end = this.tokenPieces([this.endOfTurnId], { keepAll: true })[0];
    const after = textAfterTurn(prompt, content, end, whole);
    if (after !== undefined) return after;
    throw userError(
      "template-rewrites-history",
      `${this.#files.templateFile}: the chat template shows an earlier assistant turn otherwise once another turn follows it`,
      "Make one sequence of each assistant turn: encode what stands before it anew, and learn only that turn.",
    );
  }

  #requireTemplate(): ChatTemplate {
    if (this.#template) return this.#template;
    throw userError(
      "template-missing",
      `${this.#files.configFile} has no chat_template, and there is no chat_template.jinja beside it`,
      "Use a checkpoint made for conversations, or add a chat template to tokenizer_config.json.",
    );
  }
}

/** Prompt and sampled ids as one sequence whose scored part is what was sampled. */
export function extend(promptIds: readonly number[], sampledIds: readonly number[]): TokenSequence {
  return { ids: [...promptIds, ...sampledIds], start: promptIds.length };
}
