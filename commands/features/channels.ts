/** The text channels of a guild, and typing in any channel. */

import { isDeepStrictEqual } from 'node:util';
import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { ChannelState } from '../../domain/channel.ts';
import * as settings from '../../domain/channel-settings.ts';
import * as guild from '../../domain/guild.ts';
import { MAX_OVERWRITES } from '../../domain/overwrites.ts';
import { asksFor } from '../../domain/patch.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import { type ChannelRow, rowOfChannel, withDetails } from '../../projections/views/guild-views/view.ts';
import { integer, list, optional, text, visibleText } from '../../schemas/codecs.ts';
import type { EventData } from '../../schemas/events/catalogue.ts';
import { OnChannel, OnGuild } from '../../schemas/http/route.ts';
import { Channel } from '../../schemas/http/shapes.ts';
import { channelStream, guildStream } from '../../schemas/streams.ts';
import { type CommandDeps, command, NOTHING, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import type { Answer } from '../port.ts';
import { channelStep } from '../processes.ts';
import { actorInChannel } from './messages.ts';
import { GivenOverwrite, overwriteOf } from './overwrites.ts';

/** What there is of a channel beyond its name, topic, place and overwrites, and whether it is for adults only. */
const notThere = {
  ...{ parent_id: ['0', 0], rate_limit_per_user: [0], bitrate: [0], user_limit: [0] },
  ...{ rtc_region: [], video_quality_mode: [1], default_auto_archive_duration: [], default_reaction_emoji: [] },
  ...{
    available_tags: [],
    default_sort_order: [],
    default_forum_layout: [0],
    flags: [0],
    icon_emoji: [],
    theme_color: [],
  },
  ...{ default_thread_rate_limit_per_user: [0] },
};

/** A channel with what was last said in it and last pinned. */
export const channelAnswer = async ({ views }: CommandDeps, channel: ChannelRow, viewer: string): Promise<Answer> => {
  const { id } = channel;
  const [head, pinned] = await Promise.all([views.unread.head(id), views.pins.lastPinned([id])]);
  return { kind: 'channel', channel, viewer, head, lastPinned: pinned.get(id) };
};

export const ChannelName = visibleText(1, 100, 'name');

const NewChannel = t.intersection([
  t.type({ name: ChannelName }),
  t.partial({
    type: optional(t.literal(0)),
    topic: optional(text(0, 1024, 'topic')),
    permission_overwrites: optional(list(GivenOverwrite, MAX_OVERWRITES, ({ id }) => id)),
  }),
]);

const asked = (
  fields: t.TypeOf<typeof OnGuild> & t.TypeOf<typeof NewChannel>,
  channelId: string,
): EventData<'channel-requested'> => ({
  ...{ channelId, kind: 'text', guildId: fields.guild_id, name: fields.name, topic: fields.topic ?? null },
  overwrites: (fields.permission_overwrites ?? []).map(overwriteOf),
  participants: [],
});

export const createChannel = command({
  type: 'channel.create',
  summary: 'Create a text channel.',
  route: { method: 'POST', path: '/guilds/:guild_id/channels', status: 201, answers: 'The channel.', answer: Channel },
  params: OnGuild,
  body: NewChannel,
  structural: true,
  check: refuseNotThere({ ...notThere, nsfw: [false], position: [0] }),
  limit: { bucket: 'channelCreate', key: (_, { userId }) => userId },
  stream: ({ guild_id }) => guildStream(guild_id),
  rights: async ({ fields, context }, deps) => {
    const access = await deps.access.guild(context.actor.userId, fields.guild_id);
    if (access === undefined) return refused('unknownGuild');
    return allows(access.permissions, Permission.manageChannels)
      ? either.right(undefined)
      : refused('missingPermissions');
  },
  prepare: async ({ fields }, deps) => either.right(await deps.views.guilds.channelsOf(fields.guild_id)),
  decide: (state: guild.GuildState, { prepared: known }, { fields, cause }, deps) =>
    guild.requestChannel({ channel: asked(fields, deps.ids(deps.now())), known, key: cause.key }, state),
  follow: { 'channel-requested': ({ data }) => [channelStep(data)] },
  same: (event, { fields }) =>
    event.type === 'channel-requested' && isDeepStrictEqual(event.data, asked(fields, event.data.channelId)),
  waitsFor: 'processes',
  answer: async ({ event }, { context }, deps) => {
    if (event?.type !== 'channel-requested') return refused('keyReused');
    const { guilds } = deps.views;
    const { channelId, guildId } = event.data;
    const row = await guilds.channel(channelId);
    const others = (await guilds.channelsOf(guildId!)).filter(({ id }) => id !== channelId);
    const channel = row ?? rowOfChannel(event.data, event.position, others.length);
    return either.right({ kind: 'channel', channel, viewer: context.actor.userId });
  },
  names: ({ data }) => ('channelId' in data ? channelStream(data.channelId) : undefined),
});

const MAX_POSITION = 2 ** 31 - 1;

export const editChannel = command({
  type: 'channel.edit',
  summary: "Change a channel's name, topic, place in the list, and whether it is for adults only.",
  route: { method: 'PATCH', path: '/channels/:channel_id', status: 200, answers: 'The channel.', answer: Channel },
  params: OnChannel,
  body: t.partial({
    name: optional(ChannelName),
    type: optional(t.literal(0)),
    topic: optional(text(0, 1024, 'topic')),
    nsfw: optional(t.boolean),
    position: optional(integer(0, MAX_POSITION)),
  }),
  structural: true,
  check: refuseNotThere({ ...notThere, permission_overwrites: [] }),
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  decide: (state: ChannelState, { rights }, { fields, cause }) => {
    const { channel_id: channelId, name, topic, nsfw, position } = fields;
    const patch = { name: name ?? undefined, topic, nsfw, position };
    return settings.editChannel({ ...rights, key: cause.key, channelId, patch }, state);
  },
  same: (event, { fields }) => event.type === 'channel-edited' && asksFor(event.data.details, fields),
  waitsFor: 'views',
  answer: async ({ event }, { fields, context }, deps) => {
    const row = await deps.views.guilds.channel(fields.channel_id);
    if (row === undefined) return refused('unknownChannel');
    const channel = withDetails(row, event?.type === 'channel-edited' ? event.data.details : undefined);
    return either.right(await channelAnswer(deps, channel, context.actor.userId));
  },
});

export const deleteChannel = command({
  type: 'channel.delete',
  summary: 'Delete a channel and all that was said in it.',
  route: {
    method: 'DELETE',
    path: '/channels/:channel_id',
    status: 200,
    answers: 'The channel as it was.',
    answer: Channel,
  },
  params: OnChannel,
  structural: true,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  decide: (state: ChannelState, { rights }, { fields: { channel_id: channelId }, cause }) =>
    settings.deleteChannel({ ...rights, key: cause.key, channelId }, state),
  same: (event) => event.type === 'channel-deleted',
  waitsFor: 'views',
  answer: async (_, { fields, context }, deps) => {
    const channel = await deps.views.guilds.channel(fields.channel_id);
    if (channel === undefined) return refused('unknownChannel');
    return either.right({ kind: 'channel', channel, viewer: context.actor.userId });
  },
});

export const startTyping = command({
  type: 'typing.start',
  summary: 'You are typing, for ten seconds.',
  route: { method: 'POST', path: '/channels/:channel_id/typing', status: 204, answers: 'Nothing.' },
  params: OnChannel,
  structural: false,
  carryOut: async ({ fields, context }, deps) => {
    const { userId } = context.actor;
    const access = await deps.access.channel(userId, fields.channel_id);
    if (access === undefined) return refused('unknownChannel');
    if (!allows(access.permissions, Permission.sendMessages)) return refused('missingPermissions');
    const { id: channelId, guildId } = access.channel;
    deps.ephemeral.typing({ channelId, guildId, userId, time: deps.now() });
    const position = deps.views.progress('guild-views').checkpoint();
    return either.right({ position, stream: channelStream(channelId), sequence: 0, answer: NOTHING });
  },
});
