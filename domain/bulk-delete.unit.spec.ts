import { describe, expect, it } from 'vitest';
import { BULK_DELETE_AGE, bulkDelete } from './bulk-delete.ts';
import { pin, post, remove } from './channel.ts';
import {
  ANN,
  aChannel,
  aDirectChannel,
  aPost,
  BEN,
  events,
  GUILD,
  member,
  NOW,
  OWNER,
  refusal,
  STRANGER,
  types,
} from './testing.ts';

/** A channel with three messages, and what somebody asks to delete. */
const withMessages = (channel = aChannel()) => {
  const ids = [1, 2, 3].map((n) => {
    const guild = channel.state.settings?.guildId === null ? { guild: undefined } : {};
    channel.given((state) => post(aPost(`post-${n}`, { now: NOW + n, ...guild }), state), `post-${n}`);
    return channel.headId;
  }) as [string, string, string];
  const asks = (userId: string, messageIds: readonly string[] = ids, now = NOW) => ({
    ...member(userId),
    ...{ key: 'delete', now, messageIds },
    messages: messageIds.map((id) => channel.message(id)).filter((message) => message !== undefined),
  });
  return { channel, ids, asks };
};

describe('deleting messages at once', () => {
  it('is one event, which names them in the order of the channel', () => {
    const { channel, ids, asks } = withMessages();
    const [first, second, third] = ids;
    const deleted = events(bulkDelete(asks(OWNER, [third, first]), channel.state));
    expect(deleted).toEqual([
      {
        type: 'messages-deleted',
        data: {
          guildId: GUILD,
          messages: [
            { messageId: first, ordinal: 1, author: ANN },
            { messageId: third, ordinal: 3, author: ANN },
          ],
        },
      },
    ]);
    channel.record(deleted);
    expect(ids.map((id) => channel.message(id)!.deleted)).toEqual([true, false, true]);
    expect(channel.message(second)!.sealed).not.toBeNull();
  });

  it('takes each that is pinned down first, and says which pin is the last that is left', () => {
    const { channel, ids, asks } = withMessages();
    for (const [n, id] of ids.entries())
      channel.given((state) => {
        const message = channel.message(id);
        return pin({ ...member(OWNER), key: id, message, now: NOW + n, low: BigInt(n) }, state);
      }, id);
    const decided = events(bulkDelete(asks(OWNER, ids.slice(1)), channel.state));
    expect(decided).toMatchObject([
      { type: 'message-unpinned', data: { messageId: ids[1], deleted: true, lastPinnedTime: NOW + 2 } },
      { type: 'message-unpinned', data: { messageId: ids[2], deleted: true, lastPinnedTime: NOW } },
      { type: 'messages-deleted' },
    ]);
    expect(channel.record(decided).state.pins).toEqual([{ messageId: ids[0], pinnedTime: NOW }]);
  });

  it('passes over what is deleted already and what never was', () => {
    const { channel, ids, asks } = withMessages();
    const [first, second] = ids;
    channel.given((state) => remove({ ...member(ANN), key: 'one', message: channel.message(first) }, state));
    const asked = asks(OWNER, [first, second]);
    const [deleted] = events(bulkDelete({ ...asked, messageIds: [first, second, `${second}1`] }, channel.state));
    expect(deleted).toMatchObject({ data: { messages: [{ messageId: second }] } });
    expect(types(bulkDelete(asks(OWNER, [first]), channel.state))).toEqual([]);
  });

  it('requires MANAGE_MESSAGES of a guild: nobody has it in a direct channel', () => {
    const { channel, asks } = withMessages();
    for (const userId of [ANN, BEN])
      expect(refusal(bulkDelete(asks(userId), channel.state))).toBe('missingPermissions');
    const outsider = { ...asks(STRANGER), member: undefined };
    expect(refusal(bulkDelete(outsider, channel.state))).toBe('unknownChannel');
    const direct = withMessages(aDirectChannel(ANN, BEN));
    const inDirect = (userId: string) => ({ ...direct.asks(userId), guild: undefined });
    expect(refusal(bulkDelete(inDirect(ANN), direct.channel.state))).toBe('dmExecute');
    expect(refusal(bulkDelete(inDirect(STRANGER), direct.channel.state))).toBe('unknownChannel');
  });

  it('refuses all when one of them is older than 14 days', () => {
    const { channel, asks } = withMessages();
    const later = (ms: number) => bulkDelete(asks(OWNER, undefined, NOW + BULK_DELETE_AGE + ms), channel.state);
    expect(types(later(1))).toEqual(['messages-deleted']);
    expect(refusal(later(2))).toBe('tooOldToBulkDelete');
  });
});
