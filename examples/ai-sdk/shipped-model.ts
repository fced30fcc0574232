/**
 * A refined model under the AI SDK's generateText, offline: the checkpoint that ships with the package answers six times and its answers
 * vote. It knows chains of additions, subtractions and products with one-digit numbers, bare or as short stories, and nothing else.
 * `node examples/ai-sdk/shipped-model.ts` from a checkout; a project of your own needs onnxruntime-node besides.
 */
import { generateText } from "ai";
import { refine, selfConsistency, toAiSdk } from "midcourse";
import { EmbeddedEngine, EmbeddedModel, shippedModel, Tokenizer } from "midcourse/engine";

const engine = await EmbeddedEngine.open({ folder: shippedModel });
const model = toAiSdk(new EmbeddedModel(engine, await Tokenizer.load(shippedModel), { id: "base" }), { maxTokens: 128 });

const { text, reasoningText, usage } = await generateText({
  model: refine(model, selfConsistency({ samples: 6, temperature: 0.9, instruction: "Solve step by step." }), { seed: 1 }),
  prompt:
    process.argv[2] ?? "A box holds 211 pens. Sam buys 3 boxes. Sam buys 7 more. Sam finds 6 pens. How many pens does Sam have?",
});

console.log(reasoningText);
console.log(`Answer: ${text}`);
console.log(`Tokens: ${usage.inputTokens} read, ${usage.outputTokens} written`);
await engine.close();
