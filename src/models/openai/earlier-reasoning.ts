/**
 * The reasoning that came with each answer, for servers that want it back with the answer in later turns of the conversation (DeepSeek-V4 in
 * its thinking mode; vercel/ai#14741). Methods hand on the text of an answer alone, so the text is what it is found by.
 */

/** Characters kept; the oldest go first. What is not found any more goes back as an empty text, which such servers take. */
const mostKept = 32 << 20;

export class EarlierReasoning {
  readonly #byText = new Map<string, string>();
  #size = 0;

  remember(text: string, reasoning: string): void {
    const key = text.trim();
    this.#forget(key);
    this.#byText.set(key, reasoning);
    this.#size += key.length + reasoning.length;
    for (const oldest of this.#byText.keys()) {
      if (this.#size <= mostKept) break;
      this.#forget(oldest);
    }
  }

  of(text: string): string {
    return this.#byText.get(text.trim()) ?? "";
  }

  clear(): void {
    this.#byText.clear();
    this.#size = 0;
  }

  #forget(key: string): void {
    const known = this.#byText.get(key);
    if (known === undefined) return;
    this.#size -= key.length + known.length;
    this.#byText.delete(key);
  }
}
