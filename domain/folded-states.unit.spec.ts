/**
 * The state that each fold makes of the same events, as it was when its version was last raised. A snapshot that is stored
 * under a version is taken for a state of today's form, so a state of another form needs another version.
 */

import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type DecidedEvent, EVENT_TYPES, type EventData, type EventType } from '../schemas/events/catalogue.ts';
import { MessageType, PLAIN } from '../schemas/events/channel.ts';
import { PLAIN_GUILD } from '../schemas/events/guild.ts';
import { NO_BOND } from '../schemas/events/relationship.ts';
import { PLAIN_NOTIFICATIONS } from '../schemas/events/settings.ts';
import { folds } from './aggregates.ts';
import type { Fold, StreamState } from './decider.ts';
import { ANN, BEN, CHANNEL, GUILD, History, NOW, OWNER } from './testing.ts';

const FILE = 'domain/folded-states.json';
const RECORD = process.env.RECORD !== undefined;

interface Recorded {
  readonly version: number;
  readonly state: unknown;
}

const happened = <K extends EventType>(type: K, data: Omit<EventData<K>, 'sealed'>): DecidedEvent =>
  ({ type, data }) as unknown as DecidedEvent;

const MESSAGE = '4194304000001';
const mentions = { users: [BEN], everyone: true };
const overwriting = { channelId: CHANNEL, guildId: GUILD };
const role = {
  ...{
    id: '300',
    name: 'role',
    permissions: '8',
    color: 255,
    hoist: true,
    mentionable: false,
    position: 1,
    botId: '9',
  },
};
const onMessage = { messageId: MESSAGE, ordinal: 1, author: ANN };

const inThread = { channelId: MESSAGE, guildId: GUILD, parentId: CHANNEL };
const details = {
  ...{ name: 'thread', archived: false, locked: false, invitable: true, autoArchive: 60, archiveTime: NOW },
};

const aGroup = { name: null, ownerId: ANN, participants: [ANN, BEN] };
const REPORT = {
  ...{ reportId: '9', guildId: GUILD, channelId: CHANNEL, messageId: MESSAGE, author: ANN, reporter: BEN },
  ...{ administrators: [], kind: 'spam' as const },
};

