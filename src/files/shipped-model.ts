/** The checkpoint folder that ships with the package. */
import path from "node:path";

export const shippedModel = path.resolve(import.meta.dirname, "..", "..", "models", "base");

/**
 * As a run's record names a checkpoint folder: the shipped one alike wherever the package lies, since npx keeps it here today and there tomorrow,
 * one's own from the folder `from`, and never by the word for the shipped one.
 */
export function namedFolder(folder: string, from = process.cwd()): string {
  if (path.resolve(folder) === shippedModel) return "shipped";
  const name = path.relative(from, folder) || ".";
  return name === "shipped" ? "./shipped" : name;
}
