/**
 * What clients receive, in the shapes of Discord's API v10 (the npm package discord-api-types describes them). The presenter's
 * types and OpenAPI follow from these codecs.
 */

import * as t from 'io-ts';
import { list } from '../codecs.ts';

/** Answers are made here, so these only name what OpenAPI says of the text. */
const named = (name: string) => new t.Type<string, string, unknown>(name, t.string.is, t.string.validate, t.identity);
const Id = named('Snowflake');
const Bits = named('BitSet');
const Time = named('Time');

const orNull = <C extends t.Mixed>(codec: C) => t.union([codec, t.null]);
const listOf = t.readonlyArray;
/** Always empty: the thing does not exist here. */
const nothing = t.readonly(list(t.unknown, 0));

export const User = t.readonly(
  t.type({
    id: Id,
    username: t.string,
    global_name: orNull(t.string),
    discriminator: t.string,
    avatar: t.null,
    bot: t.boolean,
    public_flags: t.number,
  }),
);

const CustomStatus = orNull(t.type({ text: t.string, emoji_id: t.null, emoji_name: t.null }));

/** What only the user's own sessions see. Nobody gives an address here. */
export const Self = t.readonly(
  t.type({
    ...User.type.props,
    email: t.null,
    verified: t.boolean,
    mfa_enabled: t.boolean,
    flags: t.number,
    premium_type: t.number,
    locale: t.string,
    bio: t.string,
    banner: t.null,
    /** 24 bits: red, green, blue. */
    accent_color: orNull(t.number),
    pronouns: t.string,
    custom_status: CustomStatus,
  }),
);

/** The token that a change of password gives. */
export const SelfWithToken = t.readonly(t.intersection([t.type(Self.type.props), t.partial({ token: t.string })]));

/** As everybody sees them who asks for this user. */
export const FullUser = t.readonly(t.type({ ...User.type.props, banner: t.null, accent_color: orNull(t.number) }));

export const UserProfile = t.readonly(
  t.type({
    user: t.type({ ...FullUser.type.props, bio: t.string }),
    user_profile: t.type({
      bio: t.string,
      accent_color: orNull(t.number),
      pronouns: t.string,
      banner: t.null,
      theme_colors: t.null,
    }),
    custom_status: CustomStatus,
    connected_accounts: nothing,
    premium_type: t.null,
    premium_since: t.null,
    premium_guild_since: t.null,
    badges: nothing,
    guild_badges: nothing,
    legacy_username: t.null,
    mutual_guilds: listOf(t.type({ id: Id, nick: t.null })),
  }),
);
export const Relationship = t.readonly(
  t.type({
    id: Id,
    /** 1 a friend, 2 blocked, 3 has asked to be friends, 4 was asked. */
    type: t.number,
    nickname: t.null,
    user: User,
    since: Time,
  }),
);

const silencing = {
  muted: t.boolean,
  mute_config: orNull(
    t.type({
      /** Null: for good. */
      end_time: orNull(Time),
      /** Seconds, as the person chose them. */
      selected_time_window: orNull(t.number),
    }),
  ),
  /** 0 all messages, 1 those that mention the person, 2 none, 3 as what is around it says. */
  message_notifications: t.number,
};

export const GuildSettings = t.readonly(
  t.type({
    /** Null: of direct messages. */
    guild_id: orNull(Id),
    ...silencing,
    suppress_everyone: t.boolean,
    suppress_roles: t.boolean,
    channel_overrides: listOf(t.type({ channel_id: Id, ...silencing, collapsed: t.boolean, flags: t.number })),
    mobile_push: t.boolean,
    mute_scheduled_events: t.boolean,
    hide_muted_channels: t.boolean,
    notify_highlights: t.number,
    flags: t.number,
    version: t.number,
  }),
);

export const PartialMember = t.readonly(
  t.type({
    nick: orNull(t.string),
    avatar: t.null,
    roles: listOf(Id),
    joined_at: Time,
    premium_since: t.null,
    deaf: t.boolean,
    mute: t.boolean,
    flags: t.number,
    pending: t.boolean,
    /** It may be over. */
    communication_disabled_until: orNull(Time),
  }),
);

export const Member = t.readonly(t.type({ ...PartialMember.type.props, user: User }));

export const Ban = t.readonly(t.type({ reason: orNull(t.string), user: User }));

export const BulkBan = t.readonly(t.type({ banned_users: listOf(Id), failed_users: listOf(Id) }));

/** By role. */
export const MemberCounts = t.readonly(t.record(t.string, t.number));

/** How somebody became a member. */
export const JoinSource = t.readonly(
  t.type({ member: Member, source_invite_code: orNull(t.string), inviter_id: orNull(Id) }),
);

