/** The calls of PTR's phase 1: attempts by the weak model, answers by the strong one that sees them, agreement by embeddings. */
import { agreementOf } from "#data/filters/filters.ts";
import type { Query } from "#data/sources/ptr-queries.ts";
import { cardUsage } from "#data/training-files/data-card.ts";
import { asMessage } from "#data/training-files/datum.ts";
import { type PtrSequenceOptions, ptrConversation } from "#data/training-files/ptr-layout.ts";
import { Caller, failedCallUsage } from "#kernel/call.ts";
import { messageOf } from "#kernel/errors.ts";
import type { Message, Model } from "#kernel/model.ts";
import { deriveSeed } from "#kernel/seed.ts";
import { cosine, type EmbeddingClient } from "#verifiers/text/similarity.ts";
import { asking } from "../shared/graded-samples.ts";
import type { PtrDataSettings, PtrDataSetup } from "./setup.ts";
import type { StageLine } from "./stage-file.ts";

export interface WrittenText {
  text: string;
  /** It was cut at its largest length. */
  cut?: true;
}

export interface AttemptLine extends StageLine {
  attempts: WrittenText[];
}

export interface AnswerLine extends StageLine {
  samples: WrittenText[];
}

export interface AgreementLine extends StageLine {
  /** Among the samples that may become the answer. */
  chosen: number;
  agreement?: number | undefined;
}

export async function writeAttempts(setup: PtrDataSetup, { id, question }: Query): Promise<AttemptLine> {
  const { weak, settings } = setup;
  const { attempts: n, weakTemperature: temperature, weakTopP: topP, weakTopK: topK, seed } = settings;
  const messages = asking(settings.system, question);
  const { texts, ...rest } = await ask(setup, "weak", weak, messages, {
    n,
    temperature,
    topP,
    topK,
    seed: deriveSeed(seed, "ptr-attempts", id),
  });
  return { id, attempts: texts, ...rest };
}

export async function writeAnswer(setup: PtrDataSetup, { id, question }: Query, { attempts }: AttemptLine): Promise<AnswerLine> {
  const { strong, settings } = setup;
  const { samples: n, strongTemperature: temperature, strongTopP: topP, strongTopK: topK, seed } = settings;
  const messages = strongMessages(
    question,
    attempts.map(({ text }) => text),
    settings,
  );
  const { texts, ...rest } = await ask(setup, "strong", strong, messages, {
    n,
    temperature,
    topP,
    topK,
    seed: deriveSeed(seed, "ptr-answer", id),
  });
  return { id, samples: texts, ...rest };
}

function strongMessages(question: string, attempts: readonly string[], settings: PtrDataSettings): Message[] {
  if (settings.strongSees === "instruction") return asking(settings.system, strongPrompt(question, attempts));
  const shown = attempts.filter((attempt) => attempt.trim() !== "");
  const { messages } = ptrConversation({ id: "", question, attempts: shown, answer: "" }, sequenceOptions(settings));
  return messages.slice(0, -1).map(asMessage);
}

/** How attempts and answer are strung together. */
export function sequenceOptions({ system, refineRequest: request }: PtrDataSettings): PtrSequenceOptions {
  return { system, request };
}

/** What the strong model is asked: the question and the attempts that have text, for an answer that goes on from them. */
export function strongPrompt(question: string, attempts: readonly string[]): string {
  const shown = attempts
    .filter((attempt) => attempt.trim() !== "")
    .map((attempt, index) => `Attempt ${index + 1}:\n${attempt.trim()}`);
  return [
    question,
    "Others have tried to answer this. Their attempts may be wrong or leave things out:",
    ...shown,
    "Go on from these attempts to the final answer: keep what is right, correct what is wrong, add what is missing. " +
      "The answer must make sense to a reader who has seen the question alone, so do not mention the attempts.",
  ].join("\n\n");
}

/** The samples that may become the answer: not empty and not cut. */
export function candidates({ samples }: Pick<AnswerLine, "samples">): string[] {
  return samples.filter(({ text, cut }) => !cut && text.trim() !== "").map(({ text }) => text);
}

export async function measureAgreement(client: EmbeddingClient, line: AnswerLine, signal?: AbortSignal): Promise<AgreementLine> {
  const { id } = line;
  const texts = candidates(line);
  if (texts.length < 2) return { id, chosen: 0, usage: {} };
  try {
    const { vectors, usage } = await client.embed(texts, signal);
    const { chosen, agreement } = agreementOf(texts.length, (first, second) => cosine(vectors[first], vectors[second]));
    return { id, chosen, agreement, usage: { embedding: cardUsage(usage) } };
  } catch (error) {
    const failed = messageOf(error);
    return { id, chosen: 0, failed, usage: { embedding: cardUsage(failedCallUsage(error)) } };
  }
}

/** One metered call; a failure is part of what comes back. */
export async function ask(
  { settings, signal }: Pick<PtrDataSetup, "settings" | "signal">,
  name: string,
  model: Model,
  messages: readonly Message[],
  options: { n: number; temperature: number; topP?: number; topK?: number | undefined; seed: number },
): Promise<{ texts: WrittenText[] } & Pick<StageLine, "failed" | "usage">> {
  const { temperature, ...others } = options;
  const { maxTokens } = settings;
  const caller = new Caller({ model, messages, temperature, maxTokens, seed: options.seed, signal });
  const result = await caller.ask(messages, others);
  const usage = { [name]: cardUsage(caller.spent) };
  if (!result.ok) return { texts: [], failed: result.message, usage };
  const texts = result.completions.map(
    ({ text, finishReason }): WrittenText => (finishReason === "length" ? { text, cut: true } : { text }),
  );
  return { texts, usage };
}
