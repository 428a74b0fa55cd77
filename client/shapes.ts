/** What the server sends, as far as clients usually need it. The shapes are those of Discord's API v10. */

export interface User {
  readonly id: string;
  readonly username: string;
  readonly global_name: string | null;
  readonly bot?: boolean;
}

interface Silencing {
  readonly muted: boolean;
  /** `end_time` is an ISO time, or null for good; `selected_time_window` is in seconds. */
  readonly mute_config: { readonly end_time: string | null; readonly selected_time_window: number | null } | null;
  /** 0 all messages, 1 those that mention you, 2 none, 3 as what is around it says. */
  readonly message_notifications: number;
}

/** Of what you are notified in a guild. */
export interface GuildSettings extends Silencing {
  /** Null: of direct messages. */
  readonly guild_id: string | null;
  readonly suppress_everyone: boolean;
  readonly suppress_roles: boolean;
  readonly channel_overrides: readonly (Silencing & { readonly channel_id: string })[];
}

export type GuildSettingsChange = Partial<Omit<GuildSettings, 'guild_id' | 'channel_overrides'>> & {
  readonly channel_overrides?: readonly (Partial<Silencing> & { readonly channel_id: string })[];
};

/** How somebody stands to the user. */
export interface Relationship {
  readonly id: string;
  /** 1 a friend, 2 blocked, 3 has asked to be friends, 4 was asked. */
  readonly type: 1 | 2 | 3 | 4;
  readonly nickname: string | null;
  readonly user: User;
  /** ISO time. */
  readonly since: string;
}

export interface Member {
  readonly user?: User;
  readonly nick: string | null;
  readonly roles: readonly string[];
  readonly joined_at: string;
  /** ISO time until which the member is timed out; it may be over. */
  readonly communication_disabled_until: string | null;
}

/** What is left out stays as it is. */
export interface MemberChange {
  readonly nick?: string | null;
  /** Ids of all roles that the member is to have. */
  readonly roles?: readonly string[];
  /** ISO time, at most 28 days ahead; null ends a timeout. */
  readonly communication_disabled_until?: string | null;
}

export interface Ban {
  readonly reason: string | null;
  readonly user: User;
}

export interface Channel {
  readonly id: string;
  /** 0 text channel of a guild, 1 direct channel, 3 group. */
  readonly type: number;
  readonly guild_id?: string;
  readonly name?: string | null;
  readonly topic?: string | null;
  readonly recipients?: readonly User[];
  /** Of a group. */
  readonly owner_id?: string;
  readonly last_message_id: string | null;
  /** ISO time. */
  readonly last_pin_timestamp: string | null;
}

export interface ThreadChange {
  readonly name?: string;
  readonly archived?: boolean;
  readonly locked?: boolean;
  /** Minutes: 60, 1440, 4320 or 10080. */
  readonly auto_archive_duration?: number;
  readonly invitable?: boolean;
}

/** Somebody's membership of a thread. */
export interface ThreadMember {
  /** The thread's id. */
  readonly id: string;
  readonly user_id: string;
  /** ISO time. */
  readonly join_timestamp: string;
}

export interface ThreadPage {
  readonly threads: readonly Channel[];
  readonly members: readonly ThreadMember[];
  readonly has_more: boolean;
}

export interface Role {
  /** The guild's for @everyone. */
  readonly id: string;
  readonly name: string;
  /** Bits as a decimal string. */
  readonly permissions: string;
  /** As 0xRRGGBB; 0 for none. */
  readonly color: number;
  readonly hoist: boolean;
  readonly mentionable: boolean;
  readonly position: number;
}

/** What is left out stays as it is; null empties. */
export type RoleSettings = {
  readonly [K in 'name' | 'permissions' | 'color' | 'hoist' | 'mentionable']?: Role[K] | null;
};

export interface Guild {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string;
  readonly roles: readonly Role[];
}

/** The `d` of a GUILD_CREATE. */
export interface GuildSnapshot extends Guild {
  readonly member_count: number;
  readonly channels: readonly Channel[];
  readonly members: readonly Member[];
}

export interface Message {
  readonly id: string;
  readonly channel_id: string;
  readonly guild_id?: string;
  readonly author: User;
  readonly content: string;
  readonly timestamp: string;
  readonly edited_timestamp: string | null;
  readonly mentions: readonly User[];
  readonly mention_roles: readonly string[];
  readonly mention_everyone: boolean;
  readonly flags: number;
  readonly message_reference?: {
    /** 1: a forward. */
    readonly type: number;
    readonly channel_id: string;
    readonly message_id?: string;
    readonly guild_id?: string;
  };
  readonly embeds: readonly Readonly<Record<string, unknown>>[];
  readonly nonce?: string | number;
  readonly type: number;
  readonly referenced_message?: Message | null;
  /** The channel sequence of the event that posted it. */
  readonly sequence: number;
  /** The n-th message of the channel. */
  readonly ordinal: number;
}