export const ShownOverwrite = t.readonly(t.type({ id: Id, type: t.number, allow: Bits, deny: Bits }));

const ChannelType = t.union([
  ...([t.literal(0), t.literal(1), t.literal(3), t.literal(4), t.literal(5), t.literal(11), t.literal(12)] as const),
]);

/** Who is in a thread. */
export const ThreadMember = t.readonly(
  t.intersection([
    t.type({ id: Id, user_id: Id, join_timestamp: Time, flags: t.number }),
    t.partial({ member: Member }),
  ]),
);

const ThreadMetadata = t.readonly(
  t.intersection([
    t.type({
      archived: t.boolean,
      auto_archive_duration: t.number,
      archive_timestamp: Time,
      locked: t.boolean,
      create_timestamp: Time,
    }),
    t.partial({ invitable: t.boolean }),
  ]),
);

export const Channel = t.readonly(
  t.intersection([
    t.type({
      id: Id,
      /** 0 text channel of a guild, 1 direct channel, 3 group, 4 category, 5 announcements, 11 public thread, 12 private thread. */
      type: ChannelType,
      last_message_id: orNull(Id),
      last_pin_timestamp: orNull(Time),
      flags: t.number,
    }),
    t.partial({
      guild_id: Id,
      name: orNull(t.string),
      topic: orNull(t.string),
      position: t.number,
      permission_overwrites: listOf(ShownOverwrite),
      parent_id: orNull(Id),
      nsfw: t.boolean,
      rate_limit_per_user: t.number,
      /** Of direct channels and groups: the others. */
      recipients: listOf(User),
      /** Of groups: none. */
      icon: t.null,
      owner_id: Id,
      message_count: t.number,
      total_message_sent: t.number,
      member_count: t.number,
      thread_metadata: ThreadMetadata,
      member: ThreadMember,
    }),
  ]),
);

/** Threads, with the asker's own membership of those that they have joined. */
const threadList = { threads: listOf(Channel), members: listOf(ThreadMember) };
export const ActiveThreads = t.readonly(t.type(threadList));
export const ArchivedThreads = t.readonly(t.type({ ...threadList, has_more: t.boolean }));

export const Role = t.readonly(
  t.intersection([
    t.type({
      id: Id,
      name: t.string,
      color: t.number,
      colors: t.readonly(t.type({ primary_color: t.number, secondary_color: t.null, tertiary_color: t.null })),
      hoist: t.boolean,
      icon: t.null,
      unicode_emoji: t.null,
      position: t.number,
      permissions: Bits,
      managed: t.boolean,
      mentionable: t.boolean,
      flags: t.number,
    }),
    /** Of the role that a bot has from when it was added. */
    t.partial({ tags: t.readonly(t.type({ bot_id: Id })) }),
  ]),
);

/** What somebody outside a guild sees of it. */
export const GuildCard = t.readonly(
  t.type({
    id: Id,
    name: t.string,
    icon: t.null,
    splash: t.null,
    banner: t.null,
    description: orNull(t.string),
    features: listOf(t.string),
    verification_level: t.number,
    vanity_url_code: t.null,
    nsfw_level: t.number,
    nsfw: t.boolean,
    premium_tier: t.number,
    premium_subscription_count: t.number,
  }),
);

const Counts = t.partial({ approximate_presence_count: t.number });

export const Incidents = t.readonly(
  t.type({
    invites_disabled_until: orNull(Time),
    dms_disabled_until: orNull(Time),
    dm_spam_detected_at: t.null,
    raid_detected_at: t.null,
  }),
);

/** A guild that anybody finds. */
export const PublicGuild = t.readonly(t.type({ ...GuildCard.type.props, approximate_member_count: t.number }));

const guildProps = {
  ...GuildCard.type.props,
  discovery_splash: t.null,
  owner_id: Id,
  region: t.string,
  afk_channel_id: t.null,
  afk_timeout: t.number,
  system_channel_id: orNull(Id),
  system_channel_flags: t.number,
  rules_channel_id: t.null,
  public_updates_channel_id: t.null,
  safety_alerts_channel_id: orNull(Id),
  application_id: t.null,
  default_message_notifications: t.number,
  explicit_content_filter: t.number,
  mfa_level: t.number,
  premium_progress_bar_enabled: t.boolean,
  preferred_locale: t.string,
  incidents_data: orNull(Incidents),
  max_members: t.number,
  max_presences: t.null,
  max_video_channel_users: t.number,
  max_stage_video_channel_users: t.number,
  widget_enabled: t.boolean,
  widget_channel_id: t.null,
  emojis: nothing,
  stickers: nothing,
  roles: listOf(Role),
  approximate_member_count: t.number,
};

