/** The room table: which room may import which (CONTRIBUTING.md shows it as a map). `engines` also stands for both engines inside it. */
export const rooms: Record<string, readonly string[]> = {
  kernel: [],
  tokens: ["kernel"],
  verifiers: ["kernel"],
  methods: ["kernel"],
  record: ["kernel"],
  engines: ["kernel", "tokens"],
  models: ["kernel", "tokens", "engines"],
  tasks: ["kernel", "verifiers"],
  data: ["kernel", "tokens", "record"],
  training: ["kernel", "tokens", "data", "record"],
  evaluation: ["kernel", "tasks", "verifiers", "record"],
  recipes: ["kernel", "tokens", "verifiers", "methods", "record", "engines", "models", "tasks", "data", "training", "evaluation"],
  cli: [
    "kernel",
    "tokens",
    "verifiers",
    "methods",
    "record",
    "engines",
    "models",
    "tasks",
    "data",
    "training",
    "evaluation",
    "recipes",
  ],
};

/** Files longer than the limit, each with its reason. */
export const longFiles: Record<string, string> = {};
