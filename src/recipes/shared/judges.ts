/** Judge models opened in one way, whatever they grade: the answers of an evaluation or those of a training. */
import path from "node:path";
import type { JsonObject } from "#files/json-lines.ts";
import { MidcourseError, userError } from "#kernel/errors.ts";
import type { Model } from "#kernel/model.ts";
import { type OpenedModel, type OpenModelOptions, openModel } from "#models/open-model.ts";

export interface JudgesWanted {
  /** Each the name of a model at a server, or a checkpoint folder. */
  judges: readonly string[];
  /** Where they are served; where `around` says when left out. */
  judgeBaseUrl?: string | undefined;
  /** Environment variable with their server's key. */
  judgeApiKeyEnv?: string | undefined;
}

export interface OpenedJudges {
  models: Model[];
  /** For the record, one each. Holds no key. */
  describe(): JsonObject[];
  close(): Promise<void>;
}

/** `around` says how models are opened; what judges reply is kept in a folder of its own inside its cache. */
export async function openJudges(
  { judges, judgeBaseUrl, judgeApiKeyEnv }: JudgesWanted,
  around: OpenModelOptions,
): Promise<OpenedJudges> {
  const opened: OpenedModel[] = [];
  const close = async () => {
    for (const judge of opened.reverse()) await judge.close();
  };
  const { baseUrl, apiKeyEnv, cache } = around;
  try {
    for (const model of judges) {
      const own = { model, baseUrl: judgeBaseUrl ?? baseUrl, apiKeyEnv: judgeApiKeyEnv ?? apiKeyEnv };
      opened.push(await openModel({ ...around, ...own, cache: cache ? path.join(cache, "judge") : false }));
    }
  } catch (error) {
    await close();
    throw asJudgeError(error);
  }
  return { models: opened.map(({ model }) => model), describe: () => opened.map((judge) => judge.describe()), close };
}

/** What a person has to mend about the judge, in the words of its options; anything else as it is. */
export function asJudgeError(error: unknown): unknown {
  if (!MidcourseError.isInstance(error) || error.family !== "user" || error.code.startsWith("judge-")) return error;
  const own = (words: string) =>
    words.replace(/--(model|base-url|api-key-env)\b/g, (_, name) => (name === "model" ? "--judge" : `--judge-${name}`));
  return userError(`judge-${error.code}`, `The judge: ${own(error.what)}`, error.advice && own(error.advice), error);
}
