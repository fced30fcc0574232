/** How a secret is told by its name or its look, in which forms it is written, and how all of them are found in one pass over a text. */

/** Below this only whole words are struck: a password “test1” is no reason to cut “latest10”. */
export const shortestInside = 8;

/** What a form is found as; a short one counts as a whole word alone. */
export interface Form {
  text: string;
  isWord: boolean;
}

export interface Place {
  start: number;
  end: number;
}

/** `api_key`, `apiKey`, `X-Auth-Token`, `Authorization`; not `max_tokens`, `prompt_cache_key`, `stop_token`. */
export function isSecretName(name: string): boolean {
  const words = name
    .replace(/([a-z\d])([A-Z])/g, "$1 $2")
    .toLowerCase()
    .split(/[^a-z\d]+/);
  if (/(cache|partition|sort|primary|foreign)[^a-z]*key$|(stop|pad|eos|bos|end|start|mask)[^a-z]*token$/i.test(name))
    return false;
  return words.some((word) =>
    /^(\w*(apikey|authtoken|accesstoken|secret|secrets|password|passwords|passphrase)|key|auth|token|passwd|pwd|pass|authorization|authentication|credential|credentials|cookie|bearer|jwt|signature)$/.test(
      word,
    ),
  );
}

/** Beginnings that keys of known makers have, and long words of letters and digits that no one would write by hand. */
export function looksSecret(text: string): boolean {
  if (
    /^(sk-|pk-|rk-|hf_|gh[pousr]_|github_pat_|glpat-|gsk_|xai-|xox[a-z]-|AIza|AKIA|ASIA|eyJ|nvapi-|r8_|tgp_|fw_)[\w.-]{6,}/.test(
      text,
    )
  )
    return true;
  if (/^(bearer|basic)\s+\S{4,}$/i.test(text)) return true;
  return (
    text.length >= 32 &&
    /^[\w+/=.~-]+$/.test(text) &&
    (text.match(/\d/g)?.length ?? 0) >= 4 &&
    /[a-z]/i.test(text) &&
    bitsPerSign(text) > 3.4
  );
}

