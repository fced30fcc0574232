import { expect, test } from "vitest";
import { openSandbox } from "#verifiers/sandbox/open.ts";
import { sandboxCommand } from "./sandbox.ts";

const python = await openSandbox({ prefer: "process", workers: 1 }).catch(() => undefined);
await python?.close();
if (python === undefined) console.log("The command is not tried here: nothing on this machine can hold a python3.");

test.skipIf(python === undefined)("prints what holds programs and how strongly", async () => {
  let text = "";
  await sandboxCommand({ prefer: "process" }, (piece) => {
    text += piece;
  });
  expect(text).toContain("python3 in ");
  expect(text).toContain("strong: the operating system holds it");
  expect(text).toMatch(/^read a file outside +contained +contained +refused/m);
  expect(text).toMatch(/^forge a pass: an object equal to everything +contained +contained +fail/m);
  expect(text).toMatch(/^pass by solving the task +contained +pass/m);
  expect(text).toContain("Could still be forged: Tests that compare two objects of the program's own classes");
  expect(text).toContain("Everything that was tried was contained.");
});

test("without a place it says so, and what to do", async () => {
  const failing = sandboxCommand({ prefer: "process", python: "/nonexistent" }, () => {});
  await expect(failing).rejects.toMatchObject({ code: "no-sandbox", family: "user" });
});
