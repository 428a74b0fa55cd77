/** The write side as the gateway and the HTTP routes see it. */

import type { Either } from 'fp-ts/lib/Either.js';
import type * as t from 'io-ts';
import type {
  ChannelRow,
  GuildRow,
  InviteRow,
  MemberRow,
  NotificationsRow,
} from '../projections/views/guild-views/view.ts';
import type { ReportRow } from '../projections/views/reports/view.ts';
import type { MessageRow } from '../projections/views/timelines/view.ts';
import type { ChannelHead } from '../projections/views/unread/view.ts';
import type { Actor } from '../schemas/actor.ts';
import type { LimitShown, ParleyError } from '../schemas/errors.ts';
import type { EventOf } from '../schemas/events/catalogue.ts';
import type { MessageBody } from '../schemas/events/channel.ts';
import type { Pauses, Role } from '../schemas/events/guild.ts';

export interface CommandContext {
  readonly actor: Actor;
  /**
   * The client's id for this command: a repeat is carried out once, and another command under it is refused. With `null`, a
   * retry is a new command.
   */
  readonly key: string | null;
  /** Whether the request that carries the command already counted against the caller's global limit. */
  readonly counted: boolean;
  readonly correlationId: string;
  readonly traceparent?: string | undefined;
  /** Why the caller does it: stored with the events that keep a reason, for the audit log. */
  readonly reason?: string | undefined;
}

/** A command's answer as a value. `presenter/answers` turns it into what clients are shown. */
export type Answer =
  | { readonly kind: 'nothing' }
  /** The command is stored, and what its answer would show cannot be read now. */
  | { readonly kind: 'accepted' }
  | {
      /** The caller. */
      readonly kind: 'self';
      readonly userId: string;
      /** That left them so; absent: as they are. */
      readonly event: EventOf<'user-profile-changed'> | undefined;
    }
  /** Of a read marker. */
  | { readonly kind: 'marked' }
  | {
      readonly kind: 'posted';
      readonly event: EventOf<'message-posted'>;
      readonly guildId: string | null;
      /** The text that the event seals, if its author has just written it. */
      readonly said: MessageBody | undefined;
    }
  | { readonly kind: 'edited'; readonly event: EventOf<'message-edited'>; readonly guildId: string | null }
  /** A message as its timeline holds it. */
  | { readonly kind: 'row'; readonly row: MessageRow }
  | {
      readonly kind: 'guild';
      readonly guild: GuildRow;
      /** Those that the viewer may see; left out: none are shown. */
      readonly channels?: readonly ChannelRow[];
      readonly viewer: string;
    }
  | {
      readonly kind: 'channel';
      readonly channel: ChannelRow;
      readonly viewer: string;
      readonly head?: ChannelHead;
      /** When its most recent pin was set, in milliseconds since 1970. */
      readonly lastPinned?: number | undefined;
    }
  | { readonly kind: 'role'; readonly role: Role }
  /** All of a guild. */
  | { readonly kind: 'roles'; readonly guild: GuildRow }
  | { readonly kind: 'member'; readonly member: MemberRow }
  /** Ids of those who are banned by it and who are not. */
  | { readonly kind: 'bulk-banned'; readonly banned: readonly string[]; readonly failed: readonly string[] }
  | {
      readonly kind: 'report';
      readonly report: ReportRow;
      /** Shown to whoever reported, and not to those who handle it. */
      readonly isReporters: boolean;
    }
  | { readonly kind: 'invite'; readonly invite: InviteRow }
  | { readonly kind: 'notifications'; readonly row: NotificationsRow }
  | { readonly kind: 'incidents'; readonly pauses: Pauses }
  | {
      readonly kind: 'application';
      /** Shared by the application and its bot. */
      readonly id: string;
      readonly name: string;
      readonly ownerId: string;
      /** `null` if another has replaced it. */
      readonly token: string | null;
    }
  /** Of a bot. `null` if another has replaced it. */
  | { readonly kind: 'token'; readonly token: string | null };

export interface CommandOutcome {
  /** At or after the command's events in the whole log. */
  readonly position: number;
  readonly stream: string;
  readonly sequence: number;
  readonly answer: Answer;
}

export interface Submitted {
  readonly outcome: Either<ParleyError, CommandOutcome>;
  /** State of the limit that applied, for the X-RateLimit headers; absent where none applies. */
  readonly limit: LimitShown | undefined;
}

/** The HTTP route that carries a command. */
export type CommandRoute = CommandPath &
  ({ readonly status: 204 } | { readonly status: 200 | 201; readonly answer: t.Mixed });

interface CommandPath {
  readonly method: 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Below the mount point, with `:name` for each field of `params`. */
  readonly path: string;
  /** An older path that libraries still use for the same command. */
  readonly formerPath?: string;
  /** The field whose value is the whole body, which is a list. Over the socket it is a field like any other. */
  readonly bodyIs?: string;
  /** No field of the body is required alone, but one of several is. */
  readonly needsBody?: boolean;
  /** Discord has no such path. */
  readonly ours?: boolean;
  /** Describes a success in the documentation. */
  readonly answers: string;
}

/** A command as the routes, op 100 and the documentation see it. */
export interface CommandShape {
  /** `<noun>.<verb>` */
  readonly type: string;
  readonly summary: string;
  readonly route: CommandRoute;
  /** Fields in the route's path. */
  readonly params?: t.Mixed;
  /** Fields in the route's body. Over the socket they sit beside those of the path. */
  readonly body?: t.Mixed;
  /** Fields of the body that a request may carry in its query too, as libraries do. Those of the body come first. */
  readonly query?: t.Mixed;
  /** The command's own limit, in addition to the caller's global one. */
  readonly limit?: { readonly bucket: string };
}

export interface CommandBus {
  /** All commands. */
  readonly commands: readonly CommandShape[];
  /**
   * Decodes, limits, authorises, decides, appends. Commands of one caller to one stream are carried out in the order
   * submitted.
   * @param fields of path and body together, as the client sent them
   */
  submit(context: CommandContext, type: string, fields: unknown): Promise<Submitted>;
}

export interface Typing {
  readonly channelId: string;
  readonly guildId: string | null;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** Signals to current listeners that are never stored. */
export interface Ephemeral {
  typing(typing: Typing): void;
}
