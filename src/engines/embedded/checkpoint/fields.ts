/** Reads single fields of a JSON object, so that every complaint names the file, the field and what was found there. */
import { userError } from "#kernel/errors.ts";
import { isRecord } from "#kernel/values.ts";

type Json = Readonly<Record<string, unknown>>;

export class Fields {
  readonly #json: Json;
  readonly #file: string;
  /** Shown before the field's name: `rope_scaling.` inside a nested object. */
  readonly #path: string;

  constructor(json: unknown, file: string, path = "") {
    if (!isRecord(json)) {
      const what = path === "" ? "the file" : `field ${path}`;
      throw userError("config-not-an-object", `${file}: ${what} is ${describe(json)}, not a JSON object.`, replaceAdvice);
    }
    this.#json = json;
    this.#file = file;
    this.#path = path === "" ? "" : `${path}.`;
  }

  raw(name: string): unknown {
    return this.#json[name];
  }

  /** False also for null, which Hugging Face writes for "not set". */
  has(name: string): boolean {
    return this.#json[name] !== undefined && this.#json[name] !== null;
  }

  /** The fields of an inner object; none when it is absent. */
  nested(name: string): Fields {
    return new Fields(this.#json[name] ?? {}, this.#file, `${this.#path}${name}`);
  }

  count(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (!Number.isSafeInteger(value) || value < 1) throw this.wrong(name, "a whole number of at least 1");
    return value;
  }

  positive(name: string, fallback?: number): number {
    const value = this.number(name, fallback);
    if (!(value > 0)) throw this.wrong(name, "a number above 0");
    return value;
  }

  number(name: string, fallback?: number): number {
    if (!this.has(name)) {
      if (fallback !== undefined) return fallback;
      throw this.missing(name);
    }
    const value = this.#json[name];
    if (typeof value !== "number" || !Number.isFinite(value)) throw this.wrong(name, "a number");
    return value;
  }

  text(name: string, fallback?: string): string {
    if (!this.has(name)) {
      if (fallback !== undefined) return fallback;
      throw this.missing(name);
    }
    const value = this.#json[name];
    if (typeof value !== "string") throw this.wrong(name, "text");
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    if (!this.has(name)) return fallback;
    const value = this.#json[name];
    if (typeof value !== "boolean") throw this.wrong(name, "true or false");
    return value;
  }

  /** A token id, a list of them, or nothing. */
  tokenIds(name: string): number[] {
    if (!this.has(name)) return [];
    const value = this.#json[name];
    const ids: unknown[] = Array.isArray(value) ? value : [value];
    if (!ids.every((id) => typeof id === "number" && Number.isSafeInteger(id) && id >= 0)) {
      throw this.wrong(name, "a token id or a list of token ids");
    }
    return ids as number[];
  }

  missing(name: string) {
    return userError("config-missing-field", `${this.#file}: the field ${this.#path}${name} is missing.`, replaceAdvice);
  }

  wrong(name: string, wanted: string) {
    const found = describe(this.#json[name]);
    return userError("config-wrong-field", `${this.#file}: ${this.#path}${name} is ${found}, expected ${wanted}.`, replaceAdvice);
  }

  unsupported(name: string, why: string, advice: string) {
    const found = describe(this.#json[name]);
    return userError("config-unsupported", `${this.#file}: ${this.#path}${name} is ${found}: ${why}`, advice);
  }
}

const replaceAdvice = "Take config.json again from the model's original folder, or correct the field.";

function describe(value: unknown): string {
  if (value === undefined) return "absent";
  const text = JSON.stringify(value);
  return text.length <= 80 ? text : `${text.slice(0, 77)}...`;
}
