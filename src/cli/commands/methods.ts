/** `midcourse methods`: the catalogue as a table, or one method with its options. */
import { styleText } from "node:util";
import type { Command } from "commander";
import type { MethodCard } from "#kernel/method-card.ts";
import { allowed } from "#kernel/options.ts";
import { columnWidths, pad, wrapText } from "#text/table.ts";

export function registerMethods(program: Command): void {
  program
    .command("methods")
    .description("the inference-time methods: paper, cost in calls, and what each needs")
    .argument("[method]", "one method, or a module with one, with its options and the paper's values")
    .option("--json", "print the list as JSON")
    .addHelpText(
      "after",
      `
Examples:
  midcourse methods
  midcourse methods self-refine
  midcourse methods ./mine.ts

On the command line of other commands, options stand in parentheses, and methods go inside methods:
  self-refine(rounds=2)     self-refine:rounds=2     best-of-n(self-refine(rounds=1),n=4)     mine=ptr-rounds(rounds=5)
A method of your own is a file or a package that exports what defineMethod returns:
  ./mine.ts(rounds=2)       best-of-n(./mine.ts,n=4)        "'./my methods/mine.ts'(rounds=2)" for a path with spaces or signs
`,
    )
    .action(async (method: string | undefined, options) => await listMethods(method, options));
}

export interface MethodsView {
  write: (text: string) => void;
  /** Columns of the terminal. */
  width: number;
  styled: boolean;
}

/** A card and its most calls at the defaults. */
type Listed = MethodCard & { callsByDefault: number };

/** Throws the user error that a command with this method would. */
export async function listMethods(
  name: string | undefined,
  options: { json?: boolean },
  view: MethodsView = {
    write: (text) => process.stdout.write(text),
    width: process.stdout.columns ?? 120,
    styled: process.stdout.isTTY === true,
  },
): Promise<void> {
  const { bindMethod, methodCards } = await import("#methods/catalogue.ts");
  const wanted = name === undefined ? methodCards : [await cardOf(name, methodCards)];
  const cards = wanted.map((card): Listed => ({ ...card, callsByDefault: bindMethod(card).maxCalls }));
  if (options.json) view.write(`${JSON.stringify(name === undefined ? cards.map(asJson) : asJson(cards[0]), null, 2)}\n`);
  else view.write(name === undefined ? table(cards, view) : page(cards[0], view));
}

async function cardOf(name: string, methodCards: readonly MethodCard[]): Promise<MethodCard> {
  const [{ buildMethods }, { readMethods }, { loadModule }] = await Promise.all([
    import("#methods/driver/bind.ts"),
    import("#methods/outside.ts"),
    import("#files/outside-module.ts"),
  ]);
  const { expressions, cards } = await readMethods(name, methodCards, loadModule);
  buildMethods(expressions, cards);
  return cards.find(({ id }) => id === expressions[0].call.name)!;
}

function asJson(card: Listed): Record<string, unknown> {
  const { id, summary, paper, kind, status, needs, usesOracle = false, options, calls, callsByDefault } = card;
  return { id, summary, paper, kind, status, needs, usesOracle, calls, callsByDefault, options };
}

function table(cards: readonly Listed[], view: MethodsView): string {
  const rows = cards.map((card) => [card.id, paperOf(card), card.kind, needsOf(card), `${card.callsByDefault}`, card.calls]);
  const grid = [["method", "paper", "kind", "needs", "calls", "in general"], ...rows];
  const widths = columnWidths(grid);
  const fixed = widths.slice(0, -1).reduce((sum, width) => sum + width + 2, 0);
  const narrowest = Math.max(24, ...cards.flatMap((card) => card.calls.split(" ").map((word) => word.length)));
  if (view.width < fixed + narrowest) return `${cards.map((card) => short(card, view)).join("\n")}\n${notesOf(view)}`;
  const lines = grid.map((row, index) => {
    const cells = row.map((cell, column) => {
      if (column === row.length - 1) return wrapped(cell, view.width - fixed, fixed);
      return column === 4 ? pad(cell, widths[column], "right") : pad(cell, widths[column], "left");
    });
    const line = cells.join("  ").trimEnd();
    return index === 0 ? styled(view, "dim", line) : line.replace(row[0], styled(view, "bold", row[0]));
  });
  return `${lines.join("\n")}\n\n${notesOf(view)}`;
}

function notesOf(view: MethodsView): string {
  const notes = [
    "calls: most calls of the model for one answer, at the defaults; a call may ask for several samples at once.",
    "[…] is 1 where it holds, 0 otherwise. Options and the papers' values: midcourse methods NAME.",
  ];
  return notes.map((note) => `${styled(view, "dim", wrapped(note, view.width, 0))}\n`).join("");
}

/** For terminals too narrow for the table. */
function short(card: Listed, view: MethodsView): string {
  const lines = [paperOf(card), `${card.kind}; needs ${needsOf(card)}`, `calls: ${card.calls}`];
  return `${styled(view, "bold", card.id)}\n${lines.map((line) => `  ${wrapped(line, view.width - 2, 2)}\n`).join("")}`;
}

function page(card: Listed, view: MethodsView): string {
  const { paper } = card;
  const facts = [
    ...(paper
      ? [["paper", `${paper.title}. ${paper.authors}, ${paper.year}${paper.arxiv ? `, arXiv ${paper.arxiv}` : ""}`]]
      : []),
    ["kind", card.kind],
    ["status", card.status === "stable" ? "stable" : "experimental: prompts, options and results may still change"],
    ["needs", needsOf(card)],
    ["calls", `${card.calls}; ${card.callsByDefault} at the defaults`],
    ...(card.usesOracle ? [["note", "looks at the reference answer: an upper bound, no method one could use"]] : []),
  ];
  const options = Object.entries(card.options).map(([name, option]) => {
    const standard = option.default === undefined ? "not given" : String(option.default);
    const lines = [
      option.description,
      `${allowed(option)}; default: ${standard}${option.paper === undefined ? "" : `; the paper: ${option.paper}`}`,
    ];
    return `  ${styled(view, "bold", name)}\n${lines.map((line) => `      ${wrapped(line, view.width - 6, 6)}\n`).join("")}`;
  });
  return [
    `${styled(view, "bold", card.id)}\n  ${wrapped(card.summary, view.width - 2, 2)}\n\n`,
    ...facts.map(([title, text]) => `  ${title.padEnd(6)} ${wrapped(text, view.width - 9, 9)}\n`),
    options.length === 0 ? "\nNo options.\n" : `\nOptions\n${options.join("")}`,
  ].join("");
}

function paperOf({ paper }: MethodCard): string {
  if (!paper) return "–";
  const authors = paper.authors.replace(/^(.*?)(\S+) et al\.$/, "$2 et al.");
  return `${authors} ${paper.year}${paper.arxiv ? `, ${paper.arxiv}` : ""}`;
}

function needsOf({ needs }: MethodCard): string {
  return needs.length === 0 ? "–" : needs.join(", ");
}

/** Lines after the first are indented. */
function wrapped(text: string, width: number, indent: number): string {
  return wrapText(text, width, " ".repeat(indent)).join("\n");
}

function styled({ styled: isStyled }: MethodsView, style: "bold" | "dim", text: string): string {
  return isStyled ? styleText(style, text, { validateStream: false }) : text;
}