function bitsPerSign(text: string): number {
  const counts = new Map<string, number>();
  for (const sign of text) counts.set(sign, (counts.get(sign) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}

/** The secret itself, as in JSON (once and twice), in an address, in a page, and in base64. */
export function* writtenForms(secret: string): Generator<Form> {
  const isWord = secret.length < shortestInside || /^\d+$/.test(secret);
  const json = (text: string) => JSON.stringify(text).slice(1, -1);
  const ascii = (text: string) =>
    json(text).replace(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const percent = encoded(secret);
  const strict = percent.replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
  const small = (text: string) => text.replace(/%[0-9A-F]{2}/g, (coded) => coded.toLowerCase());
  const page = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
  const texts = [
    secret,
    json(secret),
    json(json(secret)),
    json(secret).replaceAll("/", "\\/"),
    ascii(secret),
    ascii(secret).replace(/\\u[0-9a-f]{4}/g, (coded) => `\\u${coded.slice(2).toUpperCase()}`),
    json(secret).replaceAll("<", "\\u003c").replaceAll(">", "\\u003e").replaceAll("&", "\\u0026"),
    percent,
    strict,
    small(percent),
    small(strict),
    strict.replaceAll("%20", "+"),
    page,
    page.replaceAll("'", "&#39;"),
    page.replaceAll("'", "&#x27;"),
    ...(/^[\w.-]*$/.test(secret) ? [] : oddForms(secret)),
  ];
  for (const text of texts) yield { text, isWord };
  for (const text of base64Forms(secret)) yield { text, isWord: false };
}

/** More of them for a secret that is not of letters and digits alone: other languages' own ways, and what is written twice over. */
function oddForms(secret: string): string[] {
  const json = JSON.stringify(secret).slice(1, -1);
  const ascii = json.replace(/[^\x20-\x7e]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const thrice = [1, 2].reduce((text) => JSON.stringify(text).slice(1, -1), json);
  const go = secret.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&#34;");
  const python = secret.replaceAll("\\", "\\\\");
  const bytes = python.replace(/[\u0080-\u00ff]/g, (sign) => `\\x${sign.charCodeAt(0).toString(16)}`);
  return [
    encoded(encoded(secret)),
    ...asAddressesHaveIt(secret),
    thrice,
    ascii.replaceAll("/", "\\/"),
    go.replaceAll("'", "&#39;"),
    ...[python, bytes].flatMap((text) => [text, text.replaceAll("'", "\\'")]),
    secret.normalize("NFC"),
    secret.normalize("NFD"),
  ];
}

/** WHATWG's addresses leave other signs as they are in a password, in a path and in a query. */
function asAddressesHaveIt(secret: string): string[] {
  const text = secret.toWellFormed();
  const address = new URL("http://u:p@h/");
  address.password = text;
  address.search = `?${text}`;
  return [address.password, address.search.slice(1), encodeURI(text)];
}

/** What the secret fills of base64 alone, at each of the three places it can begin at, in both alphabets. */
function base64Forms(secret: string): string[] {
  const bytes = Buffer.from(secret);
  return [0, 1, 2].flatMap((offset) => {
    const all = Buffer.concat([Buffer.alloc(offset), bytes]);
    const first = Math.ceil((offset * 8) / 6);
    const text = all.toString("base64").slice(first, Math.floor((all.length * 8) / 6));
    return text.length < 8 ? [] : [text, text.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

function encoded(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** A. V. Aho and M. J. Corasick, "Efficient String Matching", 1975: every form in one pass over the text. */
export class Finder {
  readonly #next: Map<number, number>[] = [new Map()];
  /** The state of the longest ending that is a beginning of a form as well. */
  readonly #fallback: number[] = [0];
  readonly #depth: number[] = [0];
  /** Lengths of the forms that end in a state, those of its fallbacks included: the longest of any, and all that count as words alone. */
  readonly #ends: { any: number; words: readonly number[] }[] = [{ any: 0, words: [] }];

  constructor(all: readonly Form[]) {
    for (const { text, isWord } of all) {
      let state = 0;
      for (let index = 0; index < text.length; index++) {
        const code = text.charCodeAt(index);
        let following = this.#next[state].get(code);
        if (following === undefined) {
          following = this.#next.length;
          this.#next.push(new Map());
          this.#fallback.push(0);
          this.#depth.push(index + 1);
          this.#ends.push({ any: 0, words: [] });
          this.#next[state].set(code, following);
        }
        state = following;
      }
      const ends = this.#ends[state];
      if (isWord) ends.words = [text.length];
      else ends.any = text.length;
    }
    const queue = [...this.#next[0].values()];
    for (let at = 0; at < queue.length; at++) {
      const state = queue[at];
      for (const [code, following] of this.#next[state]) {
        this.#fallback[following] = this.#step(this.#fallback[state], code);
        queue.push(following);
      }
      const inherited = this.#ends[this.#fallback[state]];
      const own = this.#ends[state];
      own.any ||= inherited.any;
      own.words = [...own.words, ...inherited.words];
    }
  }

  #step(state: number, code: number): number {
    for (;;) {
      const following = this.#next[state].get(code);
      if (following !== undefined) return following;
      if (state === 0) return 0;
      state = this.#fallback[state];
    }
  }

  /**
   * Where forms stand, those that overlap as one; `open` is how many of the last signs may be a form's beginning. With `goesOn` a word at
   * the very end counts as one, since what follows is not known.
   */
  search(text: string, goesOn: boolean): { found: Place[]; open: number } {
    const found: Place[] = [];
    let state = 0;
    for (let index = 0; index < text.length; index++) {
      state = this.#step(state, text.charCodeAt(index));
      const { any, words } = this.#ends[state];
      const end = index + 1;
      const length = Math.max(any, words.find((word) => isWhole(text, end - word, end)) ?? 0);
      if (length === 0) continue;
      let start = end - length;
      while (found.length > 0 && found[found.length - 1].end > start) start = Math.min(start, found.pop()!.start);
      found.push({ start, end });
    }
    return { found, open: goesOn ? this.#depth[state] : 0 };
  }
}

function isWhole(text: string, start: number, end: number): boolean {
  if (isWordSign(text, start - 1) || isWordSign(text, end)) return false;
  // Digits are no part of a figure: 12345678 is not struck in 0.12345678.
  return !/^\d+$/.test(text.slice(start, end)) || (text[start - 1] !== "." && !/^\.\d/.test(text.slice(end, end + 2)));
}

function isWordSign(text: string, at: number): boolean {
  return at >= 0 && at < text.length && /[\p{L}\p{N}]/u.test(text[at]);
}
