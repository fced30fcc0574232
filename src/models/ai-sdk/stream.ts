/** A stream of the AI SDK put together again: text and reasoning are told while they arrive, and the whole is what `doGenerate` would give. */
import type {
  LanguageModelV4Content,
  LanguageModelV4FinishReason,
  LanguageModelV4StreamPart,
  LanguageModelV4Usage,
  SharedV4Warning,
} from "@ai-sdk/provider";
import { remoteError } from "#kernel/errors.ts";

/** One answer in the SDK's own form, from `doGenerate` or put together from a stream. */
export interface AiSdkAnswer {
  content: LanguageModelV4Content[];
  finishReason: LanguageModelV4FinishReason;
  usage: LanguageModelV4Usage;
  warnings: SharedV4Warning[];
}

interface Block {
  /** Where it stands in the content. */
  part: { type: "text" | "reasoning"; text: string; providerMetadata?: never } & Record<string, unknown>;
  pieces: string[];
}

/** Rejects with what an error part holds, and for a stream that ends without a finish part. */
export async function readStream(
  stream: ReadableStream<LanguageModelV4StreamPart>,
  onPiece: (piece: { text?: string; reasoning?: string }) => void,
): Promise<AiSdkAnswer> {
  const content: LanguageModelV4Content[] = [];
  const warnings: SharedV4Warning[] = [];
  const blocks: Block[] = [];
  /** The newest block of each id: some providers use an id again for the next block. */
  const open = new Map<string, Block>();
  let finish: { finishReason: LanguageModelV4FinishReason; usage: LanguageModelV4Usage } | undefined;

  const begin = (type: Block["part"]["type"], id: string, providerMetadata: unknown) => {
    const block: Block = { part: { type, text: "", ...metadata(providerMetadata) }, pieces: [] };
    blocks.push(block);
    open.set(`${type} ${id}`, block);
    content.push(block.part as unknown as LanguageModelV4Content);
    return block;
  };
  const add = (type: Block["part"]["type"], id: string, delta: string) => {
    const block = open.get(`${type} ${id}`) ?? begin(type, id, undefined);
    block.pieces.push(delta);
    if (delta !== "") onPiece(type === "text" ? { text: delta } : { reasoning: delta });
  };
  const end = (type: Block["part"]["type"], id: string, more: Record<string, unknown>) => {
    const block = open.get(`${type} ${id}`);
    if (block) Object.assign(block.part, more);
  };

  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value: part } = await reader.read();
      if (done) break;
      switch (part.type) {
        case "stream-start":
          warnings.push(...part.warnings);
          break;
        case "text-start":
          begin("text", part.id, part.providerMetadata);
          break;
        case "reasoning-start":
          begin("reasoning", part.id, part.providerMetadata);
          break;
        case "text-delta":
          add("text", part.id, part.delta);
          break;
        case "reasoning-delta":
          add("reasoning", part.id, part.delta);
          // Signatures of reasoning come with an empty piece.
          end("reasoning", part.id, metadata(part.providerMetadata));
          break;
        case "text-end":
          end("text", part.id, { ...metadata(part.providerMetadata), ...(part.citations ? { citations: part.citations } : {}) });
          break;
        case "reasoning-end":
          end("reasoning", part.id, metadata(part.providerMetadata));
          break;
        case "finish":
          finish = part;
          break;
        case "error":
          throw part.error;
        case "tool-input-start":
        case "tool-input-delta":
        case "tool-input-end":
        case "response-metadata":
        case "ping":
        case "raw":
          break;
        default:
          content.push(part);
      }
    }
  } finally {
    // After a failure nobody reads on; the connection below is let go.
    if (!finish) reader.cancel().catch(() => undefined);
  }
  if (!finish) throw remoteError("reply-broken", "the stream ended in the middle of the answer", {});
  for (const { part, pieces } of blocks) part.text = pieces.join("");
  return { content, warnings, finishReason: finish.finishReason, usage: finish.usage };
}

function metadata(providerMetadata: unknown): { providerMetadata?: never } {
  return providerMetadata === undefined ? {} : { providerMetadata: providerMetadata as never };
}
