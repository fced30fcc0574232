/**
 * Self-Refine under the AI SDK's streamText, over any OpenAI-compatible server: drafts and feedback are shown while they arrive, then the
 * revised answer. `OPENAI_BASE_URL=http://127.0.0.1:8000/v1 MODEL=… node examples/ai-sdk/openai-compatible.ts "a question"`; OPENAI_API_KEY
 * is sent where it is set.
 */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import { streamText } from "ai";
import { refine, selfRefine } from "midcourse";

const { OPENAI_BASE_URL: baseURL, OPENAI_API_KEY: apiKey, MODEL: modelId } = process.env;
if (!baseURL || !modelId) {
  console.error(
    "Set OPENAI_BASE_URL to where the server listens, such as http://127.0.0.1:8000/v1, and MODEL to a model it has.",
  );
  process.exit(1);
}
const server = createOpenAICompatible({ name: "server", baseURL, includeUsage: true, ...(apiKey ? { apiKey } : {}) });

const result = streamText({
  model: refine(server(modelId), selfRefine({ rounds: 1 }), { budget: { calls: 4 } }),
  prompt: process.argv[2] ?? "How many times does the letter r occur in “refrigerator”?",
  onError: ({ error }) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  },
});

for await (const part of result.stream) {
  if (part.type === "reasoning-delta") process.stderr.write(part.text);
  if (part.type === "reasoning-end") process.stderr.write("\n\n");
  if (part.type === "text-delta") process.stdout.write(part.text);
  if (part.type === "finish") {
    const { inputTokens = "?", outputTokens = "?" } = part.totalUsage;
    process.stdout.write(`\n(${inputTokens} tokens read, ${outputTokens} written)\n`);
  }
}
