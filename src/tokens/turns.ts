/** Where an assistant's turn ends in a chat template's text. */
import type { ChatTemplate } from "./chat-template.ts";
import type { TextIds } from "./text-ids.ts";
import type { TokenText } from "./token-text.ts";

/** The special token the template writes right after an assistant's words; undefined where it writes other text first, or none. */
export function findEndOfTurn(template: ChatTemplate, ids: TextIds, text: TokenText): number | undefined {
  const words = "a1b2c3";
  let rendered: string;
  try {
    rendered = template.render(
      [
        { role: "user", content: "a" },
        { role: "assistant", content: words },
      ],
      false,
    );
  } catch {
    // A template that refuses this small conversation tells nothing; the end of sequence ends the turn then.
    return undefined;
  }
  for (const id of ids.encode(rendered.slice(rendered.lastIndexOf(words) + words.length))) {
    if (ids.isSpecial(id)) return id;
    if (text.pieces([id], () => false)[0].trim() !== "") return undefined;
  }
  return undefined;
}

/**
 * What `whole` says after the turn that `prompt` opened, `content` filled and `end` closed; undefined where it shows that turn otherwise.
 * Templates may trim the content: the ids keep it as it was written.
 */
export function textAfterTurn(prompt: string, content: string, end: string, whole: string): string | undefined {
  if (!whole.startsWith(prompt)) return undefined;
  const rest = whole.slice(prompt.length);
  for (const shown of [content, content.trimEnd(), content.trimStart(), content.trim()]) {
    if (!rest.startsWith(shown)) continue;
    const afterContent = rest.slice(shown.length).trimStart();
    if (afterContent.startsWith(end)) return afterContent.slice(end.length);
  }
  return undefined;
}
