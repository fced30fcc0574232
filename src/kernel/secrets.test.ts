import { afterEach, describe, expect, it } from "vitest";
import {
  forgetSecrets,
  keepPair,
  keepSecret,
  keepSecretsOfAddress,
  keepSecretsOfEnvironment,
  keepSecretsOfFields,
  keepSecretsOfHeaders,
  StruckPieces,
  secretsTooWeak,
  struck,
  struckFile,
  struckValue,
} from "./secrets.ts";

afterEach(forgetSecrets);

const key = 'sk-planted "Ä/+\\7391';

describe("what holds a secret is looked through", () => {
  it("an address among the fields: its password, and what stands in its query or fragment under such a name", () => {
    const fields = {
      tools: [{ server_url: "https://me:pass-12345@h/mcp?api-version=2024-01-01&code=abcdefgh12345678#token=qqqqqqqq22" }],
    };
    const [tool] = keepSecretsOfFields(fields).tools;
    expect(tool.server_url).toBe("https://[secret]@h/mcp?api-version=2024-01-01&code=[secret]#token=[secret]");
    expect(struck("pass-12345 abcdefgh12345678 qqqqqqqq22 2024-01-01")).toBe("[secret] [secret] [secret] 2024-01-01");
  });

  it("Azure's signature of an address; a short code is a number and no secret", () => {
    keepSecretsOfAddress("https://h/v1?sv=2024&sig=zzzzzzzz99%2B&code=200");
    expect(struck("zzzzzzzz99+ zzzzzzzz99%2B 200 2024")).toBe("[secret] [secret] 200 2024");
  });

  it("JSON that is a text, such as a tool's arguments, and lists of names and values", () => {
    const fields = {
      tools: [{ arguments: '{"city":"Rome","api_key":"wwwwwwww44"}' }],
      headers: [
        { name: "x-api-key", value: "vvvvvvvv33" },
        { key: "Accept", value: "text/plain" },
      ],
    };
    expect(keepSecretsOfFields(fields)).toEqual({
      tools: [{ arguments: '{"city":"Rome","api_key":"[secret]"}' }],
      headers: [
        { name: "x-api-key", value: "[secret]" },
        { key: "Accept", value: "text/plain" },
      ],
    });
    expect(struck("wwwwwwww44 vvvvvvvv33 text/plain Rome")).toBe("[secret] [secret] text/plain Rome");
  });
});

