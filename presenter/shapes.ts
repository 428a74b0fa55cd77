/** What clients receive, in the shapes of Discord's API v10 (the npm package discord-api-types describes them). */

export interface ApiUser {
  readonly id: string;
  readonly username: string;
  readonly global_name: string | null;
  readonly discriminator: string;
  readonly avatar: null;
  readonly bot: boolean;
  readonly public_flags: number;
}

/** What only the user's own sessions see. Nobody gives an address here. */
export interface ApiSelf extends ApiUser {
  readonly email: null;
  readonly verified: boolean;
  readonly mfa_enabled: boolean;
  readonly flags: number;
  readonly premium_type: number;
  readonly locale: string;
  readonly bio: string;
  readonly banner: null;
  readonly accent_color: null;
}

export interface ApiPartialMember {
  readonly nick: null;
  readonly avatar: null;
  readonly roles: readonly string[];
  readonly joined_at: string;
  readonly premium_since: null;
  readonly deaf: boolean;
  readonly mute: boolean;
  readonly flags: number;
  readonly pending: boolean;
}

export interface ApiMember extends ApiPartialMember {
  readonly user: ApiUser;
}

export interface ApiOverwrite {
  readonly id: string;
  readonly type: number;
  readonly allow: string;
  readonly deny: string;
}

export interface ApiChannel {
  readonly id: string;
  /** 0 text channel of a guild, 1 direct channel. */
  readonly type: 0 | 1;
  readonly guild_id?: string;
  readonly name?: string | null;
  readonly topic?: string | null;
  readonly position?: number;
  readonly permission_overwrites?: readonly ApiOverwrite[];
  readonly parent_id?: null;
  readonly nsfw?: boolean;
  readonly rate_limit_per_user?: number;
  readonly recipients?: readonly ApiUser[];
  readonly last_message_id: string | null;
  readonly last_pin_timestamp: string | null;
  readonly flags: number;
}

export interface ApiRole {
  readonly id: string;
  readonly name: string;
  readonly color: number;
  readonly colors: { readonly primary_color: number; readonly secondary_color: null; readonly tertiary_color: null };
  readonly hoist: boolean;
  readonly icon: null;
  readonly unicode_emoji: null;
  readonly position: number;
  readonly permissions: string;
  readonly managed: boolean;
  readonly mentionable: boolean;
  readonly flags: number;
}

export interface ApiGuild {
  readonly id: string;
  readonly name: string;
  readonly owner_id: string;
  readonly roles: readonly ApiRole[];
  readonly [field: string]: unknown;
}

export interface ApiReaction {
  readonly emoji: { readonly id: null; readonly name: string };
  readonly count: number;
  readonly count_details: { readonly burst: number; readonly normal: number };
  readonly me: boolean;
  readonly me_burst: boolean;
  readonly burst_colors: readonly string[];
}

export interface ApiMessage {
  readonly id: string;
  readonly channel_id: string;
  readonly guild_id?: string;
  readonly author: ApiUser;
  readonly member?: ApiPartialMember;
  readonly content: string;
  readonly timestamp: string;
  readonly edited_timestamp: string | null;
  readonly tts: boolean;
  readonly mention_everyone: boolean;
  readonly mentions: readonly ApiUser[];
  readonly mention_roles: readonly string[];
  readonly attachments: readonly unknown[];
  readonly embeds: readonly Record<string, unknown>[];
  readonly components: readonly never[];
  readonly sticker_items: readonly never[];
  readonly reactions?: readonly ApiReaction[];
  readonly nonce?: string | number;
  pinned: boolean;
  readonly type: number;
  readonly message_reference?: {
    readonly type: 0;
    readonly channel_id: string;
    readonly guild_id?: string;
    readonly message_id: string;
  };
  readonly referenced_message?: ApiMessage | null;
  readonly flags: number;
  /** The channel sequence of the event that posted it. */
  readonly sequence: number;
  /** The n-th message of the channel. */
  readonly ordinal: number;
}

export interface ApiInvite {
  readonly code: string;
  readonly type: 0;
  readonly guild_id: string;
  readonly guild: { readonly id: string; readonly name: string; readonly [field: string]: unknown };
  readonly channel: { readonly id: string; readonly name: string | null; readonly type: 0 };
  readonly inviter: ApiUser;
  readonly uses: number;
  readonly max_uses: number;
  readonly max_age: number;
  readonly temporary: boolean;
  readonly created_at: string;
  readonly expires_at: string | null;
  readonly flags: number;
  readonly approximate_member_count: number;
  /** Where people follow it, on servers with a public URL. */
  readonly url?: string;
}
