/** `midcourse methods`: the catalogue as a list, or one method with its options. */

import { styleText } from "node:util";
import type { Command } from "commander";
import type { MethodCard } from "#kernel/method-card.ts";
import { counted } from "#kernel/numbers.ts";
import { allowed } from "#kernel/options.ts";
import { harmlessJson } from "#text/signs.ts";

import { wrapText } from "#text/table.ts";

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
  const { evalNames } = await import("#recipes/shared/world-methods.ts");
  const wanted = name === undefined ? methodCards : [await cardOf(name, methodCards)];
  const cards = wanted.map((card): Listed => ({ ...card, callsByDefault: bindMethod(card).maxCalls }));
  if (options.json) view.write(`${harmlessJson(name === undefined ? cards.map(asJson) : asJson(cards[0]), 2)}\n`);
  else
    view.write(
      name === undefined
        ? `${cards.map((card) => listed(card, view)).join("\n")}\n${notesOf(view, evalNames)}`
        : page(cards[0], view),
    );
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

function notesOf(view: MethodsView, evalNames: Readonly<Record<string, string>>): string {
  const others = Object.entries(evalNames).map(([title, typed]) => `${title} is ${typed}`);
  const notes = [
    `These names are typed, with options in brackets: --methods 'self-refine(rounds=3)'. Tables of start, train and reproduce have titles of their own: ${others.join(", ")}.`,
    "Calls: the most for one answer at the defaults, and how they grow with the options; a call may ask for several samples at once.",
    "[…] is 1 where it holds, 0 otherwise. Options and the papers' values: midcourse methods NAME.",
  ];
  return notes.map((note) => `${styled(view, "dim", wrapped(note, view.width, 0))}\n`).join("");
}

function listed(card: Listed, view: MethodsView): string {
  const known = [paperOf(card), card.kind, ...(card.needs.length === 0 ? [] : [`needs ${needsOf(card)}`])].filter(
    (each) => each !== "–",
  );
  const calls = card.calls === String(card.callsByDefault) ? "" : `: ${card.calls}`;
  const lines = [card.summary, known.join("; "), `${counted(card.callsByDefault, "call")}${calls}`];
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
    [
      "calls",
      `${card.calls}; ${card.callsByDefault} at the defaults${card.calls.includes("[") ? "; […] is 1 where it holds, 0 otherwise" : ""}`,
    ],
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

/** `width` is what a line of the text may take; lines after the first are indented besides. */
function wrapped(text: string, width: number, indent: number): string {
  return wrapText(text, width).join(`\n${" ".repeat(indent)}`);
}

function styled({ styled: isStyled }: MethodsView, style: "bold" | "dim", text: string): string {
  return isStyled ? styleText(style, text, { validateStream: false }) : text;
}
