/** Guilds. A guild is created together with its first channel and its owner's membership. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as guild from '../../domain/guild.ts';
import { DEFAULT_EVERYONE } from '../../domain/permissions.ts';
import { visibleText } from '../../schemas/codecs.ts';
import { guildStream } from '../../schemas/streams.ts';
import { command, refused } from '../command.ts';
import { channelStep, joiningStep } from '../processes.ts';

const FIRST_CHANNEL = 'general';

export const createGuild = command({
  type: 'guild.create',
  summary: 'Create a guild, with a first text channel.',
  route: { method: 'POST', path: '/guilds', status: 201, answers: 'The guild and its channels.' },
  body: t.type({ name: visibleText(2, 100, 'name') }),
  structural: true,
  prepare: async ({ fields, context, cause }, deps) =>
    either.right({
      guildId: await deps.derivedIds.id(cause.key, guildStream),
      name: fields.name,
      ownerId: context.actor.userId,
      everyone: DEFAULT_EVERYONE.toString(),
      firstChannel: { id: deps.ids(deps.now()), name: FIRST_CHANNEL },
    }),
  preparedStream: ({ guildId }) => guildStream(guildId),
  decide: (state: guild.GuildState, { prepared }) => guild.createGuild({ guild: prepared }, state),
  follow: {
    // The owner joins last, because joining is what reveals the guild.
    'guild-created': ({ data: { guildId, ownerId, firstChannel } }) => [
      channelStep({
        ...{ channelId: firstChannel.id, kind: 'text', guildId, name: firstChannel.name },
        ...{ topic: null, overwrites: [], participants: [] },
      }),
      joiningStep(guildId, ownerId, null),
    ],
  },
  same: (event, { fields }) => event.type === 'guild-created' && event.data.name === fields.name,
  waitsFor: 'processes',
  answer: async ({ prepared: { guildId } }, { context }, deps) => {
    const row = await deps.views.guilds.guild(guildId);
    if (row === undefined) return refused('unavailable');
    const channels = await deps.views.guilds.channelsOf(guildId);
    return either.right({ kind: 'guild', guild: row, channels, viewer: context.actor.userId });
  },
});
