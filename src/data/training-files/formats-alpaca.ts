/** Alpaca's columns: an instruction, an input that belongs below it, an output; `system` and `history` as LLaMA-Factory adds them. */
import type { TrainingMessage } from "#kernel/conversation.ts";
import { instructionWith } from "../files/instruction.ts";
import { isDropped } from "./data-card.ts";
import { learned, malformed, readId, shown, type TrainingFormat } from "./datum.ts";
import { conversationOr, plainConversation } from "./formats-chat.ts";

/** `{"instruction", "input"?, "output", "system"?, "history"?: [[question, answer]]}`: the last answer is learned. */
export const alpaca: TrainingFormat = {
  name: "alpaca",
  kind: "conversation",
  summary: "Alpaca's columns: instruction, input below it, output; the output is learned",
  looksLike: ({ instruction, output }) => typeof instruction === "string" && typeof output === "string",
  read(values, id) {
    const { instruction, output, system, history } = values;
    if (typeof instruction !== "string" || typeof output !== "string") return malformed("instruction and output are not text");
    const asked = instructionWith(instruction, values);
    if (asked.trim() === "") return { dropped: "question-empty" };
    if (output.trim() === "") return { dropped: "answer-empty" };
    const messages: TrainingMessage[] = [];
    if (typeof system === "string" && system !== "") messages.push(shown({ role: "system", content: system }));
    for (const turn of Array.isArray(history) ? (history as unknown[]) : []) {
      const isPair = Array.isArray(turn) && turn.length === 2 && turn.every((each) => typeof each === "string");
      if (!isPair) return malformed("history is no list of questions with answers");
      const [question, answer] = turn as [string, string];
      messages.push(shown({ role: "user", content: question }), shown({ role: "assistant", content: answer }));
    }
    messages.push(shown({ role: "user", content: asked }), learned(output));
    return conversationOr({ id: readId(values, id), messages }, values);
  },
  write(datum) {
    const conversation = plainConversation(datum, "alpaca");
    if (isDropped(conversation)) return conversation;
    const { id, messages } = conversation;
    const hasSystem = messages[0].role === "system" && messages[0].content !== "";
    const turns = messages.slice(hasSystem ? 1 : 0);
    const isTurn = ({ role, trainable }: TrainingMessage, at: number) =>
      role === (at % 2 === 0 ? "user" : "assistant") && trainable === (at === turns.length - 1);
    const isSayable =
      turns.length >= 2 && turns.length % 2 === 0 && turns.every(isTurn) && isText(turns.at(-1)) && isText(turns.at(-2));
    if (!isSayable)
      return { dropped: "not-representable", detail: "it is not questions with answers of which the last is learned" };
    const history = turns.slice(0, -2).flatMap((turn, at, all) => (at % 2 === 0 ? [[turn.content, all[at + 1].content]] : []));
    return {
      id,
      ...(hasSystem ? { system: messages[0].content } : {}),
      instruction: turns[turns.length - 2].content,
      input: "",
      output: turns[turns.length - 1].content,
      ...(history.length > 0 ? { history } : {}),
    };
  },
};

function isText(message: TrainingMessage | undefined): boolean {
  return message !== undefined && message.content.trim() !== "";
}
