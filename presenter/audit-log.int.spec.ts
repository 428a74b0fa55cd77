import { beforeEach, describe, expect, it } from 'vitest';
import { Story } from '../projections/testing.ts';
import { auditTables, SqliteAuditLog } from '../projections/views/audit-log/sql.ts';
import { auditRecords } from '../projections/views/audit-log/view.ts';
import type { GuildRow } from '../projections/views/guild-views/view.ts';
import type { EventData } from '../schemas/events/catalogue.ts';
import { PLAIN } from '../schemas/events/channel.ts';
import { memberStream } from '../schemas/streams.ts';
import { memoryDatabase } from '../stores/testing.ts';
import { presentAuditEntries } from './audit-log.ts';
import { guild, Shown, textChannel } from './testing.ts';

const GUILD = guild.id;
const CHANNEL = textChannel.id;
const THREAD = { channelId: '60', guildId: GUILD, parentId: CHANNEL };
const DETAILS = {
  ...{ name: 'talk', archived: false, locked: false, invitable: true, autoArchive: 60, archiveTime: 0 },
};
const role = {
  ...{
    id: '40',
    name: 'role 40',
    permissions: '0',
    color: 0,
    hoist: false,
    mentionable: false,
    position: 1,
    botId: null,
  },
};
const shownRole = { name: 'role 40', permissions: '0', color: 0, hoist: false, mentionable: false, position: 1 };

let shown: Shown;
let story: Story;
let log: SqliteAuditLog;

beforeEach(() => {
  shown = new Shown().user('1', 'owner').user('2', 'ann');
  story = new Story();
  log = new SqliteAuditLog(memoryDatabase(auditTables));
});

const present = async () => {
  log.apply(story.log.all.flatMap(auditRecords));
  const rows = await log.entries(GUILD, { limit: 50, after: '0' });
  const guilds = {
    guild: async (): Promise<GuildRow> => ({ ...guild, roles: [{ ...role, id: '41', name: 'role 41' }] }),
    channel: async (id: string) => (id === CHANNEL ? { ...textChannel, isDeleted: true } : undefined),
  };
  const entries = await presentAuditEntries({ guilds, audit: log, keys: shown.keys }, rows, []);
  return entries.map(({ id: _, ...entry }) => entry);
};

const fresh = (fields: object) => Object.entries(fields).map(([key, new_value]) => ({ key, new_value }));
const gone = (fields: object) => Object.entries(fields).map(([key, old_value]) => ({ key, old_value }));
const by = { user_id: '1' };

interface Act {
  readonly name: string;
  readonly does: (story: Story) => unknown;
  readonly entries: readonly object[];
}

