/**
 * What a program waits for in code that is not its own: modules, methods, trainings. Where nothing is left that could end the wait Node
 * ends the process, and its author has to be told which one it was.
 */

const waits = new Set<{ what: string }>();

/** What `work` gives, written down as waited for until then. */
export async function waitingFor<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  const wait = { what };
  waits.add(wait);
  try {
    return await work();
  } finally {
    waits.delete(wait);
  }
}

/** Each thing that is waited for at present, once. */
export function waitedFor(): string[] {
  return [...new Set([...waits].map(({ what }) => what))];
}