export const Guild = t.readonly(t.intersection([t.type(guildProps), Counts]));

export const CreatedGuild = t.readonly(t.type({ ...guildProps, channels: listOf(Channel) }));

/** A guild in the list of one's own. */
export const OwnGuild = t.readonly(
  t.intersection([
    t.type({
      id: Id,
      name: t.string,
      icon: t.null,
      banner: t.null,
      owner: t.boolean,
      permissions: Bits,
      features: nothing,
      approximate_member_count: t.number,
    }),
    Counts,
  ]),
);

export const Reaction = t.readonly(
  t.type({
    emoji: t.readonly(t.type({ id: t.null, name: t.string })),
    count: t.number,
    count_details: t.readonly(t.type({ burst: t.number, normal: t.number })),
    me: t.boolean,
    me_burst: t.boolean,
    burst_colors: listOf(t.string),
  }),
);

const messageProps = {
  id: Id,
  channel_id: Id,
  author: User,
  content: t.string,
  timestamp: Time,
  edited_timestamp: orNull(Time),
  tts: t.boolean,
  mention_everyone: t.boolean,
  mentions: listOf(User),
  mention_roles: listOf(Id),
  attachments: nothing,
  embeds: listOf(t.UnknownRecord),
  components: nothing,
  sticker_items: nothing,
  pinned: t.boolean,
  type: t.number,
  flags: t.number,
  /** The channel sequence of the event that posted it. */
  sequence: t.number,
  /** The n-th message of the channel. */
  ordinal: t.number,
};

const messageOptions = {
  guild_id: Id,
  member: PartialMember,
  reactions: listOf(Reaction),
  nonce: t.union([t.string, t.number]),
  message_reference: t.readonly(
    t.intersection([
      /** 0: replies to it or tells of it; 1: forwards it. */
      t.type({ type: t.union([t.literal(0), t.literal(1)]), channel_id: Id }),
      t.partial({ message_id: Id, guild_id: Id }),
    ]),
  ),
  /** Of a forward. Nothing is copied: the reader asks for the message itself, by their own rights. */
  message_snapshots: nothing,
  /** That begins at it. */
  thread: Channel,
};

/** A message that another one replies to. */
export const RepliedMessage = t.readonly(t.intersection([t.type(messageProps), t.partial(messageOptions)]));

export const Message = t.readonly(
  t.intersection([t.type(messageProps), t.partial({ ...messageOptions, referenced_message: orNull(RepliedMessage) })]),
);

const reportProps = {
  id: Id,
  /** open, answered or closed. */
  state: t.string,
  /** What is wrong with the message, in one word. */
  kind: t.string,
  /** What the reporter writes; null where it can no longer be read. */
  text: orNull(t.string),
  guild_id: orNull(Id),
  channel_id: Id,
  message_id: Id,
  created_at: Time,
  /** Of the last answer. */
  answered_at: orNull(Time),
  /** What the last answer says to the reporter. */
  note: orNull(t.string),
};

/** A report, as its reporter sees it. */
export const OwnReport = t.readonly(t.type(reportProps));

/** For those who handle it, also with who reported whom, who answered, and the message as long as it is there. */
export const Report = t.readonly(
  t.intersection([
    t.type(reportProps),
    t.partial({ reporter: User, author: User, answered_by: orNull(User), message: orNull(Message) }),
  ]),
);

export const Invite = t.readonly(
  t.intersection([
    t.type({
      code: t.string,
      type: t.literal(0),
      guild_id: Id,
      guild: GuildCard,
      channel: t.readonly(t.type({ id: Id, name: orNull(t.string), type: ChannelType })),
      inviter: User,
      uses: t.number,
      max_uses: t.number,
      max_age: t.number,
      temporary: t.boolean,
      created_at: Time,
      expires_at: orNull(Time),
      flags: t.number,
      approximate_member_count: t.number,
    }),
    /** `url`: where people follow it, on servers with a public URL. */
    t.partial({ url: t.string, approximate_presence_count: t.number }),
  ]),
);

/** Values are of the field's type; one that is null is left out. */
export const AuditChange = t.readonly(
  t.intersection([t.type({ key: t.string }), t.partial({ new_value: t.unknown, old_value: t.unknown })]),
);

export const AuditEntry = t.readonly(
  t.intersection([
    t.type({ id: Id, action_type: t.number, user_id: Id, target_id: orNull(Id) }),
    t.partial({ changes: listOf(AuditChange), options: t.record(t.string, t.string), reason: t.string }),
  ]),
);

export const AuditLog = t.readonly(
  t.type({
    audit_log_entries: listOf(AuditEntry),
    users: listOf(User),
    threads: listOf(Channel),
    application_commands: nothing,
    auto_moderation_rules: nothing,
    guild_scheduled_events: nothing,
    integrations: nothing,
    webhooks: nothing,
  }),
);

