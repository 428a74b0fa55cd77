/** How far each user has read, and the head of each channel. */

import { type ByType, handlerOf, type ParleyEvent, type TypesChanging } from '../../../schemas/events/catalogue.ts';
import { type Mentions, mentionsNobody } from '../../../schemas/events/channel.ts';
import { channelIdOf } from '../../../schemas/streams.ts';

export interface ChannelHead {
  readonly channelId: string;
  /** Ordinal and id of the last message; 0 and null before the first. */
  readonly ordinal: number;
  readonly messageId: string | null;
  /** Sequence and position of the channel's last event of any kind. */
  readonly sequence: number;
  readonly position: number;
}

export interface ReadState {
  readonly channelId: string;
  /** Ordinal of the last message read. */
  readonly readOrdinal: number;
  /** Head ordinal minus read ordinal. */
  readonly unread: number;
  /** Messages beyond the marker that mention the user, a role of theirs, or everyone. */
  readonly mentions: number;
  readonly lastMessageId: string | null;
}

export interface UnreadReader {
  head(channelId: string): Promise<ChannelHead>;
  heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>>;
  /**
   * One row per channel. A channel without a marker counts from the last message before the user could see it.
   * @param rolesIn ids of the roles that the user has in a channel's guild; left out: mentions of roles do not count
   */
  readStates(userId: string, channelIds: readonly string[], rolesIn?: RolesIn): Promise<readonly ReadState[]>;
}

export type RolesIn = (channelId: string) => readonly string[];

export const noRoles: RolesIn = () => [];

/** A mentioned target: the id of a user or of a role, or everyone in the channel. */
export type MentionTarget = string | 'everyone';

export type UnreadChange =
  /** `posted` is the channel's last message, if the changes contain a new one. */
  | {
      readonly kind: 'head';
      readonly channelId: string;
      readonly sequence: number;
      readonly position: number;
      readonly posted: { readonly ordinal: number; readonly messageId: string } | null;
    }
  /**
   * Moves the marker, never beyond the head as the changes before this one left it, and forwards unless `back` is given.
   * `own`: the user posted a message, so the change comes from the channel's stream and not from the user's.
   */
  | {
      readonly kind: 'read';
      readonly userId: string;
      readonly channelId: string;
      readonly ordinal: number;
      readonly own: boolean;
      /** The user marked the channel as unread when its last message had this ordinal: own messages up to it do not count. */
      readonly back?: number | undefined;
    }
  /** `fresh`: of a new message, which has none yet. Otherwise its mentions become those that `keptTargets` keeps. */
  | {
      readonly kind: 'mentions';
      readonly channelId: string;
      readonly ordinal: number;
      readonly targets: readonly MentionTarget[];
      readonly fresh: boolean;
    };

export interface UnreadWriter {
  apply(changes: readonly UnreadChange[]): void | Promise<void>;
}

/** What a store of heads, markers and mentions can answer itself, without knowing who joined when. */
export interface UnreadRows {
  head(channelId: string): Promise<ChannelHead>;
  heads(channelIds: readonly string[]): Promise<ReadonlyMap<string, ChannelHead>>;
  /** The channels in which the user has no marker. */
  unmarked(userId: string, channelIds: readonly string[]): Promise<readonly string[]>;
  /** Reads at one moment. A channel without a marker counts from `floor`, or from its head if that is lower. */
  states(userId: string, channels: readonly CountedChannel[]): Promise<readonly ReadState[]>;
}

export interface CountedChannel {
  readonly channelId: string;
  readonly floor: number;
  /** Ids of roles whose mentions count; left out: none. */
  readonly roles?: readonly string[];
}

/** Maps events to changes of heads, markers and mentions: one head per channel and one marker per user in a batch. */
type Head = Extract<UnreadChange, { kind: 'head' }>;
type Read = Extract<UnreadChange, { kind: 'read' }>;

const targetsOf = ({ users, roles = [], everyone }: Mentions): readonly MentionTarget[] => {
  const named = [...new Set([...users, ...roles])];
  return everyone ? ['everyone', ...named] : named;
};

/** An edit takes mentions away and adds none: nobody is told of it. Everyone includes each person and each role. */
export const keptTargets = (
  former: readonly MentionTarget[],
  edited: readonly MentionTarget[],
): readonly MentionTarget[] => {
  if (former.includes('everyone')) return edited;
  return edited.includes('everyone') ? former : former.filter((target) => edited.includes(target));
};

type Mentioning = Extract<UnreadChange, { kind: 'mentions' }>;

/** Apart from markers, all changes of the view are to the mentions of messages. */
const mentionsBy: ByType<
  Exclude<TypesChanging<'unread'>, 'channels-read'>,
  [channelId: string],
  Mentioning | readonly Mentioning[] | undefined
> = {
  'message-posted': ({ data: { ordinal, mentions } }, channelId) =>
    mentionsNobody(mentions)
      ? undefined
      : { kind: 'mentions', channelId, ordinal, targets: targetsOf(mentions), fresh: true },
  'message-edited': ({ data: { ordinal, mentions } }, channelId) => ({
    kind: 'mentions',
    channelId,
    ordinal,
    targets: targetsOf(mentions),
    fresh: false,
  }),
  'message-deleted': ({ data: { ordinal } }, channelId) => unmentioned(channelId, ordinal),
  'messages-deleted': ({ data: { messages } }, channelId) =>
    messages.map(({ ordinal }) => unmentioned(channelId, ordinal)),
};

const unmentioned = (channelId: string, ordinal: number): Mentioning => ({
  kind: 'mentions',
  channelId,
  ordinal,
  targets: [],
  fresh: false,
});

const NONE: readonly Mentioning[] = [];

/** How an event of a channel's stream changes the mentions of messages. */
export const mentionsOf = (event: ParleyEvent, channelId: string): readonly Mentioning[] => {
  const made = handlerOf(mentionsBy, event)?.(event, channelId);
  return made === undefined ? NONE : [made].flat();
};

const headOf = (event: ParleyEvent, channelId: string, former: Head | undefined): Head => ({
  kind: 'head',
  channelId,
  sequence: event.sequence,
  position: event.position,
  posted:
    event.type === 'message-posted'
      ? { ordinal: event.data.ordinal, messageId: event.data.messageId }
      : (former?.posted ?? null),
});

export const unreadChanges = (events: readonly ParleyEvent[]): readonly UnreadChange[] => {
  const changes: UnreadChange[] = [];
  const heads = new Map<string, Head>();
  const own = new Map<string, Read>();
  for (const event of events) {
    if (event.type === 'channels-read') {
      for (const [channelId, ordinal] of Object.entries(event.data.channels)) {
        // Clamps the marker to the head at this event, however the events are split into batches.
        const head = heads.get(channelId);
        if (head !== undefined) changes.push(head);
        heads.delete(channelId);
        const { userId, back } = event.data;
        changes.push({ kind: 'read', userId, channelId, ordinal, own: false, back: back[channelId] });
      }
      continue;
    }
    const channelId = channelIdOf(event.stream);
    if (channelId === undefined) continue;
    heads.set(channelId, headOf(event, channelId, heads.get(channelId)));
    changes.push(...mentionsOf(event, channelId));
    if (event.type === 'message-posted') {
      const { author: userId, ordinal } = event.data;
      own.set(`${userId}_${channelId}`, { kind: 'read', userId, channelId, ordinal, own: true });
    }
  }
  changes.push(...heads.values(), ...own.values());
  return changes;
};
