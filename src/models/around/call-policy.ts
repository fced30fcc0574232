/** What stands around each call of a model: waiting for a free place, trying again. Policies wrap one another, and any model. */
import type { Completion, GenerateOptions, Message, Model } from "#kernel/model.ts";

/** Runs a call, now or later, once or more often. A call may be started again only after it failed. */
export type CallPolicy = (call: () => Promise<Completion[]>, signal?: AbortSignal) => Promise<Completion[]>;

export const callDirectly: CallPolicy = (call) => call();

/** A model under a policy, for models that are not given theirs when they are made. */
export function withPolicy<Inner extends Model>(model: Inner, policy: CallPolicy): Model {
  return {
    id: model.id,
    generate: (messages: readonly Message[], options: GenerateOptions) =>
      policy(() => model.generate(messages, options), options.signal),
  };
}
