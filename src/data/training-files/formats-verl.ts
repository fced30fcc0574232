/**
 * verl's fields for reinforcement learning: `data_source`, `prompt` (messages), `ability`, `reward_model` {style, ground_truth} and
 * `extra_info` {id, index}. verl reads Parquet, so write a file that ends in `.parquet`; both are read.
 */
import { holdsMoreThanText, malformed, readMessages, type TrainingFormat, wrongKind } from "./datum.ts";

export const verl: TrainingFormat = {
  name: "verl",
  kind: "question",
  summary: "verl's fields for reinforcement learning, which verl reads as Parquet",
  looksLike: ({ prompt, reward_model: reward }) =>
    readMessages(prompt) !== undefined && typeof reward === "object" && reward !== null && "ground_truth" in reward,
  read(values, id) {
    const messages = readMessages(values.prompt);
    if (messages === undefined || messages.length === 0) return malformed("prompt is no list of messages");
    const { ground_truth: truth } = (values.reward_model ?? {}) as Record<string, unknown>;
    const isScalar = typeof truth === "string" || typeof truth === "number" || typeof truth === "boolean";
    if (!isScalar) return malformed("reward_model holds no ground_truth of text");
    const { data_source: source, ability } = values;
    const extra = (values.extra_info ?? {}) as Record<string, unknown>;
    return {
      kind: "question",
      question: {
        id: typeof extra.id === "string" ? extra.id : id,
        messages,
        answer: String(truth),
        source: typeof source === "string" ? source : "unknown",
        ...(typeof ability === "string" && ability !== "" ? { ability } : {}),
      },
    };
  },
  write(datum, place = 0) {
    if (datum.kind !== "question") return wrongKind(datum, "verl");
    const { id, messages, answer, source, ability = "" } = datum.question;
    if (holdsMoreThanText(messages)) return { dropped: "not-representable", detail: "a message holds more than text" };
    return {
      data_source: source,
      prompt: messages.map(({ role, content }) => ({ role, content })),
      ability,
      reward_model: { style: "rule", ground_truth: answer },
      // verl's workers tell rows apart by the index.
      extra_info: { id, index: place },
    };
  },
};
