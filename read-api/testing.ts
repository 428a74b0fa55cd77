/** A small world for specs: one guild with a private channel, a direct channel, a few messages. */

import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { DEFAULT_EVERYONE, Permission } from '../domain/permissions.ts';
import { pinTimestamp, presentGuild, presentInvite, presentMember } from '../presenter/guilds.ts';
import { presentFullUser, presentProfile, presentSelf } from '../presenter/profiles.ts';
import type { ApiMessage, ApiUser } from '../presenter/shapes.ts';
import type { Readers } from '../projections/port.ts';
import { Access } from '../projections/views/guild-views/access.ts';
import {
  type ChannelRow,
  type GuildReader,
  type InviteRow,
  rowOfGuild,
  type UserRow,
} from '../projections/views/guild-views/view.ts';
import type { PinReader } from '../projections/views/pins/view.ts';
import type { MessageRow, PageQuery } from '../projections/views/timelines/view.ts';
import type { ChannelHead } from '../projections/views/unread/view.ts';
import { decode } from '../schemas/codecs.ts';
import type { ParleyError } from '../schemas/errors.ts';
import type { ParleyEvent } from '../schemas/events/catalogue.ts';
import { GOOD_STANDING, NEVER_SIGNED_OUT, NO_ABOUT } from '../schemas/events/user.ts';
import type { Reply, Route, RouteRequest } from '../schemas/http/route.ts';
import type { ReadDeps } from './read-route.ts';

export const OWNER = '1';
export const MEMBER = '2';
export const OUTSIDER = '3';
export const BOT = '4';
export const GUILD = '100';
export const OPEN_CHANNEL = '200';
export const PRIVATE_CHANNEL = '201';
export const MUTE_CHANNEL = '202';
export const DIRECT_CHANNEL = '300';
export const NOW = 1_700_000_000_000;

const guild = rowOfGuild({ id: GUILD, name: 'Guild', ownerId: OWNER, everyone: DEFAULT_EVERYONE.toString() }, 2);

const channel = (id: string, over: Partial<ChannelRow>): ChannelRow => ({
  id,
  kind: 'text',
  guildId: GUILD,
  name: `channel-${id}`,
  topic: null,
  nsfw: false,
  parentId: null,
  slowmode: 0,
  overwrites: [],
  participants: [],
  order: 0,
  createdAt: 1,
  ...over,
});

const denied = (bits: bigint) => [{ id: GUILD, type: 0 as const, allow: '0', deny: bits.toString() }];

const channels: readonly ChannelRow[] = [
  channel(OPEN_CHANNEL, {}),
  channel(PRIVATE_CHANNEL, { order: 1, overwrites: denied(Permission.viewChannel) }),
  channel(MUTE_CHANNEL, { order: 2, overwrites: denied(Permission.readMessageHistory) }),
  channel(DIRECT_CHANNEL, { kind: 'dm', guildId: null, name: null, participants: [OWNER, MEMBER] }),
];

const userRow = (id: string): UserRow => ({
  id,
  kind: id === BOT ? 'bot' : 'person',
  ownerId: id === BOT ? OWNER : null,
  sealed: { by: id, box: '' },
  sealedIn: 'e',
  signedOut: NEVER_SIGNED_OUT,
  standing: GOOD_STANDING,
});
const USERS = [OWNER, MEMBER, OUTSIDER, BOT];
const MEMBERS = [OWNER, MEMBER];

const invite = (code: string, over: Partial<InviteRow>): InviteRow => ({
  code,
  guildId: GUILD,
  channelId: OPEN_CHANNEL,
  inviterId: OWNER,
  maxUses: 0,
  uses: 0,
  createdTime: NOW - 1000,
  expiresAt: null,
  ...over,
});
const invites = [
  invite('good', {}),
  invite('expired', { expiresAt: NOW - 1 }),
  invite('used', { maxUses: 1, uses: 1 }),
];

const member = (userId: string) => ({
  guildId: GUILD,
  userId,
  joinedTime: NOW,
  joinedAt: 1,
  roles: [],
  nick: null,
  timedOutUntil: null,
});

