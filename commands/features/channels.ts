/** Direct channels, read markers, typing, applications: commands about one or two users. */

import { isDeepStrictEqual } from 'node:util';
import { either } from 'fp-ts';
import * as channel from '../../domain/channel.ts';
import { allows, Permission } from '../../domain/permissions.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import { fieldError } from '../../schemas/errors.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { channelStream } from '../../schemas/streams.ts';
import { causeOf, followed, type Handler, madeTheSame, outcome, refused } from '../command.ts';

const MAX_CHANNELS = 500;

export const createChannel: Handler<CommandBody<'channel.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const access = await deps.access.guild(context.actor.userId, command.guild_id);
  if (access === undefined) return refused('unknownGuild');
  if (!allows(access.permissions, Permission.manageChannels)) return refused('missingPermissions');
  if ((await deps.views.guilds.channelsOf(command.guild_id)).length >= MAX_CHANNELS)
    return refused('maximumGuildChannels');
  const overwrites = command.permission_overwrites ?? [];
  if (overwrites.some(({ allow, deny }) => !/^\d{1,20}$/.test(allow) || !/^\d{1,20}$/.test(deny)))
    return either.left(
      fieldError(['permission_overwrites'], 'BASE_TYPE_INVALID', 'allow and deny must be bit sets as decimal strings.'),
    );
  const cause = causeOf(context, 'channel.create');
  const channelId = await deps.creation.id(cause.key, channelStream);
  const stream = channelStream(channelId);
  const data = {
    channelId,
    kind: 'text' as const,
    guildId: command.guild_id,
    name: command.name,
    topic: command.topic ?? null,
    overwrites: [...overwrites],
    participants: [],
  };
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: channel.ChannelState) => channel.createChannel({ channel: data, key: cause.key }, state),
  });
  if (either.isLeft(result)) return result;
  const asked = (first: ParleyEvent) => first.type === 'channel-created' && isDeepStrictEqual(first.data, data);
  if (!(await madeTheSame(deps, context, stream, result.right, asked))) return refused('keyReused');
  const ready = await followed(deps, result.right.position);
  if (either.isLeft(ready)) return ready;
  const row = await deps.views.guilds.channel(channelId);
  if (row === undefined) return refused('unavailable');
  return outcome(stream, result.right, await deps.presenter.channel(row, context.actor.userId));
};

export const startTyping: Handler<CommandBody<'typing.start'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const { userId } = context.actor;
  const access = await deps.access.channel(userId, command.channel_id);
  if (access === undefined) return refused('unknownChannel');
  if (!allows(access.permissions, Permission.sendMessages)) return refused('missingPermissions');
  const { channel } = access;
  deps.ephemeral.typing({ channelId: channel.id, guildId: channel.guildId, userId, time: deps.now() });
  return either.right({
    position: deps.views.progress('guild-views').checkpoint(),
    stream: channelStream(channel.id),
    sequence: 0,
    result: null,
  });
};
