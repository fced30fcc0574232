/**
 * Reads verdicts and scores from what a judge wrote. Everything fails closed: a verdict that is missing or unclear is undefined, which no
 * caller may take for a pass, and a score that cannot be read is undefined, which is worse than any score. Only whole lines of the agreed
 * form count, since the same words inside a sentence often mean the opposite; of several such lines the last one does.
 */

/**
 * The value of the last line `label: value`, for one of `values`; undefined when there is no such line or its value is none of them.
 * Case, Markdown emphasis and a closing full stop do not matter.
 */
export function readLabel<Value extends string>(text: string, label: string, values: readonly Value[]): Value | undefined {
  const stated = lastLabelled(text, label);
  return stated === undefined ? undefined : values.find((value) => value.toLowerCase() === stated.toLowerCase());
}

/** Whether the last line `Verdict: …` says `pass`; undefined when it says neither or is missing. */
export function readVerdict(text: string, pass = "right", fail = "wrong", label = "Verdict"): boolean | undefined {
  const stated = readLabel(text, label, [pass, fail]);
  return stated === undefined ? undefined : stated === pass;
}

/**
 * The number on the last line `Score: …`, brought from [low, high] to [0, 1]; undefined when it is missing, no number, or outside. Behind it
 * may stand the scale (`7/10`, `7 out of 10`) when it is the one asked for, and words, but no other number.
 */
export function readScore(text: string, low: number, high: number, label = "Score"): number | undefined {
  const stated = lastLabelled(text, label);
  const found =
    stated === undefined ? null : /^([+-]?\d{1,9}(?:\.\d{1,9})?)(?: ?(?:\/|out of|of) ?(\d{1,9}))?(?![\d.])(.*)$/i.exec(stated);
  if (!found) return undefined;
  const [, digits, scale, rest] = found;
  if (/[\d%]/.test(rest!)) return undefined;
  const value = Number(digits);
  if ((scale !== undefined && Number(scale) !== high) || value < low || value > high || high <= low) return undefined;
  return (value - low) / (high - low);
}

/** What stands behind the colon of the last line that begins with the label. */
function lastLabelled(text: string, label: string): string | undefined {
  const wanted = label.toLowerCase();
  const lines = text.split("\n");
  for (let index = lines.length - 1; index >= 0; index--) {
    const line = plain(lines[index]);
    if (!line.toLowerCase().startsWith(wanted)) continue;
    const rest = line.slice(wanted.length).trimStart();
    if (rest.startsWith(":") || rest.startsWith("=")) return rest.slice(1).trim().replace(/\.$/, "").trim();
  }
  return undefined;
}

/** Longer lines are no verdict lines. */
const longestLine = 400;

/** A line without Markdown's marks of emphasis, headings, lists and quotes, its spaces joined. */
function plain(line: string): string {
  if (line.length > longestLine) return "";
  return line
    .replace(/[*_`#>]/g, "")
    .replace(/\s+/g, " ")
    .trim()
    .replace(/^- /, "");
}
