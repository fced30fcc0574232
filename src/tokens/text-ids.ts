/** Text to ids by a checkpoint's tokenizer.json, with nothing put in front or behind. */
import { Tokenizer as Encoder } from "@huggingface/tokenizers";
import { messageOf, userError } from "#kernel/errors.ts";
import type { TokenizerFiles } from "./checkpoint-files.ts";

export class TextIds {
  readonly #encoder: Encoder;
  readonly #special: ReadonlySet<number>;
  /** SentencePiece-like tokenizers put a space before the first word of a text. */
  readonly #addsFirstSpace: boolean;

  constructor(files: TokenizerFiles) {
    try {
      this.#encoder = new Encoder(
        {
          normalizer: null,
          pre_tokenizer: null,
          post_processor: null,
          ...files.json,
          added_tokens: files.json.added_tokens ?? [],
        },
        files.config,
      );
    } catch (cause) {
      throw userError(
        "tokenizer-unsupported",
        `${files.jsonFile}: ${messageOf(cause)}`,
        "Use a checkpoint of the Qwen or Llama families.",
        cause,
      );
    }
    this.#special = new Set((files.json.added_tokens ?? []).filter((token) => token.special).map((token) => token.id));
    this.#addsFirstSpace = this.#encoder.id_to_token(this.encode("a")[0])?.startsWith("\u2581") ?? false;
  }

  encode(text: string): number[] {
    return text === "" ? [] : this.#encoder.encode(text, { add_special_tokens: false }).ids;
  }

  /** Text that goes on from other text: without the space of a beginning. */
  encodeInside(text: string): number[] {
    if (!this.#addsFirstSpace || text === "") return this.encode(text);
    const lead = this.encode("\n");
    const ids = this.encode(`\n${text}`);
    return lead.every((id, index) => ids[index] === id) ? ids.slice(lead.length) : this.encode(text);
  }

  idOf(token: string): number | undefined {
    return this.#encoder.token_to_id(token);
  }

  isSpecial(id: number): boolean {
    return this.#special.has(id);
  }
}
