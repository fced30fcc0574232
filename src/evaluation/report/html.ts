/** Text to HTML, safely: the only place where the report turns strings into markup. What would steer the page unseen is written out. */
import { gzipSync } from "node:zlib";
import { struckValue } from "#kernel/secrets.ts";
import { writtenOut } from "#text/signs.ts";

/** Markup that is already safe. Only `html` makes it. */
export class Html {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Part = string | number | Html | readonly Html[] | undefined;

/** A template whose values are escaped unless they are markup themselves. */
export function html(strings: TemplateStringsArray, ...values: Part[]): Html {
  let text = strings[0];
  for (const [index, value] of values.entries()) text += toMarkup(value) + strings[index + 1];
  return new Html(text);
}

function toMarkup(value: Part): string {
  if (value === undefined) return "";
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map((part: Html) => part.text).join("\n");
  return escapeHtml(String(value));
}

const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

function escapeHtml(text: string): string {
  return writtenOut(text).replace(/[&<>"']/g, (character) => entities[character]);
}

/** JSON for a script element: no text in it can end the element or open a comment. `JSON.parse` reads it back unchanged. */
export function embedJson(value: unknown): Html {
  return new Html(
    JSON.stringify(struckValue(value)).replace(
      /[<>\u2028\u2029]/g,
      (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
    ),
  );
}

/** A value of any size as text that can stand anywhere: JSON, gzip, base64. A browser's own means read it back. */
export function packed(value: unknown): Html {
  return new Html(gzipSync(JSON.stringify(struckValue(value))).toString("base64"));
}

/** Script or style sheet of our own or of a library, for an element of that name. */
export function embedSource(source: string): Html {
  return new Html(source.replace(/<\/(?=script|style)/gi, "<\\/").replace(/<!--/g, "<\\!--"));
}
