/** A real chat server on loopback for the AI SDK's own OpenAI-compatible provider: one scripted reply a request, streamed where asked. */
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import type { LanguageModelV4 } from "@ai-sdk/provider";
import { type ModelServer, type PlayedReply, type PlayedRequest, playServer } from "../support/model-server.ts";

export interface ScriptedReply {
  content?: string;
  reasoning?: string;
  toolCalls?: readonly { id: string; name: string; arguments: string }[];
  finishReason?: string;
  usage?: Record<string, unknown> | null;
  /** Instead of an answer. */
  status?: number;
  /** What it says beside the status. */
  says?: string;
  headers?: Record<string, string>;
  /** The stream stops here and the connection stays open. */
  hangs?: boolean;
}

export interface ChatServer extends ModelServer {
  model: LanguageModelV4;
}

/** Prompt 10, output 5 tokens a reply, unless the reply says otherwise. */
export async function chatServer(reply: (request: PlayedRequest, number: number) => ScriptedReply): Promise<ChatServer> {
  const server = await playServer((request, number) => played(request, reply(request, number)));
  const provider = createOpenAICompatible({
    name: "loopback",
    baseURL: server.baseUrl,
    includeUsage: true,
    supportsStructuredOutputs: true,
  });
  return { ...server, model: provider("test-model") };
}

function played(request: PlayedRequest, reply: ScriptedReply): PlayedReply {
  const { content = "", reasoning, toolCalls = [], finishReason = toolCalls.length > 0 ? "tool_calls" : "stop" } = reply;
  const usage = reply.usage === undefined ? { prompt_tokens: 10, completion_tokens: 5 } : reply.usage;
  if (reply.status) {
    return {
      status: reply.status,
      headers: reply.headers ?? {},
      body: { error: { message: reply.says ?? `scripted ${reply.status}` } },
    };
  }
  const calls = toolCalls.map(({ id, name, arguments: input }, index) => ({
    index,
    id,
    type: "function",
    function: { name, arguments: input },
  }));
  const head = { id: "chat-1", created: 1, model: "test-model" };
  if (!request.body?.stream) {
    const message = {
      role: "assistant",
      content,
      ...(reasoning ? { reasoning_content: reasoning } : {}),
      ...(calls.length > 0 ? { tool_calls: calls } : {}),
    };
    const body = { ...head, choices: [{ index: 0, message, finish_reason: finishReason }], ...(usage ? { usage } : {}) };
    return reply.hangs ? { hangs: true } : { body };
  }
  const deltas: Record<string, unknown>[] = [
    { role: "assistant", content: "" },
    ...(reasoning ? [{ reasoning_content: reasoning }] : []),
    ...pieces(content).map((piece) => ({ content: piece })),
    ...(calls.length > 0 ? [{ tool_calls: calls }] : []),
  ];
  const chunks: Record<string, unknown>[] = deltas.map((delta) => ({ ...head, choices: [{ index: 0, delta }] }));
  if (reply.hangs) return { events: chunks.map(event), hangs: true };
  chunks.push({ ...head, choices: [{ index: 0, delta: {}, finish_reason: finishReason }] });
  if (usage) chunks.push({ ...head, choices: [], usage });
  return { events: [...chunks.map(event), "data: [DONE]\n\n"] };
}

/** Three characters at a time, so that tags arrive in pieces. */
function pieces(text: string): string[] {
  return text.match(/[\s\S]{1,3}/g) ?? [];
}

function event(chunk: Record<string, unknown>): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** The text of a message in a request's body. */
export function lastText(request: PlayedRequest): string {
  const messages = request.body?.messages as { content: unknown }[];
  const { content } = messages.at(-1)!;
  return typeof content === "string" ? content : JSON.stringify(content);
}
