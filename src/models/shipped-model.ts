/** The checkpoint folder that ships with the package. */
import path from "node:path";

export const shippedModel = path.resolve(import.meta.dirname, "..", "..", "models", "base");

/** As a run's record names a checkpoint folder: the shipped one alike wherever the package lies, since npx keeps it here today and there tomorrow. */
export function namedFolder(folder: string): string {
  return folder === shippedModel ? "models/base" : path.relative(process.cwd(), folder) || ".";
}
