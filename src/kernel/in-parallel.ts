/**
 * Works on many things at once, so many at a time. Our own rather than `p-map`, which lets go of what is under way as soon as one fails:
 * calls of a model are paid for, so here they are waited for, and no further one begins.
 */

/**
 * Takes the jobs in order as places become free, so a generator may decide at the last moment whether there is a next one. After a failure
 * no other job begins; those under way end, then the first failure is thrown.
 *
 * @param atOnce jobs under way at a time, at least 1
 * @returns what `work` gave, in the order of the jobs
 */
export async function inParallel<Job, Result>(
  jobs: Iterable<Job>,
  atOnce: number,
  work: (job: Job, index: number) => Promise<Result>,
): Promise<Result[]> {
  const queue = jobs[Symbol.iterator]();
  const results: Result[] = [];
  const failures: unknown[] = [];
  let begun = 0;
  let isOver = false;
  const place = async () => {
    while (!isOver) {
      try {
        const next = queue.next();
        if (next.done) return;
        const index = begun++;
        results[index] = await work(next.value, index);
      } catch (error) {
        isOver = true;
        failures.push(error);
      }
    }
  };
  await Promise.all(Array.from({ length: Math.max(1, atOnce) }, place));
  if (failures.length > 0) throw failures[0];
  return results;
}