/** Events of every type, by the kind of their stream. */
const HAPPENED: Readonly<Record<string, readonly DecidedEvent[]>> = {
  channel: [
    happened('channel-created', {
      ...{
        channelId: CHANNEL,
        kind: 'text',
        guildId: GUILD,
        name: 'general',
        topic: 'all',
        participants: [ANN],
        ...PLAIN,
      },
      overwrites: [{ id: GUILD, type: 0, allow: '1', deny: '2' }],
    }),
    happened('channel-edited', {
      ...{ channelId: CHANNEL, guildId: GUILD },
      details: { name: 'other', topic: null, nsfw: true, position: 3, parentId: '203', slowmode: 5 },
    }),
    happened('message-posted', {
      ...{ ...onMessage, messageType: MessageType.default, replyTo: null, mentions, flags: 4, nonce: 'nonce' },
    }),
    happened('message-edited', { ...onMessage, mentions, flags: 4, pinned: false }),
    happened('reaction-added', { ...onMessage, userId: BEN, emoji: '👍' }),
    happened('reaction-removed', { ...onMessage, userId: BEN, emoji: '👍' }),
    happened('embeds-suppressed', { ...onMessage, flags: 4, pinned: false }),
    happened('reactions-cleared', { ...onMessage, emoji: null }),
    happened('message-pinned', { ...onMessage, userId: OWNER, pinnedTime: NOW, guildId: GUILD }),
    happened('message-unpinned', { ...onMessage, userId: OWNER, lastPinnedTime: null, deleted: false, guildId: GUILD }),
    happened('message-pinned', { ...onMessage, userId: OWNER, pinnedTime: NOW + 1, guildId: GUILD }),
    happened('message-deleted', { ...onMessage, guildId: GUILD }),
    happened('messages-deleted', { messages: [onMessage], guildId: GUILD }),
    happened('overwrite-set', { ...overwriting, overwrite: { id: ANN, type: 1, allow: '4', deny: '8' } }),
    happened('overwrite-set', { ...overwriting, overwrite: { id: BEN, type: 1, allow: '0', deny: '8' } }),
    happened('overwrite-deleted', { ...overwriting, overwriteId: BEN }),
    happened('channel-deleted', { ...overwriting, children: [] }),
    happened('message-threaded', { ...onMessage, flags: 32, pinned: false }),
    happened('thread-created', {
      ...{ ...inThread, isPrivate: true, details, firstMessageId: '4194304000002' },
      creator: { userId: ANN, joinedTime: NOW, stay: 3 },
      startedAt: { author: BEN, ordinal: 4 },
    }),
    happened('thread-edited', { ...inThread, details: { ...details, archived: true }, wasArchived: false, posted: 1 }),
    happened('thread-members-changed', {
      ...{ ...inThread, isPrivate: true, removed: [ANN], count: 1 },
      added: [{ userId: BEN, joinedTime: NOW + 1, stay: 4 }],
    }),
    happened('recipient-added', { channelId: CHANNEL, userId: BEN, group: aGroup }),
    happened('recipient-removed', { channelId: CHANNEL, userId: BEN, group: { ...aGroup, participants: [ANN] } }),
    happened('group-edited', { channelId: CHANNEL, group: { ...aGroup, name: 'Us', ownerId: BEN } }),
    happened('thread-shrank', { ...inThread, deleted: 2 }),
    happened('thread-deleted', { ...inThread, isPrivate: true }),
  ],
  creation: [happened('creation-named', { name: GUILD }), happened('creation-named', { name: '201' })],
  dm: [happened('dm-opened', { channelId: CHANNEL, participants: [ANN, BEN] })],
  relationship: [
    happened('relationship-changed', {
      ...{ by: ANN, people: [ANN, BEN], former: NO_BOND },
      bond: { friends: false, requestedBy: ANN, blockedBy: [] },
    }),
  ],
  report: [happened('report-filed', REPORT), happened('report-handled', { ...REPORT, outcome: 'answered', by: OWNER })],
  guild: [
    happened('guild-created', {
      ...{ guildId: GUILD, name: 'guild', ownerId: OWNER, everyone: '3072' },
      firstChannel: { id: CHANNEL, name: 'general' },
      systemChannelId: CHANNEL,
    }),
    happened('guild-edited', { guildId: GUILD, details: { name: 'other', description: 'all', ...PLAIN_GUILD } }),
    happened('transfer-requested', { guildId: GUILD, from: OWNER, userId: ANN }),
    happened('guild-transferred', { guildId: GUILD, ownerId: ANN }),
    happened('guild-paused', { guildId: GUILD, pauses: { invitesUntil: NOW, directUntil: null } }),
    happened('channel-requested', {
      ...{
        channelId: '201',
        kind: 'text',
        guildId: GUILD,
        name: 'more',
        topic: null,
        ...PLAIN,
        overwrites: [],
        participants: [],
      },
    }),
    happened('channels-moved', {
      guildId: GUILD,
      channels: [{ channelId: '201', position: 2, parentId: null, overwrites: null }],
    }),
    happened('role-created', { guildId: GUILD, role }),
    happened('role-created', { guildId: GUILD, role: { ...role, id: '301' } }),
    happened('role-created', { guildId: GUILD, role: { ...role, id: '302' } }),
    happened('role-edited', { guildId: GUILD, role: { ...role, name: 'other' } }),
    happened('role-edited', { guildId: GUILD, role: { ...role, id: GUILD, permissions: '1024' } }),
    happened('roles-moved', { guildId: GUILD, roles: [{ ...role, id: '301', position: 2 }] }),
    happened('role-deleted', { guildId: GUILD, roleId: '302' }),
    happened('guild-deleted', { guildId: GUILD }),
  ],
  invite: [
    happened('invite-created', {
      ...{ code: 'code', guildId: GUILD, channelId: CHANNEL, inviterId: OWNER, maxUses: 3, expiresAt: NOW },
    }),
    happened('invite-redeemed', { code: 'code', guildId: GUILD, userId: ANN }),
    happened('invite-deleted', { code: 'code', guildId: GUILD, channelId: CHANNEL }),
  ],
  member: [
    happened('member-joined', { guildId: GUILD, userId: ANN, invite: 'code', announcedIn: CHANNEL }),
    happened('member-left', { guildId: GUILD, userId: ANN, how: 'left' }),
    happened('member-joined', { guildId: GUILD, userId: ANN, invite: null, announcedIn: null }),
    happened('member-roles-changed', { guildId: GUILD, userId: ANN, roles: ['300'] }),
    happened('member-renamed', { guildId: GUILD, userId: ANN, ...{ sealed: { by: ANN, box: 'Ym94' } } }),
    happened('member-timed-out', { guildId: GUILD, userId: ANN, until: NOW + 1000 }),
    happened('member-banned', { guildId: GUILD, userId: ANN, deleteMessageSeconds: 60 }),
    happened('member-unbanned', { guildId: GUILD, userId: ANN }),
    happened('ownership-taken', { guildId: GUILD, userId: ANN, request: 3 }),
    happened('ownership-ended', { guildId: GUILD, userId: ANN, request: 3 }),
    happened('ownership-taken', { guildId: GUILD, userId: ANN, request: 5 }),
  ],
  read: [
    happened('channels-read', { userId: ANN, channels: { [CHANNEL]: 1 }, back: { [CHANNEL]: 3 }, whole: false }),
    happened('channels-read', {
      userId: ANN,
      channels: { [CHANNEL]: 2, '201': 1 },
      back: { [CHANNEL]: 3 },
      whole: true,
    }),
  ],
  settings: [
    happened('notifications-changed', {
      ...{ userId: ANN, guildId: GUILD },
      notifications: { ...PLAIN_NOTIFICATIONS, muted: true, mute: { endTime: NOW, window: 60 } },
    }),
    happened('notifications-changed', { userId: ANN, guildId: null, notifications: PLAIN_NOTIFICATIONS }),
  ],
  instance: [
    happened('administrator-changed', { userId: BEN, administers: true }),
    happened('administrator-changed', { userId: ANN, administers: false }),
  ],
  user: [
    happened('user-registered', { userId: ANN, kind: 'person', ownerId: null }),
    happened('user-signed-out', { userId: ANN, generation: 1, signIns: [{ id: 'phone', until: NOW }] }),
    {
      type: 'user-profile-changed',
      data: { userId: ANN, guilds: [GUILD], sealed: { by: ANN, box: 'other' } },
    } as never,
    happened('user-standing-changed', { userId: ANN, standing: { disabled: true, due: NOW, deleted: false } }),
    happened('user-deleted', { userId: ANN, guilds: [GUILD] }),
  ],
};

