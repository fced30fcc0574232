/** Plain values: objects told from lists, JSON that may be none, maps that make what is missing. */

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** What an object holds, with what its inner objects hold under joined names. A list is not looked into, and an object without fields stays. */
export function leavesOf(value: object, separator = ".", prefix = ""): [name: string, leaf: unknown][] {
  return Object.entries(value).flatMap(([name, inner]): [string, unknown][] => {
    const isBranch = isRecord(inner) && Object.keys(inner).length > 0;
    return isBranch ? leavesOf(inner, separator, `${prefix}${name}${separator}`) : [[prefix + name, inner]];
  });
}

/**
 * What `read` makes of a module's export that is meant: its default, one of these names, or the only one that it makes something of. A module
 * of the older kind has all of its exports in the default one.
 */
export function exportedOne<Value>(
  exported: Readonly<Record<string, unknown>>,
  names: readonly string[],
  read: (value: unknown) => Value | undefined,
): Value | undefined {
  for (const { default: standard, ...others } of [exported, Object(exported.default)]) {
    const found = [standard, ...names.map((name) => others[name])].map(read).find((each) => each !== undefined);
    const all = Object.values(others).flatMap((value) => read(value) ?? []);
    if (found ?? all.length === 1) return found ?? all[0];
  }
  return undefined;
}

/** Undefined where the text is no JSON. */
export function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What the map has under the key, made and kept where it has nothing. */
export function getOrMake<Key, Value>(
  map: { get(key: Key): Value | undefined; set(key: Key, value: Value): unknown },
  key: Key,
  make: () => Value,
): Value {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}

/** Without the slashes at its end. A pattern such as /\/+$/ looks at a long row of slashes once for each of them. */
export function withoutEndingSlashes(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return text.slice(0, end);
}
