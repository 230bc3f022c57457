/** Runs jobs, so many at a time, in their order; the first that throws ends all. */
export async function pool<T>(
  jobs: readonly T[],
  atOnce: number,
  work: (job: T, index: number) => Promise<void>,
): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < jobs.length) {
      const index = next++;
      await work(jobs[index] as T, index);
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, jobs.length) }, lane));
}
