/** What was asked for and not honoured, seen in what was sent and in what came back, whatever it was that left a field out or changed it. */
import { firstStop } from "#kernel/call.ts";
import type { Completion, GenerateOptions, NotHonoured } from "#kernel/model.ts";

/** What is known of a field that was left out or changed. */
export type Reason = Pick<NotHonoured, "why" | "instead">;

type Asked = Pick<GenerateOptions, "temperature" | "topP" | "topK" | "maxTokens" | "stop" | "topLogprobs" | "seed">;

/** The completions of one request, the first with what the request, and each with what itself, did not honour. `seed` as it was to be sent. */
export function withNotHonoured(
  completions: readonly Completion[],
  asked: Asked,
  sent: Readonly<Record<string, unknown>>,
  reasonFor: (field: string) => Reason | undefined = () => undefined,
): Completion[] {
  const ofRequest = [...unsent(asked, sent, reasonFor), ...unheeded(asked, sent, completions)];
  return completions.map((completion, index) => {
    const all = [...(index === 0 ? ofRequest : []), ...pastStop(completion, asked.stop)];
    return all.length === 0 ? completion : { ...completion, notHonoured: all };
  });
}

/** Fields that the request lacks, or has with another value. */
function unsent(
  { temperature, topP, topK, maxTokens, stop, topLogprobs, seed }: Asked,
  sent: Readonly<Record<string, unknown>>,
  reasonFor: (field: string) => Reason | undefined,
): NotHonoured[] {
  const found: NotHonoured[] = [];
  const note = (field: string, wanted: unknown, given: unknown, asked?: number) => {
    if (wanted === undefined || JSON.stringify(wanted) === JSON.stringify(given)) return;
    const { why, instead } = reasonFor(field) ?? {
      why: given === undefined ? "the server refused it" : "the request's own fields have another value",
    };
    const changed = given === undefined || typeof given === "object" ? undefined : `${String(given)} was sent`;
    found.push({
      field,
      ...(asked === undefined ? {} : { asked }),
      why,
      ...(instead || changed ? { instead: instead ?? changed } : {}),
    });
  };
  note("temperature", temperature, sent.temperature, temperature);
  note("top_p", topP, sent.top_p, topP);
  note("top_k", topK || undefined, sent.top_k, topK);
  note("seed", seed, sent.seed);
  const stops = stop?.filter((text) => text !== "") ?? [];
  note("stop", stops.length === 0 ? undefined : stops, sent.stop);
  note("max_tokens", maxTokens, sent.max_tokens ?? sent.max_completion_tokens, maxTokens);
  note("logprobs", topLogprobs === undefined ? undefined : true, sent.logprobs);
  return found;
}

/** Fields that were sent, and of which the reply shows that nobody heeded them. */
function unheeded({ maxTokens, topLogprobs }: Asked, sent: Readonly<Record<string, unknown>>, all: readonly Completion[]) {
  const found: NotHonoured[] = [];
  const sampled = all.reduce((sum, { usage }) => sum + (usage.outputTokens ?? 0), 0);
  const most = sent.max_tokens ?? sent.max_completion_tokens;
  if (most === maxTokens && sampled > maxTokens * all.length) {
    found.push({ field: "max_tokens", asked: maxTokens, why: "the server sampled more" });
  }
  if (topLogprobs !== undefined && sent.logprobs === true && all.every(({ logprobs }) => logprobs === undefined)) {
    found.push({ field: "logprobs", why: "the server gave none" });
  }
  return found;
}

/** A server that leaves the stop text itself in has heeded it. */
function pastStop({ text }: Completion, stop: readonly string[] | undefined): NotHonoured[] {
  const end = firstStop(text, stop);
  if (end === undefined || stop!.some((ending) => ending !== "" && text.slice(end).trimEnd() === ending.trimEnd())) return [];
  const instead = "the answer is cut there, and what was sampled behind it is paid for";
  return [{ field: "stop", why: "the server sampled past it", instead }];
}
