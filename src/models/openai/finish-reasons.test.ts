/** Why answers ended, from the words that servers use: failures and ends that are not known are never taken for a proper end. */
import { afterEach, describe, expect, test } from "vitest";
import { chunk } from "../../../test/support/model-server.ts";
import { answer, body, closeAll, failure, piece, serve, usage } from "../../../test/support/raw-server.ts";
import { finishReasonOf, finishWord } from "./finish-reasons.ts";

afterEach(closeAll);

describe("finish reasons", () => {
  test.each([
    ["stop", "stop end_turn STOP eos eos_token stop_sequence COMPLETE FINISH_REASON_STOP normal"],
    [
      "length",
      "length max_tokens MAX_TOKENS model_length max_output maxTokens max-tokens model_context_window_exceeded token_limit_reached",
    ],
    [
      "content-filter",
      "content_filter sensitive SAFETY RECITATION PROHIBITED_CONTENT BLOCKLIST SPII guardrail_intervened refusal contentFilter",
    ],
    ["tool-calls", "tool_calls function_call tool_use toolUse"],
    [
      "error",
      "error abort network_error insufficient_system_resource ERROR TIMEOUT cancelled MALFORMED_FUNCTION_CALL rate_limit_error",
    ],
    ["other", "OTHER FINISH_REASON_UNSPECIFIED pause_turn banana repetition"],
  ] as const)("%s", (expected, words) => {
    for (const word of words.split(" ")) expect([word, finishReasonOf(word, false)]).toEqual([word, expected]);
  });

  test("a word that is not known is kept by its name, is no proper end, and is told once", async () => {
    const reply = { choices: [{ index: 0, message: { content: "4" }, finish_reason: "banana" }], usage };
    const notes: string[] = [];
    const served = await serve(body(JSON.stringify(reply), "application/json"), { onNote: (note) => notes.push(note) });
    expect(await answer(served)).toMatchObject({ text: "4", finishReason: "other", finishSaid: "banana" });
    await answer(served);
    expect(notes).toEqual([expect.stringMatching(/ended an answer with “banana”, which is no end that is known here/)]);
  });

  test("words for not yet ended are no end, and an end in an object is read", async () => {
    for (const word of ["", "null", null, undefined, "None"]) expect(finishWord(word)).toBeUndefined();
    expect(finishWord({ type: "max_tokens" })).toBe("max_tokens");
    const events = [piece({ content: "It is" }, { finish_reason: "" }), piece({ content: " 4" }, { finish_reason: "null" })];
    const cut = await serve(body(events.map(chunk)), { stream: true });
    expect(await failure(cut)).toMatchObject({ code: "reply-broken" });
  });
});
