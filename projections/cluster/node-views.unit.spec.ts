import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../schemas/errors.ts';
import type { Progress } from '../engine/port.ts';
import type { GuildReader } from '../views/guild-views/view.ts';
import type { UnreadReader } from '../views/unread/view.ts';
import { onceHeld, together, unreadOnceHeld } from './node-views.ts';

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
