/** Times as clients see them, over HTTP and in dispatches. */

const written = (ms: number): string => `${new Date(ms).toISOString().slice(0, -1)}000+00:00`;

let lastTime = 0;
let lastWritten = written(0);

/**
 * `2026-11-28T03:10:37.213000+00:00`, as Discord writes it: some libraries read no other form.
 * @param ms since 1970
 */
export const wireTime = (ms: number): string => {
  // In a burst, most messages have the same time as the one before.
  if (ms !== lastTime) {
    lastTime = ms;
    lastWritten = written(ms);
  }
  return lastWritten;
};
