/** What a run asked for and did not get: settings that were not honoured, and text that came where nobody reads it. */
import type { NotHonoured } from "#kernel/model.ts";
import { sum } from "#kernel/numbers.ts";
import { getOrMake } from "#kernel/values.ts";
import { knownFields } from "../records/evaluation-record.ts";
import type { SlimRecord } from "../records/slim-record.ts";
import type { NotHonouredResult, Results } from "./results.ts";

export function askedInVain(records: readonly SlimRecord[]): Pick<Results, "notHonoured" | "unreadReasoning"> {
  const notHonoured = notHonouredIn(records);
  const unread = records.filter(({ unreadReasoning }) => unreadReasoning !== undefined);
  const cut = unread.filter(({ unreadReasoning }) => unreadReasoning!.whole === 0).length;
  return knownFields({
    notHonoured: notHonoured.length === 0 ? undefined : notHonoured,
    unreadReasoning: unread.length === 0 ? undefined : { answers: unread.length, cut, of: records.length },
  });
}

function notHonouredIn(records: readonly SlimRecord[]): NotHonouredResult[] {
  const answersOf = Map.groupBy(records, (record) => record.method);
  const found = new Map<string, { entry: NotHonouredResult; methods: Set<string> }>();
  for (const { notHonoured = [], method } of records) {
    for (const entry of notHonoured) {
      const known = getOrMake(found, kindOf(entry), () => ({
        entry: { ...entry, answers: 0, of: 0, methods: [] },
        methods: new Set<string>(),
      }));
      known.entry.answers++;
      // The same one whatever the order in which the records came.
      if (entry.why < known.entry.why) known.entry.why = entry.why;
      known.methods.add(method);
    }
  }
  return [...found]
    .sort(([first], [second]) => (first < second ? -1 : 1))
    .map(([, { entry, methods }]) => ({
      ...entry,
      of: sum(Array.from(methods, (method) => answersOf.get(method)!.length)),
      methods: [...methods].sort(),
    }));
}

/** A server's sentence may hold what differs from call to call, such as the request's number; what stands before it does not. */
function kindOf({ why, ...rest }: NotHonoured): string {
  return JSON.stringify([rest, why.split(": ")[0]]);
}

/** The run's own temperature where calls asked for it in vain. */
export function temperatureInVain({ notHonoured = [], temperature }: Results): NotHonouredResult | undefined {
  return notHonoured.find(({ field, asked }) => field === "temperature" && asked === temperature);
}

/** The temperature that calls had; undefined where it was asked for in vain. */
export function honouredTemperature(results: Results): number | undefined {
  return temperatureInVain(results) ? undefined : results.temperature;
}

/** The run's seed; undefined where calls were not drawn from it. */
export function honouredSeed({ notHonoured = [], seed }: Results): number | undefined {
  return notHonoured.some(({ field }) => field === "seed") ? undefined : seed;
}
