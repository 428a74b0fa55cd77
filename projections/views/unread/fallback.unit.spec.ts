import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { unreadWithFallback } from './from-log.ts';
import type { UnreadReader } from './view.ts';

const answering = (messageId: string, through = 1) => {
  const head = { channelId: '30', ordinal: 1, messageId, sequence: 1, position: 1 };
  const state = { channelId: '30', readOrdinal: 0, unread: 1, mentions: 0, lastMessageId: messageId };
  return {
    through: async () => through,
    head: async () => head,
    heads: async () => new Map([['30', head]]),
    readStates: async () => [state],
  };
};
const failing = (error: Error) => {
  const fail = async () => {
    throw error;
  };
  return { through: fail, head: fail, heads: fail, readStates: fail };
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

  it('come from the log while the store is late', async () => {
    const lateness = { late: true, heldInTime: async () => true };
    const reader = unreadWithFallback(answering('store'), answering('log'), lateness);
    expect(await whatIsSaid(reader)).toEqual(Array(3).fill('log'));
    lateness.late = false;
    expect(await whatIsSaid(reader)).toEqual(Array(3).fill('store'));
  });

  it('come from the store again once it holds what was shown from the log', async () => {
    let held = 0;
    const waited: number[] = [];
    const lateness = {
      late: true,
      heldInTime: async (position: number) => {
        waited.push(position);
        return held >= position;
      },
    };
    const reader = unreadWithFallback(answering('store'), answering('log', 7), lateness);
    expect(await whatIsSaid(reader)).toEqual(Array(3).fill('log'));
    // The store has what somebody waited for, and not yet what was shown.
    [lateness.late, held] = [false, 6];
    expect(await whatIsSaid(reader)).toEqual(Array(3).fill('log'));
    held = 7;
    expect(await whatIsSaid(reader)).toEqual(Array(3).fill('store'));
    expect(waited).toEqual([7, 7, 7, 7]);
  });

  it('come from the store again after an outage, once it holds what was shown meanwhile', async () => {
    let gone = true;
    const store = answering('store');
    const away = () => Promise.reject(new StoreUnavailable('unread', 1));
    const primary = {
      ...store,
      head: (...asked: Parameters<typeof store.head>) => (gone ? away() : store.head(...asked)),
    };
    let held = false;
    const reader = unreadWithFallback(primary, answering('log', 7), { late: false, heldInTime: async () => held });
    expect((await reader.head('30')).messageId).toBe('log');
    gone = false;
    expect((await reader.head('30')).messageId).toBe('log');
    held = true;
    expect((await reader.head('30')).messageId).toBe('store');
  });

  it('report other errors, and an outage of the log', async () => {
    const mistaken = unreadWithFallback(failing(new TypeError('a mistake')), answering('log'));
    await expect(mistaken.head('30')).rejects.toThrow('a mistake');
    const gone = failing(new StoreUnavailable('unread', 1));
    const both = unreadWithFallback(gone, failing(new StoreUnavailable('log', 2)));
    await expect(both.readStates('10', ['30'])).rejects.toMatchObject({ store: 'log' });
  });
});
