/**
 * Text that stays text in Markdown: one line, no markup, no borders of cells, no links. What is read after the markup, such as @names and
 * :signs:, no backslash stops; a comment inside does, and is seen by nobody.
 */
export function escapeMarkdown(text: string): string {
  return text
    .replace(/[^\S\u00a0]+/g, " ")
    .replace(/[\\`*_[\]|~$]/g, "\\$&")
    .replace(/&/g, "&amp;")
    .replace(/</g, "&lt;")
    .replace(/>/g, "&gt;")
    .replace(/\b(https?|ftp):(?=\/\/)/gi, "$1\\:")
    .replace(/\bwww\.(?=[\p{L}\p{N}])/giu, (word) => `${word.slice(0, -1)}\\.`)
    .replace(/@(?=[\p{L}\p{N}])/gu, `@${nothing}`)
    .replace(/:(?=(?:[\d+\\_-]*[a-z][a-z\d+\\_-]*|100|1234|[+-]1):)/gi, `:${nothing}`);
}

const nothing = "<!-- -->";

/** A table whose first column names its rows; cells are Markdown already. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map((_, index) => (index === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
