/** The table of PASR in miniature from start to page: what is missing is made, a judge asked where one is named, and everything written down. */
import path from "node:path";
import { EmbeddedEngine } from "#engines/embedded/engine.ts";
import { makeFolder, replaceFile } from "#files/durable.ts";
import { shippedModel } from "#files/shipped-model.ts";
import { userError } from "#kernel/errors.ts";
import type { ModelOptions } from "#models/model-options.ts";
import { openModel } from "#models/open-model.ts";
import { worldDomains } from "#tasks/world/domains.ts";
import { judgeRefinements, type RefinementJudgement } from "#verifiers/judges/refinements.ts";
import { withOpened } from "../shared/opened.ts";
import { fastTableOnePlan, fullTableOnePlan, type TableOnePlan } from "./plan.ts";
import { reportTableOne, type TableOneFacts, type TableOneReport, tableOneHtml, tableOneMarkdown } from "./report.ts";
import { readTableOne } from "./results.ts";
import { codeVersions, runTableOne, seedsIn, type TableOneSetup, testItems } from "./table-one.ts";

export interface TableOneWanted {
  /** Everything lands here; the same work goes on where it stopped. */
  folder: string;
  /** 1 … seeds. More can be asked for later. */
  seeds: number;
  /** Checkpoint that the base is made from; the shipped model when left out. */
  model?: string | undefined;
  /** A smoke of the same code, which proves nothing. */
  isFast: boolean;
  /** Where the page goes. */
  markdownFile: string;
  /** A server's model that says of what kind refinements are, and how many of each row it is asked about. */
  judge?: JudgeWanted | undefined;
}

export interface TableOneWritten {
  failures: TableOneFacts["failures"];
  report: TableOneReport;
  /** What results.json holds. */
  results: string;
  /** The page as HTML, in the run's folder. */
  page: string;
}

type Context = Omit<TableOneSetup, "folder" | "plan" | "seeds"> & { command: string };

/** Throws user errors: for no seeds, and for a folder that holds something else. */
export async function reproduceTableOne(wanted: TableOneWanted, { command, ...context }: Context): Promise<TableOneWritten> {
  const { folder, isFast, judge } = wanted;
  if (wanted.seeds < 1) throw userError("seeds", "a table of no seeds is empty", "Give --seeds 1 or more.");
  EmbeddedEngine.requireRuntime();
  const model = path.relative(process.cwd(), wanted.model ?? shippedModel) || ".";
  const plan: TableOnePlan = { ...(isFast ? fastTableOnePlan : fullTableOnePlan), model };
  const failures = await runTableOne({ ...context, folder, plan, seeds: wanted.seeds });
  const seeds = Math.max(wanted.seeds, seedsIn(folder));
  const facts: TableOneFacts = { folder, plan, seeds, command, code: codeVersions(folder), failures, isFast };
  const written = write(wanted, facts);
  if (judge === undefined) return written;
  // The table stands by now, whatever becomes of the judge.
  return write(wanted, { ...facts, judgements: await judgements(judge, facts, context.signal) });
}

function write({ folder, markdownFile }: TableOneWanted, facts: TableOneFacts): TableOneWritten {
  const report = reportTableOne(facts);
  const results = `${JSON.stringify({ ...facts, ...report }, null, 2)}\n`;
  const page = path.join(folder, "report.html");
  put(path.join(folder, "results.json"), results);
  put(page, tableOneHtml(facts, report));
  put(markdownFile, tableOneMarkdown(facts, report));
  return { failures: facts.failures, report, results, page };
}

function put(file: string, content: string): void {
  makeFolder(path.dirname(file));
  replaceFile(file, content);
}

/** Model and how many refinements of each row it is asked about. */
interface JudgeWanted extends Pick<ModelOptions, "onProbe" | "onNote"> {
  model: string;
  sample: number;
}

/** Of what kind the refinements in the table's answers are, row by row. */
async function judgements(
  { model, sample, ...lines }: JudgeWanted,
  { folder, plan, seeds }: TableOneFacts,
  signal: AbortSignal | undefined,
): Promise<Record<string, RefinementJudgement>> {
  return withOpened(await openModel({ model, cache: path.join(folder, "judge-answers"), signal, ...lines }), async (judge) => {
    const items = worldDomains.flatMap((domain) => testItems(plan, domain));
    const found: Record<string, RefinementJudgement> = {};
    for (const { row, records } of readTableOne(folder, seeds).answers) {
      if (!records.some(({ refinements }) => refinements > 0)) continue;
      found[row.id] = await judgeRefinements({ model: judge.model, records, items, sample, seed: 1, signal });
    }
    return found;
  });
}
