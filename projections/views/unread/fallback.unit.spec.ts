import { describe, expect, it } from 'vitest';
import { StoreUnavailable } from '../../../schemas/errors.ts';
import { unreadWithFallback } from './from-log.ts';
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

  it('come from the log while the store is late', async () => {
    let late = true;
    const reader = unreadWithFallback(answering('store'), answering('log'), () => late);
    expect(await whatIsSaid(reader)).toEqual(Array(3).fill('log'));
    late = false;
    expect(await whatIsSaid(reader)).toEqual(Array(3).fill('store'));
  });

  it('report other errors, and an outage of the log', async () => {
    const mistaken = unreadWithFallback(failing(new TypeError('a mistake')), answering('log'));
    await expect(mistaken.head('30')).rejects.toThrow('a mistake');
    const gone = failing(new StoreUnavailable('unread', 1));
    const both = unreadWithFallback(gone, failing(new StoreUnavailable('log', 2)));
    await expect(both.readStates('10', ['30'])).rejects.toMatchObject({ store: 'log' });
  });
});
