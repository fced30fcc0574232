/** Texts that end a completion and are not part of it, for models and servers that leave them in. */
import type { Completion } from "#kernel/model.ts";

/** Where the first of the stop texts begins; undefined where none does. */
export function firstStop(text: string, stop: readonly string[] | undefined): number | undefined {
  const places = (stop ?? []).flatMap((ending) => (ending === "" ? [] : text.indexOf(ending))).filter((place) => place >= 0);
  return places.length === 0 ? undefined : Math.min(...places);
}

export function cutAtStop(completion: Completion, stop: readonly string[] | undefined): Completion {
  const end = firstStop(completion.text, stop);
  return end === undefined ? completion : { ...completion, text: completion.text.slice(0, end) };
}
