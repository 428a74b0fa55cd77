import { describe, expect, it } from 'vitest';
import { passingOn, TestClock } from '../../schemas/clock.testing.ts';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { Progress } from '../engine/port.ts';
import type { GuildReader } from '../views/guild-views/view.ts';
import type { UnreadReader } from '../views/unread/view.ts';
import { onceHeld, storedProgress, together, unreadOnceHeld } from './node-views.ts';

const at = (position: number): Progress => ({
  checkpoint: () => position,
  whenProcessed: async (wanted) => wanted <= position,
});

describe('several views together', () => {
  it('hold the position of the slowest one', async () => {
    const all = together([at(5), at(3), at(9)]);
    expect(all.checkpoint()).toBe(3);
    expect([await all.whenProcessed(3, 10), await all.whenProcessed(4, 10)]).toEqual([true, false]);
  });
});

describe('rows that are stored with the checkpoints', () => {
  it.each([
    ['once they are stored, whatever the view counts as held', 300, true],
    ['not at all where that takes too long', 2000, false],
  ])('hold a position %s', async (_, storedAfterMs, held) => {
    const clock = new TestClock();
    const stored = async () => (clock.monotonic() >= storedAfterMs ? 7 : 6);
    let answer: boolean | undefined;
    const asked = storedProgress({ progress: at(9), stored }, clock).whenProcessed(7, 1000);
    void asked.then((reached) => {
      answer = reached;
    });
    await passingOn(clock).until(() => answer !== undefined);
    expect(answer).toBe(held);
  });
});

describe('guild views as of a position', () => {
  const reader = { administrator: async () => 'ada' } as unknown as GuildReader;

  it('answer once the store holds the position', async () => {
    expect(await onceHeld(reader, at(7), 7, 10).administrator()).toBe('ada');
  });

  it('report that they are unavailable if the store does not get there in time', async () => {
    await expect(onceHeld(reader, at(6), 7, 10).administrator()).rejects.toBeInstanceOf(StoreUnavailable);
  });
});

describe('heads for a new session', () => {
  const named = (source: string) =>
    ({ head: async (channelId: string) => ({ channelId, messageId: source }) }) as unknown as UnreadReader;
  const readers = { store: named('store'), log: named('log') };

  it.each([
    [7, 'store'],
    [6, 'log'],
  ])('come, with the store at %i of 7, from the %s', async (held, source) => {
    const head = await unreadOnceHeld({ ...readers, progress: at(held) }, 7, 10).head('1');
    expect(head.messageId).toBe(source);
  });
});
