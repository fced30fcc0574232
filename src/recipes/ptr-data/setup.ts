/** What the training data of PTR is made of and how: models, queries and settings. */
import type { Query } from "#data/sources/ptr-queries.ts";
import type { DropTally } from "#data/training-files/data-card.ts";
import type { TrainingConversation } from "#kernel/conversation.ts";
import type { Item } from "#kernel/item.ts";
import type { Model } from "#kernel/model.ts";
import type { RunDirectory } from "#record/run-directory.ts";
import type { EmbeddingClient } from "#verifiers/text/similarity.ts";

export type GapKind = "size" | "version" | "domain";

export interface PtrDataSettings {
  /** Attempts of the weak model on each query. The published sample has 1. */
  attempts: number;
  weakTemperature: number;
  weakTopP: number;
  /** So many of the likeliest tokens; all when left out. */
  weakTopK?: number | undefined;
  strongTemperature: number;
  strongTopP: number;
  strongTopK?: number | undefined;
  /** New tokens of one call. */
  maxTokens: number;
  /** System message of both models and of the examples; none when left out. */
  system?: string | undefined;
  /**
   * How the strong model is shown the attempts: inside one `instruction`, which any chat model follows, or as the `dialogue` that the
   * examples are, for models that were trained on it.
   */
  strongSees: "instruction" | "dialogue";
  /** The user's words between an attempt and the next, in examples and in the dialogue; our own when left out. */
  refineRequest?: string | undefined;
  /** Answers of the strong model to each query; agreement needs at least 2. */
  samples: number;
  agreement: "none" | "answer" | "embedding";
  /** Least agreement of the chosen answer with the others, in [0, 1]. */
  threshold: number;
  /** Part of the examples that is plain instruction data, in [0, 1). */
  plainShare: number;
  minimumAnswerCharacters: number;
  keepRepeats: boolean;
  /** By what the two models were chosen; goes on the card. */
  gap?: GapKind | undefined;
  /** Stop before the first query where the test finds no gap. */
  requireGap: boolean;
  seed: number;
}

/** The published generator's sampling; the rest is ours. */
export const defaultPtrDataSettings: PtrDataSettings = {
  attempts: 1,
  weakTemperature: 0.95,
  weakTopP: 0.9,
  strongTemperature: 0.95,
  strongTopP: 0.9,
  maxTokens: 2048,
  strongSees: "instruction",
  samples: 1,
  agreement: "none",
  threshold: 0.5,
  plainShare: 0,
  minimumAnswerCharacters: 1,
  keepRepeats: false,
  requireGap: false,
  seed: 1,
};

export interface PtrDataSetup {
  weak: Model;
  strong: Model;
  /** As the card names them. */
  names: { weak: string; strong: string };
  queries: readonly Query[];
  /** Rows of the query file that are no query. */
  leftOut?: DropTally;
  plain?: readonly TrainingConversation[] | undefined;
  /** Questions with answers to test the gap on. */
  gapItems?: readonly Item[] | undefined;
  /** For agreement by embedding. */
  embedding?: EmbeddingClient | undefined;
  settings: PtrDataSettings;
  run: RunDirectory;
  concurrency: number;
  command?: string;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: { stage: string; done: number; total: number }) => void) | undefined;
}

export interface MixedExamples {
  examples: TrainingConversation[];
  counts: { name: string; wanted: number; taken: number }[];
}
