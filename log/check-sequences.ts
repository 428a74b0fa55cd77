import type { AppendRequest } from './port.ts';

/** @throws RangeError when the events are not numbered from the expected revision on, or there are none. */
export const checkSequences = ({ stream, expected, events }: AppendRequest): void => {
  const dense = events.every((event, i) => event.stream === stream && event.sequence === expected + i + 1);
  if (events.length === 0 || !dense)
    throw new RangeError(`Events for ${stream} must be at least one, with sequences from ${expected + 1} on.`);
};
