/** What a reader has to know of how a run was asked and counted before its figures mean what they seem to: one sentence each. */

import type { NotHonoured } from "#kernel/model.ts";
import { counted } from "#kernel/numbers.ts";
import { shortened } from "#kernel/options.ts";
import { temperatureInVain } from "../summary/asked-in-vain.ts";
import type { NotHonouredResult, ReasoningResult, Results } from "../summary/results.ts";

export function runNotes(results: Results): string[] {
  const { notHonoured = [], unreadReasoning, reasoning } = results;
  const vain = notHonoured.map((entry) => `${notHonouredWords(entry)} (${whose(entry)})`);
  return [
    ...(vain.length === 0 ? [] : [`Asked and not honoured: ${vain.join("; ")}.`]),
    ...(unreadReasoning ? [unreadNote(unreadReasoning)] : []),
    ...(reasoning ? [reasoningNote(reasoning)] : []),
  ];
}

/** `temperature 0`, or what became of it: `temperature 0 asked, left out: the server refused it`. */
export function temperatureWords(results: Results): string {
  const entry = temperatureInVain(results);
  if (entry === undefined) return `temperature ${results.temperature}`;
  // The server's own sentence stands in the note about all settings.
  const short = notHonouredWords({ ...entry, why: entry.why.split(": ")[0] });
  return entry.answers < entry.of ? `${short} (${whose(entry)})` : short;
}

/** `temperature 0 asked, left out: the server refused it`, or `…; 1 was sent`. */
export function notHonouredWords({ field, asked, why, instead }: NotHonoured): string {
  const name = asked === undefined ? field : `${field} ${asked}`;
  const reason = shortened(why, 160).replace(/\.$/, "");
  if (instead !== undefined) return `${name} asked: ${reason}; ${instead}`;
  const isLeftOut = /^the (server|provider) (refused|does not)/.test(reason);
  return `${name} asked, ${isLeftOut ? "left out: " : ""}${reason}`;
}

function whose({ answers, of, methods }: NotHonouredResult): string {
  const names = wholeNames(methods, 80);
  return answers === of ? names : `${answers} of ${of} answers: ${names}`;
}

/** As many whole names as fit, and how many more there are. */
function wholeNames(names: readonly string[], most: number): string {
  const fitting = names.filter((_, index) => index === 0 || names.slice(0, index + 1).join(", ").length <= most);
  const others = names.length - fitting.length;
  return [shortened(fitting[0], most), ...fitting.slice(1)].join(", ") + (others === 0 ? "" : ` and ${others} more`);
}

function unreadNote({ answers, cut, of }: NonNullable<Results["unreadReasoning"]>): string {
  const advice = [
    ...(cut < answers ? ["--reasoning-tags join puts it back into the text"] : []),
    ...(cut > 0
      ? [`${cut === answers ? "they" : `${cut} of them`} were cut off before the answer, for which --max-tokens gives room`]
      : []),
  ];
  return `In ${answers} of ${of} answers the server gave reasoning and no text, and what it may hold of an answer is not read: ${advice.join("; ")}.`;
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
