/** PTR's training data from files and two models that are opened for it: what the command does, for programs too. */
import path from "node:path";
import { readQuestionAnswerFile } from "#data/files/question-answer.ts";
import { fileDigest, readRows } from "#data/files/rows.ts";
import { type Query, type QuerySource, queriesFromFiles, questionKeysOf } from "#data/sources/ptr-queries.ts";
import type { DropTally } from "#data/training-files/data-card.ts";
import { conversationsOf } from "#data/training-files/datum.ts";
import { readTrainingFile } from "#data/training-files/formats.ts";
import type { JsonObject } from "#files/json-lines.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Item } from "#kernel/item.ts";
import { deriveSeed, Random } from "#kernel/seed.ts";
import type { ModelOptions } from "#models/model-options.ts";
import { openModel } from "#models/open-model.ts";
import { withRun } from "#record/run-directory.ts";
import { embeddingClient } from "#verifiers/text/similarity.ts";
import { withOpened } from "../shared/opened.ts";
import { makePtrData, type PtrDataResult } from "./ptr-data.ts";
import type { PtrDataSettings, PtrDataSetup } from "./setup.ts";

export interface PtrDataFiles {
  /** Several files are one list of queries, in the order given. */
  queries: string | readonly string[];
  /** Name of the question column; guessed when left out. */
  question?: string | undefined;
  /** The first so many queries. */
  limit?: number | undefined;
  /** Longer questions are left out. */
  maximumCharacters?: number | undefined;
  /** Files whose questions must not be trained on. */
  leaveOut: readonly string[];
  /** Plain instruction data to mix in. */
  plain?: string | undefined;
  /** Questions with answers to test the gap on, and how many of them. */
  gapCheck?: string | undefined;
  gapItems: number;
}

export interface PtrDataWanted {
  /** Run directory; the same work goes on where it stopped. */
  folder: string;
  files: PtrDataFiles;
  weak: ModelOptions & { model: string };
  strong: ModelOptions & { model: string };
  /** Model of the embeddings server, for agreement by embedding. */
  embeddingModel?: string | undefined;
  settings: PtrDataSettings;
  concurrency: number;
}

/** Throws user errors for files, models and settings that cannot be used; a run of other files, models or settings is not gone on with. */
export async function ptrDataFromFiles(
  { folder, files, embeddingModel, settings, concurrency, ...wanted }: PtrDataWanted,
  { signal, ...context }: Pick<PtrDataSetup, "command" | "onProgress"> & { signal: AbortSignal },
): Promise<PtrDataResult> {
  const { queries, leftOut } = await readQueries(files);
  const plain = files.plain === undefined ? undefined : await readPlain(files.plain);
  const gapItems = files.gapCheck === undefined ? undefined : await readGapItems(files.gapCheck, files.gapItems, settings.seed);
  const decisive = { ...(await describeFiles(files)), embeddingModel, settings: { ...settings } as unknown as JsonObject };
  const embedding = settings.agreement === "embedding" ? embeddingClient({ model: embeddingModel }) : undefined;
  const { seed } = settings;
  return withOpened(await openModel({ ...wanted.weak, seed, signal }), async (weak) =>
    withOpened(await openModel({ ...wanted.strong, seed, signal }), (strong) => {
      const options = { ...decisive, weak: weak.describe(), strong: strong.describe() };
      return withRun(folder, { command: "data ptr", options }, (run) =>
        makePtrData({
          ...context,
          weak: weak.model,
          strong: strong.model,
          names: { weak: nameOf(wanted.weak.model), strong: nameOf(wanted.strong.model) },
          queries,
          leftOut,
          plain,
          gapItems,
          embedding,
          settings,
          run,
          concurrency,
          signal,
        }),
      );
    }),
  );
}

async function readQueries(files: PtrDataFiles): Promise<{ queries: Query[]; leftOut: DropTally }> {
  const { question: column, maximumCharacters } = files;
  const testQuestions = await questionKeysOf(files.leaveOut);
  const sources: QuerySource[] = [];
  for (const file of namesOf(files.queries)) sources.push({ file, rows: await readRows(file) });
  const { queries, tally } = queriesFromFiles(sources, { column, maximumCharacters, testQuestions });
  return { queries: queries.slice(0, files.limit), leftOut: tally };
}

const namesOf = (files: string | readonly string[]) => (typeof files === "string" ? [files] : files);

/** What of the files decides the data. */
async function describeFiles(files: PtrDataFiles): Promise<JsonObject> {
  const file = async (name: string) => ({ file: name, sha256: await fileDigest(name) });
  const queries = await Promise.all(namesOf(files.queries).map(file));
  const optional = async (name: string | undefined) => (name === undefined ? undefined : file(name));
  return {
    // One file stands alone, as it did when there could be no more.
    queries: queries.length === 1 ? queries[0] : queries,
    question: files.question,
    limit: files.limit,
    maximumCharacters: files.maximumCharacters,
    leaveOut: await Promise.all(files.leaveOut.map(file)),
    plain: await optional(files.plain),
    gapCheck: await optional(files.gapCheck),
    gapItems: files.gapCheck === undefined ? undefined : files.gapItems,
  };
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
  return conversationsOf(data);
}

async function readGapItems(file: string, count: number, seed: number): Promise<Item[]> {
  const { items } = await readQuestionAnswerFile(file);
  return new Random(deriveSeed(seed, "gap-items")).shuffle(items).slice(0, count);
}
