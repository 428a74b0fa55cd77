/** Group direct messages: who is in them, what they are called, who owns them. `direct-messages.ts` creates them. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { ChannelState } from '../../domain/channel.ts';
import { type Decision, refuse } from '../../domain/decider.ts';
import * as groups from '../../domain/groups.ts';
import { RelationshipType } from '../../domain/relationship.ts';
import { type CallerInChannel, isBlockBetween } from '../../projections/views/guild-views/access.ts';
import { optional, Snowflake } from '../../schemas/codecs.ts';
import type { ErrorName } from '../../schemas/errors.ts';
import { channelStream } from '../../schemas/streams.ts';
import { type Asked, type CommandDeps, command, type Result } from '../command.ts';
import type { Cause } from '../new-events.ts';
import { actorInChannel } from './messages.ts';

/** Whether two people share a guild, and whether every one that they share keeps new direct channels away for the moment. */
export const guildsBetween = async (a: string, b: string, { views, now }: Pick<CommandDeps, 'views' | 'now'>) => {
  const [ofOne, ofOther] = await Promise.all([views.guilds.guildsOf(a), views.guilds.guildsOf(b)]);
  const shared = ofOne.filter(({ id }) => ofOther.some((one) => one.id === id));
  const isPaused = shared.length > 0 && shared.every(({ pauses }) => (pauses.directUntil ?? 0) > now());
  return { share: shared.length > 0, isPaused };
};

/**
 * Why the caller may not put somebody into a group: they must be friends or share a guild, and neither blocks the other.
 * @returns undefined: they may
 */
export const refusedRecipient = async (
  userId: string,
  other: string,
  deps: Pick<CommandDeps, 'views' | 'now'>,
): Promise<ErrorName | undefined> => {
  const { guilds } = deps.views;
  const user = await guilds.user(other);
  if (user === undefined || user.standing.deleted) return 'unknownUser';
  if (user.kind !== 'person') return 'cannotMessageUser';
  const [isBlock, relations] = await Promise.all([
    isBlockBetween(guilds, userId, other),
    guilds.relationsTo(userId, [other]),
  ]);
  if (isBlock) return 'cannotMessageUser';
  if (relations.get(other) === RelationshipType.friend) return undefined;
  const { share, isPaused } = await guildsBetween(userId, other, deps);
  return share && !isPaused ? undefined : 'cannotMessageUser';
};

/** Whether one of these people may be in no further group. Counted in the views, so they may be in more that begin at once. */
export const inTooManyGroups = async (
  people: readonly string[],
  { views, bounds }: Pick<CommandDeps, 'views' | 'bounds'>,
): Promise<boolean> => {
  const all = await Promise.all(people.map((userId) => views.guilds.directChannelsOf(userId)));
  return all.some((own) => own.filter(({ kind }) => kind === 'group').length >= bounds.groups);
};

/** What only groups have that PATCH changes. */
export const groupFields = {
  owner: optional(Snowflake),
};
const Fields = t.partial(groupFields);
type Fields = t.TypeOf<typeof Fields> & { readonly name?: string | null | undefined };

export const asksForGroup = ({ owner }: Fields): boolean => owner != null;

const groupPatch = ({ name, owner }: Fields) => ({ name, ownerId: owner ?? undefined });

interface Acting {
  readonly rights: CallerInChannel;
  readonly cause: Cause;
  readonly channelId: string;
}

const acting = ({ rights, cause, channelId }: Acting, deps: Pick<CommandDeps, 'now' | 'lowBits'>) => ({
  ...{ ...rights, key: cause.key, channelId, now: deps.now(), low: deps.lowBits() },
});

export const editGroup = (of: Acting, fields: Fields, state: ChannelState, deps: CommandDeps): Decision =>
  groups.editGroup({ ...acting(of, deps), patch: groupPatch(fields) }, state);

export const leaveGroup = (of: Acting, state: ChannelState, deps: CommandDeps): Decision =>
  groups.removeRecipient({ ...acting(of, deps), targetId: of.rights.userId }, state);

/** As `actorInChannel`. Whoever has left a group sees it no more and may ask again, which its stream answers. */
export const actorOrNobody = async (
  asked: Asked<{ readonly channel_id: string }>,
  deps: CommandDeps,
): Promise<Result<CallerInChannel>> => {
  const actor = await actorInChannel(asked, deps);
  return either.isRight(actor)
    ? actor
    : either.right({ userId: asked.context.actor.userId, guild: undefined, member: undefined });
};

const path = '/channels/:channel_id/recipients/:user_id';
const OnRecipient = t.type({ channel_id: Snowflake, user_id: Snowflake });

export const addToGroup = command({
  type: 'recipient.add',
  summary: `Add a friend, or somebody you share a guild with, to a group of ${groups.MAX_RECIPIENTS} people at most.`,
  route: { method: 'PUT', path, status: 204, answers: 'Nothing.' },
  params: OnRecipient,
  structural: true,
  limit: { bucket: 'dmCreate', key: (_, { userId }) => userId },
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  prepare: async ({ fields: { user_id: other }, context }, deps) => {
    const refused = await refusedRecipient(context.actor.userId, other, deps);
    return either.right({ refusal: refused && refuse(refused), isFull: await inTooManyGroups([other], deps) });
  },
  decide: (
    state: ChannelState,
    { rights, prepared },
    { fields: { channel_id: channelId, user_id: targetId }, cause },
    deps,
  ) => groups.addRecipient({ ...acting({ rights, cause, channelId }, deps), ...prepared, targetId }, state),
  waitsFor: 'views',
});

export const removeFromGroup = command({
  type: 'recipient.remove',
  summary: 'Take somebody out of a group that you own, or leave one yourself.',
  route: { method: 'DELETE', path, status: 204, answers: 'Nothing.' },
  params: OnRecipient,
  structural: true,
  holdsUp: true,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorOrNobody,
  decide: (state: ChannelState, { rights }, { fields: { channel_id: channelId, user_id: targetId }, cause }, deps) =>
    groups.removeRecipient({ ...acting({ rights, cause, channelId }, deps), targetId }, state),
  waitsFor: 'views',
});
