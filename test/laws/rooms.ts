const belowRecipes = [
  "text",
  "kernel",
  "files",
  "http",
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
];

/** The room table: which room may import which (CONTRIBUTING.md shows it as a map). `engines` also stands for both engines inside it. */
export const rooms: Record<string, readonly string[]> = {
  text: [],
  kernel: [],
  files: ["kernel"],
  bytes: [],
  http: ["kernel"],
  tokens: ["kernel", "files"],
  verifiers: ["kernel", "http"],
  methods: ["kernel"],
  record: ["kernel", "files", "bytes", "http"],
  engines: ["kernel", "files", "bytes", "tokens"],
  models: ["kernel", "files", "http", "tokens", "engines", "record"],
  tasks: ["kernel", "verifiers"],
  data: ["kernel", "files", "http", "tokens", "record"],
  training: ["kernel", "files", "tokens", "data", "record"],
  evaluation: ["text", "kernel", "files", "tasks", "verifiers", "record"],
  recipes: belowRecipes,
  cli: [...belowRecipes, "recipes"],
};

/** Files longer than the limit, each with its reason. */
export const longFiles: Record<string, string> = {};