/** What is wrong with a message. */
export type ReportKind = 'spam' | 'harassment' | 'hate' | 'violence' | 'sexual' | 'self-harm' | 'illegal' | 'other';

export interface Report {
  readonly id: string;
  /** open, answered or closed. */
  readonly state: string;
  readonly kind: ReportKind;
  /** Null where it can no longer be read. */
  readonly text: string | null;
  readonly guild_id: string | null;
  readonly channel_id: string;
  readonly message_id: string;
  readonly created_at: string;
  readonly answered_at: string | null;
  /** What the last answer says to the reporter. */
  readonly note: string | null;
  /** The rest is for those who handle it. */
  readonly reporter?: User;
  readonly author?: User;
  readonly answered_by?: User | null;
  /** Null once it is deleted. */
  readonly message?: Message | null;
}

export interface Reaction {
  readonly user_id: string;
  readonly channel_id: string;
  readonly message_id: string;
  readonly guild_id?: string;
  readonly emoji: { readonly id: string | null; readonly name: string };
}

export interface Invite {
  readonly code: string;
  readonly guild: { readonly id: string; readonly name: string };
  readonly channel: { readonly id: string; readonly name: string | null };
  /** Where people follow it, on servers with a public URL. */
  readonly url?: string;
}

/** Something that was done in a guild. */
export interface AuditEntry {
  readonly id: string;
  /** Discord's number. */
  readonly action_type: number;
  /** Who did it. */
  readonly user_id: string;
  readonly target_id: string | null;
  readonly changes?: readonly { readonly key: string; readonly new_value?: unknown; readonly old_value?: unknown }[];
  readonly options?: Readonly<Record<string, string>>;
  readonly reason?: string;
}

export interface AuditLog {
  readonly audit_log_entries: readonly AuditEntry[];
  /** The people and threads that the entries name. */
  readonly users: readonly User[];
  readonly threads: readonly Channel[];
}

export interface ReadState {
  readonly channel_id: string;
  readonly last_message_id: string | null;
  readonly read_ordinal: number;
  readonly unread_count: number;
  readonly mention_count: number;
}

export interface Ready {
  readonly v: number;
  readonly user: User;
  readonly guilds: readonly { readonly id: string; readonly unavailable?: boolean }[];
  readonly session_id: string;
  readonly resume_gateway_url: string;
}

/** Dispatches by name, for typed listeners. Others still arrive as packets. */
export interface Dispatches {
  readonly READY: Ready;
  readonly RESUMED: object;
  readonly GUILD_CREATE: GuildSnapshot;
  readonly GUILD_DELETE: { readonly id: string; readonly unavailable?: boolean };
  readonly GUILD_MEMBER_ADD: Member & { readonly guild_id: string };
  readonly GUILD_MEMBER_REMOVE: { readonly guild_id: string; readonly user: User };
  readonly GUILD_AUDIT_LOG_ENTRY_CREATE: AuditEntry & { readonly guild_id: string };
  readonly CHANNEL_CREATE: Channel;
  readonly CHANNEL_UPDATE: Channel;
  readonly CHANNEL_DELETE: Channel;
  readonly CHANNEL_RECIPIENT_ADD: { readonly channel_id: string; readonly user: User };
  readonly CHANNEL_RECIPIENT_REMOVE: { readonly channel_id: string; readonly user: User };
  readonly MESSAGE_CREATE: Message;
  readonly MESSAGE_UPDATE: Message;
  readonly MESSAGE_DELETE: { readonly id: string; readonly channel_id: string; readonly guild_id?: string };
  readonly MESSAGE_DELETE_BULK: {
    readonly ids: readonly string[];
    readonly channel_id: string;
    readonly guild_id?: string;
  };
  readonly MESSAGE_REACTION_ADD: Reaction;
  readonly MESSAGE_REACTION_REMOVE: Reaction;
  readonly MESSAGE_REACTION_REMOVE_ALL: Pick<Reaction, 'channel_id' | 'message_id' | 'guild_id'>;
  readonly MESSAGE_REACTION_REMOVE_EMOJI: Omit<Reaction, 'user_id'>;
  readonly MESSAGE_ACK: { readonly channel_id: string; readonly message_id: string };
  readonly TYPING_START: { readonly channel_id: string; readonly user_id: string; readonly timestamp: number };
  readonly PARLEY_POSITION: object;
}

/** What a user says about themselves. */
export interface ProfileChange {
  readonly global_name?: string | null;
  readonly bio?: string | null;
  readonly pronouns?: string | null;
  /** 24 bits: red, green, blue. */
  readonly accent_color?: number | null;
  readonly custom_status?: { readonly text: string } | null;
}

/** Where somebody is signed in. */
export interface SignInShown {
  readonly id_hash: string;
  readonly approx_last_used_time: string;
  readonly created_at: string;
  readonly expires_at: string;
  readonly client_info: { readonly platform: string | null };
}
