/** The fields of each command. Made from commands/features by `npm run generate`: change it there. */
export interface CommandFields {
  /** Send a message. With enforce_nonce, the same nonce again returns the first message. */
  readonly 'message.send': {
    readonly channel_id: string;
    readonly content?: string | null;
    readonly embeds?: readonly {
      readonly title?: string | null;
      readonly description?: string | null;
      readonly url?: string | null;
      readonly timestamp?: string | null;
      readonly color?: number | null;
      readonly footer?: {
        readonly text: string;
        readonly icon_url?: string | null;
        readonly proxy_icon_url?: string | null;
      } | null;
      readonly image?: {
        readonly url: string;
        readonly proxy_url?: string | null;
        readonly width?: number | null;
        readonly height?: number | null;
      } | null;
      readonly thumbnail?: {
        readonly url: string;
        readonly proxy_url?: string | null;
        readonly width?: number | null;
        readonly height?: number | null;
      } | null;
      readonly author?: {
        readonly name: string;
        readonly url?: string | null;
        readonly icon_url?: string | null;
        readonly proxy_icon_url?: string | null;
      } | null;
      readonly fields?: readonly {
        readonly name: string;
        readonly value: string;
        readonly inline?: boolean | null;
      }[] | null;
      readonly video?: {
        readonly url?: string | null;
        readonly proxy_url?: string | null;
        readonly width?: number | null;
        readonly height?: number | null;
      } | null;
      readonly provider?: {
        readonly name?: string | null;
        readonly url?: string | null;
      } | null;
    }[] | null;
    readonly allowed_mentions?: {
      readonly parse?: readonly ('roles' | 'users' | 'everyone')[] | null;
      readonly users?: readonly string[] | null;
      readonly roles?: readonly string[] | null;
      readonly replied_user?: boolean | null;
    } | null;
    readonly nonce?: string | number | string | null;
    readonly enforce_nonce?: boolean | null;
    readonly flags?: number | null;
    readonly message_reference?: {
      readonly message_id: string;
      readonly type?: 0 | 1 | null;
      readonly channel_id?: string | null;
      readonly guild_id?: string | null;
      readonly fail_if_not_exists?: boolean | null;
    } | null;
  };
  /** Edit a message of your own. Moderators hide the embeds of other people's by `flags`. */
  readonly 'message.edit': {
    readonly channel_id: string;
    readonly message_id: string;
    readonly content?: string | null;
    readonly embeds?: readonly {
      readonly title?: string | null;
      readonly description?: string | null;
      readonly url?: string | null;
      readonly timestamp?: string | null;
      readonly color?: number | null;
      readonly footer?: {
        readonly text: string;
        readonly icon_url?: string | null;
        readonly proxy_icon_url?: string | null;
      } | null;
      readonly image?: {
        readonly url: string;
        readonly proxy_url?: string | null;
        readonly width?: number | null;
        readonly height?: number | null;
      } | null;
      readonly thumbnail?: {
        readonly url: string;
        readonly proxy_url?: string | null;
        readonly width?: number | null;
        readonly height?: number | null;
      } | null;
      readonly author?: {
        readonly name: string;
        readonly url?: string | null;
        readonly icon_url?: string | null;
        readonly proxy_icon_url?: string | null;
      } | null;
      readonly fields?: readonly {
        readonly name: string;
        readonly value: string;
        readonly inline?: boolean | null;
      }[] | null;
      readonly video?: {
        readonly url?: string | null;
        readonly proxy_url?: string | null;
        readonly width?: number | null;
        readonly height?: number | null;
      } | null;
      readonly provider?: {
        readonly name?: string | null;
        readonly url?: string | null;
      } | null;
    }[] | null;
    readonly allowed_mentions?: {
      readonly parse?: readonly ('roles' | 'users' | 'everyone')[] | null;
      readonly users?: readonly string[] | null;
      readonly roles?: readonly string[] | null;
      readonly replied_user?: boolean | null;
    } | null;
    readonly flags?: number | null;
  };
  /** Delete a message. */
  readonly 'message.delete': {
    readonly channel_id: string;
    readonly message_id: string;
  };
  /** Delete 2 to 100 messages of a guild's channel at once, none of them older than 14 days. */
  readonly 'message.bulk-delete': {
    readonly channel_id: string;
    readonly messages: readonly string[];
  };
  /** React with a Unicode emoji. */
  readonly 'reaction.add': {
    readonly channel_id: string;
    readonly message_id: string;
    readonly emoji: string;
  };
  /** Take your reaction back. */
  readonly 'reaction.remove': {
    readonly channel_id: string;
    readonly message_id: string;
    readonly emoji: string;
  };
  /** Take somebody else's reaction back. */
  readonly 'reaction.remove-other': {
    readonly channel_id: string;
    readonly message_id: string;
    readonly emoji: string;
    readonly user_id: string;
  };
  /** Take all reactions to a message back. */
  readonly 'reaction.clear': {
    readonly channel_id: string;
    readonly message_id: string;
  };
  /** Take all reactions with one emoji back. */
  readonly 'reaction.clear-emoji': {
    readonly channel_id: string;
    readonly message_id: string;
    readonly emoji: string;
  };
  /** Pin a message: 250 in a channel at most. */
  readonly 'message.pin': {
    readonly channel_id: string;
    readonly message_id: string;
  };
  /** Take a pinned message down. */
  readonly 'message.unpin': {
    readonly channel_id: string;
    readonly message_id: string;
  };
  /** Report a message to the guild's moderators, or to the administrators of the server. Once reported, it stays so. */
  readonly 'message.report': {
    readonly channel_id: string;
    readonly message_id: string;
    readonly kind: 'spam' | 'harassment' | 'hate' | 'violence' | 'sexual' | 'self-harm' | 'illegal' | 'other';
    readonly text?: string | null;
  };
  /** Answer or close a report about a message in a guild. For those who manage messages in the message's channel. */
  readonly 'report.handle': {
    readonly guild_id: string;
    readonly report_id: string;
    readonly state: 'answered' | 'closed';
    readonly note?: string | null;
  };
  /** Answer or close a report that is for the administrators of the server. */
  readonly 'report.handle-as-administrator': {
    readonly report_id: string;
    readonly state: 'answered' | 'closed';
    readonly note?: string | null;
  };
  /** You have read everything up to this message. With `manual` it may be less than before: what follows is unread again. */
  readonly 'channel.read': {
    readonly channel_id: string;
    readonly message_id: string;
    readonly manual?: boolean | null;
    readonly mention_count?: number | null;
    readonly token?: null | null;
    readonly last_viewed?: number | null;
    readonly flags?: number | null;
  };
  /** You have read up to these messages of several channels. Channels and messages unknown to you are passed over. */
  readonly 'channel.read-many': {
    readonly read_states: readonly {
      readonly channel_id: string;
      readonly message_id: string;
      readonly read_state_type?: 0 | null;
    }[];
  };
  /** You are typing, for ten seconds. */
  readonly 'typing.start': {
    readonly channel_id: string;
  };
  /** Create an invite. max_age in seconds (default a day, 0 never expires), max_uses (0 any number). */
  readonly 'invite.create': {
    readonly channel_id: string;
    readonly max_age?: number | null;
    readonly max_uses?: number | null;
  };
  /** Delete an invite that you made, or one of a channel or a guild that you manage. */
  readonly 'invite.delete': {
    readonly code: string;
  };
  /** Join the guild of an invite. */
  readonly 'guild.join': {
    readonly code: string;
  };
  /** Create a guild, with a first text channel. */
  readonly 'guild.create': {
    readonly name: string;
  };
  /** Change what a guild is called and how it greets its people, whether anybody finds it, and who owns it. */
  readonly 'guild.edit': {
    readonly guild_id: string;
    readonly name?: string | null;
    readonly description?: string | null;
    readonly verification_level?: number | null;
    readonly default_message_notifications?: number | null;
    readonly system_channel_id?: string | null;
    readonly system_channel_flags?: number | null;
    readonly safety_alerts_channel_id?: string | null;
    readonly features?: readonly 'DISCOVERABLE'[] | null;
    readonly owner_id?: string | null;
  };
  /** Delete a guild that you own, with all its channels. */
  readonly 'guild.delete': {
    readonly guild_id: string;
  };
  /** Keep new people and new direct channels away until a time within 24 hours; null ends that. */
  readonly 'guild.pause': {
    readonly guild_id: string;
    readonly invites_disabled_until?: string | null;
    readonly dms_disabled_until?: string | null;
  };
  /** Join a guild that anybody finds. */
  readonly 'guild.join-public': {
    readonly guild_id: string;
  };
  /** Leave a guild. */
  readonly 'guild.leave': {
    readonly guild_id: string;
  };
  /** Create a channel: of text (type 0), of announcements (5), or a category (4). */
  readonly 'channel.create': {
    readonly guild_id: string;
    readonly name: string;
    readonly kind?: 0 | 4 | 5 | null;
    readonly topic?: string | null;
    readonly nsfw?: boolean | null;
    readonly position?: number | null;
    readonly parent_id?: string | null;
    readonly rate_limit_per_user?: number | null;
    readonly permission_overwrites?: readonly {
      readonly id: string;
      readonly type: 0 | 1;
      readonly allow?: string | null;
      readonly deny?: string | null;
    }[] | null;
  };
  /** Change a channel's name, topic, place and category, its overwrites, how fast people may write, and whether it is for adults only; a thread's name, and archive and lock it; a group's name and owner. */
  readonly 'channel.edit': {
    readonly channel_id: string;
    readonly name?: string | null;
    readonly kind?: 0 | 4 | 5 | null;
    readonly topic?: string | null;
    readonly nsfw?: boolean | null;
    readonly position?: number | null;
    readonly parent_id?: string | null;
    readonly rate_limit_per_user?: number | null;
    readonly permission_overwrites?: readonly {
      readonly id: string;
      readonly type: 0 | 1;
      readonly allow?: string | null;
      readonly deny?: string | null;
    }[] | null;
    readonly archived?: boolean | null;
    readonly locked?: boolean | null;
    readonly invitable?: boolean | null;
    readonly auto_archive_duration?: 60 | 1440 | 4320 | 10080 | null;
    readonly owner?: string | null;
  };
  /** Delete a channel and all that was said in it, or leave a group. */
  readonly 'channel.delete': {
    readonly channel_id: string;
  };
  /** Put channels at other places and into categories. lock_permissions gives them the overwrites of the category. */
  readonly 'channel.move': {
    readonly guild_id: string;
    readonly channels: readonly {
      readonly id: string;
      readonly position?: number | null;
      readonly parent_id?: string | null;
      readonly lock_permissions?: boolean | null;
    }[];
  };
  /** Begin a thread at a message. */
  readonly 'thread.begin': {
    readonly channel_id: string;
    readonly message_id: string;
    readonly name: string;
    readonly auto_archive_duration?: 60 | 1440 | 4320 | 10080 | null;
  };
  /** Create a thread that begins at no message: private, unless `type` is 11. */
  readonly 'thread.create': {
    readonly channel_id: string;
    readonly name: string;
    readonly auto_archive_duration?: 60 | 1440 | 4320 | 10080 | null;
    readonly kind?: 11 | 12 | null;
    readonly invitable?: boolean | null;
  };
  /** Join a thread. */
  readonly 'thread.join': {
    readonly channel_id: string;
  };
  /** Leave a thread. */
  readonly 'thread.leave': {
    readonly channel_id: string;
  };
  /** Add somebody to a thread. */
  readonly 'thread.member.add': {
    readonly channel_id: string;
    readonly user_id: string;
  };
  /** Remove somebody from a thread. */
  readonly 'thread.member.remove': {
    readonly channel_id: string;
    readonly user_id: string;
  };
  /** Create a role, below all others: 250 in a guild at most, with @everyone. */
  readonly 'role.create': {
    readonly guild_id: string;
    readonly name?: string | null;
    readonly permissions?: string | null;
    readonly color?: number | null;
    readonly colors?: {
      readonly primary_color: number;
    } | null;
    readonly hoist?: boolean | null;
    readonly mentionable?: boolean | null;
  };
  /** Change a role below your own highest. Of @everyone only the permissions change. */
  readonly 'role.edit': {
    readonly guild_id: string;
    readonly role_id: string;
    readonly name?: string | null;
    readonly permissions?: string | null;
    readonly color?: number | null;
    readonly colors?: {
      readonly primary_color: number;
    } | null;
    readonly hoist?: boolean | null;
    readonly mentionable?: boolean | null;
  };
  /** Put roles below your own highest at other places. Of two at one place the older is higher. */
  readonly 'role.move': {
    readonly guild_id: string;
    readonly roles: readonly {
      readonly id: string;
      readonly position?: number | null;
    }[];
  };
  /** Delete a role below your own highest. Whoever had it has it no more. */
  readonly 'role.delete': {
    readonly guild_id: string;
    readonly role_id: string;
  };
  /** Change a member's nickname, roles or timeout. A timeout lasts up to 28 days. */
  readonly 'member.edit': {
    readonly guild_id: string;
    readonly user_id: string;
    readonly nick?: string | '' | null;
    readonly roles?: readonly string[] | null;
    readonly communication_disabled_until?: string | null;
  };
  /** Change your own nickname in a guild. */
  readonly 'member.edit-own': {
    readonly guild_id: string;
    readonly nick?: string | '' | null;
  };
  /** Remove a member below your own highest role from a guild. */
  readonly 'member.kick': {
    readonly guild_id: string;
    readonly user_id: string;
  };
  /** Ban a person from a guild, who need be no member, and delete what they have said there lately. */
  readonly 'member.ban': {
    readonly guild_id: string;
    readonly user_id: string;
    readonly delete_message_seconds?: number | null;
    readonly delete_message_days?: number | null;
  };
  /** Let a banned person join again. */
  readonly 'member.unban': {
    readonly guild_id: string;
    readonly user_id: string;
  };
  /** Ban up to 200 people from a guild. Those who cannot be banned are named. */
  readonly 'member.bulk-ban': {
    readonly guild_id: string;
    readonly user_ids: readonly string[];
    readonly delete_message_seconds?: number | null;
  };
  /** Give a member a role below your own highest. */
  readonly 'member.role.add': {
    readonly guild_id: string;
    readonly user_id: string;
    readonly role_id: string;
  };
  /** Take a role below your own highest from a member. */
  readonly 'member.role.remove': {
    readonly guild_id: string;
    readonly user_id: string;
    readonly role_id: string;
  };
  /** Allow and deny a role or a person in a channel what you may do yourself. */
  readonly 'overwrite.set': {
    readonly channel_id: string;
    readonly overwrite_id: string;
    readonly kind: 0 | 1;
    readonly allow?: string | null;
    readonly deny?: string | null;
  };
  /** Take an overwrite from a channel: its guild decides again. */
  readonly 'overwrite.delete': {
    readonly channel_id: string;
    readonly overwrite_id: string;
  };
  /** Let a bot into a guild, with a role of its own that has these permissions. */
  readonly 'bot.add': {
    readonly guild_id: string;
    readonly application_id: string;
    readonly permissions?: string | null;
  };
  /** Open the direct channel with somebody (`recipient_id`), or create a group with several (`recipients`), who are friends of yours or share a guild with you. */
  readonly 'dm.create': {
    readonly recipient_id?: string | null;
    readonly recipients?: readonly string[] | null;
  };
  /** Add a friend, or somebody you share a guild with, to a group of 10 people at most. */
  readonly 'recipient.add': {
    readonly channel_id: string;
    readonly user_id: string;
  };
  /** Take somebody out of a group that you own, or leave one yourself. */
  readonly 'recipient.remove': {
    readonly channel_id: string;
    readonly user_id: string;
  };
  /** Change what you say about yourself. What you leave out stays; null empties it. */
  readonly 'user.edit': {
    readonly global_name?: string | null;
    readonly bio?: string | null;
    readonly pronouns?: string | null;
    readonly accent_color?: number | null;
    readonly custom_status?: {
      readonly text: string;
    } | null;
  };
  /** Choose of what you are notified in a guild, or with @me in direct messages. Channels that are not named stay as they are. What is counted as unread does not change: clients hide it. */
  readonly 'notifications.edit': {
    readonly guild_id: string | '@me';
    readonly muted?: boolean | null;
    readonly mute_config?: {
      readonly end_time?: string | null;
      readonly selected_time_window?: number | null;
    } | null;
    readonly message_notifications?: number | null;
    readonly suppress_everyone?: boolean | null;
    readonly suppress_roles?: boolean | null;
    readonly channel_overrides?: readonly {
      readonly channel_id: string;
      readonly muted?: boolean | null;
      readonly mute_config?: {
        readonly end_time?: string | null;
        readonly selected_time_window?: number | null;
      } | null;
      readonly message_notifications?: number | null;
    }[] | null;
  };
  /** Ask somebody to be friends, accept what they asked (1, or none), or block them (2). */
  readonly 'relationship.set': {
    readonly user_id: string;
    readonly kind?: 1 | 2 | null;
  };
  /** Take back or refuse a request, end a friendship, or unblock somebody. */
  readonly 'relationship.delete': {
    readonly user_id: string;
  };
  /** Create an application and its bot, with the bot's token. */
  readonly 'application.create': {
    readonly name: string;
  };
  /** Replace a bot's token. The former one no longer counts, and its sockets are closed. */
  readonly 'bot.reset': {
    readonly application_id: string;
  };
  /** Let a person administer the server, as you do. */
  readonly 'administrator.name': {
    readonly user_id: string;
  };
  /** Somebody no longer administers the server. The last one stays. */
  readonly 'administrator.remove': {
    readonly user_id: string;
  };
  /** Shut an account: it is signed out everywhere, nobody signs in until it is opened again, and it no longer administers the server. */
  readonly 'user.disable': {
    readonly user_id: string;
  };
  /** Open an account that was shut. */
  readonly 'user.enable': {
    readonly user_id: string;
  };
  /** Delete an account at once, with the texts that its owner wrote. It must own no guild. */
  readonly 'user.delete': {
    readonly user_id: string;
  };
}
