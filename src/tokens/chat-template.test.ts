import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { shippedModel } from "#files/shipped-model.ts";
import type { Message } from "#kernel/model.ts";
import { textAfterTurn } from "./chat-template.ts";
import { Tokenizer } from "./tokenizer.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "template-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The shipped tokenizer under another template. */
async function withTemplate(template: string): Promise<Tokenizer> {
  const folder = mkdtempSync(path.join(root, "t-"));
  for (const name of ["tokenizer.json", "tokenizer_config.json"])
    copyFileSync(path.join(shippedModel, name), path.join(folder, name));
  writeFileSync(path.join(folder, "chat_template.jinja"), template);
  return Tokenizer.load(folder);
}

const turn: Message[] = [
  { role: "user", content: "a" },
  { role: "assistant", content: "b" },
];

describe("templates of other models", () => {
  test("with a space before and behind the content, as Llama 2's, teach every turn of a conversation", async () => {
    const spaced = await withTemplate(
      "{% for m in messages %}{% if m.role == 'user' %}[INST] {{ m.content }} [/INST]{% else %} {{ m.content | trim }} {{ eos_token }}{% endif %}{% endfor %}",
    );
    const { ids, mask } = spaced.encodeTraining([...turn, ...turn]);
    const learned = ids.filter((_, index) => mask[index] === 1);
    expect(spaced.decode(learned)).toBe("bb");
  });

  test("that open a thought for the model say so, and a thought that is closed again is none", async () => {
    const prompt = async (opened: string) => {
      const tokens = await withTemplate(
        `{% for m in messages %}{{ m.content }}{{ eos_token }}{% endfor %}{% if add_generation_prompt %}{{ '${opened}' }}{% endif %}`,
      );
      return tokens.openedThought(tokens.encodeConversation(turn.slice(0, 1), { addGenerationPrompt: true }));
    };
    expect(await prompt("<think>\\n")).toBe("<think>\n");
    expect(await prompt("<think>")).toBe("<think>");
    expect(await prompt("")).toBe("");
    expect(await prompt("<think></think>")).toBe("");
  });
});

describe("what stands after a turn", () => {
  test.each([
    ["p", "b", "pb|next", "next"],
    ["p", "b", "p b |next", "next"],
    ["p", " b\n", "pb|next", "next"],
    ["p", "<think>x</think>b", "pb|next", undefined],
    ["p", "b", "qb|next", undefined],
    ["p", "b", "pb", undefined],
  ])("prompt %j, content %j, whole %j", (prompt, content, whole, after) => {
    expect(textAfterTurn(prompt, content, "|", whole)).toBe(after);
  });
});
