import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MidcourseError } from "#kernel/errors.ts";
import type { Message } from "#kernel/model.ts";
import { parseRefine } from "#kernel/refine-grammar.ts";
import { bytesOfEntry } from "./byte-alphabet.ts";
import { countRefinements } from "./spans.ts";
import { extend, Tokenizer } from "./tokenizer.ts";
import { trainTokenizer } from "./train-bpe.ts";

/** A conversation format whose turns end in a token of their own and a line feed, with a system message where none is given. */
const lineTemplate = `{%- if messages[0].role != 'system' %}{{ '<|system|>\\nBe brief.<|turn|>\\n' }}{% endif -%}
{%- for message in messages %}{{ '<|' + message.role + '|>\\n' + message.content + '<|turn|>\\n' }}{% endfor -%}
{%- if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}`;

/** One that opens with a begin token and trims what people wrote. */
const trimTemplate = `{{ bos_token }}{% for message in messages %}{{ '<|' + message.role + '|>\\n\\n' + (message.content | trim) + '<|turn|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\\n\\n' }}{% endif %}`;

/** One that drops the reasoning of earlier turns. */
const forgetfulTemplate = `{% for message in messages %}{{ '<|' + message.role + '|>' }}{% if loop.last %}{{ message.content }}{% else %}{{ message.content.split('</think>')[-1] }}{% endif %}{{ '<|turn|>' }}{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}`;

const strictTemplate = `{% if messages[0].role == 'system' %}{{ raise_exception('no system messages here') }}{% endif %}{% for message in messages %}{{ message.content }}{{ eos_token }}{% endfor %}`;

const folders: string[] = [];
let base: string;
let tokenizer: Tokenizer;

async function variant(change: (config: Record<string, unknown>) => void, files: Record<string, string> = {}): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "tokenizer-"));
  folders.push(folder);
  const config = JSON.parse(await readFile(join(base, "tokenizer_config.json"), "utf8"));
  change(config);
  const json = JSON.parse(await readFile(join(base, "tokenizer.json"), "utf8"));
  for (const name of ["<|turn|>", "<|begin|>"])
    json.added_tokens.find((token: { content: string }) => token.content === name).special = true;
  await writeFile(join(folder, "tokenizer.json"), JSON.stringify(json));
  await writeFile(join(folder, "tokenizer_config.json"), JSON.stringify(config));
  for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text);
  return folder;
}

const withTemplate = async (template: string) =>
  Tokenizer.load(
    await variant((config) => {
      config.chat_template = template;
      config.bos_token = { content: "<|begin|>", special: true };
    }),
  );

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), "tokenizer-"));
  folders.push(base);
  const texts = Array.from(
    { length: 500 },
    (_, index) => `What is ${index} + ${(index * 37) % 89}?\nFirst the tens: the sum is é ${index}. `,
  );
  await trainTokenizer({ texts, vocabularySize: 360, addedTokens: ["<|turn|>", "<|begin|>"], folder: base });
  tokenizer = await Tokenizer.load(base);
});

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
});

const text = fc
  .array(
    fc.oneof(
      fc.constantFrom("What is ", "12 + 7", "\n", "\n\n", " ", "é", "😀", "<think>", "</refine>", "<answer>"),
      fc.string({ unit: "grapheme" }),
    ),
    {
      maxLength: 8,
    },
  )
  .map((parts) => parts.join("").toWellFormed());

const conversation: fc.Arbitrary<Message[]> = fc
  .tuple(fc.boolean(), fc.array(fc.tuple(text, text), { minLength: 1, maxLength: 3 }), text)
  .map(([hasSystem, turns, system]) => [
    ...(hasSystem ? [{ role: "system", content: system } as const] : []),
    ...turns.flatMap(([question, answer]): Message[] => [
      { role: "user", content: question },
      { role: "assistant", content: answer },
    ]),
  ]);

/** The runs of ids with mask 1. */
function learnedRuns({ ids, mask }: { ids: number[]; mask: Uint8Array }): number[][] {
  const runs: number[][] = [];
  for (const [index, id] of ids.entries()) {
    if (mask[index] === 0) continue;
    if (index > 0 && mask[index - 1] === 1) runs.at(-1)?.push(id);
    else runs.push([id]);
  }
  return runs;
}

