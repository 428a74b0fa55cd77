/** Of what a person wants to be notified, in a guild and in direct messages. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as notifications from '../../domain/notifications.ts';
import { IsoTimeText, integer, list, optional, Snowflake, timeFromIso } from '../../schemas/codecs.ts';
import { fieldError } from '../../schemas/errors.ts';
import { INHERITED, PLAIN_NOTIFICATIONS } from '../../schemas/events/settings.ts';
import { OnGuildSettings } from '../../schemas/http/route.ts';
import { GuildSettings } from '../../schemas/http/shapes.ts';
import { inParallel } from '../../schemas/parallel.ts';
import { settingsStream } from '../../schemas/streams.ts';
import { type Asked, type CommandDeps, command, type Result, refused, unlessRepeated } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';

/** Null: of direct messages. */
const guildIn = ({ guild_id }: t.TypeOf<typeof OnGuildSettings>): string | null =>
  guild_id === '@me' ? null : guild_id;

/** Channels looked up at the same time. */
const TOGETHER = 25;
/** Of one command. */
const MOST_CHANNELS = 100;

const silencing = {
  muted: optional(t.boolean),
  mute_config: optional(
    t.partial({
      end_time: optional(IsoTimeText),
      /** Seconds; -1 is for good. */
      selected_time_window: optional(integer(-1, 2 ** 31 - 1)),
    }),
  ),
  message_notifications: optional(integer(0, INHERITED)),
};
type Silencing = t.TypeOf<typeof Silencing>;
const Silencing = t.partial(silencing);

const Given = t.partial({
  ...silencing,
  suppress_everyone: optional(t.boolean),
  suppress_roles: optional(t.boolean),
  channel_overrides: optional(
    list(t.intersection([t.type({ channel_id: Snowflake }), Silencing]), MOST_CHANNELS, ({ channel_id }) => channel_id),
  ),
});

const patchOf = ({ muted, mute_config: mute, message_notifications: messages }: Silencing) => ({
  ...{ muted, messages },
  mute: mute && {
    endTime: mute.end_time == null ? null : timeFromIso(mute.end_time)!,
    window: mute.selected_time_window ?? null,
  },
});

/** What is not there is said of the guild's settings; those of its channels have no other fields. */
const notThere = {
  ...{ mobile_push: [true], mute_scheduled_events: [false], hide_muted_channels: [false], notify_highlights: [0] },
  ...{ flags: [0], version: [] },
};

/** Which of these channels the caller does not see, or are not of this guild or, for null, their own direct ones. */
const unseen = async (
  { fields, context }: Asked<t.TypeOf<typeof OnGuildSettings> & t.TypeOf<typeof Given>>,
  guildId: string | null,
  deps: CommandDeps,
): Promise<readonly string[]> => {
  const ids = (fields.channel_overrides ?? []).map(({ channel_id }) => channel_id);
  const seen = await inParallel(ids, TOGETHER, (id) => deps.access.channel(context.actor.userId, id));
  return ids.filter((_, n) => seen[n]?.channel.guildId !== guildId);
};

const NOT_SEEN = fieldError(['channel_overrides'], 'CHANNEL_INVALID', 'Must be channels there that you see.');

export const editNotifications = command({
  type: 'notifications.edit',
  summary:
    'Choose of what you are notified in a guild, or with @me in direct messages. Channels that are not named stay as they are. What is counted as unread does not change: clients hide it.',
  route: {
    method: 'PATCH',
    path: '/users/@me/guilds/:guild_id/settings',
    status: 200,
    answers: 'The settings as they are now.',
    answer: GuildSettings,
  },
  params: OnGuildSettings,
  body: Given,
  structural: true,
  check: refuseNotThere(notThere),
  limit: { bucket: 'notifications', key: (_, { userId }) => userId },
  stream: (_, { userId }) => settingsStream(userId),
  rights: async ({ fields, context }, deps): Promise<Result<void>> => {
    if (context.actor.kind === 'bot') return refused('botsCannot');
    const guildId = guildIn(fields);
    const isIn = guildId === null || (await deps.access.guild(context.actor.userId, guildId)) !== undefined;
    return isIn ? either.right(undefined) : refused('unknownGuild');
  },
  prepare: async (asked, deps) => {
    const guilds = await deps.views.guilds.guildsOf(asked.context.actor.userId);
    return either.right({
      guilds: guilds.map(({ id }) => id),
      unseen: await unseen(asked, guildIn(asked.fields), deps),
    });
  },
  decide: (state: notifications.NotificationsState, { prepared }, { fields, context, cause }, { bounds }) => {
    const guildId = guildIn(fields);
    // What is said of a channel can be taken back when it is gone.
    const had = notifications.channelsWithSettings(state, guildId);
    const wrong = prepared.unseen.every((id) => had.includes(id)) ? undefined : NOT_SEEN;
    const asked = {
      ...{ userId: context.actor.userId, guildId, key: cause.key, most: bounds.notifications, guilds: prepared.guilds },
      patch: {
        ...patchOf(fields),
        ...{ suppressEveryone: fields.suppress_everyone, suppressRoles: fields.suppress_roles },
        channels: (fields.channel_overrides ?? []).map(({ channel_id: channelId, ...given }) => ({
          ...{ channelId, ...patchOf(given) },
        })),
      },
    };
    return unlessRepeated(wrong, state, cause, notifications.changeNotifications(asked, state));
  },
  waitsFor: 'views',
  answer: async ({ event }, { fields, context }, deps) => {
    const guildId = guildIn(fields);
    if (event?.type === 'notifications-changed')
      return either.right({ kind: 'notifications', row: { guildId, notifications: event.data.notifications } });
    const rows = await deps.views.guilds.notifications(context.actor.userId);
    const row = rows.find((one) => one.guildId === guildId) ?? { guildId, notifications: PLAIN_NOTIFICATIONS };
    return either.right({ kind: 'notifications', row });
  },
});
