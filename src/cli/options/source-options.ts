/** The options that choose where training problems come from, shared by the training commands. */
import { fileSource } from "#recipes/sources/file-source.ts";
import type { Source } from "#recipes/sources/source.ts";
import { worldSource } from "#recipes/sources/world-source.ts";

export interface SourceOptions {
  data?: string;
  test?: string;
  question?: string;
  answer?: string;
  resample?: boolean;
  seed: number;
}

export async function openSource(options: SourceOptions): Promise<Source> {
  if (options.data === undefined) return worldSource;
  const columns = {
    ...(options.question === undefined ? {} : { question: options.question }),
    ...(options.answer === undefined ? {} : { answer: options.answer }),
  };
  const source = await fileSource({
    train: options.data,
    ...(options.test === undefined ? {} : { test: options.test }),
    columns,
    resample: options.resample === true,
    seed: options.seed,
  });
  for (const note of source.notes) process.stderr.write(`${note}\n`);
  return source;
}
