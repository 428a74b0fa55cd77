/** Times as clients see them, over HTTP and in dispatches. */

const written = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000+00:00`;

/** Times written lately, each at the place that its last bits say. */
const KEPT = 256;
const times = new Array<number>(KEPT).fill(0);
const texts = new Array<string>(KEPT).fill(written(0));

/**
 * `2026-11-28T03:10:37.213000+00:00`, as Discord writes it: some libraries read no other form.
 * @param ms since 1970
 */
export const wireTime = (ms: number): string => {
  // In a burst, most messages have the same time as the one before, and few people write them.
  const place = ms & (KEPT - 1);
  if (ms !== times[place]) {
    texts[place] = written(ms);
    times[place] = ms;
  }
  return texts[place]!;
};
