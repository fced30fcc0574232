/** `midcourse/engine`: checkpoint folders in this process, and whatever model an application's options name. Running one needs onnxruntime-node. */

export { EmbeddedEngine, type EmbeddedEngineOptions } from "#engines/embedded/engine.ts";
export { shippedModel } from "#files/shipped-model.ts";
export type { Engine, Sample, SampleOptions, Scorer, TokenSequence, WeightedSequence } from "#kernel/engine.ts";
export { EmbeddedModel } from "#models/embedded.ts";
export { type OpenedModel, type OpenModelOptions, openModel } from "#models/open-model.ts";
export { Tokenizer } from "#tokens/tokenizer.ts";