describe("what is secret is struck", () => {
  it("leaves every text and value as it is where nothing is secret, or nothing secret occurs", () => {
    const value = { a: ["x", 1, null], b: { c: "sk-other" } };
    expect(struckValue(value)).toBe(value);
    keepSecret(key);
    expect(struckValue(value)).toBe(value);
    expect(struck("sk-planted")).toBe("sk-planted");
    const text = '{ "a":1.0,"b" : [1e400] }\n';
    expect(struckFile(text)).toBe(text);
  });

  it.each([
    ["as it is", (text: string) => text],
    ["in JSON", (text: string) => JSON.stringify(text)],
    ["in JSON within JSON", (text: string) => JSON.stringify(JSON.stringify(text))],
    ["in JSON of ASCII alone", (text: string) => JSON.stringify(text).replace("Ä", "\\u00c4")],
    ["in an address", encodeURIComponent],
    [
      "in an address by small letters",
      (text: string) => encodeURIComponent(text).replace(/%../g, (coded) => coded.toLowerCase()),
    ],
    ["in a form", (text: string) => new URLSearchParams({ a: text }).toString()],
    ["in a page", (text: string) => text.replaceAll('"', "&quot;")],
    ["in an address within an address", (text: string) => encodeURIComponent(encodeURIComponent(text))],
    ["in an address as its password", (text: string) => Object.assign(new URL("http://u@h/"), { password: text }).href],
    ["in an address as it was typed", (text: string) => Object.assign(new URL("http://h/"), { search: `?k=${text}` }).href],
    ["in JSON three times over", (text: string) => JSON.stringify(JSON.stringify(JSON.stringify(text)))],
    ["in PHP's JSON", (text: string) => JSON.stringify(text).replace("Ä", "\\u00c4").replaceAll("/", "\\/")],
    ["in a page that Go writes", (text: string) => text.replaceAll('"', "&#34;")],
    ["in Python's own writing", (text: string) => `'${text.replaceAll("\\", "\\\\")}'`],
    ["in Python's bytes", (text: string) => `b'${text.replaceAll("\\", "\\\\").replace("Ä", "\\xc4")}'`],
    ["with its accents as signs of their own", (text: string) => text.normalize("NFD")],
    ["in base64", (text: string) => Buffer.from(text).toString("base64")],
    ["in base64 behind one sign", (text: string) => Buffer.from(`:${text}`).toString("base64")],
    ["in base64 between others", (text: string) => Buffer.from(`me:${text}:you`).toString("base64")],
    ["in base64 of addresses", (text: string) => Buffer.from(`a${text}`).toString("base64url")],
  ])("a key %s", (_name, write) => {
    keepSecret(key);
    const shown = struck(`before ${write(key)} after`);
    expect(shown).toMatch(/^before .*\[secret\].* after$/);
    expect(shown).not.toContain(write(key).slice(4, -4));
  });

  it("in every text of a value and every name of a field, and in no number", () => {
    keepSecret("73915284");
    keepSecret("sk-planted-1");
    expect(struckValue({ "sk-planted-1": ["73915284 x", 73915284, 0.73915284], "0.73915284": "0.73915284" })).toEqual({
      "[secret]": ["[secret] x", 73915284, 0.73915284],
      "0.73915284": "0.73915284",
    });
    expect(struckFile('{\n  "a": 73915284,\n  "b": "73915284"\n}\n')).toBe('{\n  "a": 73915284,\n  "b": "[secret]"\n}\n');
    expect(struckFile('{"a":"sk-planted-1"}\n{"b":2}\n')).toBe('{"a":"[secret]"}\n{"b":2}\n');
  });

  it("secrets that overlap leave nothing of either", () => {
    keepSecret("abcdefgh-1");
    keepSecret("gh-12345678");
    expect(struck("abcdefgh-12345678")).toBe("[secret]");
  });

  it("a secret of one to three signs, or a common word, strikes no text, and where a short one came from is told", () => {
    keepSecret("abc", "the password in --base-url");
    keepSecret("EMPTY", "OPENAI_API_KEY");
    expect(struck("abc of EMPTY")).toBe("abc of EMPTY");
    expect(secretsTooWeak()).toEqual(["the password in --base-url"]);
  });

  it("a secret of four to seven signs is struck as a whole word", () => {
    keepSecret("test1");
    expect(struck("test1, latest10, /test1/")).toBe("[secret], latest10, /[secret]/");
  });

  it("a password in an address, decoded or not, with its name and as Basic authorization, however short both are", () => {
    keepSecretsOfAddress("http://ann:p%40ss-4711@host/v1");
    keepPair("ab", "xyz");
    const basic = (pair: string) => Buffer.from(pair).toString("base64");
    expect(struck(`p@ss-4711 ann:p%40ss-4711@host ${basic("ann:p@ss-4711")}`)).toBe("[secret] [secret]@host [secret]==");
    expect(struck(`ab:xyz ${basic("ab:xyz")}`)).toBe("[secret] [secret]");
  });

  it("a token that stands for the name in an address, and one in its query", () => {
    keepSecretsOfAddress("https://tok-73915@host/v1?api_key=que-4711&version=2024-01-01");
    expect(struck("tok-73915 que-4711 2024-01-01")).toBe("[secret] [secret] 2024-01-01");
  });

  it("texts of settings by their names or by their look, and no others", () => {
    const fields = {
      api_key: "planted-1",
      nested: { Authorization: "Bearer planted-2", token: ["planted-3"] },
      user: "sk-planted-44444",
      prompt_cache_key: "mine-of-today",
      max_tokens: 5,
      stop: ["planted"],
    };
    expect(keepSecretsOfFields(fields)).toEqual({
      ...fields,
      api_key: "[secret]",
      nested: { Authorization: "[secret]", token: ["[secret]"] },
      user: "[secret]",
    });
    expect(struck("planted-1 planted-2 planted-3 sk-planted-44444 mine-of-today planted")).toBe(
      "[secret] [secret] [secret] [secret] mine-of-today planted",
    );
  });

  it("headers, except those that tell nothing", () => {
    keepSecretsOfHeaders({
      "api-key": "planted-1",
      Authorization: `Basic ${Buffer.from("me:planted-2").toString("base64")}`,
      "X-Tenant": "planted-3",
      "anthropic-version": "2023-06-01",
    });
    expect(struck("planted-1 planted-2 planted-3 2023-06-01")).toBe("[secret] [secret] [secret] 2023-06-01");
  });

  it("variables of the environment that are named so", () => {
    keepSecretsOfEnvironment({
      OPENAI_API_KEY: "abcd-1",
      SOME_TOKEN: "planted-22",
      HF_TOKEN_PATH: "/home/me/token",
      HTTPS_PROXY: "http://me:planted-3@proxy:3128",
      MAX_TOKENS: "73915284",
    });
    expect(struck("abcd-1 planted-22 planted-3 /home/me/token 73915284")).toBe(
      "[secret] [secret] [secret] /home/me/token 73915284",
    );
  });
});

it("finds each of thousands of secrets, whatever stands around it, as one secret after another would be found", () => {
  const many = Array.from({ length: 3000 }, (_, number) => `sk-${"a".repeat(number % 40)}-${number}-end`);
  for (const secret of many) keepSecret(secret);
  const text = many.map((secret, number) => `${"sk-aaaa".repeat(20)}${secret}, ${number}`).join("\n");
  const shown = struck(text);
  expect(shown.split("[secret]")).toHaveLength(many.length + 1);
  expect(shown).not.toMatch(/-end/);
  expect(shown.replaceAll("sk-aaaa", "").slice(0, 40)).toBe("[secret], 0\n[secret], 1\n[secret], 2\n[sec");
});

describe("pieces of a text", () => {
  it.each([1, 2, 3, 7])("a secret that arrives by %i signs is struck", (size) => {
    keepSecret("sk-planted-1");
    keepSecret("test1");
    const text = "a sk-plan sk-planted-1 test1 test12 sk-planted-";
    const pieces = new StruckPieces();
    let shown = "";
    for (let from = 0; from < text.length; from += size) shown += pieces.push(text.slice(from, from + size));
    expect(shown + pieces.end()).toBe("a sk-plan [secret] [secret] test12 sk-planted-");
  });

  it("what can be no secret's beginning is shown at once", () => {
    keepSecret("sk-planted-1");
    const pieces = new StruckPieces();
    expect(pieces.push("The answer")).toBe("The answer");
    expect(pieces.push(" is s")).toBe(" is ");
    expect(pieces.push("even")).toBe("seven");
  });
});
