/** What models and methods are asked with, checked where it comes in: a temperature that is no number would be none in silence. */
import {
  type CallSpecs,
  callback,
  checkCall,
  figure,
  list,
  maxTokensOption,
  modelOption,
  needed,
  seedOption,
  signalOption,
  temperatureOption,
  texts,
  thing,
  whole,
} from "./call-options.ts";
import type { GenerateOptions } from "./model.ts";
import type { MethodRequest } from "./trace.ts";
import { isRecord } from "./values.ts";

const asking = {
  temperature: needed(temperatureOption),
  maxTokens: needed(maxTokensOption),
  seed: needed(seedOption),
  signal: signalOption,
};

const generateSpecs: CallSpecs<GenerateOptions> = {
  ...asking,
  n: needed(whole("samples wanted")),
  topP: figure("share of the likeliest tokens that are sampled from", { maximum: 1 }),
  topK: whole("how many of the likeliest tokens are sampled from; 0 keeps all tokens"),
  stop: texts("texts that end a completion"),
  topLogprobs: whole("alternatives a token whose log-probabilities are wanted"),
  purpose: thing("what the completion is for"),
  onDelta: callback("called with pieces as they arrive"),
};

const requestSpecs: CallSpecs<MethodRequest> = {
  ...asking,
  model: needed(modelOption),
  messages: needed(list("the conversation, the question last", isRecord)),
  mayCall: callback("asked before each call"),
  tools: thing("help from outside of the model"),
};

/** For a model's `generate`. Throws user errors alone. */
export function checkGenerate(options: GenerateOptions): void {
  checkCall("generate", generateSpecs, options);
}

/** For a method's `run`. Throws user errors alone. */
export function checkRequest(owner: string, request: MethodRequest): void {
  checkCall(owner, requestSpecs, request);
}
