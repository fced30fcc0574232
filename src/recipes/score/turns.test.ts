import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Item } from "#kernel/item.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import type { Conversation } from "#training/policy/turn-rollouts.ts";
import { opening, retryFollowUp } from "./turns.ts";

const base = path.join(import.meta.dirname, "../../../models/base");
const root = mkdtempSync(path.join(tmpdir(), "score-turns-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** As Qwen3's: reasoning of earlier turns is left out, and an empty one may open the answer. */
const forgetful = [
  "{% for message in messages %}{{ '<|' + message.role + '|>' }}",
  "{% if message.role == 'assistant' and not loop.last %}{{ message.content.split('</think>')[-1] }}{% else %}{{ message.content }}{% endif %}",
  "{{ '<|end|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% if silent %}{{ '<think></think>' }}{% endif %}{% endif %}",
].join("");
/** Ends no turn but the last. */
const endless = "{% for message in messages %}{{ message.content + ';' }}{% endfor %}";

async function withTemplate(template: string, templateVariables: Record<string, unknown> = {}): Promise<Tokenizer> {
  const folder = mkdtempSync(path.join(root, "model-"));
  cpSync(base, folder, { recursive: true });
  const file = path.join(folder, "tokenizer_config.json");
  writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), chat_template: template }));
  return Tokenizer.load(folder, { templateVariables });
}

let plain: Tokenizer;
let rewriting: Tokenizer;
beforeAll(async () => {
  plain = await Tokenizer.load(base);
  rewriting = await withTemplate(forgetful);
});

const item: Item = { id: "a", question: "1+2", answer: "3" };
const prompts = { system: "Solve step by step.", retry: "Solve again." };

/** A conversation of one turn that says `text`, ended or cut. */
function conversationOf(tokenizer: Tokenizer, text: string, ended = true) {
  const prompt = tokenizer.encodeConversation(opening(item, prompts), { addGenerationPrompt: true });
  const ids = [...prompt, ...tokenizer.encode(text), ...(ended ? [tokenizer.endOfTurnId] : [])];
  return { question: { index: 0, subject: item, prompt }, conversation: { ids, turns: [] } satisfies Conversation };
}

function continued(tokenizer: Tokenizer, text: string, earlierTurns: "as-shown" | "as-sampled", ended = true): string {
  const { question, conversation } = conversationOf(tokenizer, text, ended);
  const after = retryFollowUp(tokenizer, prompts, earlierTurns)(question, conversation);
  return tokenizer.decode([...conversation.ids, ...after], { keepAll: true });
}

const thinking = "<think>1+2=3;</think><answer>3</answer>";
const expected = `<|system|>Solve step by step.<|end|><|user|>1+2<|end|><|assistant|>${thinking}<|end|><|user|>Solve again.<|end|><|assistant|>`;

describe("the request for a second answer", () => {
  test.each(["as-shown", "as-sampled"] as const)("stands behind the first by a template that keeps it, %s", (earlierTurns) => {
    expect(continued(plain, thinking, earlierTurns)).toBe(expected);
    expect(continued(plain, thinking, earlierTurns, false)).toBe(expected);
    expect(continued(plain, "", earlierTurns)).toContain("<|assistant|><|end|><|user|>Solve again.");
  });

  test("a template that leaves earlier reasoning out is refused with what to do, and only where there was any", () => {
    expect(() => continued(rewriting, thinking, "as-shown")).toThrow(
      expect.objectContaining({ code: "template-rewrites-history", advice: expect.stringContaining("earlierTurns=as-sampled") }),
    );
    expect(continued(rewriting, "<answer>3</answer>", "as-shown")).toContain("<answer>3</answer><|end|><|user|>Solve again.");
  });

  test("as sampled, the first answer stays whole under such a template too", async () => {
    expect(continued(rewriting, thinking, "as-sampled")).toBe(expected);
    const silent = await withTemplate(forgetful, { silent: true });
    const text = continued(silent, "<answer>3</answer>", "as-sampled");
    expect(text).toMatch(
      /<think><\/think><answer>3<\/answer><\|end\|><\|user\|>Solve again\.<\|end\|><\|assistant\|><think><\/think>$/,
    );
  });

  test("without a system message none is written", () => {
    expect(opening(item, { system: "", retry: "x" })).toEqual([{ role: "user", content: "1+2" }]);
  });

  test("a template that ends no turn is refused before anything is sampled", async () => {
    const tokenizer = await withTemplate(endless);
    expect(() => retryFollowUp(tokenizer, prompts, "as-sampled")).toThrow(/does not end an assistant's turn/);
  });
});
