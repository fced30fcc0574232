/** Wraps a model and sums the usage of every call through it, failed ones included. */
import { failedCallUsage } from "#kernel/call.ts";
import { addUsage, type Completion, type GenerateOptions, type Message, type Model, noUsage, type Usage } from "#kernel/model.ts";

export class MeteredModel implements Model {
  readonly id: string;
  readonly #model: Model;
  /** Sum so far. Tokens become undefined, for good, once a call's tokens are unknown. */
  usage: Usage = noUsage;
  failedCalls = 0;

  constructor(model: Model) {
    this.#model = model;
    this.id = model.id;
  }

  async generate(messages: readonly Message[], options: GenerateOptions): Promise<Completion[]> {
    try {
      const completions = await this.#model.generate(messages, options);
      for (const completion of completions) this.usage = addUsage(this.usage, completion.usage);
      return completions;
    } catch (error) {
      this.failedCalls++;
      this.usage = addUsage(this.usage, failedCallUsage(error));
      throw error;
    }
  }
}
