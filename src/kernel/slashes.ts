/** Without the slashes at its end. A pattern such as /\/+$/ looks at a long row of slashes once for each of them. */
export function withoutEndingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return text.slice(0, end);
}
