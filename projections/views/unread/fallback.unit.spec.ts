import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../../schemas/clock.ts';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { progressWithFallback, unreadWithFallback } from './from-log.ts';
import type { UnreadReader } from './view.ts';

const answering = (messageId: string): UnreadReader => {
  const head = { channelId: '30', ordinal: 1, messageId, sequence: 1, position: 1 };
  const state = { channelId: '30', readOrdinal: 0, unread: 1, mentions: 0, lastMessageId: messageId };
  return { head: async () => head, heads: async () => new Map([['30', head]]), readStates: async () => [state] };
};
const failing = (error: Error): UnreadReader => {
  const fail = async () => {
    throw error;
  };
  return { head: fail, heads: fail, readStates: fail };
};

describe('unread counts without their store', () => {
  const whatIsSaid = async (reader: UnreadReader) => [
    (await reader.head('30')).messageId,
    (await reader.heads(['30'])).get('30')?.messageId,
    (await reader.readStates('10', ['30']))[0]?.lastMessageId,
  ];

  it('come from the log during an outage, and otherwise from the store', async () => {
    const gone = failing(new StoreUnavailable('unread', 1));
    expect(await whatIsSaid(unreadWithFallback(answering('store'), answering('log')))).toEqual(Array(3).fill('store'));
    expect(await whatIsSaid(unreadWithFallback(gone, answering('log')))).toEqual(Array(3).fill('log'));
  });

  it('report other errors, and an outage of the log', async () => {
    const mistaken = unreadWithFallback(failing(new TypeError('a mistake')), answering('log'));
    await expect(mistaken.head('30')).rejects.toThrow('a mistake');
    const gone = failing(new StoreUnavailable('unread', 1));
    const both = unreadWithFallback(gone, failing(new StoreUnavailable('log', 2)));
    await expect(both.readStates('10', ['30'])).rejects.toMatchObject({ store: 'log' });
  });
});

describe('progress of unread counts', () => {
  const at = (checkpoint: number) => ({
    checkpoint: () => checkpoint,
    whenProcessed: vi.fn(async (position: number, timeoutMs: number) => {
      if (position <= checkpoint) return true;
      await new Promise((resolve) => setTimeout(resolve, timeoutMs));
      return false;
    }),
  });

  it('is that of the store', async () => {
    const progress = progressWithFallback(at(5), () => false, systemClock);
    expect(progress.checkpoint()).toBe(5);
    expect(await progress.whenProcessed(5, 1000)).toBe(true);
    expect(await progress.whenProcessed(6, 20)).toBe(false);
  });

  it('is not awaited while the store is down', async () => {
    const stuck = at(5);
    expect(await progressWithFallback(stuck, () => true, systemClock).whenProcessed(6, 10_000)).toBe(true);
    expect(stuck.whenProcessed).not.toHaveBeenCalled();
  });

  it('is awaited no longer when the store goes down meanwhile', async () => {
    let gone = false;
    const waiting = progressWithFallback(at(5), () => gone, systemClock).whenProcessed(6, 10_000);
    gone = true;
    expect(await waiting).toBe(true);
  });
});
