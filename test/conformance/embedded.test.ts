/** The embedded engine keeps the contract, for each family of models. */

import { newConfig } from "#engines/embedded/checkpoint/create.ts";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { engineConformance } from "./engine.conformance.ts";

const sizes = {
  vocabularySize: 24,
  hiddenSize: 32,
  intermediateSize: 40,
  layers: 2,
  heads: 4,
  keyValueHeads: 2,
  headSize: 8,
  maxContextTokens: 64,
};

for (const [name, options] of [
  ["Qwen3, tied", { architecture: "qwen3", tieEmbeddings: true }],
  ["Qwen2, untied", { architecture: "qwen2", tieEmbeddings: false }],
  ["Llama, one thread", { architecture: "llama", tieEmbeddings: true }],
] as const) {
  engineConformance(`embedded (${name})`, {
    open: () =>
      EmbeddedEngine.open({
        rawConfig: newConfig({ ...sizes, ...options }),
        seed: 1,
        initialisation: { deviation: 0.2 },
        threads: options.architecture === "llama" ? 1 : 2,
      }),
    bitwise: true,
  });
}
