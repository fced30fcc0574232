import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, expect, test } from "vitest";
import { onnxRuntime, requirePart } from "./optional-parts.ts";

const folder = mkdtempSync(path.join(tmpdir(), "midcourse-parts-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Finds the part in this version, or one that does not tell which; its entry is below a manifest that is not the package's. */
function having(version: string | undefined): (name: string) => string {
  const home = path.join(folder, `${version}`);
  mkdirSync(path.join(home, "dist"), { recursive: true });
  writeFileSync(
    path.join(home, "package.json"),
    JSON.stringify({ name: onnxRuntime.package, version, exports: "./dist/index.js" }),
  );
  writeFileSync(path.join(home, "dist/package.json"), '{"type":"commonjs"}');
  return () => path.join(home, "dist/index.js");
}

test("a part that is older than what was tested is refused with both versions and the line that adds the right one", () => {
  for (const old of ["1.22.0", "1.29.9", "0.99.99"]) {
    expect(() => requirePart(onnxRuntime, having(old))).toThrow(
      expect.objectContaining({
        code: onnxRuntime.code,
        message: expect.stringContaining(`onnxruntime-node ${onnxRuntime.version} or newer; ${old} is installed here`),
        advice: expect.stringContaining(`onnxruntime-node@${onnxRuntime.version}`),
      }),
    );
  }
  for (const fitting of [onnxRuntime.version, "1.30.1", "1.31.0-dev.1", "2.0.0", undefined]) {
    expect(() => requirePart(onnxRuntime, having(fitting))).not.toThrow();
  }
});
