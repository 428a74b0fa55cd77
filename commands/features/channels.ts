/** The text channels of a guild, and typing in any channel. */

import { isDeepStrictEqual } from 'node:util';
import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as channel from '../../domain/channel.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import { BitSet, list, optional, Snowflake, text, visibleText } from '../../schemas/codecs.ts';
import { Overwrite } from '../../schemas/events/channel.ts';
import { OnChannel, OnGuild } from '../../schemas/http/route.ts';
import { channelStream } from '../../schemas/streams.ts';
import { command, NOTHING, refused } from '../command.ts';

const MAX_CHANNELS = 500;
const MAX_OVERWRITES = 100;
const GivenOverwrite = t.exact(t.type({ ...Overwrite.props, id: Snowflake, allow: BitSet, deny: BitSet }));

export const createChannel = command({
  type: 'channel.create',
  summary: 'Create a text channel.',
  route: { method: 'POST', path: '/guilds/:guild_id/channels', status: 201, answers: 'The channel.' },
  params: OnGuild,
  body: t.intersection([
    t.type({ name: visibleText(1, 100, 'name') }),
    t.partial({
      type: optional(t.literal(0)),
      topic: optional(text(0, 1024, 'topic')),
      permission_overwrites: optional(list(GivenOverwrite, MAX_OVERWRITES)),
    }),
  ]),
  structural: true,
  limit: { bucket: 'channelCreate', key: (_, { userId }) => userId },
  rights: async ({ fields, context }, deps) => {
    const access = await deps.access.guild(context.actor.userId, fields.guild_id);
    if (access === undefined) return refused('unknownGuild');
    return allows(access.permissions, Permission.manageChannels)
      ? either.right(undefined)
      : refused('missingPermissions');
  },
  prepare: async ({ fields, cause }, deps) => {
    const { guild_id: guildId, name, topic = null, permission_overwrites: overwrites } = fields;
    if ((await deps.views.guilds.channelsOf(guildId)).length >= MAX_CHANNELS) return refused('maximumGuildChannels');
    const channelId = await deps.derivedIds.id(cause.key, channelStream);
    const kind = 'text' as const;
    return either.right({
      channelId,
      kind,
      guildId,
      name,
      topic,
      overwrites: [...(overwrites ?? [])],
      participants: [],
    });
  },
  preparedStream: ({ channelId }) => channelStream(channelId),
  decide: (state: channel.ChannelState, { prepared }, { cause }) =>
    channel.createChannel({ channel: prepared, key: cause.key }, state),
  same: (event, _asked, _deps, prepared) => event.type === 'channel-created' && isDeepStrictEqual(event.data, prepared),
  waitsFor: 'views',
  answer: async ({ prepared }, { context }, deps) => {
    const row = await deps.views.guilds.channel(prepared.channelId);
    return row === undefined
      ? refused('unavailable')
      : either.right({ kind: 'channel', channel: row, viewer: context.actor.userId });
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
