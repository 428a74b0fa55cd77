/** The direct channel of two people, and groups. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import type { ChannelState } from '../../domain/channel.ts';
import { type Decision, refuse } from '../../domain/decider.ts';
import { type DirectState, openDirect as decideDirect } from '../../domain/direct.ts';
import { createGroup, MAX_RECIPIENTS } from '../../domain/groups.ts';
import { rowOfChannel } from '../../projections/views/guild-views/view.ts';
import { list, optional, Snowflake } from '../../schemas/codecs.ts';
import { fieldError, type ParleyError } from '../../schemas/errors.ts';
import type { EventData } from '../../schemas/events/catalogue.ts';
import { PLAIN } from '../../schemas/events/channel.ts';
import { Channel } from '../../schemas/http/shapes.ts';
import { channelStream, directStream } from '../../schemas/streams.ts';
import { type Asked, type CommandDeps, command, creating, type Result, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import { channelStep } from '../processes.ts';
import { channelAnswer } from './channels.ts';
import { guildsBetween, inTooManyGroups, refusedRecipient } from './groups.ts';

const direct = (kind: 'dm' | 'group', channelId: string, participants: string[]): EventData<'channel-created'> => ({
  ...{ channelId, kind, guildId: null, name: null, topic: null, ...PLAIN },
  ...{ overwrites: [], participants },
});

const ofPair = ({ channelId, participants }: EventData<'dm-opened'>) => direct('dm', channelId, participants);

const Recipients = t.partial({
  recipient_id: optional(Snowflake),
  recipients: optional(list(Snowflake, 100, (id) => id)),
});
type Recipients = t.TypeOf<typeof Recipients>;

/** Whom the caller names. One is the other of a pair, more are a group. */
const namedIn = ({ recipient_id: one, recipients }: Recipients): readonly string[] =>
  one == null ? (recipients ?? []) : [one];

const othersIn = (fields: Recipients, userId: string): readonly string[] => {
  const named = namedIn(fields);
  return named.length === 1 ? named : named.filter((id) => id !== userId);
};

const whom = (fields: Recipients): ParleyError | undefined => {
  if (namedIn(fields).length === 0)
    return fieldError(['recipient_id'], 'BASE_TYPE_REQUIRED', 'This field is required, or recipients.');
  const both = fields.recipient_id != null && (fields.recipients ?? []).length > 0;
  return both ? fieldError(['recipients'], 'MUTUALLY_EXCLUSIVE', 'Cannot be combined with recipient_id.') : undefined;
};

type Opening =
  | { readonly kind: 'pair'; readonly data: EventData<'dm-opened'>; readonly isPaused: boolean }
  | ({ readonly kind: 'group' } & Parameters<typeof createGroup>[0]);

const pairOf = async (userId: string, other: string, deps: CommandDeps): Promise<Result<Opening>> => {
  if (other === userId) return refused('cannotMessageUser');
  if ((await deps.views.guilds.user(other)) === undefined) return refused('unknownUser');
  const { isPaused } = await guildsBetween(userId, other, deps);
  const data = { channelId: deps.ids(deps.now()), participants: [userId, other] };
  return either.right({ kind: 'pair', data, isPaused });
};

const groupOf = async (
  { context, cause }: Asked<unknown>,
  others: readonly string[],
  deps: CommandDeps,
): Promise<Result<Opening>> => {
  const { userId, kind } = context.actor;
  if (kind === 'bot') return refused('botsCannot');
  if (others.length >= MAX_RECIPIENTS) return refused('maximumRecipients');
  const people = [userId, ...others];
  const [refusals, isFull, named] = await Promise.all([
    Promise.all(others.map((other) => refusedRecipient(userId, other, deps))),
    inTooManyGroups(people, deps),
    deps.names.id(creating(context, cause)),
  ]);
  if (either.isLeft(named)) return named;
  const why = refusals.find((one) => one !== undefined);
  return either.right({
    ...{ kind: 'group', channel: direct('group', named.right, people) },
    ...{ refusal: why && refuse(why), isFull },
  });
};

export const openDirect = command({
  type: 'dm.create',
  summary:
    'Open the direct channel with somebody (`recipient_id`), or create a group with several (`recipients`), who are friends of yours or share a guild with you.',
  route: {
    method: 'POST',
    path: '/users/@me/channels',
    needsBody: true,
    status: 200,
    answers: 'The channel.',
    answer: Channel,
  },
  body: Recipients,
  structural: true,
  check: refuseNotThere({ access_tokens: [], nicks: [] }),
  limit: { bucket: 'dmCreate', key: (_, { userId }) => userId },
  prepare: async (asked, deps) => {
    const wrong = whom(asked.fields);
    if (wrong !== undefined) return either.left(wrong);
    const { userId } = asked.context.actor;
    const others = othersIn(asked.fields, userId);
    return others.length > 1 ? groupOf(asked, others, deps) : pairOf(userId, others[0] ?? userId, deps);
  },
  preparedStream: (opening: Opening) =>
    opening.kind === 'group'
      ? channelStream(opening.channel.channelId)
      : directStream(opening.data.participants[0]!, opening.data.participants[1]!),
  decide: (state: DirectState | ChannelState, { prepared: opening }): Decision => {
    if (opening.kind === 'group') return createGroup(opening, state as ChannelState);
    const pair = state as DirectState;
    // People who have a channel keep it.
    if (opening.isPaused && pair.channelId === undefined) return refuse('cannotMessageUser');
    return decideDirect(opening.data, pair);
  },
  follow: {
    'dm-opened': ({ data }) => [channelStep(ofPair(data))],
  },
  waitsFor: 'processes',
  answer: async ({ event }, { context }, deps) => {
    if (event?.type !== 'dm-opened' && event?.type !== 'channel-created') return refused('keyReused');
    const { channelId: id } = event.data;
    const created = event.type === 'dm-opened' ? ofPair(event.data) : event.data;
    const row = (await deps.views.guilds.channel(id)) ?? rowOfChannel(created, event.position);
    return either.right(await channelAnswer(deps, row, context.actor.userId));
  },
});