const guilds: GuildReader = {
  guild: async (id) => (id === GUILD ? guild : undefined),
  channel: async (id) => channels.find((one) => one.id === id),
  channelsOf: async (id) => channels.filter((one) => one.guildId === id),
  threadsOf: async () => [],
  activeThreads: async () => [],
  archivedThreads: async () => [],
  member: async (id, userId) => (id === GUILD && MEMBERS.includes(userId) ? member(userId) : undefined),
  members: async (_id, { after = '0', limit }) =>
    MEMBERS.filter((id) => id > after)
      .slice(0, limit)
      .map(member),
  guildsOf: async (userId) => (MEMBERS.includes(userId) ? [guild] : []),
  memberships: async () => [],
  directChannelsOf: async (userId) => channels.filter((one) => one.participants.includes(userId)),
  user: async (id) => (USERS.includes(id) ? userRow(id) : undefined),
  users: async (ids) => ids.filter((id) => USERS.includes(id)).map(userRow),
  invitesOf: async (id) => invites.filter(({ guildId }) => guildId === id),
  publicGuilds: async () => [],
  invite: async (code) => invites.find((one) => one.code === code),
  relationships: async () => [],
  notifications: async () => [],
  relationsTo: async () => new Map(),
  countApplications: async () => 0,
  countOpenInvites: async () => 0,
  past: async () => undefined,
  revisions: async () => [],
  administrator: async () => OWNER,
  administrators: async () => [OWNER],
  leaving: async () => [],
};

/** Five messages, the third deleted: message `1000 + n` is posted by event `2n` of its channel's stream. */
const messageRow = (channelId: string, ordinal: number): MessageRow => ({
  channelId,
  id: String(1000 + ordinal),
  ordinal,
  sequence: ordinal * 2,
  position: ordinal,
  author: OWNER,
  time: NOW,
  editedTime: null,
  type: 0,
  replyTo: null,
  mentions: { users: [], everyone: false },
  flags: 0,
  nonce: null,
  sealed: null,
  sealedIn: 'e',
  deleted: ordinal === 3,
  reactions: [],
});
const rowsOf = (channelId: string) => [5, 4, 3, 2, 1].map((ordinal) => messageRow(channelId, ordinal));

const events = Array.from({ length: 11 }, (_, i) => {
  const sequence = i + 1;
  const posted = sequence % 2 === 0;
  const data = posted ? { messageId: String(1000 + sequence / 2) } : {};
  return { sequence, type: posted ? 'message-posted' : 'reaction-added', data } as unknown as ParleyEvent;
});

const user = (id: string): ApiUser => ({
  id,
  username: `user-${id}`,
  global_name: null,
  discriminator: '0',
  avatar: null,
  bot: id === BOT,
  public_flags: 0,
});

const head: ChannelHead = { channelId: '', ordinal: 5, messageId: '1005', sequence: 11, position: 5 };

export interface World {
  readonly deps: ReadDeps;
  /** The pages requested from the timeline. */
  readonly pages: PageQuery[];
}

