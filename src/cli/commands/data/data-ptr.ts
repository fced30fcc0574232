/** `midcourse data ptr`: opens two models and a run directory, and has phase 1 of PTR done. */
import path from "node:path";
import { readQuestionAnswerFile } from "#data/files/question-answer.ts";
import { queriesFromRows } from "#data/sources/ptr-queries.ts";
import { asKind } from "#data/training-files/training-datum.ts";
import { readTrainingFile, trainingRows } from "#data/training-files/training-formats.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Item } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { ModelOptions } from "#models/open-model.ts";
import { openModel } from "#models/open-model.ts";
import { defaultPtrDataSettings, type GapKind, makePtrData, type PtrDataSettings } from "#recipes/ptr-data/ptr-data.ts";
import { withRun } from "#record/run-directory.ts";
import { embeddingClient } from "#verifiers/text/similarity.ts";
import { interruptSignal } from "../../terminal/interrupt.ts";
import { Progress } from "../../terminal/progress.ts";
import { digest, printCard, questionKeys, typedCommand } from "./data-files.ts";

export interface DataPtrOptions extends Omit<ModelOptions, "model"> {
  queries: string;
  weak: string;
  strong: string;
  out: string;
  question?: string;
  limit?: number;
  maximumCharacters?: number;
  leaveOut: string[];
  attempts: number;
  maxTokens: number;
  weakTemperature: number;
  strongTemperature: number;
  topP: number;
  system?: string;
  strongSees: PtrDataSettings["strongSees"];
  refineRequest?: string;
  agreement: PtrDataSettings["agreement"];
  samples?: number;
  threshold?: number;
  embeddingModel?: string;
  minimumCharacters: number;
  keepRepeats?: boolean;
  plain?: string;
  plainShare?: number;
  gap?: GapKind;
  gapCheck?: string;
  gapItems: number;
  requireGap?: boolean;
  weakBaseUrl?: string;
  strongBaseUrl?: string;
  weakApiKeyEnv?: string;
  strongApiKeyEnv?: string;
  seed: number;
  json?: boolean;
}

/** Calls at once where nothing is said; the same for checkpoints, which gather them into batches. */
const defaultConcurrency = 32;

export async function dataPtr(options: DataPtrOptions): Promise<void> {
  const settings = settingsOf(options);
  const signal = interruptSignal();
  const { queries, tally } = queriesFromRows(options.queries, await trainingRows(options.queries), {
    ...(options.question === undefined ? {} : { column: options.question }),
    ...(options.maximumCharacters === undefined ? {} : { maximumCharacters: options.maximumCharacters }),
    testQuestions: await questionKeys(options.leaveOut),
  });
  const plain = options.plain === undefined ? undefined : await readPlain(options.plain);
  const gapItems = options.gapCheck === undefined ? undefined : await readGapItems(options.gapCheck, options);
  const configuration = { ...(await dataOf(options)), settings: { ...settings } as unknown as JsonObject };
  const embedding =
    settings.agreement === "embedding"
      ? embeddingClient(options.embeddingModel === undefined ? {} : { model: options.embeddingModel })
      : undefined;

  const progress = new Progress();
  const weak = await openModel({ ...modelOf(options, "weak"), signal });
  try {
    const strong = await openModel({ ...modelOf(options, "strong"), signal });
    try {
      const models = { weak: weak.describe(), strong: strong.describe() };
      await withRun(options.out, { command: "data ptr", options: { ...configuration, ...models } }, async (run) => {
        const { card, examplesFile, cardFile } = await makePtrData({
          weak: weak.model,
          strong: strong.model,
          names: { weak: nameOf(options.weak), strong: nameOf(options.strong) },
          queries: queries.slice(0, options.limit),
          leftOut: tally,
          ...(plain ? { plain } : {}),
          ...(gapItems ? { gapItems } : {}),
          ...(embedding ? { embedding } : {}),
          settings,
          run,
          concurrency: options.concurrency ?? defaultConcurrency,
          command: typedCommand(),
          signal,
          onProgress: ({ stage, done, total }) => progress.update({ label: stage, done, total }),
        });
        progress.finish();
        printCard(card, options, { examples: examplesFile, card: cardFile });
      });
    } finally {
      await strong.close();
    }
  } finally {
    progress.finish();
    await weak.close();
  }
}

