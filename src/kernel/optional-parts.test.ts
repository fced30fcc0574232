import { expect, test } from "vitest";
import { onnxRuntime, requirePart } from "./optional-parts.ts";

/** A module system in which the part is installed in this version, or does not tell which. */
function having(version: string | undefined): NodeJS.Require {
  const load = (name: string) => {
    if (name !== "onnxruntime-node/package.json" || version === undefined) throw new Error("not exported");
    return { version };
  };
  return Object.assign(load, { resolve: (name: string) => name }) as unknown as NodeJS.Require;
}

test("a part that is older than what was tested is refused with both versions and the line that adds the right one", () => {
  for (const old of ["1.22.0", "1.29.9", "0.99.99"]) {
    expect(() => requirePart(onnxRuntime, having(old))).toThrow(
      expect.objectContaining({
        code: "old-part",
        message: expect.stringContaining(`onnxruntime-node ${onnxRuntime.version} or newer; ${old} is installed here`),
        advice: expect.stringContaining(`onnxruntime-node@${onnxRuntime.version}`),
      }),
    );
  }
  for (const fitting of [onnxRuntime.version, "1.30.1", "1.31.0-dev.1", "2.0.0", undefined]) {
    expect(() => requirePart(onnxRuntime, having(fitting))).not.toThrow();
  }
});
