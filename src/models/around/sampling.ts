/** A model that draws from the likeliest tokens alone, in every call that does not say for itself from which. */
import { userError } from "#kernel/errors.ts";
import type { GenerateOptions, Model } from "#kernel/model.ts";

export interface TokenChoice {
  /** The likeliest tokens that have this share of the probability together, above 0 and at most 1; all for 1. */
  topP?: number | undefined;
  /** So many of the likeliest tokens; all for 0. */
  topK?: number | undefined;
}

/** Throws a user error for numbers outside of their ranges. */
export function checkChoice({ topP, topK }: TokenChoice): void {
  if (topP !== undefined && !(topP > 0 && topP <= 1)) {
    throw userError("bad-option", `topP is ${topP}`, "It must be a number above 0 and at most 1; 1 keeps all tokens.");
  }
  if (topK !== undefined && !(Number.isSafeInteger(topK) && topK >= 0)) {
    throw userError("bad-option", `topK is ${topK}`, "It must be a whole number; 0 keeps all tokens.");
  }
}

/** The model itself where nothing is chosen. */
export function choosing(model: Model, { topP, topK }: TokenChoice): Model {
  if (topP === undefined && topK === undefined) return model;
  return {
    id: model.id,
    generate: (messages, options) =>
      model.generate(messages, {
        ...options,
        topP: options.topP ?? topP,
        topK: options.topK ?? topK,
      } satisfies GenerateOptions),
  };
}
