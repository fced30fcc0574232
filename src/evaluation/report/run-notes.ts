/** What a reader has to know of how a run was asked and counted before its figures mean what they seem to: one sentence each. */
import { counted } from "#kernel/numbers.ts";
import type { ReasoningResult, Results } from "../summary/results.ts";

export function runNotes({ reasoning }: Results): string[] {
  return reasoning ? [reasoningNote(reasoning)] : [];
}

function reasoningNote({ convention, inside, beside, untold, untoldTokens }: ReasoningResult): string {
  const replies = (count: number) => counted(count, "reply", "replies");
  if (inside > 0 && beside > 0) {
    const rest = untold === 0 ? "" : `; the ${replies(untold)} that do not tell as most do (${convention})`;
    return `Reasoning: the server contradicts itself. In ${replies(inside)} its sampled tokens hold the reasoning, in ${replies(beside)} they do not; each is counted as it shows${rest}. All tokens here hold it.`;
  }
  const others =
    untold === 0
      ? ""
      : `, and ${replies(untold)} that ${untold === 1 ? "does" : "do"} not tell ${untold === 1 ? "is" : "are"} counted alike`;
  if (beside > 0)
    return `Reasoning: the server tells it beside the sampled tokens, as ${replies(beside)} ${beside === 1 ? "shows" : "show"}${others}. It is sampled, and counted as such.`;
  if (inside > 0)
    return `Reasoning is a part of the sampled tokens that the server tells, as ${replies(inside)} ${inside === 1 ? "shows" : "show"}${others}.`;
  return `Reasoning: no reply shows whether the server's sampled tokens hold it (${untoldTokens} tokens in ${replies(untold)}). It is taken to be a part of them, as OpenAI counts; if it is not, tokens here are too low.`;
}