export const Application = t.readonly(
  t.type({
    id: Id,
    name: t.string,
    icon: t.null,
    description: t.string,
    summary: t.string,
    bot_public: t.boolean,
    bot_require_code_grant: t.boolean,
    flags: t.number,
    verify_key: t.string,
    bot: User,
    owner: orNull(User),
    team: t.null,
    tags: nothing,
    redirect_uris: nothing,
    hook: t.boolean,
    integration_types_config: t.record(t.string, t.UnknownRecord),
    interactions_endpoint_url: t.null,
    role_connections_verification_url: t.null,
    event_webhooks_url: t.null,
    event_webhooks_status: t.number,
    approximate_guild_count: t.number,
    approximate_user_install_count: t.number,
    approximate_user_authorization_count: t.number,
  }),
);

/** `token` is null where a repeat comes after the token was replaced. */
export const CreatedApplication = t.readonly(
  t.type({
    id: Id,
    name: t.string,
    owner: t.type({ id: Id }),
    bot: t.type({ ...User.type.props, token: orNull(t.string) }),
  }),
);

/** `auth_token` is the same, as Discord calls it. */
export const Token = t.readonly(t.type({ token: t.string, auth_token: t.string, expires_at: Time }));
export const SignedIn = t.readonly(t.type({ ...Token.type.props, gateway_url: t.string, user: Self }));
export const SignIns = t.readonly(
  t.type({
    user_sessions: listOf(
      t.readonly(
        t.type({
          id_hash: t.string,
          approx_last_used_time: Time,
          client_info: t.type({ platform: orNull(t.string), os: t.null, location: t.null }),
          created_at: Time,
          expires_at: Time,
        }),
      ),
    ),
  }),
);

const registrationInvite = {
  ...{ id: t.string, max_uses: t.number, uses: t.number, created_at: Time, expires_at: orNull(Time), inviter_id: Id },
};
export const RegistrationInvite = t.readonly(t.type(registrationInvite));
export const NewRegistrationInvite = t.readonly(t.type({ ...registrationInvite, code: t.string }));
export const PasswordReset = t.readonly(t.type({ code: t.string, expires_at: Time }));

export const BotToken = t.readonly(t.type({ token: orNull(t.string) }));

export const ReadState = t.readonly(
  t.type({
    channel_id: Id,
    last_message_id: orNull(Id),
    read_ordinal: t.number,
    unread_count: t.number,
    mention_count: t.number,
  }),
);
export const Acknowledged = t.readonly(t.type({ token: t.null }));

export const PinPage = t.readonly(
  t.type({ items: listOf(t.readonly(t.type({ pinned_at: Time, message: Message }))), has_more: t.boolean }),
);

/** What a message said, oldest first. */
export const EditHistory = t.readonly(
  t.type({
    versions: listOf(
      t.readonly(t.type({ content: t.string, embeds: listOf(t.UnknownRecord), timestamp: Time, sequence: t.number })),
    ),
    next_sequence: orNull(t.number),
  }),
);

export const Gateway = t.readonly(t.type({ url: t.string }));
export const GatewayForBots = t.readonly(
  t.type({
    url: t.string,
    shards: t.number,
    session_start_limit: t.readonly(
      t.type({ total: t.number, remaining: t.number, reset_after: t.number, max_concurrency: t.number }),
    ),
  }),
);

export const StreamState = t.readonly(
  t.type({ stream: t.string, sequence: t.number, time: orNull(Time), state: t.UnknownRecord }),
);

/** Always empty. */
export const NoneOfThem = nothing;

/** Those that OpenAPI names. */
export const SHAPES: Readonly<Record<string, t.Mixed>> = {
  ...{
    User,
    Self,
    SelfWithToken,
    FullUser,
    UserProfile,
    PartialMember,
    Member,
    ShownOverwrite,
    Channel,
    ThreadMember,
    ActiveThreads,
    ArchivedThreads,
    Role,
    GuildCard,
    Guild,
    CreatedGuild,
    OwnGuild,
  },
  ...{ AuditLog, AuditEntry, AuditChange },
  ...{ Reaction, Message, RepliedMessage, Invite, Application, CreatedApplication, Token, SignedIn, BotToken },
  ...{ SignIns, RegistrationInvite, NewRegistrationInvite, PasswordReset },
  ...{ ReadState, Acknowledged, PinPage, EditHistory, Gateway, GatewayForBots, StreamState },
};

/** What a route answers: JSON of this shape, lines (one JSON object each), or nothing. */
export type AnswerShape = t.Mixed | 'lines' | 'nothing';