describe("text", () => {
  test("comes back from its ids, whatever it holds", () => {
    fc.assert(
      fc.property(text, (given) => {
        const ids = tokenizer.encode(given);
        expect(tokenizer.decode(ids)).toBe(given);
        expect(ids.every((id) => id >= 0 && id < tokenizer.vocabularySize)).toBe(true);
      }),
      { numRuns: 500 },
    );
    expect(tokenizer.encode("")).toEqual([]);
    expect(tokenizer.decode([])).toBe("");
  });

  test("of any ids is their bytes read as UTF-8, and each id adds its own part of it", async () => {
    const json = JSON.parse(await readFile(join(base, "tokenizer.json"), "utf8"));
    const added = new Set<number>(json.added_tokens.map((token: { id: number }) => token.id));
    const entries = new Map(Object.entries<number>(json.model.vocab).map(([entry, id]) => [id, entry]));
    const utf8 = new TextEncoder();
    // Half of the ids from the bytes themselves, so that broken characters are frequent.
    const byteId = fc.integer({ min: 13 + 188, max: 13 + 255 });
    const ids = fc.array(fc.oneof(fc.nat(tokenizer.vocabularySize + 3), byteId), { maxLength: 20 });
    fc.assert(
      fc.property(ids, (given) => {
        const bytes = given.flatMap((id) => {
          const entry = entries.get(id) ?? "";
          return [...(added.has(id) ? utf8.encode(entry) : (bytesOfEntry(entry) ?? []))];
        });
        const pieces = tokenizer.tokenPieces(given, { keepAll: true });
        expect(pieces).toHaveLength(given.length);
        expect(pieces.join("")).toBe(new TextDecoder("utf-8", { ignoreBOM: true }).decode(Uint8Array.from(bytes)));
        expect(tokenizer.decode(given, { keepAll: true })).toBe(pieces.join(""));
      }),
      { numRuns: 1000 },
    );
  });

  test("of several tokens for one character belongs to the one that completes it", () => {
    const ids = tokenizer.encode("a😀b");
    expect(tokenizer.tokenPieces(ids)).toEqual(["a", "", "", "", "😀", "b"]);
    expect(tokenizer.tokenPieces(ids.slice(0, 3))).toEqual(["a", "", "\ufffd"]);
  });

  test("drops end and padding tokens, keeps tags and the openers of turns", () => {
    const ids = tokenizer.encode("<think>a</think><|pad|><answer>1</answer><|user|><|end|>");
    expect(ids).toHaveLength(9);
    expect(tokenizer.decode(ids)).toBe("<think>a</think><answer>1</answer><|user|>");
    expect(tokenizer.decode(ids, { keepAll: true })).toBe("<think>a</think><|pad|><answer>1</answer><|user|><|end|>");
  });
});

describe("conversations", () => {
  const messages: Message[] = [
    { role: "user", content: "2 + 2?" },
    { role: "assistant", content: "<think>4</think><answer>4</answer>" },
  ];

  test("render by the checkpoint's template", async () => {
    expect(tokenizer.render(messages.slice(0, 1), { addGenerationPrompt: true })).toBe("<|user|>2 + 2?<|end|><|assistant|>");
    expect(tokenizer.render(messages)).toBe("<|user|>2 + 2?<|end|><|assistant|><think>4</think><answer>4</answer><|end|>");
    expect(tokenizer.render(messages, { continueFinal: true })).toBe(
      "<|user|>2 + 2?<|end|><|assistant|><think>4</think><answer>4</answer>",
    );
    const lines = await withTemplate(lineTemplate);
    expect(lines.render(messages.slice(0, 1))).toBe("<|system|>\nBe brief.<|turn|>\n<|user|>\n2 + 2?<|turn|>\n");
  });

  test("begin with one begin token, not two", async () => {
    const trim = await withTemplate(trimTemplate);
    const begin = trim.encode("<|begin|>")[0];
    const ids = trim.encodeConversation(messages, { addGenerationPrompt: true });
    expect(ids[0]).toBe(begin);
    expect(ids.filter((id) => id === begin)).toHaveLength(1);
    expect(trim.decode(ids)).toBe("<|user|>\n\n2 + 2?<|assistant|>\n\n<think>4</think><answer>4</answer><|assistant|>\n\n");
  });

  test("end where the template ends a turn and where the checkpoint says", async () => {
    const end = tokenizer.encode("<|end|>")[0];
    expect(tokenizer).toMatchObject({ stopIds: [end], endOfTurnId: end, padId: tokenizer.encode("<|pad|>")[0] });
    const lines = await Tokenizer.load(
      await variant((config) => Object.assign(config, { chat_template: lineTemplate, pad_token: undefined }), {
        "generation_config.json": `{"eos_token_id": [${end}, 7]}`,
      }),
    );
    const turn = lines.encode("<|turn|>")[0];
    expect(lines).toMatchObject({ stopIds: [end, turn, 7], endOfTurnId: turn, padId: end });
  });

  test("take their template from a file of its own or a named list as well", async () => {
    const list = await variant((config) => {
      config.chat_template = [
        { name: "tools", template: "no" },
        { name: "default", template: lineTemplate },
      ];
    });
    const separate = await variant((config) => delete config.chat_template, { "chat_template.jinja": lineTemplate });
    for (const folder of [list, separate]) expect((await Tokenizer.load(folder)).render(messages)).toContain("Be brief");
  });

  test("give the template the variables that were set", async () => {
    const folder = await variant((config) =>
      Object.assign(config, { chat_template: "{{ date_string }}{{ messages[0].content }}" }),
    );
    expect((await Tokenizer.load(folder, { templateVariables: { date_string: "1 May: " } })).render(messages)).toBe(
      "1 May: 2 + 2?",
    );
  });
});

