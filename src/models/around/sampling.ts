/** A model that draws from the likeliest tokens alone, in every call that does not say for itself from which. */
import { type CallSpecs, figure, whole } from "#kernel/call-options.ts";
import type { GenerateOptions, Model } from "#kernel/model.ts";

export interface TokenChoice {
  /** The likeliest tokens that have this share of the probability together, above 0 and at most 1; all for 1. */
  topP?: number | undefined;
  /** So many of the likeliest tokens; all for 0. */
  topK?: number | undefined;
}

export const choiceSpecs: CallSpecs<TokenChoice> = {
  topP: figure("share of the probability that the likeliest tokens have together; 1 keeps all tokens", { above: 0, maximum: 1 }),
  topK: whole("how many of the likeliest tokens are sampled from; 0 keeps all tokens"),
};

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
