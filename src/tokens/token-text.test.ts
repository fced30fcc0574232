import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { Tokenizer } from "./tokenizer.ts";

test("a SentencePiece-like vocabulary adds no space inside a conversation, and gives the same text back", async () => {
  const folder = await mkdtemp(join(tmpdir(), "text-ids-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const entries = [
    "<unk>",
    "<s>",
    "</s>",
    ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`),
    ..."\u2581ab[]",
    "\u2581a",
  ];
  const special = ["<unk>", "<s>", "</s>"].map((content, id) => ({ id, content, special: true, normalized: false }));
  const json = {
    added_tokens: special,
    normalizer: {
      type: "Sequence",
      normalizers: [
        { type: "Prepend", prepend: "\u2581" },
        { type: "Replace", pattern: { String: " " }, content: "\u2581" },
      ],
    },
    decoder: {
      type: "Sequence",
      decoders: [
        { type: "Replace", pattern: { String: "\u2581" }, content: " " },
        { type: "ByteFallback" },
        { type: "Fuse" },
        { type: "Strip", content: " ", start: 1, stop: 0 },
      ],
    },
    model: {
      type: "BPE",
      unk_token: "<unk>",
      byte_fallback: true,
      vocab: Object.fromEntries(entries.map((entry, id) => [entry, id])),
      merges: ["\u2581 a"],
    },
  };
  const template =
    "{{ bos_token }}{% for m in messages %}{% if m.role == 'user' %}{{ '[' + m.content + ']' }}{% else %}{{ ' ' + m.content + eos_token }}{% endif %}{% endfor %}{% if add_generation_prompt %}{{ ' ' }}{% endif %}";
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(json));
  await writeFile(
    join(folder, "tokenizer_config.json"),
    JSON.stringify({ bos_token: "<s>", eos_token: "</s>", unk_token: "<unk>", chat_template: template }),
  );
  const pieces = await Tokenizer.load(folder);
  const show = (ids: readonly number[]) => ids.map((id) => entries[id]).join(" ");
  expect(show(pieces.encode("a b\u00e9"))).toBe("\u2581a \u2581 b <0xC3> <0xA9>");
  expect(pieces.tokenPieces(pieces.encode("a b\u00e9"))).toEqual(["a", " ", "b", "", "\u00e9"]);
  expect(pieces).toMatchObject({ stopIds: [2], endOfTurnId: 2, padId: 2 });
  const example = pieces.encodeTraining([
    { role: "user", content: "a" },
    { role: "assistant", content: "ab" },
    { role: "user", content: "b" },
    { role: "assistant", content: " a" },
  ]);
  const learned = example.ids.filter((_, index) => example.mask[index] === 1);
  expect(show(learned)).toBe("a b </s> \u2581a </s>");
  expect(pieces.decode(example.ids, { keepAll: true })).toBe("<s> [a] ab</s>[b]  a</s>");
});
