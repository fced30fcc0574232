/** Checks what callers hand to the engine, so that a wrong id or a short array is an error with a place and not a wrong number. */
import type { PolicyLossOptions, PolicySequence, SampleOptions, TokenSequence, WeightedSequence } from "#kernel/engine.ts";
import { userError } from "#kernel/errors.ts";
import type { ModelConfig } from "../checkpoint/config.ts";

export function checkPrompts(config: ModelConfig, prompts: readonly (readonly number[])[], options: SampleOptions): void {
  prompts.forEach((prompt, index) => {
    if (prompt.length === 0) {
      throw userError("engine-prompt-empty", `Prompt ${index} has no tokens.`, "Give every prompt at least one token.");
    }
    checkIds(config, prompt, `prompt ${index}`);
  });
  const requireOption = (holds: boolean, problem: string) => {
    if (!holds) throw userError("engine-sample-option", `Sampling option ${problem}.`, "Correct the option.");
  };
  requireOption(Number.isInteger(options.n) && options.n >= 1, `n is ${options.n}, and must be a whole number from 1`);
  requireOption(
    Number.isInteger(options.maxTokens) && options.maxTokens >= 0,
    `maxTokens is ${options.maxTokens}, and must be a whole number from 0`,
  );
  requireOption(
    Number.isFinite(options.temperature) && options.temperature >= 0,
    `temperature is ${options.temperature}, and must be 0 or more`,
  );
  const { topP = 1, topK = 0, promptSeeds } = options;
  requireOption(topP > 0 && topP <= 1, `topP is ${topP}, and must lie in (0, 1]`);
  requireOption(Number.isInteger(topK) && topK >= 0, `topK is ${topK}, and must be a whole number from 0`);
  requireOption(
    promptSeeds === undefined || promptSeeds.length === prompts.length,
    `promptSeeds has ${promptSeeds?.length} entries for ${prompts.length} prompts`,
  );
}

export function checkSequences(config: ModelConfig, sequences: readonly TokenSequence[]): void {
  sequences.forEach(({ ids, start }, index) => {
    if (!Number.isInteger(start) || start < 1) {
      throw userError(
        "engine-start",
        `Sequence ${index} starts at ${start}; the first token has no predecessor to be predicted from.`,
        "Score from position 1 at the earliest.",
      );
    }
    checkIds(config, ids, `sequence ${index}`);
  });
}

export function checkWeights(sequences: readonly WeightedSequence[]): void {
  sequences.forEach((sequence, index) => {
    checkPerToken(sequence, index, "weights", sequence.weights);
  });
}

export function checkPolicy(sequences: readonly PolicySequence[], loss: PolicyLossOptions): void {
  for (const [name, value] of Object.entries(loss)) {
    if (!Number.isFinite(value) || value < 0) {
      throw userError(
        "engine-policy-option",
        `The policy loss's ${name} is ${value}.`,
        "Give a finite number that is not negative.",
      );
    }
  }
  sequences.forEach((sequence, index) => {
    checkPerToken(sequence, index, "oldLogprobs", sequence.oldLogprobs);
    checkPerToken(sequence, index, "advantages", sequence.advantages);
    checkPerToken(sequence, index, "scales", sequence.scales);
    if (sequence.referenceLogprobs) checkPerToken(sequence, index, "referenceLogprobs", sequence.referenceLogprobs);
    else if (loss.klCoefficient !== 0) {
      throw userError(
        "engine-policy-reference",
        `Sequence ${index} has no reference log-probs, but the KL coefficient is ${loss.klCoefficient}.`,
        "Give referenceLogprobs, or set the coefficient to 0.",
      );
    }
  });
}

function checkIds(config: ModelConfig, ids: readonly number[], place: string): void {
  if (ids.length > config.maxContextTokens) {
    throw userError(
      "engine-context",
      `The ${place} has ${ids.length} tokens; the model's context holds ${config.maxContextTokens}.`,
      "Shorten it, or use a model with a longer context.",
    );
  }
  ids.forEach((id, position) => {
    if (!Number.isInteger(id) || id < 0 || id >= config.vocabularySize) {
      throw userError(
        "engine-token-id",
        `Token ${position} of ${place} is ${id}; ids of this model lie in 0 … ${config.vocabularySize - 1}.`,
        "Use the tokenizer that came with the model.",
      );
    }
  });
}

function checkPerToken(sequence: TokenSequence, index: number, name: string, numbers: Float32Array): void {
  const expected = Math.max(0, sequence.ids.length - sequence.start);
  if (numbers.length !== expected) {
    throw userError(
      "engine-length",
      `Sequence ${index} scores ${expected} tokens, but ${name} has ${numbers.length} numbers.`,
      "Give one number per scored token.",
    );
  }
  const wrong = numbers.findIndex((number) => !Number.isFinite(number));
  if (wrong >= 0) {
    throw userError("engine-not-finite", `${name}[${wrong}] of sequence ${index} is ${numbers[wrong]}.`, "Give finite numbers.");
  }
}
