/**
 * verl's fields for reinforcement learning: `data_source`, `prompt` (messages), `ability`, `reward_model` {style, ground_truth} and
 * `extra_info`. verl reads Parquet; we write the same fields as JSON lines, which `datasets.load_dataset("json", …).to_parquet(…)` turns
 * into its files, and read them from either.
 */
import { malformed, readMessages, type TrainingFormat, wrongKind } from "./training-datum.ts";

export const verl: TrainingFormat = {
  name: "verl",
  kind: "question",
  summary: "verl's fields for reinforcement learning, as JSON lines (verl itself reads Parquet)",
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
  write(datum) {
    if (datum.kind !== "question") return wrongKind(datum, "verl");
    const { id, messages, answer, source, ability = "" } = datum.question;
    if (messages.some(({ parts }) => parts !== undefined))
      return { dropped: "not-representable", detail: "a message holds more than text" };
    return {
      data_source: source,
      prompt: messages,
      ability,
      reward_model: { style: "rule", ground_truth: answer },
      extra_info: { id },
    };
  },
};
