/** Which model, and what stands around it, as commands and programs say it. */
import { type CallSpecs, callback, choice, flag, most, secret, text, texts, thing } from "#kernel/call-options.ts";
import { choiceSpecs, type TokenChoice } from "./around/sampling.ts";
import { type ReasoningTags, reasoningWays } from "./openai/reasoning-text.ts";
import { limitSpecs, type TimeLimits } from "./openai/time-limits.ts";

/** Everything may be left out. */
export interface ModelOptions extends TimeLimits, TokenChoice {
  /** Checkpoint folder, or name of a model at an OpenAI-compatible server. */
  model?: string | undefined;
  baseUrl?: string | undefined;
  /** Name of the environment variable that holds the key. */
  apiKeyEnv?: string | undefined;
  concurrency?: number | undefined;
  retries?: number | undefined;
  /** Folder of the cache; false for none. */
  cache?: string | false | undefined;
  /** File of prices that go over the built-in ones. */
  prices?: string | undefined;
  threads?: number | undefined;
  reasoningTags?: ReasoningTags | undefined;
  /** JSON object of fields sent with every request; one that is null is left out. */
  extraBody?: string | undefined;
  /** Fields left out of every request, with commas between: `seed,stop`, for a server that refuses them. */
  omit?: string | undefined;
  /** Headers sent with every request, each as `name: value`. Their values are never printed or written. */
  header?: readonly string[] | undefined;
  /** False: no test requests to an unknown server. */
  probe?: boolean | undefined;
  /** Told what a server is asked before the first call, a line of words, and undefined when it is asked nothing any more. */
  onProbe?: ((waitingFor: string | undefined) => void) | undefined;
  /** Told what is odd about the server's answers, each thing once: an end by a word that is not known. */
  onNote?: ((note: string) => void) | undefined;
}

export const modelSpecs: CallSpecs<ModelOptions> = {
  ...limitSpecs,
  ...choiceSpecs,
  model: text("a checkpoint folder, or the name of a model at a server"),
  baseUrl: secret(text("where the server is")),
  apiKeyEnv: secret(text("environment variable that holds the key")),
  concurrency: most("most calls at once", 1),
  retries: most("tries after a failed call"),
  cache: thing(
    "where answers are kept",
    "a folder's name, or false for none",
    (value) => typeof value === "string" || value === false,
  ),
  prices: text("file of prices"),
  threads: { type: "integer", minimum: 1, description: "cores for a checkpoint folder" },
  reasoningTags: choice("what becomes of <think> in an answer", reasoningWays),
  extraBody: secret(text("JSON object of fields for every request")),
  omit: text("fields left out of every request"),
  header: secret(texts("headers of every request")),
  probe: flag("ask an unknown server small test requests"),
  onProbe: callback("told what a server is asked"),
  onNote: callback("told what is odd about the server's answers"),
};
