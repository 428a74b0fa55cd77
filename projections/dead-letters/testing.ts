/** For specs: dead letters in memory. */
import type { DeadLetters, RecordedLetter, WhichLetters } from './port.ts';

export const memoryDeadLetters = (clock: () => number = () => 0): DeadLetters => {
  const letters = new Map<string, RecordedLetter>();
  const keyOf = ({ projection, stream }: Required<WhichLetters>) => `${projection} ${stream}`;
  const found = ({ projection, stream }: WhichLetters) =>
    [...letters.values()]
      .filter((one) => (projection ?? one.projection) === one.projection && (stream ?? one.stream) === one.stream)
      .sort((a, b) => a.time - b.time);
  return {
    async record(letter) {
      const known = letters.get(keyOf(letter));
      if (known !== undefined && known.sequence <= letter.sequence) return;
      letters.set(keyOf(letter), {
        ...letter,
        error: letter.error.replaceAll('\0', ''),
        time: clock(),
        retry: known?.retry ?? false,
      });
    },
    list: async (which = {}) => found(which),
    poisoned: async (projection) => new Map(found({ projection }).map(({ stream, sequence }) => [stream, sequence])),
    async requestRetry(which) {
      const some = found(which);
      for (const letter of some) letters.set(keyOf(letter), { ...letter, retry: true });
      return some.length;
    },
    requested: async (projection) => found({ projection }).filter(({ retry }) => retry),
    async resolve(which) {
      letters.delete(keyOf(which));
    },
    async failAgain(letter) {
      const known = letters.get(keyOf(letter));
      if (known !== undefined) letters.set(keyOf(letter), { ...known, ...letter, retry: false });
    },
    async forget(projection) {
      for (const letter of found({ projection })) letters.delete(keyOf(letter));
    },
  };
};
