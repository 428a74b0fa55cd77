/** Overwrites: what a channel allows and denies to a role or to a person. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { ChannelState } from '../../domain/channel.ts';
import { deleteOverwrite, type OverwriteTarget, setOverwrite } from '../../domain/overwrites.ts';
import type { GuildRights } from '../../domain/permissions.ts';
import { BitSet, optional, Snowflake } from '../../schemas/codecs.ts';
import { Overwrite } from '../../schemas/events/channel.ts';
import { channelStream } from '../../schemas/streams.ts';
import { type Asked, type CommandDeps, command, type Result } from '../command.ts';
import { actorInChannel } from './messages.ts';

const OnOverwrite = t.type({ channel_id: Snowflake, overwrite_id: Snowflake });
const Bits = t.partial({ allow: optional(BitSet), deny: optional(BitSet) });
const Given = t.intersection([t.type({ type: Overwrite.props.type }), Bits]);

/** As one of a list. */
export const GivenOverwrite = t.intersection([t.type({ id: Snowflake, type: Overwrite.props.type }), Bits]);

/** Bits that are not given are none. */
export const overwriteOf = ({ id, type, allow, deny }: t.TypeOf<typeof GivenOverwrite>): Overwrite => ({
  ...{ id, type, allow: allow ?? '0', deny: deny ?? '0' },
});

/** @param id of a role or of a person */
export const targetIn = async (
  guild: GuildRights | undefined,
  id: string,
  deps: CommandDeps,
): Promise<OverwriteTarget | undefined> => {
  if (guild === undefined) return undefined;
  if (guild.id === id) return { kind: 'everyone' };
  const role = guild.roles.find((one) => one.id === id);
  if (role !== undefined) return { kind: 'role', role };
  const member = await deps.views.guilds.member(guild.id, id);
  return member && { kind: 'member', member };
};

/** The caller's place in the guild, and whom the overwrite is about. */
const rightsTo = async (asked: Asked<t.TypeOf<typeof OnOverwrite>>, deps: CommandDeps) => {
  const actor = await actorInChannel(asked, deps);
  if (either.isLeft(actor)) return actor;
  const target = await targetIn(actor.right.guild, asked.fields.overwrite_id, deps);
  return either.right({ ...actor.right, target }) satisfies Result<unknown>;
};

const askedOf = ({ overwrite_id: id, ...given }: t.TypeOf<typeof OnOverwrite> & t.TypeOf<typeof Given>): Overwrite =>
  overwriteOf({ id, ...given });

export const putOverwrite = command({
  type: 'overwrite.set',
  summary: 'Allow and deny a role or a person in a channel what you may do yourself.',
  route: { method: 'PUT', path: '/channels/:channel_id/permissions/:overwrite_id', status: 204, answers: 'Nothing.' },
  params: OnOverwrite,
  body: Given,
  structural: true,
  holdsUp: true,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: rightsTo,
  decide: (state: ChannelState, { rights }, { fields, cause }) =>
    setOverwrite({ ...rights, channelId: fields.channel_id, key: cause.key, overwrite: askedOf(fields) }, state),
  waitsFor: 'views',
});

export const removeOverwrite = command({
  type: 'overwrite.delete',
  summary: 'Take an overwrite from a channel: its guild decides again.',
  route: {
    method: 'DELETE',
    path: '/channels/:channel_id/permissions/:overwrite_id',
    status: 204,
    answers: 'Nothing.',
  },
  params: OnOverwrite,
  structural: true,
  holdsUp: true,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: rightsTo,
  decide: (state: ChannelState, { rights }, { fields, cause }) =>
    deleteOverwrite(
      { ...rights, channelId: fields.channel_id, key: cause.key, overwriteId: fields.overwrite_id },
      state,
    ),
  waitsFor: 'views',
});
