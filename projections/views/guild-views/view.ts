/** Guilds, channels, members, invites and users, with their permissions. */

import type { Sealed } from '../../../schemas/envelope.ts';
import {
  type ByType,
  type EventData,
  handlerOf,
  type ParleyEvent,
  type TypesChanging,
} from '../../../schemas/events/catalogue.ts';
import type { Overwrite } from '../../../schemas/events/channel.ts';
import type { SignedOut } from '../../../schemas/events/user.ts';

export interface GuildRow {
  readonly id: string;
  readonly name: string;
  readonly ownerId: string;
  /** Permissions of @everyone as a decimal string. */
  readonly everyone: string;
  readonly memberCount: number;
}

export interface ChannelRow {
  readonly id: string;
  readonly kind: 'text' | 'dm';
  readonly guildId: string | null;
  readonly name: string | null;
  readonly topic: string | null;
  readonly overwrites: readonly Overwrite[];
  readonly participants: readonly string[];
  /** Place in the guild's list, from 0, in order of creation. */
  readonly order: number;
  /** Position of the event that created it. */
  readonly createdAt: number;
}

/** The row of a channel as its event made it. @param order its place in the guild's list */
export const rowOfChannel = (
  { channelId: id, kind, guildId, name, topic, overwrites, participants }: EventData<'channel-created'>,
  createdAt: number,
  order = 0,
): ChannelRow => ({ id, kind, guildId, name, topic, overwrites, participants, order, createdAt });

export interface MemberRow {
  readonly guildId: string;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly joinedTime: number;
  /** Position of the event of joining. */
  readonly joinedAt: number;
}

/** A membership, kept after its end. `joinedAt` and `leftAt` are positions; `leftAt` is null while it lasts. */
export interface Membership {
  readonly guildId: string;
  readonly joinedAt: number;
  readonly leftAt: number | null;
}

export interface UserRow {
  readonly id: string;
  readonly kind: 'person' | 'bot' | 'imported';
  readonly ownerId: string | null;
  /** Decrypts to `Profile`; sealed in event `sealedIn` of stream `user-<id>`. */
  readonly sealed: Sealed;
  readonly sealedIn: string;
  readonly signedOut: SignedOut;
}

export interface InviteRow {
  readonly code: string;
  readonly guildId: string;
  readonly channelId: string;
  readonly inviterId: string;
  readonly maxUses: number;
  readonly uses: number;
  readonly createdTime: number;
  readonly expiresAt: number | null;
}

export interface GuildReader {
  guild(id: string): Promise<GuildRow | undefined>;
  channel(id: string): Promise<ChannelRow | undefined>;
  /** In list order. */
  channelsOf(guildId: string): Promise<readonly ChannelRow[]>;
  member(guildId: string, userId: string): Promise<MemberRow | undefined>;
  /** In order of user id, beyond `after`. */
  members(guildId: string, query: { after?: string; limit: number }): Promise<readonly MemberRow[]>;
  /** Guilds the user is in now, in order of joining. */
  guildsOf(userId: string): Promise<readonly GuildRow[]>;
  /** Every membership that lasts or that ended beyond position `since`. */
  memberships(userId: string, since: number): Promise<readonly Membership[]>;
  /** Direct channels the user takes part in. */
  directChannelsOf(userId: string): Promise<readonly ChannelRow[]>;
  user(id: string): Promise<UserRow | undefined>;
  users(ids: readonly string[]): Promise<readonly UserRow[]>;
  invite(code: string): Promise<InviteRow | undefined>;
  /** How many bots the user has created. */
  countApplications(ownerId: string): Promise<number>;
  /** How many of the user's invites to the guild admit somebody at `now`, in milliseconds since 1970. */
  countOpenInvites(guildId: string, inviterId: string, now: number): Promise<number>;
  /** The first person who registered; administers the instance. */
  administrator(): Promise<string | undefined>;
}

export type GuildChange =
  | { readonly kind: 'guild-added'; readonly guild: Omit<GuildRow, 'memberCount'>; readonly position: number }
  | { readonly kind: 'channel-added'; readonly channel: Omit<ChannelRow, 'order'> }
  | { readonly kind: 'member-joined'; readonly member: MemberRow }
  | { readonly kind: 'member-left'; readonly guildId: string; readonly userId: string; readonly position: number }
  | { readonly kind: 'user-added'; readonly user: Omit<UserRow, 'signedOut'>; readonly position: number }
  | {
      readonly kind: 'user-signed-out';
      readonly userId: string;
      readonly signedOut: SignedOut;
      readonly position: number;
    }
  | { readonly kind: 'invite-added'; readonly invite: Omit<InviteRow, 'uses'>; readonly position: number }
  /**
   * A capped invite records every use itself. For the others only the joining events tell. `capped` says which kind
   * this is.
   */
  | { readonly kind: 'invite-used'; readonly code: string; readonly capped: boolean; readonly position: number };

export interface GuildWriter {
  apply(changes: readonly GuildChange[]): void | Promise<void>;
}

// Maps events to changes of the guild views.

const changesOf: ByType<TypesChanging<'guild-views'>, [], readonly GuildChange[]> = {
  'guild-created': ({ data, position }) => {
    const { guildId: id, name, ownerId, everyone } = data;
    return [{ kind: 'guild-added', guild: { id, name, ownerId, everyone }, position }];
  },
  'channel-created': ({ data, position: createdAt }) => {
    const { channelId: id, kind, guildId, name, topic, overwrites, participants } = data;
    return [
      { kind: 'channel-added', channel: { id, kind, guildId, name, topic, overwrites, participants, createdAt } },
    ];
  },
  'member-joined': ({ data, time, position }) => {
    const { guildId, userId, invite } = data;
    const member = { guildId, userId, joinedTime: time, joinedAt: position };
    const joined: GuildChange = { kind: 'member-joined', member };
    return invite === null ? [joined] : [joined, { kind: 'invite-used', code: invite, capped: false, position }];
  },
  'member-left': ({ data: { guildId, userId }, position }) => [{ kind: 'member-left', guildId, userId, position }],
  'user-registered': ({ id: sealedIn, data, position }) => {
    const { userId: id, kind, ownerId, sealed } = data;
    return [{ kind: 'user-added', user: { id, kind, ownerId, sealed, sealedIn }, position }];
  },
  'user-signed-out': ({ data: { userId, generation, signIns }, position }) => [
    { kind: 'user-signed-out', userId, signedOut: { generation, signIns }, position },
  ],
  'invite-created': ({ data, time: createdTime, position }) => {
    const { code, guildId, channelId, inviterId, maxUses, expiresAt } = data;
    const invite = { code, guildId, channelId, inviterId, maxUses, expiresAt, createdTime };
    return [{ kind: 'invite-added', invite, position }];
  },
  'invite-redeemed': ({ data, position }) => [{ kind: 'invite-used', code: data.code, capped: true, position }],
};

const NO_CHANGES: readonly GuildChange[] = [];

export const guildChanges = (events: readonly ParleyEvent[]): readonly GuildChange[] => {
  const changes: GuildChange[] = [];
  for (const event of events)
    for (const change of handlerOf(changesOf, event)?.(event) ?? NO_CHANGES) changes.push(change);
  return changes;
};