export const aWorld = (over: Partial<ReadDeps> = {}): World => {
  const pages: PageQuery[] = [];
  const deps: ReadDeps = {
    views: {
      guilds,
      unread: {
        head: async (channelId) => ({ ...head, channelId }),
        heads: async (ids) => new Map(ids.map((channelId) => [channelId, { ...head, channelId }])),
        readStates: async (_userId, ids) =>
          ids.map((channelId) => ({ channelId, readOrdinal: 3, unread: 2, mentions: 1, lastMessageId: '1005' })),
      },
      bans: { bans: async () => [], ban: async () => undefined },
      pins: {
        lastPinned: async (ids: readonly string[]) => new Map(ids.map((id) => [id, NOW])),
      } as Partial<PinReader> as PinReader,
      timelines: {
        page: async (channelId, query) => {
          pages.push(query);
          return rowsOf(channelId).filter((row) => !row.deleted);
        },
        message: async (channelId, id) => rowsOf(channelId).find((row) => row.id === id),
        messages: async (channelId, ids) => rowsOf(channelId).filter((row) => ids.includes(row.id)),
        facts: async () => ({ through: 0, facts: undefined }),
        reactors: async (_channelId, _messageId, emoji, { after = '0', limit }) =>
          emoji === '👍' || emoji === '❤️' ? [OWNER, MEMBER].filter((id) => id > after).slice(0, limit) : [],
        deletedAmong: async () => new Set<string>(),
      },
    } as Partial<Readers> as Readers,
    log: {
      readStream: async ({ from = 1, direction, limit }) =>
        direction === 'backwards'
          ? events
              .filter((event) => event.sequence <= from)
              .toReversed()
              .slice(0, limit)
          : events.filter((event) => event.sequence >= from).slice(0, limit),
    },
    presenter: {
      texts: async () => [],
      self: async (id) => presentSelf({ user: user(id), about: NO_ABOUT }),
      fullUser: async (id) => presentFullUser({ user: user(id), about: NO_ABOUT }),
      profile: async (id, shared) => presentProfile({ user: user(id), about: NO_ABOUT }, shared),
      user: async (id) => user(id),
      users: async (ids) => new Map([...ids].map((id) => [id, user(id)])),
      member: async (row) => ({ user: user(row.userId), ...presentMember(row, guild, null) }),
      members: async (rows) => rows.map((row) => ({ user: user(row.userId), ...presentMember(row, guild, null) })),
      bans: async () => [],
      auditEntries: async () => [],
      namedIn: async () => ({ users: [], threads: [] }),
      channel: async (row, _viewer, at, lastPinned) => ({
        id: row.id,
        type: row.kind === 'dm' ? 1 : 0,
        last_message_id: at?.messageId ?? null,
        last_pin_timestamp: pinTimestamp(lastPinned),
        flags: 0,
      }),
      guild: presentGuild,
      relationships: async () => [],
      reports: async () => [],
      ownReports: async () => [],
      messages: async (rows) => rows.map((row) => ({ id: row.id }) as ApiMessage),
      invite: async (row) =>
        presentInvite(row, { guild, channel: channels[0]!, inviter: user(row.inviterId) }, undefined),
    },
    access: new Access(guilds, () => 0),
    gatewayUrl: () => 'ws://chat.example/gateway',
    maxConcurrency: 1,
    identifiesLeft: async () => ({ bucket: 'identify', limit: 1000, remaining: 998, resetAfter: 7.5, scope: 'user' }),
    ownWrites: async () => true,
    heldThrough: () => 7,
    now: () => NOW,
    ...over,
  };
  return { deps, pages };
};

/** Calls the route that a path matches, as the server would. */
export const ask = async (
  routes: readonly Route[],
  url: string,
  userId: string,
  headers: Record<string, string> = {},
): Promise<Either<ParleyError, Reply>> => {
  const { pathname, searchParams } = new URL(url, 'http://parley');
  const given = pathname.split('/');
  for (const one of routes) {
    const wanted = one.path.split('/');
    // As in the server's router, fixed words win over parameters, which come later in the lists of routes.
    if (wanted.length !== given.length || !wanted.every((part, i) => part.startsWith(':') || part === given[i]))
      continue;
    const named = wanted.flatMap((part, i) => (part.startsWith(':') ? [[part.slice(1), given[i]!] as const] : []));
    const part = (codec: Route['query'], values: unknown) => {
      const decoded = codec === undefined ? undefined : decode(codec, values);
      if (decoded?._tag === 'Left') throw new Error(JSON.stringify(decoded.left));
      return decoded?.right;
    };
    const request: RouteRequest<unknown, unknown, unknown> = {
      params: part(one.params, Object.fromEntries(named.map(([name, value]) => [name, decodeURIComponent(value)]))),
      query: part(one.query, Object.fromEntries(searchParams)),
      body: undefined,
      actor: { userId, kind: userId === BOT ? 'bot' : 'person', administrator: userId === OWNER },
      address: '127.0.0.1',
      idempotencyKey: null,
      correlationId: 'c',
      isGone: () => false,
      headers,
    };
    const refused = await one.before?.(request);
    return refused === undefined ? one.handle(request) : either.left(refused);
  }
  throw new Error(`no route leads to ${pathname}`);
};
