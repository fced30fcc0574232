/** What the trainings of each row cost: means over the runs of which it is known. */
import { mean } from "../statistics/statistics.ts";
import type { TrainingCost } from "./training-table.ts";

type Amount = "steps" | "minutes" | "sampledTokens" | "trainedTokens";

/** Means; one is absent where no run's is known. `runs[amount]` says how many runs are in it. */
export type RowCost = { [amount in Amount]?: number } & { runs: { [amount in Amount]: number } };

const amounts: readonly Amount[] = ["steps", "minutes", "sampledTokens", "trainedTokens"];

export function rowCosts(costs: readonly TrainingCost[]): Map<string, RowCost> {
  return new Map(
    [...Map.groupBy(costs, ({ row }) => row)].map(([row, own]) => {
      const known = amounts.map((amount) => {
        const values = own.flatMap((cost) => (Number.isFinite(cost[amount]) ? [cost[amount]!] : []));
        return [amount, values] as const;
      });
      const runs = Object.fromEntries(known.map(([amount, values]) => [amount, values.length])) as RowCost["runs"];
      const means = Object.fromEntries(known.flatMap(([amount, values]) => (values.length > 0 ? [[amount, mean(values)]] : [])));
      return [row, { ...means, runs }];
    }),
  );
}