/** What people do, and what the log says of it: in the order of Discord's numbers. */
const acts: readonly Act[] = [
  {
    name: 'editing a guild (1)',
    does: (one) => {
      one.guild(GUILD, '1');
      one.editGuild(GUILD, { name: 'new', description: 'what for', isPublic: true, systemChannelId: CHANNEL });
      one.editGuild(GUILD, { name: 'new', isPublic: true, systemChannelId: CHANNEL });
    },
    entries: [
      {
        ...{ ...by, action_type: 1, target_id: GUILD },
        changes: [
          { key: 'name', new_value: 'new', old_value: `guild ${GUILD}` },
          { key: 'description', new_value: 'what for' },
          { key: 'system_channel_id', new_value: CHANNEL },
          { key: 'features', new_value: ['DISCOVERABLE'], old_value: [] },
        ],
      },
      { ...by, action_type: 1, target_id: GUILD, changes: [{ key: 'description', old_value: 'what for' }] },
    ],
  },
  {
    name: 'handing a guild on (1)',
    does: (one) => {
      one.guild(GUILD, '1');
      one.log.add(`guild-${GUILD}`, 'transfer-requested', { guildId: GUILD, from: '1', userId: '2' });
      one.transferGuild(GUILD, '2');
    },
    entries: [
      {
        ...{ ...by, action_type: 1, target_id: GUILD },
        changes: [{ key: 'owner_id', new_value: '2', old_value: '1' }],
      },
    ],
  },
  {
    name: 'pausing a guild (1)',
    does: (one) =>
      one.log.add(`guild-${GUILD}`, 'guild-paused', {
        ...{ guildId: GUILD, pauses: { invitesUntil: 1000, directUntil: null } },
      }),
    entries: [
      {
        ...{ ...by, action_type: 1, target_id: GUILD },
        changes: [
          {
            key: 'incidents_data',
            new_value: {
              ...{ invites_disabled_until: '1970-01-01T00:00:01.000000+00:00', dms_disabled_until: null },
              ...{ dm_spam_detected_at: null, raid_detected_at: null },
            },
          },
        ],
      },
    ],
  },
  {
    name: 'creating a channel (10)',
    does: (one) => {
      const { guildId: _, ...data } = one.channel('61', GUILD).data;
      one.log.add(`guild-${GUILD}`, 'channel-requested', {
        ...{ ...data, channelId: CHANNEL, guildId: GUILD, name: 'news', slowmode: 5 },
      });
    },
    entries: [
      {
        ...{ ...by, action_type: 10, target_id: CHANNEL },
        changes: fresh({
          ...{ type: 0, name: 'news', nsfw: false, rate_limit_per_user: 5 },
          permission_overwrites: [{ id: GUILD, type: 0, allow: '0', deny: '2048' }],
        }),
      },
    ],
  },
  {
    name: 'editing a channel (11), and not leaving a category that is deleted',
    does: (one) => {
      one.channel(CHANNEL, GUILD);
      const details = { name: `channel-${CHANNEL}`, topic: 'tea', ...PLAIN, slowmode: 9, parentId: '62' };
      one.editChannel(CHANNEL, GUILD, details);
      one.log.add(`channel-${CHANNEL}`, 'channel-edited', {
        ...{ channelId: CHANNEL, guildId: GUILD, details: { ...details, parentId: null }, orphaned: true as const },
      });
      one.editChannel(CHANNEL, GUILD, { ...details, parentId: null, position: 3 });
    },
    entries: [
      {
        ...{ ...by, action_type: 11, target_id: CHANNEL },
        changes: [
          { key: 'topic', new_value: 'tea' },
          { key: 'parent_id', new_value: '62' },
          { key: 'rate_limit_per_user', new_value: 9, old_value: 0 },
        ],
      },
      { ...by, action_type: 11, target_id: CHANNEL, changes: [{ key: 'position', new_value: 3 }] },
    ],
  },
  {
    name: 'deleting a channel (12)',
    does: (one) => {
      one.channel(CHANNEL, GUILD);
      one.deleteChannel(CHANNEL, GUILD);
    },
    entries: [
      {
        ...{ ...by, action_type: 12, target_id: CHANNEL },
        changes: gone({
          ...{ type: 0, permission_overwrites: textChannel.overwrites },
          ...{ name: `channel-${CHANNEL}`, nsfw: false, rate_limit_per_user: 0 },
        }),
      },
    ],
  },
  {
    name: 'overwriting rights in a channel (13 to 15)',
    does: (one) => {
      one.channel(CHANNEL, GUILD);
      one.overwrite(CHANNEL, GUILD, { id: '2', type: 1, allow: '1024', deny: '0' });
      one.overwrite(CHANNEL, GUILD, { id: '2', type: 1, allow: '1024', deny: '2048' });
      one.deleteOverwrite(CHANNEL, GUILD, '2');
      one.overwrite(CHANNEL, GUILD, { id: '41', type: 0, allow: '1024', deny: '0' });
      one.deleteOverwrite(CHANNEL, GUILD, GUILD);
    },
    entries: [
      {
        ...{ ...by, action_type: 13, target_id: CHANNEL, options: { id: '2', type: '1' } },
        changes: fresh({ id: '2', type: 1, allow: '1024', deny: '0' }),
      },
      {
        ...{ ...by, action_type: 14, target_id: CHANNEL, options: { id: '2', type: '1' } },
        changes: [{ key: 'deny', new_value: '2048', old_value: '0' }],
      },
      {
        ...{ ...by, action_type: 15, target_id: CHANNEL, options: { id: '2', type: '1' } },
        changes: gone({ id: '2', type: 1, allow: '1024', deny: '2048' }),
      },
      {
        ...{ ...by, action_type: 13, target_id: CHANNEL, options: { id: '41', type: '0', role_name: 'role 41' } },
        changes: fresh({ id: '41', type: 0, allow: '1024', deny: '0' }),
      },
      {
        ...{ ...by, action_type: 15, target_id: CHANNEL, options: { id: GUILD, type: '0', role_name: '@everyone' } },
        changes: gone({ id: GUILD, type: 0, allow: '0', deny: '2048' }),
      },
    ],
  },
  {
    name: 'kicking (20), and not leaving',
    does: (one) => {
      one.leave(GUILD, '1');
      one.log.add(memberStream(GUILD, '2'), 'member-left', { guildId: GUILD, userId: '2', how: 'kicked' });
      one.log.add(memberStream(GUILD, '3'), 'member-left', { guildId: GUILD, userId: '3', how: 'banned' });
    },
    entries: [{ ...by, action_type: 20, target_id: '2' }],
  },
  {
    name: 'banning and unbanning (22, 23)',
    does: (one) => {
      one.ban(GUILD, '2');
      one.unban(GUILD, '2');
    },
    entries: [
      { ...by, action_type: 22, target_id: '2' },
      { ...by, action_type: 23, target_id: '2' },
    ],
  },
  {
    name: 'timing a member out (24)',
    does: (one) => {
      one.timeOut(GUILD, '2', 1000);
      one.timeOut(GUILD, '2', null);
    },
    entries: [
      {
        ...{ ...by, action_type: 24, target_id: '2' },
        changes: fresh({ communication_disabled_until: '1970-01-01T00:00:01.000000+00:00' }),
      },
      {
        ...{ ...by, action_type: 24, target_id: '2' },
        changes: gone({ communication_disabled_until: '1970-01-01T00:00:01.000000+00:00' }),
      },
    ],
  },
  {
    name: 'giving and taking roles (25), also one that is deleted since',
    does: (one) => {
      one.role(GUILD, '40');
      one.giveRoles(GUILD, '2', ['40']);
      one.giveRoles(GUILD, '2', ['41']);
      one.deleteRole(GUILD, '40');
    },
    entries: [
      expect.objectContaining({ action_type: 30 }),
      {
        ...{ ...by, action_type: 25, target_id: '2' },
        changes: [{ key: '$add', new_value: [{ id: '40', name: 'role 40' }] }],
      },
      {
        ...{ ...by, action_type: 25, target_id: '2' },
        changes: [
          { key: '$add', new_value: [{ id: '41', name: 'role 41' }] },
          { key: '$remove', new_value: [{ id: '40', name: 'role 40' }] },
        ],
      },
      expect.objectContaining({ action_type: 32 }),
    ],
  },
  {
    name: 'letting a bot in (28), and not joining',
    does: (one) => {
      one.join(GUILD, '2');
      one.log.add(
        memberStream(GUILD, '7'),
        'member-joined',
        { guildId: GUILD, userId: '7', ...{ invite: null, announcedIn: null } },
        '1',
      );
    },
    entries: [{ ...by, action_type: 28, target_id: '7' }],
  },
  {
    name: 'keeping roles (30 to 32): each that moves has an entry',
    does: (one) => {
      one.role(GUILD, '40');
      one.editRole(GUILD, '40', '8');
      const moved = (id: string) => ({ ...role, id, name: `role ${id}`, permissions: '8', position: 2 });
      one.log.add(`guild-${GUILD}`, 'roles-moved', { guildId: GUILD, roles: [moved('40')] });
      one.deleteRole(GUILD, '40');
    },
    entries: [
      { ...by, action_type: 30, target_id: '40', changes: fresh(shownRole) },
      {
        ...{ ...by, action_type: 31, target_id: '40' },
        changes: [{ key: 'permissions', new_value: '8', old_value: '0' }],
      },
      { ...by, action_type: 31, target_id: '40', changes: [{ key: 'position', new_value: 2, old_value: 1 }] },
      { ...by, action_type: 32, target_id: '40', changes: gone({ ...shownRole, permissions: '8', position: 2 }) },
    ],
  },
  {
    name: 'changing what everybody may do (31)',
    does: (one) => {
      one.guild(GUILD, '1');
      one.editRole(GUILD, GUILD, '1024', 0);
    },
    entries: [
      {
        ...{ ...by, action_type: 31, target_id: GUILD },
        changes: [{ key: 'permissions', new_value: '1024', old_value: '3072' }],
      },
    ],
  },
  {
    name: 'inviting (40, 42)',
    does: (one) => {
      const { time } = one.invite('code', GUILD, CHANNEL, '1', 5);
      one.invite('brief', GUILD, CHANNEL, '1', 0, time + 61_001);
      one.deleteInvite('code', GUILD, CHANNEL);
    },
    entries: [
      {
        ...{ ...by, action_type: 40, target_id: null },
        changes: fresh({
          ...{ code: 'code', channel_id: CHANNEL, inviter_id: '1', max_uses: 5, max_age: 0, temporary: false },
        }),
      },
      expect.objectContaining({
        ...{ action_type: 40, changes: expect.arrayContaining([{ key: 'max_age', new_value: 61 }]) },
      }),
      {
        ...{ ...by, action_type: 42, target_id: null },
        changes: gone({
          ...{ code: 'code', channel_id: CHANNEL, inviter_id: '1', max_uses: 5, max_age: 0, temporary: false },
        }),
      },
    ],
  },
  {
    name: "deleting others' messages (72, 73), and not one's own or a banned person's",
    does: (one) => {
      one.remove(CHANNEL, 1, '1', GUILD);
      one.remove(CHANNEL, 2, '2', GUILD);
      one.removeAll(CHANNEL, [3, 4], '2', GUILD);
    },
    entries: [
      { ...by, action_type: 72, target_id: '2', options: { channel_id: CHANNEL, count: '1' } },
      { ...by, action_type: 73, target_id: CHANNEL, options: { count: '2' } },
    ],
  },
  {
    name: 'pinning and unpinning (74, 75), and not deleting what is pinned',
    does: (one) => {
      one.pin(CHANNEL, 1, '2', 1, GUILD);
      one.unpin(CHANNEL, 1, '2', { guildId: GUILD });
      one.unpin(CHANNEL, 1, '2', { guildId: GUILD, deleted: true });
    },
    entries: [74, 75].map((action_type) => ({
      ...{ ...by, action_type, target_id: '2', options: { channel_id: CHANNEL, message_id: `${CHANNEL}000001` } },
    })),
  },
  {
    name: 'keeping threads (110 to 112), and not writing in one that is archived',
    does: (one) => {
      one.thread(THREAD.channelId, GUILD, CHANNEL, '2');
      const { data } = { data: { ...THREAD, details: DETAILS } as EventData<'thread-created'> };
      one.archiveThread(data);
      const edited = { ...THREAD, details: DETAILS, wasArchived: true, posted: 0 };
      one.log.add(`channel-${THREAD.channelId}`, 'thread-edited', { ...edited, byMessage: true as const });
      one.deleteThread(data);
    },
    entries: [
      {
        ...{ ...by, action_type: 110, target_id: '60' },
        changes: fresh({
          ...{ type: 11, name: '', archived: false, locked: false, auto_archive_duration: 60, invitable: true },
        }),
      },
      {
        ...{ ...by, action_type: 111, target_id: '60' },
        changes: [
          { key: 'name', new_value: 'talk', old_value: '' },
          { key: 'archived', new_value: true, old_value: false },
        ],
      },
      {
        ...{ ...by, action_type: 112, target_id: '60' },
        changes: gone({
          ...{ type: 11, name: 'talk', archived: false, locked: false, auto_archive_duration: 60, invitable: true },
        }),
      },
    ],
  },
  { name: 'deleting the guild, which ends the log', does: (one) => one.deleteGuild(GUILD), entries: [] },
];

describe('the audit log shows', () => {
  it.each(acts)('$name', async ({ does, entries }) => {
    does(story);
    expect(await present()).toEqual(entries);
  });

  it('nicknames (24) as long as their key is there', async () => {
    const rename = (nick: string | null) => {
      const event = story.rename(GUILD, '2', { by: '2', box: '' });
      const place = { stream: memberStream(GUILD, '2'), eventId: event.id, by: '2' };
      Object.assign(event.data, { sealed: shown.sealedAt(place, JSON.stringify({ nick })) });
    };
    rename('annie');
    rename('anna');
    rename(null);
    const changes = async () =>
      (await present()).map(({ action_type, changes: shownChanges }) => [action_type, shownChanges]);
    expect(await changes()).toEqual([
      [24, [{ key: 'nick', new_value: 'annie' }]],
      [24, [{ key: 'nick', new_value: 'anna', old_value: 'annie' }]],
      [24, [{ key: 'nick', old_value: 'anna' }]],
    ]);
    shown.erase('2');
    log = new SqliteAuditLog(memoryDatabase(auditTables));
    expect(await changes()).toEqual([1, 2, 3].map(() => [24, undefined]));
  });
});
