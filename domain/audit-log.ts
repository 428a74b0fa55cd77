/** What a guild's audit log names, by Discord's numbers, and what it says of each kind of thing. */

import type { Sealed } from '../schemas/envelope.ts';
import type { ChannelDetails, Overwrite } from '../schemas/events/channel.ts';
import type { GuildDetails, Pauses, Role } from '../schemas/events/guild.ts';
import type { ThreadDetails } from '../schemas/events/thread.ts';

/** Discord's numbers of what happens here. */
export const AuditAction = {
  guildUpdate: 1,
  channelCreate: 10,
  channelUpdate: 11,
  channelDelete: 12,
  overwriteCreate: 13,
  overwriteUpdate: 14,
  overwriteDelete: 15,
  memberKick: 20,
  memberBanAdd: 22,
  memberBanRemove: 23,
  memberUpdate: 24,
  memberRoleUpdate: 25,
  botAdd: 28,
  roleCreate: 30,
  roleUpdate: 31,
  roleDelete: 32,
  inviteCreate: 40,
  inviteDelete: 42,
  messageDelete: 72,
  messageBulkDelete: 73,
  messagePin: 74,
  messageUnpin: 75,
  threadCreate: 110,
  threadUpdate: 111,
  threadDelete: 112,
} as const;
export type AuditAction = (typeof AuditAction)[keyof typeof AuditAction];

/** A reason, and where it is sealed. */
export interface AuditReason {
  readonly sealed: Sealed;
  readonly stream: string;
  readonly eventId: string;
}

/** A channel as it begins. */
interface NewChannel extends Omit<ChannelDetails, 'name'> {
  readonly kind: string;
  readonly name: string | null;
  readonly overwrites: readonly Overwrite[];
}

export interface LoggedInvite {
  readonly code: string;
  readonly channelId: string;
  readonly inviterId: string;
  readonly maxUses: number;
  /** Seconds; 0: for ever. */
  readonly maxAge: number;
}

/** Opens to `Nickname`. */
export interface LoggedNick {
  readonly sealed: Sealed;
  /** Id of the event in the member's stream in which it was sealed. */
  readonly sealedIn: string;
}

/** What a record may say of each kind of thing. The kind is the first word of its subject. */
export interface AuditValues {
  readonly details: GuildDetails;
  /** `why`: of the last wish to hand the guild on. */
  readonly owner: { readonly ownerId: string; readonly why?: AuditReason };
  readonly pauses: Pauses;
  readonly role: Role;
  readonly 'new-channel': NewChannel;
  readonly channel: ChannelDetails;
  readonly overwrite: Overwrite;
  readonly thread: ThreadDetails;
  readonly nick: LoggedNick;
  readonly roles: readonly string[];
  readonly timeout: { readonly until: number | null };
  readonly invite: LoggedInvite;
}
export type AuditKind = keyof AuditValues;

/** `<kind>` or `<kind>:<ids>` of one of `AuditValues`; otherwise there is nothing to say of the thing but what was done. */
export type AuditSubject = AuditKind | `${AuditKind | 'done'}:${string}`;

export const roleSubject = (roleId: string): AuditSubject => `role:${roleId}`;

/** The kind of thing that a subject is of; `undefined` when nothing is said of it. */
export const kindOf = (subject: string): AuditKind | undefined => {
  const [kind] = subject.split(':') as [AuditKind | 'done'];
  return kind === 'done' ? undefined : kind;
};
