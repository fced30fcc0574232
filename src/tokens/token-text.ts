/**
 * What text each token id adds. Tokens are bytes, and a character may be spread over several of them, so the text of a sequence is read
 * by one streaming UTF-8 decoder; the same walk gives the whole text and the piece each id adds, so both always agree.
 */
import { Tokenizer as Encoder } from "@huggingface/tokenizers";
import { messageOf, userError } from "#kernel/errors.ts";
import { bytesOfEntry } from "./byte-alphabet.ts";
import type { DecoderJson, TokenizerFiles, TokenizerJson } from "./checkpoint-files.ts";

const utf8 = new TextEncoder();
const underline = "\u2581";

/** The text of ids, one token at a time. */
export class TokenText {
  /** Ids from 0 up to this number may have text; the embedding matrix of a checkpoint can have more rows. */
  readonly size: number;
  readonly #bytes: (Uint8Array | undefined)[];
  /** The token's own text where its bytes are whole characters, so that most tokens never reach the decoder. */
  readonly #whole: (string | undefined)[];
  readonly #isAdded: boolean[];
  readonly #stripsFirstSpace: boolean;

  constructor(json: TokenizerJson, file: string) {
    const kinds = decoderKinds(json.decoder);
    const byteLevel = kinds.some((kind) => kind.type === "ByteLevel");
    const pieceLike = kinds.some((kind) => kind.type === "Metaspace" || kind.type === "ByteFallback");
    if (!byteLevel && !pieceLike) {
      throw userError(
        "tokenizer-unsupported",
        `${file}: its decoder (${kinds.map((kind) => kind.type).join(", ") || "none"}) is neither byte-level nor SentencePiece-like`,
        "Use a checkpoint of the Qwen or Llama families; their tokenizers are of these two kinds.",
      );
    }
    const entries: [string, number][] = Array.isArray(json.model.vocab)
      ? json.model.vocab.map(([entry], id) => [entry, id])
      : Object.entries(json.model.vocab);
    const added = json.added_tokens ?? [];
    let size = 0;
    for (const [, id] of entries) size = Math.max(size, id + 1);
    for (const { id } of added) size = Math.max(size, id + 1);
    this.size = size;
    this.#bytes = new Array<Uint8Array | undefined>(size).fill(undefined);
    this.#whole = new Array<string | undefined>(size).fill(undefined);
    this.#isAdded = new Array<boolean>(size).fill(false);
    this.#stripsFirstSpace =
      !byteLevel &&
      kinds.some((kind) =>
        kind.type === "Metaspace"
          ? (kind.prepend_scheme ?? "always") !== "never" && kind.add_prefix_space !== false
          : kind.type === "Strip" && kind.content === " " && (kind.start ?? 0) > 0,
      );
    for (const [entry, id] of entries) {
      const bytes = byteLevel ? (bytesOfEntry(entry) ?? utf8.encode(entry)) : pieceBytes(entry);
      this.#bytes[id] = bytes;
      this.#whole[id] = wholeText(bytes);
    }
    for (const { id, content } of added) {
      this.#bytes[id] = utf8.encode(content);
      this.#whole[id] = content;
      this.#isAdded[id] = true;
    }
  }

  /**
   * The text each id adds: `pieces.join("")` is the text of the whole. A character spread over several tokens belongs to the token that
   * completes it; bytes that never become a character show as U+FFFD at the token after which that is certain. Ids for which `drops`
   * says true, and ids outside the vocabulary, add nothing.
   */
  pieces(ids: readonly number[], drops: (id: number) => boolean): string[] {
    const pieces = new Array<string>(ids.length);
    const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
    let pending = false;
    let last = -1;
    let atStart = this.#stripsFirstSpace;
    for (let index = 0; index < ids.length; index++) {
      const id = ids[index];
      pieces[index] = "";
      const bytes = this.#bytes[id];
      if (bytes === undefined || bytes.length === 0 || drops(id)) continue;
      // An added token is never part of a character: what is still open before it stays incomplete.
      if (pending && this.#isAdded[id]) {
        pieces[last] += decoder.decode();
        pending = false;
      }
      const whole = this.#whole[id];
      let text: string;
      if (!pending && whole !== undefined) text = whole;
      else {
        text = decoder.decode(bytes, { stream: true });
        // Whole characters, or a last byte below 0x80, leave nothing open; otherwise the decoder stays in use, which is always right.
        pending = whole === undefined && bytes[bytes.length - 1] >= 0x80;
      }
      if (atStart) {
        if (!this.#isAdded[id] && text.startsWith(" ")) text = text.slice(1);
        atStart = false;
      }
      pieces[index] = text;
      last = index;
    }
    if (pending) pieces[last] += decoder.decode();
    return pieces;
  }
}

function decoderKinds(decoder: DecoderJson | null): DecoderJson[] {
  if (decoder === null || decoder === undefined) return [];
  return decoder.type === "Sequence" ? (decoder.decoders ?? []).flatMap(decoderKinds) : [decoder];
}

/** SentencePiece-like entries: `▁` is a space and `<0xNN>` a single byte. */
function pieceBytes(entry: string): Uint8Array {
  const byte = /^<0x([0-9A-Fa-f]{2})>$/.exec(entry);
  return byte ? Uint8Array.of(Number.parseInt(byte[1], 16)) : utf8.encode(entry.replaceAll(underline, " "));
}

function wholeText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text to ids by a checkpoint's tokenizer.json, with nothing put in front or behind. */
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