const foldOfKind = (kind: string) => folds[kind] as Fold<StreamState>;

const told = (history: History<StreamState>, events: readonly DecidedEvent[], from = 0): void => {
  for (const [i, one] of events.entries()) history.record([one], `key-${from + i}`, NOW + from + i);
};

const folded = (kind: string): Recorded => {
  const history = new History(foldOfKind(kind), `${kind}-1`);
  told(history, HAPPENED[kind]!);
  return { version: history.fold.version, state: JSON.parse(JSON.stringify(history.fold.toJson(history.state))) };
};

const recorded = JSON.parse(readFileSync(FILE, 'utf8')) as Record<string, Recorded>;

describe('the state of a stream', () => {
  it('is recorded of every kind, from events of every type', () => {
    expect(Object.keys(HAPPENED).toSorted()).toEqual(Object.keys(folds).toSorted());
    const types = Object.values(HAPPENED).flatMap((events) => events.map(({ type }) => type));
    expect([...new Set(types)].toSorted()).toEqual([...EVENT_TYPES].toSorted());
  });

  it.each(Object.keys(folds))('is as it was recorded under the version of its fold: %s', (kind) => {
    const now = folded(kind);
    const before = recorded[kind];
    if (now.version === before?.version) {
      const advice = `Snapshots of version ${now.version} hold the former state: raise the version of this fold, then run this spec with RECORD=1`;
      return expect(now.state, advice).toEqual(before.state);
    }
    recorded[kind] = now;
    if (RECORD) writeFileSync(FILE, `${JSON.stringify(recorded, null, 2)}\n`);
    expect(RECORD, `Version ${now.version} is not recorded: run this spec once with RECORD=1`).toBe(true);
  });

  it.each(Object.keys(folds))('goes on from where it was stored: %s', (kind) => {
    const fold = foldOfKind(kind);
    const events = HAPPENED[kind]!;
    for (let split = 0; split <= events.length; split += 1) {
      const history = new History(fold, `${kind}-1`);
      told(history, events.slice(0, split));
      history.state = fold.fromJson(JSON.parse(JSON.stringify(fold.toJson(history.state))));
      told(history, events.slice(split), split);
      expect(JSON.parse(JSON.stringify(fold.toJson(history.state)))).toEqual(folded(kind).state);
    }
  });
});
