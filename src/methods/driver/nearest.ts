/** The name that was probably meant. */

/** The nearest of the names by edits, or the one with these initials (`cot` for chain-of-thought); undefined when none is near. */
export function nearestName(wanted: string, names: readonly string[]): string | undefined {
  const typed = wanted.toLowerCase();
  const byInitials = names.find((name) => initials(name) === typed);
  if (byInitials !== undefined) return byInitials;
  const ranked = names.map((name) => ({ name, edits: edits(typed, name.toLowerCase()) }));
  ranked.sort((first, second) => first.edits - second.edits);
  const best = ranked[0];
  return best !== undefined && best.edits <= Math.max(1, Math.floor(best.name.length / 3)) ? best.name : undefined;
}

function initials(name: string): string {
  return name
    .split(/[-_]|(?=[A-Z])/)
    .map((word) => word.charAt(0).toLowerCase())
    .join("");
}

/** Insertions, deletions and replacements from one word to the other; a word too long to be a slip is as far as it is long. */
function edits(first: string, second: string): number {
  if (first.length > 64) return first.length;
  let row = Array.from({ length: second.length + 1 }, (_, index) => index);
  for (let index = 1; index <= first.length; index++) {
    const next = [index];
    for (let other = 1; other <= second.length; other++) {
      const replaced = row[other - 1] + (first[index - 1] === second[other - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[other] + 1, next[other - 1] + 1));
    }
    row = next;
  }
  return row[second.length];
}
