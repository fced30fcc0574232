/**
 * The same text, the same ids: our tokenizer beside `transformers` over vocabularies of the three kinds the engine's families use, made on
 * the spot, and over chat templates. Set MIDCOURSE_TEMPLATES to a folder of *.jinja files to compare those as well, and MIDCOURSE_PYTHON to a
 * Python that has transformers. Skipped, with the reason printed, where there is none.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import type { Message } from "#kernel/model.ts";
import { Random } from "#kernel/seed.ts";
import { Tokenizer } from "#tokens/tokenizer.ts";
import { trainTokenizer } from "#tokens/train-bpe.ts";

const python = process.env.MIDCOURSE_PYTHON ?? "python3";
const probe = spawnSync(
  python,
  ["-c", "import transformers, tokenizers; print(transformers.__version__, tokenizers.__version__)"],
  { encoding: "utf8" },
);
const missing = probe.status !== 0;
if (missing) console.warn(`skipped: ${python} has no transformers; name one that has it with MIDCOURSE_PYTHON`);
else console.info(`compared with transformers and tokenizers ${probe.stdout.trim()}`);

interface Chat {
  messages: Message[];
  prompt?: boolean;
  continue?: boolean;
  template?: string;
}

interface Comparison {
  size: number;
  encoded: number[][];
  decoded: string[];
  chats: ({ text: string; ids: number[]; error?: undefined } | { error: string })[];
}

function ask(request: object): unknown {
  const script = join(import.meta.dirname, "tokenizers_reference.py");
  const run = spawnSync(python, [script], { input: JSON.stringify(request), encoding: "utf8", maxBuffer: 1 << 28 });
  if (run.status !== 0) throw new Error(run.stderr);
  return JSON.parse(run.stdout);
}

const compare = (request: { folder: string; texts?: string[]; ids?: number[][]; chats?: Chat[] }) =>
  ask({ operation: "compare", ...request }) as Comparison;

const root = mkdtempSync(join(tmpdir(), "chat-templates-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const sentences = Array.from(
  { length: 300 },
  (_, index) => `What is ${index} + ${index * 7}? It's ${index * 8}.\n\n  "Say why,"  don't guess: é 漢字 ${index}\t(a_b = c)`,
);

async function folderOf(kind: string): Promise<string> {
  const folder = join(root, kind);
  if (kind === "ours") await trainTokenizer({ texts: sentences, vocabularySize: 420, folder });
  else ask({ operation: "make", kind, texts: sentences, folder });
  return folder;
}

/** Text of words, signs, tags and code points from the whole range. */
function randomText(random: Random): string {
  const parts: string[] = [];
  for (let count = random.integer(0, 12); count > 0; count--) {
    const known = [
      " ",
      "  ",
      "\n",
      "\r\n",
      "\n \n",
      "\t",
      "What is",
      "12",
      "345,678",
      "it's",
      "IT'S",
      "<think>",
      "</refine>",
      "é",
      "e\u0301",
      "\u00a0",
      "\u0085",
      "\ufeff",
      "ſ",
      "²",
      "½",
      "٣",
      "ǅ",
      "_",
      "😀",
      "👩‍👩‍👧",
      "<",
      "</s",
      "▁",
    ];
    parts.push(
      random.chance(0.7)
        ? random.pick(known)
        : String.fromCodePoint(random.integer(0, random.pick([0x7f, 0x7ff, 0xd7ff, 0x10ffff]))),
    );
  }
  return parts.join("").toWellFormed();
}

describe.skipIf(missing).each(["ours", "qwen", "llama3", "sentencepiece"])("a %s vocabulary", (kind) => {
  test("gives the ids and the texts that transformers gives", async () => {
    const folder = await folderOf(kind);
    const tokenizer = await Tokenizer.load(folder);
    const random = new Random(11);
    const texts = [...sentences.slice(0, 20), ...Array.from({ length: 1000 }, () => randomText(random))];
    const ids = Array.from({ length: 500 }, () =>
      Array.from({ length: random.integer(1, 12) }, () => random.integer(0, tokenizer.vocabularySize - 1)),
    );
    const reference = compare({ folder, texts, ids });
    expect(tokenizer.vocabularySize).toBe(reference.size);
    for (const [index, text] of texts.entries())
      expect({ text, ids: tokenizer.encode(text) }).toEqual({ text, ids: reference.encoded[index] });
    for (const [index, list] of ids.entries()) {
      // A run of byte tokens that is no UTF-8 shows as one U+FFFD per byte there, and as far as it can be read here.
      if (kind === "sentencepiece" && reference.decoded[index].includes("\ufffd")) continue;
      expect({ list, text: tokenizer.decode(list, { keepAll: true }) }).toEqual({ list, text: reference.decoded[index] });
    }
  });
});

const conversations: Message[][] = [
  [{ role: "user", content: "  1 + 1?\n" }],
  [
    { role: "system", content: " Be brief. " },
    { role: "user", content: "1 + 1? <think>" },
  ],
  [
    { role: "user", content: "1 + 1?" },
    { role: "assistant", content: "<think>\na 'quote' & more\n</think>\n\n2" },
    { role: "user", content: "And 2 + 2?" },
    { role: "assistant", content: "<think>it is 4</think><answer>4</answer>" },
  ],
  [
    { role: "user", content: "twice" },
    { role: "user", content: "the user" },
  ],
];

