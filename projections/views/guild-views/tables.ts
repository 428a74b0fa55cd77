/**
 * Tables of the guild views, the same in every SQL store. Ids are 64-bit numbers, which JavaScript cannot hold, so they
 * are passed and selected as text. Names are stored as JSON, because PostgreSQL's text takes neither U+0000 nor lone
 * surrogates.
 * Partitions of the log are applied in any order, so the rows of one stream need no rows of another: counters have
 * their own tables, and a channel's place is counted on reading.
 */

import type { ChannelKind } from '../../../schemas/events/channel.ts';

type Id = string;

export interface GuildTables {
  readonly guilds: {
    readonly id: Id;
    readonly name: string;
    readonly owner_id: Id;
    readonly everyone: string;
    readonly created_at: number;
  };
  readonly guild_counts: { readonly guild_id: Id; readonly members: number };
  readonly channels: {
    readonly id: Id;
    readonly kind: ChannelKind;
    readonly guild_id: Id | null;
    readonly name: string;
    readonly topic: string;
    readonly overwrites: string;
    readonly participants: string;
    readonly created_at: number;
  };
  readonly threads: {
    readonly id: Id;
    readonly guild_id: Id;
    readonly parent_id: Id;
    readonly is_private: number;
    /** The row as it began, as JSON. */
    readonly begun: string;
    readonly created_at: number;
  };
  /** One row per time in which a thread was active, kept after its end. A thread has at most one without an end. */
  readonly thread_spans: {
    readonly thread_id: Id;
    readonly guild_id: Id;
    readonly began_at: number;
    readonly ended_at: number | null;
    readonly ended_time: number | null;
  };
  /** One row per person who ever took part. Whether they still do is said by the channel's participants. */
  readonly direct_channels: { readonly user_id: Id; readonly channel_id: Id };
  /** One row per membership, kept after its end. A user has at most one without an end per guild. */
  readonly memberships: {
    readonly guild_id: Id;
    readonly user_id: Id;
    readonly joined_at: number;
    readonly joined_time: number;
    readonly left_at: number | null;
  };
  /** One row per field and event, each with the whole of the value as JSON; the latest holds. See `revisions.ts`. */
  readonly revisions: {
    readonly guild_id: Id;
    readonly subject: string;
    readonly field: string;
    readonly position: number;
    readonly value: string;
  };
  readonly users: {
    readonly id: Id;
    readonly kind: 'person' | 'bot' | 'imported';
    readonly owner_id: Id | null;
    readonly sealed_by: Id;
    readonly box: string;
    readonly sealed_in: string;
    readonly registered_at: number;
  };
  /** One row per event, each with the whole of what no longer counts as JSON; the latest holds. */
  readonly sign_outs: { readonly user_id: Id; readonly position: number; readonly signed_out: string };
  /** One row per field and event, each with the whole of the value as JSON; the latest holds. See `UserFields`. */
  readonly user_revisions: {
    readonly user_id: Id;
    readonly field: string;
    readonly position: number;
    readonly value: string;
  };
  readonly invites: {
    readonly code: string;
    readonly guild_id: Id;
    readonly channel_id: Id;
    readonly inviter_id: Id;
    readonly max_uses: number;
    readonly created_at: number;
    readonly created_time: number;
    readonly expires_at: number | null;
    readonly deleted_at: number | null;
  };
  /** One row per use of a capped invite; there are few. */
  readonly redemptions: { readonly code: string; readonly position: number };
  /** How many members joined by an invite; used for invites without a cap. */
  readonly invite_counts: { readonly code: string; readonly joined: number };
}
