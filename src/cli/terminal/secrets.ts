/** What a command is told that must not be shown or kept: in its options, in addresses, in the environment. */

import { looksSecret } from "#kernel/secret-forms.ts";
import {
  keepSecret,
  keepSecretsOfAddress,
  keepSecretsOfEnvironment,
  keepSecretsOfFields,
  keepSecretsOfHeaders,
  secretsTooWeak,
  struck,
  struckFile,
} from "#kernel/secrets.ts";
import { isRecord, jsonIn } from "#kernel/values.ts";

/** From the first moment of a command on, before anything can be said of its options. */
export function keepSecretsOfCommand(words: readonly string[], environment: Readonly<Record<string, string | undefined>>): void {
  keepSecretsOfEnvironment(environment);
  struckWords(words);
}

/** What is said of secrets that every text has, such as a password of two letters; empty where there is none. */
export function weakSecretWords(): string {
  const weak = secretsTooWeak();
  if (weak.length === 0) return "";
  return `Too short to be struck from what is written and shown: ${weak.join(", ")}. One of four signs or more is.\n`;
}

/** The words without what is secret in them, however short it is: its place is known here. */
export function struckWords(words: readonly string[]): string[] {
  return words.map((word, index) => {
    const [, option, value] = /^(--[a-z-]+)=(.*)$/s.exec(word) ?? [];
    if (option !== undefined) return `${option}=${struckArgument(option, value)}`;
    const before = words[index - 1] ?? "";
    return struckArgument(/^--[a-z-]+$/.test(before) ? before : "", word);
  });
}

function struckArgument(option: string, value: string): string {
  if (option === "--extra-body") {
    const fields = jsonIn(value);
    if (isRecord(fields)) {
      const other = keepSecretsOfFields(fields, option);
      return JSON.stringify(other) === JSON.stringify(fields) ? struck(value) : JSON.stringify(other);
    }
  }
  if (option === "--header") {
    const [, name, said] = /^\s*([^:=\s]+)\s*[:=]\s*(.*)$/s.exec(value) ?? [];
    if (name !== undefined) {
      keepSecretsOfHeaders({ [name]: said });
      return `${name}: [secret]`;
    }
  }
  if (option === "--api-key-env" && looksSecret(value)) keepSecret(value, option);
  const address = /^(?:[a-z][a-z0-9+.-]*:)?\/\/[^/?#\s]*@/i.exec(value);
  if (address !== null || /^https?:.*\?/.test(value)) keepSecretsOfAddress(value, option || "an address");
  return struck(address === null ? value : value.replace(/^([^/]*\/\/)[^/?#\s]*@/, "$1[secret]@"));
}

/** Whatever is written to the stream loses what is secret in it. Words that arrive in pieces are held together by whoever shows them. */
export function guardStream(stream: NodeJS.WriteStream): void {
  const write = stream.write.bind(stream) as (chunk: unknown, ...rest: unknown[]) => boolean;
  stream.write = ((chunk: unknown, ...rest: unknown[]) =>
    write(typeof chunk === "string" ? struckFile(chunk) : chunk, ...rest)) as typeof stream.write;
}
