/** Guilds. A guild is created together with its first channel and its owner's membership. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as guild from '../../domain/guild.ts';
import { DEFAULT_EVERYONE, type MemberRights } from '../../domain/permissions.ts';
import { rowOfChannel, rowOfGuild } from '../../projections/views/guild-views/view.ts';
import type { Actor } from '../../schemas/actor.ts';
import { optional, text, visibleText } from '../../schemas/codecs.ts';
import type { EventData } from '../../schemas/events/catalogue.ts';
import { PLAIN } from '../../schemas/events/channel.ts';
import { OnGuild } from '../../schemas/http/route.ts';
import { CreatedGuild, Guild } from '../../schemas/http/shapes.ts';
import { guildStream } from '../../schemas/streams.ts';
import { type Asked, type CommandDeps, command, creating, type Result, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import { channelStep, joiningStep } from '../processes.ts';

const FIRST_CHANNEL = 'general';

const firstChannelOf = ({ guildId, firstChannel }: EventData<'guild-created'>): EventData<'channel-created'> => ({
  ...{ channelId: firstChannel.id, kind: 'text', guildId, name: firstChannel.name },
  ...{ topic: null, overwrites: [], participants: [], ...PLAIN },
});

export const GuildName = visibleText(2, 100, 'name');

/**
 * Whether a person may be in no further guild. Counted in the views: what puts the person into a guild holds up the
 * person's later commands, so only those who ask several processes at once may exceed it by as many.
 */
export const inTooManyGuilds = async ({ views, bounds }: CommandDeps, { kind, userId }: Actor): Promise<boolean> =>
  kind !== 'bot' && (await views.guilds.guildsOf(userId)).length >= bounds.guilds;

/** What there is of a guild beyond its name and description. */
const notThere = {
  ...{ icon: [''], roles: [], channels: [], verification_level: [0], default_message_notifications: [0] },
  ...{ explicit_content_filter: [0], afk_channel_id: [], afk_timeout: [], system_channel_id: [] },
  ...{ system_channel_flags: [0], guild_template_code: [] },
};

export const createGuild = command({
  type: 'guild.create',
  summary: 'Create a guild, with a first text channel.',
  route: { method: 'POST', path: '/guilds', status: 201, answers: 'The guild and its channels.', answer: CreatedGuild },
  body: t.type({ name: GuildName }),
  structural: true,
  check: refuseNotThere({ ...notThere, description: [''] }),
  holdsUp: true,
  limit: { bucket: 'guildCreate', key: (_, { userId }) => userId },
  prepare: async ({ fields, context, cause }, deps) => {
    const named = await deps.names.id(creating(context, cause));
    if (either.isLeft(named)) return named;
    const made = {
      guildId: named.right,
      name: fields.name,
      ownerId: context.actor.userId,
      everyone: DEFAULT_EVERYONE.toString(),
      firstChannel: { id: deps.ids(deps.now()), name: FIRST_CHANNEL },
    };
    return either.right({ guild: made, isFull: await inTooManyGuilds(deps, context.actor) });
  },
  preparedStream: ({ guild: { guildId } }) => guildStream(guildId),
  decide: (state: guild.GuildState, { prepared }) => guild.createGuild(prepared, state),
  follow: {
    // The owner joins last, because joining is what reveals the guild.
    'guild-created': ({ data }) => [channelStep(firstChannelOf(data)), joiningStep(data.guildId, data.ownerId, null)],
  },
  same: (event, { fields }) => event.type === 'guild-created' && event.data.name === fields.name,
  waitsFor: 'processes',
  answer: async ({ event }, { context }, deps) => {
    if (event?.type !== 'guild-created') return refused('keyReused');
    const { guilds } = deps.views;
    const { guildId: id } = event.data;
    const guild = (await guilds.guild(id)) ?? rowOfGuild({ ...event.data, id }, 1);
    const known = await guilds.channelsOf(id);
    const channels = known.length > 0 ? known : [rowOfChannel(firstChannelOf(event.data), event.position)];
    return either.right({ kind: 'guild', guild, channels, viewer: context.actor.userId });
  },
});

/** The caller, who must be a member. */
export const memberOfGuild = async (
  { fields, context }: Asked<{ readonly guild_id: string }>,
  deps: CommandDeps,
): Promise<Result<MemberRights>> => {
  const access = await deps.access.guild(context.actor.userId, fields.guild_id);
  return access === undefined ? refused('unknownGuild') : either.right(access.member);
};

const GuildPatch = t.partial({ name: optional(GuildName), description: optional(text(0, 300, 'description')) });

/** A name cannot be emptied. */
const patchOf = ({ name, description }: t.TypeOf<typeof GuildPatch>) => ({ name: name ?? undefined, description });

export const editGuild = command({
  type: 'guild.edit',
  summary: "Change a guild's name and description.",
  route: { method: 'PATCH', path: '/guilds/:guild_id', status: 200, answers: 'The guild.', answer: Guild },
  params: OnGuild,
  body: GuildPatch,
  structural: true,
  check: refuseNotThere({
    ...{ ...notThere, region: [], owner_id: [], splash: [], discovery_splash: [], banner: [], rules_channel_id: [] },
    ...{ public_updates_channel_id: [], preferred_locale: ['en-US'], features: [], safety_alerts_channel_id: [] },
    ...{ premium_progress_bar_enabled: [false] },
  }),
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: memberOfGuild,
  decide: (state: guild.GuildState, { rights: actor }, { fields, cause }) =>
    guild.editGuild({ guildId: fields.guild_id, actor, key: cause.key, patch: patchOf(fields) }, state),
  same: (event, { fields }) => event.type === 'guild-edited' && guild.isEdited(event.data.details, patchOf(fields)),
  waitsFor: 'views',
  answer: async ({ event }, { fields, context }, deps) => {
    const row = await deps.views.guilds.guild(fields.guild_id);
    if (row === undefined) return refused('unknownGuild');
    const edited = event?.type === 'guild-edited' ? { ...row, ...event.data.details } : row;
    return either.right({ kind: 'guild', guild: edited, viewer: context.actor.userId });
  },
});
