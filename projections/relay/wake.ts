/** Resting at the head of the log. */
import type { LogReader } from '../../log/port.ts';

/**
 * Resolves when there are events beyond `position`, after `ms`, or when the signal aborts. What the tail hands out is only
 * a bell here: it comes checked and in its newest form, which the distribution log does not need.
 */
export const untilMore = async (log: LogReader, position: number, ms: number, signal: AbortSignal): Promise<void> => {
  let wake = () => {};
  const woken = new Promise<void>((resolve) => {
    wake = resolve;
  });
  if (signal.aborted) return;
  signal.addEventListener('abort', wake, { once: true });
  const timer = setTimeout(wake, ms);
  const tail = log.tail(
    position,
    async () => wake(),
    // An event of a newer Parley cannot be checked, and can be copied all the same. Any other failure is met again by who reads.
    () => {},
  );
  await woken;
  clearTimeout(timer);
  signal.removeEventListener('abort', wake);
  await tail.stop();
};
