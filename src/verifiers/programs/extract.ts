/** Finds the program in a completion and makes it whole with the prompt it was to complete. Lines are read once; no pattern backtracks. */
import { parseRefine } from "#kernel/refine-grammar.ts";

export interface ProgramPrompt {
  /** The code to complete: imports, helper functions, the signature and its docstring. */
  prompt: string;
  entryPoint: string;
}

/** Longer completions are cut: no program worth running is that long. */
const longestCompletion = 200_000;

interface Block {
  language: string;
  code: string;
}

/**
 * The code in a completion, undefined when there is none: the last fenced block that defines `entryPoint`, else the last Python block, else the
 * last block, else the text itself, read as a definition among prose or as the continuation of the prompt (which, as usual, ends with the
 * first line that is not indented). Indentation is kept. What a model thought beforehand, tagged as such, is left out.
 */
export function extractCode(completion: string, entryPoint: string): string | undefined {
  const text = withoutThinking(completion.slice(0, longestCompletion));
  const blocks = fencedBlocks(text).filter((block) => block.code.trim() !== "");
  if (blocks.length > 0) {
    const isPython = (block: Block) => /^(python\d?|py|)$/i.test(block.language);
    const chosen =
      blocks.findLast((block) => defines(block.code, entryPoint)) ?? blocks.findLast(isPython) ?? blocks[blocks.length - 1];
    return chosen.code;
  }
  if (text.trim() === "") return undefined;
  return defines(text, entryPoint) ? definitionsInProse(text) : continuation(text);
}

/**
 * One program out of prompt and code. Code that defines the function itself gets what stands before the function in the prompt (imports,
 * helpers); anything else is taken for the body, set to the right depth if its indentation was lost.
 */
export function completeProgram({ prompt, entryPoint }: ProgramPrompt, code: string): string {
  if (!defines(code, entryPoint)) return `${prompt}${prompt.endsWith("\n") ? "" : "\n"}${indentBody(code)}\n`;
  const preamble = prompt.slice(0, startOfDefinition(prompt, entryPoint) ?? 0);
  // Imports from the future have to stand first.
  const [future, rest] = partition(code.split("\n"), (line) => line.startsWith("from __future__ import"));
  return `${[...future, preamble, ...rest].join("\n")}\n`;
}

function withoutThinking(text: string): string {
  const refined = parseRefine(text);
  if (refined.ok && refined.answerText !== "") return refined.answerText;
  const end = text.lastIndexOf("</think>");
  const after = end < 0 ? text : text.slice(end + "</think>".length);
  return after.trim() === "" ? text : after;
}

/** Markdown's fences of backticks or tildes; one that is never closed goes to the end. */
function fencedBlocks(text: string): Block[] {
  const blocks: Block[] = [];
  let open: { fence: string; indent: number; language: string; lines: string[] } | undefined;
  for (const line of text.split(/\r?\n/)) {
    const bare = line.trimStart();
    const fence = /^(?:`{3,}|~{3,})/.exec(bare)?.[0];
    if (open === undefined) {
      if (fence === undefined) continue;
      const language = bare.slice(fence.length).trim().split(/\s/, 1)[0];
      open = { fence, indent: line.length - bare.length, language, lines: [] };
    } else if (fence?.startsWith(open.fence) && bare.slice(fence.length).trim() === "") {
      blocks.push({ language: open.language, code: open.lines.join("\n") });
      open = undefined;
    } else {
      // A block inside a list is indented as a whole.
      const lead = line.length - bare.length;
      open.lines.push(line.slice(Math.min(open.indent, lead)));
    }
  }
  if (open !== undefined) blocks.push({ language: open.language, code: open.lines.join("\n") });
  return blocks;
}

function defines(code: string, name: string): boolean {
  return startOfDefinition(code, name) !== undefined;
}

/** Where the line begins that defines a function of this name, outside of any other. */
function startOfDefinition(code: string, name: string): number | undefined {
  let start = 0;
  for (const line of code.split("\n")) {
    const found = /^(?:async\s+)?def\s+([^\s(]+)\s*\(/.exec(line);
    if (found?.[1] === name) return start;
    start += line.length + 1;
  }
  return undefined;
}

const codeStart = /^(?:import |from \S+ import|(?:async\s+)?def |class |@\w)/;
const codeLine =
  /^(?:\s|#|@|import |from |(?:async\s+)?def |class |if |for |while |try:|with |else|elif |except|finally|[)\]}]|"""|'''|[A-Za-z_][\w.]*\s*(?:=|\(|\[|:|\+=))/;

/** From the first line that begins code to the last that can be code. */
function definitionsInProse(text: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => codeStart.test(line));
  const rest = lines.slice(first);
  const end = rest.findIndex((line) => line.trim() !== "" && !codeLine.test(line));
  return (end < 0 ? rest : rest.slice(0, end)).join("\n");
}

function continuation(text: string): string {
  const lines = text.split("\n");
  const first = lines.findIndex((line) => line.trim() !== "");
  const body = lines.slice(first);
  // Where the first line lost its indentation, the others tell where the body ends; where all lost it, nothing does.
  const isIndented = body.some((line) => /^\s+\S/.test(line));
  const end = body.findIndex((line, index) => index > 0 && /^\S/.test(line));
  const isDedented = /^\S/.test(body[0]) && (!isIndented || opensBlock(body[0]) || (end > 0 && !/^\s/.test(body[1] ?? "")));
  return (end < 0 || isDedented ? body : body.slice(0, end)).join("\n");
}

const opensBlock = (line: string) => line.trimEnd().endsWith(":");

/** Puts a function's body at four spaces when its first line, or all of it, was trimmed. */
function indentBody(code: string): string {
  const lines = code.split("\n").map((line) => line.replaceAll("\t", "    "));
  const first = lines.findIndex((line) => line.trim() !== "");
  if (first < 0 || /^\s/.test(lines[first])) return code;
  const depths = lines
    .slice(first + 1)
    .filter((line) => line.trim() !== "")
    .map((line) => line.length - line.trimStart().length);
  const next = depths[0] ?? 0;
  // A line that opens a block has the next one four deeper: at eight when only the first line was trimmed.
  const onlyFirst = depths.length > 0 && Math.min(...depths) >= 4 && next !== (opensBlock(lines[first]) ? 4 : -1);
  return lines.map((line, index) => (line.trim() !== "" && (!onlyFirst || index === first) ? `    ${line}` : line)).join("\n");
}

function partition<T>(values: readonly T[], isFirst: (value: T) => boolean): [T[], T[]] {
  return [values.filter(isFirst), values.filter((value) => !isFirst(value))];
}
