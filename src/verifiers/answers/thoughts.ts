/**
 * What a model thought before it answered, in whatever tags its makers chose. Thoughts are never graded; thoughts that never ended were not
 * yet an answer. One pass over the text.
 */

/** Names of tags, as `<name>`, `[name]` or `◁name▷`, in any case and with white space or attributes. */
export const thoughtTags: readonly string[] = [
  "think",
  "thinking",
  "thought",
  "thoughts",
  "reasoning",
  "reason",
  "reflection",
  "scratchpad",
  "analysis",
  "rationale",
  "seed:think",
  "inner_monologue",
  "inner_thoughts",
  "inner_thought",
  "internal",
  "internal_monologue",
  "internal_thoughts",
  "internal_reasoning",
  "monologue",
  "thought_process",
  "thinking_process",
  "reasoning_process",
  "reasoning_content",
  "chain_of_thought",
  "cot",
  "planning",
  "draft",
  "deliberation",
];

/** Marks that come in pairs of their own. */
const pairs: Readonly<Record<string, string>> = {
  "<|begin_of_thought|>": "<|end_of_thought|>",
  "<|start_thinking|>": "<|end_thinking|>",
  "<|inner_prefix|>": "<|inner_suffix|>",
  "<|think|>": "<|/think|>",
  "<unused94>": "<unused95>",
};

export interface Thoughtless {
  /** What is left, thoughts and their tags taken out. */
  text: string;
  /** Thoughts were begun and never ended. */
  isUnended: boolean;
}

/** Cheap signs that a text may hold thoughts; most hold none. */
const mayHold = /[<[◁]\s?[/|]?\s?[a-z]|assistantfinal/i;

const patterns = new Map<string, RegExp>();

function tagPattern(tags: readonly string[]): RegExp {
  const key = tags.join(" ");
  const known = patterns.get(key);
  if (known !== undefined) return known;
  const names = tags
    .map((tag) => tag.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&"))
    .sort((first, second) => second.length - first.length)
    .join("|");
  const own = [...Object.keys(pairs), ...Object.values(pairs)].map((mark) => mark.replace(/[|/]/g, "\\$&")).join("|");
  // <think>, </think>, <|think_start|>, <|think_end|>, <|begin_of_thinking|>, <|end_of_thinking|>
  const tag = `[<◁]\\|?\\s{0,3}(\\/|end_(?:of_)?)?(?:begin_(?:of_)?|start_(?:of_)?)?\\s{0,3}(${names})(?:_(?:start|begin|(end)))?(?![\\p{L}\\p{N}:_-])[^<>▷]{0,40}[>▷]|\\[\\s{0,3}(\\/?)\\s{0,3}(${names})\\s{0,3}\\]`;
  const channel = "<\\|channel\\|>\\s{0,3}(\\w{1,20})[^<]{0,40}<\\|message\\|>|<\\|(?:end|return|start|call)\\|>";
  const pattern = new RegExp(`${tag}|${channel}|${own}`, "giu");
  patterns.set(key, pattern);
  return pattern;
}

/** "think", "thinking" and "thought" end one another. */
const family = (name: string): string => name.toLowerCase().replace(/^(?:think|thinking|thoughts?)$/, "think");

/**
 * The text without thoughts. An end without a beginning makes all before it a thought; another beginning within a thought is part of it.
 * Of channels (`<|channel|>final<|message|>`) only the final one is no thought.
 */
export function withoutThoughts(text: string, tags: readonly string[] = thoughtTags): Thoughtless {
  if (!mayHold.test(text)) return { text, isUnended: false };
  // Square brackets are signs of much else: they hold thoughts where they are closed as tags are, or open the text.
  const hasSquares = /\[\s{0,3}\/\s{0,3}\w|^\s{0,40}\[[A-Z]{5,9}\]/.test(text);
  let kept = "";
  let from = 0;
  let inside: string | undefined;
  const leave = (at: number, mark: string) => {
    if (inside === undefined) kept += text.slice(from, at);
    inside = mark;
  };
  const resume = (end: number) => {
    inside = undefined;
    from = end;
  };
  let sawChannel = false;
  for (const match of text.matchAll(tagPattern(tags))) {
    const [whole, angleSlash, angleName, angleEnd, squareSlash, squareName, channel] = match;
    const end = match.index + whole.length;
    if (squareName !== undefined && !hasSquares) continue;
    const name = angleName ?? squareName;
    if (name !== undefined) {
      if (!(angleSlash ?? angleEnd ?? squareSlash)) {
        if (inside === undefined) leave(match.index, family(name));
      } else if (inside === undefined || inside === family(name)) {
        if (inside === undefined) kept = "";
        resume(end);
      }
    } else if (channel !== undefined) {
      sawChannel = true;
      if (channel.toLowerCase() === "final") {
        if (inside === undefined) kept = "";
        resume(end);
      } else if (inside === undefined || inside === "channel") leave(match.index, "channel");
    } else if (/^<\|(?:end|return|start|call)\|>$/.test(whole)) {
      // Between channels stands only who speaks.
      if (sawChannel && inside === undefined) leave(match.index, "channel");
    } else {
      const mark = whole.toLowerCase();
      if (mark in pairs) {
        if (inside === undefined) leave(match.index, pairs[mark]);
      } else if (inside === undefined || inside === mark) {
        if (inside === undefined) kept = "";
        resume(end);
      }
    }
  }
  if (inside === undefined) kept += text.slice(from);
  // The same channels where the marks themselves were not written out.
  const spoken = /^\s*analysis/i.test(kept) ? kept.lastIndexOf("assistantfinal") : -1;
  if (spoken >= 0) kept = kept.slice(spoken + "assistantfinal".length);
  return { text: kept, isUnended: inside !== undefined && !(sawChannel && kept.trim() !== "") };
}
