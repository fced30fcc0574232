import { appendFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { modelIdentity, type NamedContent } from "./model-content.ts";
import { shippedModel } from "./shipped-model.ts";

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), "content-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

function copy(name: string): string {
  const folder = path.join(root, name);
  cpSync(shippedModel, folder, { recursive: true });
  return folder;
}
const contentOf = (folder: string) => (modelIdentity(folder) as NamedContent).content;

test("the shipped model is known by its name", () => {
  expect(modelIdentity(shippedModel)).toBe("shipped");
});

test("the same model in another folder is the same, and named as it lies", () => {
  const [first, second] = [copy("first"), copy("second")];
  expect(contentOf(first)).toBe(contentOf(second));
  expect((modelIdentity(first, root) as NamedContent).name).toBe("first");
  writeFileSync(path.join(first, "README.md"), "a card is not the model");
  expect(contentOf(first)).toBe(contentOf(second));
});

test.each(["chat_template.jinja", "tokenizer_config.json", "config.json", "model.safetensors"])(
  "another %s is another model",
  (file) => {
    const [own, other] = [copy(`own-${file}`), copy(`other-${file}`)];
    appendFileSync(path.join(other, file), " ");
    expect(contentOf(other)).not.toBe(contentOf(own));
  },
);
