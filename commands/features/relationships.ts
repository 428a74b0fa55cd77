/** Friends and blocks. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import * as relationship from '../../domain/relationship.ts';
import { optional, Snowflake } from '../../schemas/codecs.ts';
import { relationshipStream } from '../../schemas/streams.ts';
import { type Asked, type CommandDeps, command, type Result, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';

const { RelationshipType } = relationship;

const WithPerson = t.type({ user_id: Snowflake });
const path = '/users/@me/relationships/:user_id';
const limit = { bucket: 'relationship', key: (_: unknown, { userId }: { userId: string }) => userId } as const;
const stream = ({ user_id }: t.TypeOf<typeof WithPerson>, { userId }: { userId: string }) =>
  relationshipStream(userId, user_id);

/** Only people who are there have relationships, with others than themselves. */
const withOther = async ({ fields, context }: Asked<{ user_id: string }>, deps: CommandDeps): Promise<Result<void>> => {
  if (context.actor.kind === 'bot') return refused('botsCannot');
  if (fields.user_id === context.actor.userId) return refused('friendWithSelf');
  const other = await deps.views.guilds.user(fields.user_id);
  if (other === undefined) return refused('unknownUser');
  return other.kind === 'person' ? either.right(undefined) : refused('botsHaveNoFriends');
};

/** A person's commands that change who is what wait for one another, so nobody exceeds these by asking twice at once. */
const hasAll = async (deps: CommandDeps, userId: string) => {
  const all = await deps.views.guilds.relationships(userId);
  return (...types: readonly relationship.RelationshipType[]) =>
    all.filter(({ type }) => types.includes(type)).length >= deps.bounds.relationships;
};

export const setRelationship = command({
  type: 'relationship.set',
  summary: 'Ask somebody to be friends, accept what they asked (1, or none), or block them (2).',
  route: { method: 'PUT', path, status: 204, answers: 'Nothing.' },
  params: WithPerson,
  body: t.partial({
    type: optional(t.union([t.literal(RelationshipType.friend), t.literal(RelationshipType.blocked)])),
  }),
  structural: true,
  holdsUp: true,
  check: refuseNotThere({ from_friend_suggestion: [false], confirm_stranger_request: [false] }),
  limit,
  stream,
  rights: withOther,
  prepare: async ({ fields: { user_id, type }, context }, deps) => {
    const own = await hasAll(deps, context.actor.userId);
    if (type === RelationshipType.blocked)
      return either.right({ blocks: own(RelationshipType.blocked), friends: undefined });
    const others = await hasAll(deps, user_id);
    const isFull = own(RelationshipType.friend, RelationshipType.outgoingRequest)
      ? ('own' as const)
      : others(RelationshipType.incomingRequest)
        ? ('others' as const)
        : undefined;
    return either.right({ blocks: false, friends: isFull });
  },
  decide: (state: relationship.RelationshipState, { prepared }, { fields, context, cause }) => {
    const relating = { by: context.actor.userId, other: fields.user_id, key: cause.key };
    return fields.type === RelationshipType.blocked
      ? relationship.block({ ...relating, isFull: prepared.blocks }, state)
      : relationship.befriend({ ...relating, isFull: prepared.friends }, state);
  },
  waitsFor: 'views',
});

export const deleteRelationship = command({
  type: 'relationship.delete',
  summary: 'Take back or refuse a request, end a friendship, or unblock somebody.',
  route: { method: 'DELETE', path, status: 204, answers: 'Nothing.' },
  params: WithPerson,
  structural: true,
  holdsUp: true,
  limit,
  stream,
  rights: withOther,
  decide: (state: relationship.RelationshipState, _, { fields, context, cause }) =>
    relationship.unrelate({ by: context.actor.userId, other: fields.user_id, key: cause.key }, state),
  waitsFor: 'views',
});
