/** What every store of dead letters must do. */

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DeadLetters, NewLetter } from './port.ts';

const letter = (projection: string, stream: string, sequence: number, more: Partial<NewLetter> = {}): NewLetter => ({
  projection,
  stream,
  sequence,
  position: sequence * 10,
  error: 'it does not fit',
  attempts: 4,
  ...more,
});

export interface OpenedDeadLetters {
  readonly letters: DeadLetters;
  /** Sets the clock that dates the letters. */
  setTime(time: number): void;
  dispose(): Promise<void>;
}

export const deadLettersContract = (name: string, open: () => Promise<OpenedDeadLetters>): void => {
  describe(`dead letters in ${name}`, () => {
    let opened: OpenedDeadLetters;
    let letters: DeadLetters;
    beforeAll(async () => {
      opened = await open();
      letters = opened.letters;
    });
    beforeEach(async () => {
      for (const { projection } of await letters.list()) await letters.forget(projection);
    });
    afterAll(() => opened.dispose());

    it('are listed oldest first, all or some of them', async () => {
      opened.setTime(2000);
      await letters.record(letter('timelines-g1', 'channel-1', 7));
      opened.setTime(1000);
      await letters.record(letter('unread-g1', 'channel-1', 7, { error: 'with a \0 in it', attempts: 5 }));
      const [unread, timelines] = await letters.list();
      expect(unread).toEqual({
        ...letter('unread-g1', 'channel-1', 7, { error: 'with a  in it', attempts: 5 }),
        time: 1000,
        retry: false,
      });
      expect(timelines).toMatchObject({ projection: 'timelines-g1', time: 2000 });
      expect(await letters.list({ projection: 'timelines-g1' })).toEqual([timelines]);
      expect(await letters.list({ stream: 'channel-2' })).toEqual([]);
    });

    it('record the first skipped event of each stream: the earliest one counts', async () => {
      await letters.record(letter('timelines-g1', 'channel-1', 7));
      await letters.record(letter('timelines-g1', 'channel-1', 9));
      await letters.record(letter('timelines-g1', 'channel-2', 9));
      await letters.record(letter('timelines-g1', 'channel-2', 3));
      await letters.record(letter('unread-g1', 'channel-3', 1));
      expect(await letters.poisoned('timelines-g1')).toEqual(
        new Map([
          ['channel-1', 7],
          ['channel-2', 3],
        ]),
      );
    });

    it('can be marked for a retry, which resolves them or fails again', async () => {
      for (const stream of ['channel-1', 'channel-2', 'channel-3'])
        await letters.record(letter('timelines-g1', stream, 7));
      expect(await letters.requested('timelines-g1')).toEqual([]);
      expect(await letters.requestRetry({ projection: 'timelines-g1', stream: 'channel-1' })).toBe(1);
      expect(await letters.requestRetry({ projection: 'unread-g1' })).toBe(0);
      expect((await letters.requested('timelines-g1')).map(({ stream }) => stream)).toEqual(['channel-1']);
      expect(await letters.requestRetry({})).toBe(3);
      await letters.resolve({ projection: 'timelines-g1', stream: 'channel-1' });
      await letters.failAgain(letter('timelines-g1', 'channel-2', 8, { error: 'this one too' }));
      expect((await letters.requested('timelines-g1')).map(({ stream }) => stream)).toEqual(['channel-3']);
      expect(await letters.list({ stream: 'channel-1' })).toEqual([]);
      expect(await letters.list({ stream: 'channel-2' })).toMatchObject([
        { sequence: 8, position: 80, error: 'this one too', retry: false },
      ]);
    });

    it('are deleted with their projection', async () => {
      await letters.record(letter('timelines-g1', 'channel-1', 7));
      await letters.record(letter('timelines-g2', 'channel-1', 7));
      await letters.forget('timelines-g1');
      expect((await letters.list()).map(({ projection }) => projection)).toEqual(['timelines-g2']);
    });
  });
};
