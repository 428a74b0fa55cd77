/**
 * What changes about a guild, a channel or a member after it began: one revision per field, each with the whole of its
 * value. The latest of a field holds, so those of different fields may be applied in any order.
 */
import type { RelationshipType } from '../../../domain/relationship.ts';
import type { Sealed } from '../../../schemas/envelope.ts';
import type { ChannelDetails, Overwrite } from '../../../schemas/events/channel.ts';
import type { GuildDetails, Pauses, Role } from '../../../schemas/events/guild.ts';
import type { GuildNotifications } from '../../../schemas/events/settings.ts';
import type { ThreadDetails } from '../../../schemas/events/thread.ts';

/** What a revision is about. A member's counts for the membership in which it happens. */
export type Subject =
  | `guild:${string}`
  | `channel:${string}`
  | `thread:${string}`
  | `member:${string}_${string}`
  | `relations:${string}`
  | `settings:${string}`;

export const guildSubject = (guildId: string): Subject => `guild:${guildId}`;
export const channelSubject = (channelId: string): Subject => `channel:${channelId}`;
export const relationsSubject = (userId: string): Subject => `relations:${userId}`;
export const settingsSubject = (userId: string): Subject => `settings:${userId}`;
export const threadSubject = (threadId: string): Subject => `thread:${threadId}`;
export const memberSubject = (guildId: string, userId: string): Subject => `member:${guildId}_${userId}`;

/** Values by field. Null: the role or overwrite is no more. */
export interface GuildFields {
  readonly [role: `role:${string}`]: Role | null;
  readonly details?: GuildDetails;
  readonly ownerId?: string;
  readonly pauses?: Pauses;
  readonly isDeleted?: true;
}
export interface ChannelFields {
  readonly [overwrite: `overwrite:${string}`]: Overwrite | null;
  /** Of a group, the position at which the person came; null: they are gone. */
  readonly [recipient: `recipient:${string}`]: number | null;
  /** Of a group. */
  readonly name?: string | null;
  readonly ownerId?: string;
  readonly details?: ChannelDetails;
  readonly isDeleted?: true;
}
export interface ThreadFields {
  /** Null: the person has left it. */
  readonly [joined: `joined:${string}`]: { readonly joinedTime: number; readonly stay: number } | null;
  readonly details?: ThreadDetails;
  readonly isDeleted?: true;
  readonly deleted?: number;
}
export interface MemberFields {
  readonly roles?: readonly string[];
  readonly nick?: SealedNick;
  /** Milliseconds since 1970; null: not timed out. */
  readonly timedOutUntil?: number | null;
}

/** Opens to `Nickname`. */
export interface SealedNick {
  readonly sealed: Sealed;
  /** Id of the event in the member's stream in which it was sealed. */
  readonly sealedIn: string;
}

/** How a person stands to others; null: no more. */
export interface RelationFields {
  readonly [relation: `relation:${string}`]: Relation | null;
}
export interface Relation {
  readonly type: RelationshipType;
  /** Milliseconds since 1970. */
  readonly since: number;
}

/** Of what a person is notified, by guild; `guild:` alone is of direct messages. */
export interface SettingsFields {
  readonly [guild: `guild:${string}`]: GuildNotifications;
}

type FieldOf<Fields> = {
  readonly [K in keyof Fields]-?: { readonly field: K; readonly value: NonNullable<Fields[K]> | null };
}[keyof Fields];
export type RevisionOfThread = FieldOf<ThreadFields>;
export type RevisionOfChannel = FieldOf<ChannelFields>;
export type RevisedField =
  | FieldOf<GuildFields>
  | RevisionOfChannel
  | FieldOf<MemberFields>
  | FieldOf<RelationFields>
  | FieldOf<SettingsFields>
  | RevisionOfThread;

export type Revision = RevisedField & {
  /** The user or the group, where that is the subject. */
  readonly guildId: string;
  readonly subject: Subject;
  readonly position: number;
};

/** The last value of each field of a subject, or of a user. */
export const fieldsOf = <Fields>(revisions: readonly { readonly field: string; readonly value: unknown }[]): Fields =>
  Object.fromEntries(revisions.map(({ field, value }) => [field, value])) as Fields;
