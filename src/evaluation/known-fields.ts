/** The entries that have a value: what is stored holds no `undefined`, so that it is the same before and after it was written. */
export function knownFields<T extends object>(entries: T): { [Key in keyof T]?: Exclude<T[Key], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as never;
}
