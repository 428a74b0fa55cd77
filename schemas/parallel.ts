/** Bounded concurrency. */

/** Results in the order of the items, with at most `atOnce` of them under way. The first failure rejects. */
export const inParallel = async <A, B>(
  items: readonly A[],
  atOnce: number,
  work: (item: A) => Promise<B>,
): Promise<readonly B[]> => {
  const results: B[] = [];
  const waiting = items.entries();
  const worker = async (): Promise<void> => {
    for (const [n, item] of waiting) results[n] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
};
