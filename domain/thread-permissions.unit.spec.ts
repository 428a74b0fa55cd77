/** Rights in threads, by a table. */
import { describe, expect, it } from 'vitest';
import { channelPermissions, Permission } from './permissions.ts';

const GUILD = '100';
const { viewChannel, sendMessages, sendMessagesInThreads, manageThreads, mentionEveryone, readMessageHistory } =
  Permission;

const rightsIn = (given: bigint, { isPrivate = false, stay = undefined as number | undefined, joinedAt = 7 } = {}) => {
  const parent = { guildId: GUILD, overwrites: [], participants: [] };
  const members = stay === undefined ? {} : { '2': { stay } };
  const thread = { ...parent, thread: { isPrivate, members, parent } };
  const guild = { id: GUILD, ownerId: '1', everyone: given.toString(), roles: [] };
  return channelPermissions(thread, guild, '2', { userId: '2', roles: [], joinedAt });
};

describe('in a thread', () => {
  it.each([
    ['whoever may only send in the parent cannot write', viewChannel | sendMessages, {}, viewChannel],
    [
      'whoever may send in threads may write',
      viewChannel | sendMessagesInThreads,
      {},
      viewChannel | sendMessagesInThreads | sendMessages,
    ],
    [
      'without the right to write there is none to mention',
      viewChannel | sendMessages | mentionEveryone,
      {},
      viewChannel,
    ],
    ['whoever does not see the parent has no rights', sendMessagesInThreads, {}, 0n],
    ['that is private, others have no rights', viewChannel | readMessageHistory, { isPrivate: true }, 0n],
    ['that is private, its members have theirs', viewChannel, { isPrivate: true, stay: 7 }, viewChannel],
    [
      'that is private, a member who left the guild and came back has none',
      viewChannel,
      { isPrivate: true, stay: 3 },
      0n,
    ],
    [
      'that is private, managers of threads have theirs',
      viewChannel | manageThreads,
      { isPrivate: true },
      viewChannel | manageThreads,
    ],
  ] as const)('%s', (_, given, thread, rights) => {
    expect(rightsIn(given, thread)).toBe(rights);
  });

  it('whose parent is deleted or unknown nobody has any right', () => {
    const guild = { id: GUILD, ownerId: '1', everyone: '0', roles: [] };
    const channel = { guildId: GUILD, overwrites: [], participants: [] };
    for (const parent of [undefined, { ...channel, isDeleted: true }])
      expect(
        channelPermissions({ ...channel, thread: { isPrivate: false, members: {}, parent } }, guild, '1', {
          userId: '1',
          roles: [],
        }),
      ).toBe(0n);
  });
});