/** Constructions that templates in use rely on, each in a small template of its own. */
const templates: Record<string, string> = {
  "line feeds after turns and a default system message": `{%- if messages[0]['role'] != 'system' -%}
    {{- '<s>system\\nYou help.<e>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
    {{- '<s>' + message.role + '\\n' + message['content'] + '<e>' + '\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt %}
    {{- '<s>assistant\\n' }}
{%- endif %}`,
  "trimmed content, an optional system message and the begin token": `{{- bos_token }}{% set ns = namespace(system='') %}
{%- if messages[0].role == 'system' %}{% set ns.system = messages[0].content | trim %}{% set messages = messages[1:] %}{% endif %}
{%- if ns.system %}{{ '[S]' ~ ns.system ~ '\\n' }}{% endif %}
{%- for m in messages %}{{ '[' + m.role | upper + ']' + m.content | trim + (eos_token if m.role == 'assistant' else '') }}{% endfor %}
{%- if add_generation_prompt %}{{ '[ASSISTANT]' }}{% endif %}`,
  "roles that must take turns": `{% for m in messages %}{% if (m['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('Roles must take turns') }}{% endif %}{{ '[' ~ m.role ~ ']' ~ m.content }}{% endfor %}`,
  "reasoning that earlier turns lose": `{%- set ns = namespace(last=-1) -%}
{%- for m in messages[::-1] -%}{%- if ns.last < 0 and m.role == 'user' -%}{%- set ns.last = messages | length - 1 - loop.index0 -%}{%- endif -%}{%- endfor -%}
{%- for m in messages -%}
{%- set content = m.content -%}
{%- if m.role == 'assistant' and '</think>' in content and loop.index0 < ns.last -%}{%- set content = content.split('</think>')[-1].lstrip('\\n') -%}{%- endif -%}
{{- '<s>' + m.role + '\\n' + content + '<e>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<s>assistant\\n' -}}{%- if enable_thinking is defined and enable_thinking is false -%}{{- '<think>\\n\\n</think>\\n\\n' -}}{%- endif -%}{%- endif -%}`,
  "macros, filters, tests and marked generations": `{% macro say(m) %}{{ m.role | capitalize }}: {{ m.content | replace('\\n', ' ') }}{% endmacro %}
{%- if tools is defined and tools is not none %}{{ tools | tojson }}{% endif -%}
{%- for m in messages %}{% if m.role == 'assistant' %}{% generation %}{{ say(m) }}{% endgeneration %}{% else %}{{ say(m) }}{% endif %}
{% endfor %}{{ messages | selectattr('role', 'equalto', 'user') | list | length }}{{ {'a': messages[0].content} | tojson }}`,
};

const folderOfTemplates = process.env.MIDCOURSE_TEMPLATES;
if (folderOfTemplates !== undefined) {
  for (const file of readdirSync(folderOfTemplates).filter((name) => name.endsWith(".jinja"))) {
    templates[file] = readFileSync(join(folderOfTemplates, file), "utf8");
  }
}

describe.skipIf(missing)("chat templates", () => {
  test("ours renders and encodes as transformers does, continued messages included", async () => {
    const folder = join(root, "chat");
    await trainTokenizer({ texts: sentences, vocabularySize: 420, folder });
    const tokenizer = await Tokenizer.load(folder);
    const chats: Chat[] = conversations.flatMap((messages) => [
      { messages },
      { messages, prompt: true },
      ...(messages.at(-1)?.role === "assistant" ? [{ messages, continue: true }] : []),
    ]);
    const reference = compare({ folder, chats });
    for (const [index, chat] of chats.entries()) {
      const options = { addGenerationPrompt: chat.prompt, continueFinal: chat.continue };
      expect({
        text: tokenizer.render(chat.messages, options),
        ids: tokenizer.encodeConversation(chat.messages, options),
      }).toEqual(reference.chats[index]);
    }
  });

  const chats: Chat[] = conversations.flatMap((messages) => [{ messages }, { messages, prompt: true }]);
  let folder: string;
  let reference: Comparison;
  beforeAll(async () => {
    folder = await folderOf("llama3");
    reference = compare({
      folder,
      chats: Object.values(templates).flatMap((template) => chats.map((chat) => ({ ...chat, template }))),
    });
  });

  test.each(Object.keys(templates))("%s", async (name) => {
    writeFileSync(join(folder, "chat_template.jinja"), templates[name]);
    const tokenizer = await Tokenizer.load(folder);
    const offset = Object.keys(templates).indexOf(name) * chats.length;
    let rendered = 0;
    for (const [index, chat] of chats.entries()) {
      const expected = reference.chats[offset + index];
      try {
        const options = { addGenerationPrompt: chat.prompt };
        expect({
          text: tokenizer.render(chat.messages, options),
          ids: tokenizer.encodeConversation(chat.messages, options),
        }).toEqual(expected);
        rendered += 1;
      } catch (error) {
        if (!MidcourseError.isInstance(error)) throw error;
        expect({ ours: error.code, theirs: expected }).toEqual({
          ours: "template-refused",
          theirs: { error: expect.any(String) },
        });
      }
    }
    expect(rendered).toBeGreaterThan(0);
  });
});