function settingsOf(options: DataPtrOptions): PtrDataSettings {
  const { agreement, plain, system, gap } = options;
  return {
    ...defaultPtrDataSettings,
    attempts: options.attempts,
    weakTemperature: options.weakTemperature,
    strongTemperature: options.strongTemperature,
    weakTopP: options.topP,
    strongTopP: options.topP,
    maxTokens: options.maxTokens,
    ...(system === undefined ? {} : { system }),
    strongSees: options.strongSees,
    ...(options.refineRequest === undefined ? {} : { refineRequest: options.refineRequest }),
    samples: options.samples ?? (agreement === "none" ? 1 : 4),
    agreement,
    threshold: options.threshold ?? (agreement === "embedding" ? 0.9 : 0.5),
    plainShare: options.plainShare ?? (plain === undefined ? 0 : 0.2),
    minimumAnswerCharacters: options.minimumCharacters,
    keepRepeats: options.keepRepeats === true,
    ...(gap === undefined ? {} : { gap }),
    requireGap: options.requireGap === true,
    seed: options.seed,
  };
}

/** What decides the data beside models and settings. */
async function dataOf({
  queries,
  limit,
  plain,
  gapCheck,
  gapItems,
  embeddingModel,
  ...options
}: DataPtrOptions): Promise<JsonObject> {
  const file = async (name: string | undefined) => (name === undefined ? undefined : { file: name, sha256: await digest(name) });
  return {
    queries: await file(queries),
    question: options.question,
    limit,
    maximumCharacters: options.maximumCharacters,
    leaveOut: (await Promise.all(options.leaveOut.map(file))) as JsonObject[],
    plain: await file(plain),
    gapCheck: await file(gapCheck),
    gapItems: gapCheck === undefined ? undefined : gapItems,
    embeddingModel,
  };
}

/** The shared model options, with what one of the two has for itself. */
function modelOf(options: DataPtrOptions, which: "weak" | "strong") {
  const { concurrency, retries, prices, threads, reasoningTags, idleSeconds, extraBody, probe, seed } = options;
  const baseUrl = options[`${which}BaseUrl`] ?? options.baseUrl;
  const apiKeyEnv = options[`${which}ApiKeyEnv`] ?? options.apiKeyEnv;
  // Each has a folder of its own: two writers in one folder would only get in each other's way.
  const cache: string | false =
    options.cache === false ? false : path.join(options.cache ?? path.join(options.out, "cache"), which);
  const shared = { concurrency, retries, prices, threads, reasoningTags, idleSeconds, extraBody, probe, baseUrl, apiKeyEnv };
  const given = Object.fromEntries(Object.entries(shared).filter(([, value]) => value !== undefined));
  return { ...given, model: options[which], cache, seed };
}

function nameOf(model: string): string {
  return path.isAbsolute(model) ? path.relative(process.cwd(), model) || "." : model;
}

async function readPlain(file: string): Promise<TrainingConversation[]> {
  const { data } = await readTrainingFile(file).catch(async (error: unknown) => {
    // Questions with answers are plain data as well; what reading them says is the better complaint only where it succeeds.
    const items = await readQuestionAnswerFile(file).then(
      ({ items: read }) => read,
      () => undefined,
    );
    if (items === undefined) throw error;
    const source = path.basename(file);
    return {
      data: items.map(({ id, question, answer, completion, solution }) => ({
        kind: "question" as const,
        question: {
          id,
          messages: [{ role: "user" as const, content: question }],
          answer: completion ?? [solution, answer].filter(Boolean).join("\n"),
          source,
        },
      })),
    };
  });
  return data.flatMap((datum) => {
    const same = asKind(datum, "conversation");
    return "kind" in same && same.kind === "conversation" ? [same.conversation] : [];
  });
}

async function readGapItems(file: string, { gapItems, seed }: DataPtrOptions): Promise<Item[]> {
  const { items } = await readQuestionAnswerFile(file);
  return new Random(deriveSeed(seed, "gap-items")).shuffle(items).slice(0, gapItems);
}