describe("training masks", () => {
  test.each([
    ["the shipped format", undefined],
    ["turns with line feeds", lineTemplate],
    ["trimmed turns", trimTemplate],
  ])("mark exactly what the assistant writes: %s", async (_, template) => {
    const subject = template === undefined ? tokenizer : await withTemplate(template);
    const end = subject.decode([subject.endOfTurnId], { keepAll: true });
    fc.assert(
      fc.property(conversation, fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }), (messages, wanted) => {
        const learned = messages.filter((message, index) => message.role === "assistant" && wanted[index]);
        const options = { trainable: (_: Message, index: number) => wanted[index] };
        if (learned.length === 0) {
          expect(() => subject.encodeTraining(messages, options)).toThrow("no assistant message to learn from");
          return;
        }
        const example = subject.encodeTraining(messages, options);
        expect(example.mask).toHaveLength(example.ids.length);
        const shown = learnedRuns(example).map((run) => subject.decode(run, { keepAll: true }));
        expect(shown).toEqual(learned.map((message) => message.content + end));
      }),
      { numRuns: 150 },
    );
  });

  test("continue the prompt that sampling uses, and add up to the whole conversation", () => {
    fc.assert(
      fc.property(conversation, (messages) => {
        const { ids, mask } = tokenizer.encodeTraining(messages);
        expect(ids).toEqual(tokenizer.encodeConversation(messages));
        for (const [index, message] of messages.entries()) {
          if (message.role !== "assistant") continue;
          const prompt = tokenizer.encodeConversation(messages.slice(0, index), { addGenerationPrompt: true });
          expect(ids.slice(0, prompt.length)).toEqual(prompt);
          expect([mask[prompt.length - 1], mask[prompt.length]]).toEqual([0, 1]);
          const begun = tokenizer.encodeConversation(messages.slice(0, index + 1), { continueFinal: true });
          expect(ids.slice(0, begun.length)).toEqual(begun);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("leave out the parts that are shown but not learned", () => {
    const content = "<think>2+2=5 no, 2+2=4</think><answer>4</answer>";
    const wrong = { start: content.indexOf("2+2=5"), end: content.indexOf(" no") };
    const messages: Message[] = [
      { role: "user", content: "2 + 2?" },
      { role: "assistant", content },
    ];
    const example = tokenizer.encodeTraining(messages, { unlearned: () => [wrong] });
    expect(example.ids).toEqual(tokenizer.encodeTraining(messages).ids);
    expect(tokenizer.decode(learnedRuns(example).flat())).toBe(content.replace("2+2=5", ""));
  });

  test("are refused where the template shows earlier turns otherwise, and right for the last turn", async () => {
    const forgetful = await withTemplate(forgetfulTemplate);
    const turn: Message[] = [
      { role: "user", content: "a" },
      { role: "assistant", content: "<think>b</think>c" },
    ];
    expect(() => forgetful.encodeTraining([...turn, ...turn])).toThrow("shows an earlier assistant turn otherwise");
    const last = forgetful.encodeTraining([...turn, ...turn], { trainable: (_, index) => index === 3 });
    expect(forgetful.decode(last.ids, { keepAll: true })).toBe(
      "<|user|>a<|turn|><|assistant|>c<|turn|><|user|>a<|turn|><|assistant|><think>b</think>c<|turn|>",
    );
    expect(learnedRuns(last).map((run) => forgetful.decode(run))).toEqual(["<think>b</think>c"]);
  });
});

describe("sampled ids", () => {
  const question: Message[] = [{ role: "user", content: "Use <think>, <refine>x</refine> and </answer>. 1 + 1?" }];

  test("stay as they are when the conversation goes on", () => {
    // "the" letter by letter is not how the tokenizer would write it.
    const spelled = ["t", "h", "e"].flatMap((letter) => tokenizer.encode(letter));
    expect(tokenizer.encode("the")).not.toEqual(spelled);
    const prompt = tokenizer.encodeConversation(question, { addGenerationPrompt: true });
    const next: Message[] = [{ role: "user", content: "Again." }];
    const cut = tokenizer.continueConversation(prompt, spelled, question, next);
    const ended = tokenizer.continueConversation(prompt, [...spelled, tokenizer.endOfTurnId], question, next);
    expect(cut).toEqual([...prompt, ...spelled, ...tokenizer.encode("<|end|><|user|>Again.<|end|><|assistant|>")]);
    expect(ended).toEqual(cut);
    expect(extend(prompt, spelled)).toEqual({ ids: [...prompt, ...spelled], start: prompt.length });
  });

  test("become a message that knows whether it ended", () => {
    const ids = tokenizer.encode("<think>a</think>");
    expect(tokenizer.completionMessage(ids)).toEqual({ text: "<think>a</think>", ended: false });
    expect(tokenizer.completionMessage([...ids, tokenizer.endOfTurnId])).toEqual({ text: "<think>a</think>", ended: true });
    expect(tokenizer.completionMessage([])).toEqual({ text: "", ended: false });
  });

  test("alone decide the format: tags in the question never count", () => {
    const answer = "<think>1+1=3<refine>1+1=2 😀</refine></think><answer>2</answer>";
    const { ids, mask } = tokenizer.encodeTraining([...question, { role: "assistant", content: answer }]);
    const start = mask.indexOf(1);
    const counts = countRefinements(tokenizer, ids.slice(start));
    expect(counts.parsed).toEqual(parseRefine(answer));
    expect(counts).toMatchObject({ refineSpans: 1, tokens: ids.length - start });
    expect(counts.refineTokens).toBe(tokenizer.encode("1+1=2 😀").length);
    const bare = tokenizer.encode("2<|end|>");
    expect(countRefinements(tokenizer, bare)).toMatchObject({
      parsed: { verdict: "missing-think" },
      refineSpans: 0,
      refineTokens: 0,
      tokens: 2,
    });
  });
});

describe("errors say what to do", () => {
  const failing = async (work: () => unknown): Promise<MidcourseError> => {
    try {
      await work();
    } catch (error) {
      if (MidcourseError.isInstance(error)) return error;
      throw error;
    }
    throw new Error("did not fail");
  };

  test("about files", async () => {
    const empty = await mkdtemp(join(tmpdir(), "tokenizer-"));
    folders.push(empty);
    expect(await failing(() => Tokenizer.load(empty))).toMatchObject({
      family: "user",
      code: "tokenizer-file-missing",
      message: expect.stringContaining("tokenizer.json"),
    });
    expect((await failing(() => Tokenizer.load(join(empty, "nowhere")))).code).toBe("tokenizer-file-missing");
    await writeFile(join(empty, "tokenizer.json"), '{"model": {"vo');
    expect((await failing(() => Tokenizer.load(empty))).code).toBe("tokenizer-file-invalid");
    await writeFile(join(empty, "tokenizer.json"), "{}");
    expect((await failing(() => Tokenizer.load(empty))).code).toBe("tokenizer-invalid");
    await writeFile(
      join(empty, "tokenizer.json"),
      '{"model":{"type":"WordPiece","vocab":{"a":0}},"decoder":{"type":"WordPiece"}}',
    );
    expect((await failing(() => Tokenizer.load(empty))).code).toBe("tokenizer-file-missing");
    await writeFile(join(empty, "tokenizer_config.json"), "{}");
    expect((await failing(() => Tokenizer.load(empty))).code).toBe("tokenizer-unsupported");
    const endless = await variant((config) => Object.assign(config, { eos_token: null, chat_template: null }));
    expect((await failing(() => Tokenizer.load(endless))).code).toBe("end-token-missing");
  });

  test("about templates and conversations", async () => {
    const bare = await Tokenizer.load(await variant((config) => delete config.chat_template));
    const strict = await withTemplate(strictTemplate);
    const say = (role: string, content: unknown = "a") => [{ role, content } as Message];
    const code = async (work: () => unknown) => (await failing(work)).code;
    expect(await code(() => bare.render(say("user")))).toBe("template-missing");
    expect(await code(async () => withTemplate("{% if %}"))).toBe("template-invalid");
    expect(await failing(() => strict.render(say("system")))).toMatchObject({
      code: "template-refused",
      message: expect.stringContaining("no system messages here"),
    });
    expect(await code(() => tokenizer.render([]))).toBe("conversation-empty");
    expect(await code(() => tokenizer.render(say("robot")))).toBe("unknown-role");
    expect(await code(() => tokenizer.render(say("user", null)))).toBe("content-not-text");
    expect(await code(() => tokenizer.render(say("user"), { continueFinal: true }))).toBe("nothing-to-continue");
    expect(await code(() => tokenizer.encodeTraining(say("assistant")))).toBe("nothing-to-answer");
    expect(await code(() => tokenizer.encodeTraining(say("user")))).toBe("nothing-to-learn");
  });
});
