/** Runs jobs as their source gives them, so many at a time; the first that throws ends all. */
export async function pool<T>(
  jobs: Iterable<T>,
  atOnce: number,
  work: (job: T) => Promise<void>,
): Promise<void> {
  const source = jobs[Symbol.iterator]();
  let ended = false;
  const lane = async (): Promise<void> => {
    for (let next = source.next(); next.done !== true && !ended; next = source.next()) await work(next.value);
  };
  const lanes = Array.from({ length: atOnce }, () =>
    lane().catch((error: unknown) => {
      ended = true;
      throw error;
    }),
  );
  await Promise.allSettled(lanes);
  await Promise.all(lanes);
}
