/** The entries that have a value: what is stored holds no `undefined`, so that it is the same before and after it was written. */
export function knownFields<T extends object>(entries: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  const known: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(entries)) if (value !== undefined) known[name] = value;
  return known as never;
}
