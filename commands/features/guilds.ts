/** Guilds, their channels, invites, joining and leaving. */

import { either } from 'fp-ts';
import * as guild from '../../domain/guild.ts';
import { DEFAULT_EVERYONE } from '../../domain/permissions.ts';
import type { CommandBody } from '../../schemas/commands/index.ts';
import type { ParleyEvent } from '../../schemas/events/catalogue.ts';
import { guildStream } from '../../schemas/streams.ts';
import { causeOf, type Handler, madeTheSame, outcome, refused, settled } from '../command.ts';

const FIRST_CHANNEL = 'general';

export const createGuild: Handler<CommandBody<'guild.create'>> = async (deps, context, command, gate) => {
  const passed = await gate();
  if (either.isLeft(passed)) return passed;
  const cause = causeOf(context, 'guild.create');
  const guildId = await deps.creation.id(cause.key, guildStream);
  const stream = guildStream(guildId);
  const data = {
    guildId,
    name: command.name,
    ownerId: context.actor.userId,
    everyone: DEFAULT_EVERYONE.toString(),
    firstChannel: { id: deps.ids(deps.now()), name: FIRST_CHANNEL },
  };
  const result = await deps.mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: guild.GuildState) => guild.createGuild({ guild: data }, state),
  });
  if (either.isLeft(result)) return result;
  const asked = (first: ParleyEvent) => first.type === 'guild-created' && first.data.name === data.name;
  if (!(await madeTheSame(deps, context, stream, result.right, asked))) return refused('keyReused');
  const ready = await settled(deps, stream, cause.key, result.right);
  if (either.isLeft(ready)) return ready;
  const row = await deps.views.guilds.guild(guildId);
  if (row === undefined) return refused('unavailable');
  const channels = await deps.views.guilds.channelsOf(guildId);
  return outcome(stream, result.right, {
    ...deps.presenter.guild(row),
    channels: await Promise.all(channels.map((one) => deps.presenter.channel(one, context.actor.userId))),
  });
};
