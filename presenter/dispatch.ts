/** What the renderings of events have in common: a dispatch, whom it is for, and what it is made from. */

import { channelPermissions } from '../domain/permissions.ts';
import type { Views } from '../projections/port.ts';
import { rightsAs } from '../projections/views/guild-views/access.ts';
import type { ChannelRow, GuildRow } from '../projections/views/guild-views/view.ts';
import type { EventOf, EventType } from '../schemas/events/catalogue.ts';
import type { Soon } from '../schemas/soon.ts';
import type { Presenter } from './presenter.ts';

/** A session's identity, as far as it decides what the session may see. */
export interface Viewer {
  readonly userId: string;
  readonly shardId: number;
  isIn(guildId: string): boolean;
  /** Ids of their roles in a guild that they are in. */
  rolesIn(guildId: string): readonly string[];
  /** Until when they are timed out there, in milliseconds since 1970. That may be over. */
  timedOutUntil(guildId: string): number;
}

export interface Dispatch {
  /** The `t`. */
  readonly name: string;
  /** The `d`. */
  readonly data: object;
  /** Intents without which a session does not receive it. */
  readonly intents: number;
  /** Carries the text of a guild message, which not every bot may read. */
  readonly carriesText: boolean;
  /** Ids of the messages it shows: the one it is about and the one replied to. */
  readonly shows: readonly string[];
  /** Bots are not sent it, though it may let them hear more. */
  readonly toPeople?: true;
  /** It goes to the people of the event's guild beyond the event's audiences, of whom `visibleTo` names some. */
  readonly toAuditors?: true;
  /** Narrows the audience; null means all of it. */
  readonly visibleTo: ((viewer: Viewer) => boolean) | null;
}

export interface DispatchDeps {
  readonly presenter: Pick<
    Presenter,
    | 'user'
    | 'member'
    | 'memberAs'
    | 'changed'
    | 'guild'
    | 'channel'
    | 'posted'
    | 'edited'
    | 'invite'
    | 'relationships'
    | 'auditEntriesOf'
  >;
  readonly views: Pick<Views, 'guilds' | 'unread'>;
  /** As of a position that is being delivered, which `views` may be behind. Reads may have to wait for that. */
  readonly viewsAt: (position: number) => Pick<Views, 'unread'>;
}

const NOTHING: readonly string[] = [];

export const dispatch = (
  name: string,
  data: object,
  intents: number,
  visibleTo: Dispatch['visibleTo'] = null,
): Dispatch => ({
  name,
  data,
  intents,
  carriesText: false,
  shows: NOTHING,
  visibleTo,
});

/** Everybody but the user it is about, whose own sessions receive the whole guild or its end instead. */
export const others =
  (userId: string) =>
  (viewer: Viewer): boolean =>
    viewer.userId !== userId;

/** These users alone. */
export const only =
  (...userIds: readonly string[]) =>
  ({ userId }: Viewer): boolean =>
    userIds.includes(userId);

/** This user alone, of direct channels: those are on the first shard. */
export const onlyDirect =
  (userId: string) =>
  (viewer: Viewer): boolean =>
    viewer.userId === userId && viewer.shardId === 0;

/** Only of the message that is last now would the views tell; clients keep what they have. */
export const withoutHead = async (
  presenter: DispatchDeps['presenter'],
  row: ChannelRow,
  viewer = '',
): Promise<object> => {
  const { last_message_id: _head, last_pin_timestamp: _pin, ...shown } = await presenter.channel(row, viewer);
  return shown;
};

const NOBODY: ReadonlySet<string> = new Set();

interface Seeing {
  /** Of the channel, if it is a private thread. */
  readonly insiders?: ReadonlySet<string>;
  /** When, in milliseconds since 1970, for rights beyond viewing: a timeout takes those away. */
  readonly time?: number;
}

/** Of a member. */
export const rightsOf = (
  viewer: Viewer,
  channel: ChannelRow,
  guild: GuildRow,
  { insiders = NOBODY, time }: Seeing = {},
): bigint => {
  const { userId } = viewer;
  const member = rightsAs({ userId, roles: viewer.rolesIn(guild.id) }, channel, insiders);
  const isTimedOut = time !== undefined && viewer.timedOutUntil(guild.id) > time;
  return channelPermissions(channel, guild, userId, { ...member, isTimedOut });
};

export type Rendering<K extends EventType> = (
  event: EventOf<K>,
  guildId: string | null,
  deps: DispatchDeps,
  deleted: ReadonlySet<string>,
) => Soon<readonly Dispatch[]>;
