/** The checkpoint folder that ships with the package. */
import path from "node:path";

export const shippedModel = path.resolve(import.meta.dirname, "..", "..", "models", "base");
