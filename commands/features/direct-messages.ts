/** The direct channel of two people. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { refuse } from '../../domain/decider.ts';
import { type DirectState, openDirect as decideDirect } from '../../domain/direct.ts';
import { rowOfChannel } from '../../projections/views/guild-views/view.ts';
import { Snowflake } from '../../schemas/codecs.ts';
import type { EventData } from '../../schemas/events/catalogue.ts';
import { PLAIN } from '../../schemas/events/channel.ts';
import { Channel } from '../../schemas/http/shapes.ts';
import { directStream } from '../../schemas/streams.ts';
import { type CommandDeps, command, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import { channelStep } from '../processes.ts';
import { channelAnswer } from './channels.ts';

const directChannel = ({ channelId, participants }: EventData<'dm-opened'>): EventData<'channel-created'> => ({
  ...{ channelId, kind: 'dm', guildId: null, name: null, topic: null, ...PLAIN },
  ...{ overwrites: [], participants },
});

/** Whether every guild that two people share keeps new direct channels away for the moment. */
const isPausedBetween = async (a: string, b: string, { views, now }: CommandDeps): Promise<boolean> => {
  const [ofOne, ofOther] = await Promise.all([views.guilds.guildsOf(a), views.guilds.guildsOf(b)]);
  const shared = ofOne.filter(({ id }) => ofOther.some((one) => one.id === id));
  return shared.length > 0 && shared.every(({ pauses }) => (pauses.directUntil ?? 0) > now());
};

export const openDirect = command({
  type: 'dm.create',
  summary: 'Open the direct channel with somebody.',
  route: { method: 'POST', path: '/users/@me/channels', status: 200, answers: 'The channel.', answer: Channel },
  body: t.type({ recipient_id: Snowflake }),
  structural: true,
  check: refuseNotThere({ access_tokens: [], nicks: [], recipients: [] }),
  limit: { bucket: 'dmCreate', key: (_, { userId }) => userId },
  prepare: async ({ fields, context }, deps) => {
    const { userId } = context.actor;
    const other = fields.recipient_id;
    if (other === userId) return refused('cannotMessageUser');
    if ((await deps.views.guilds.user(other)) === undefined) return refused('unknownUser');
    const isPaused = await isPausedBetween(userId, other, deps);
    return either.right({ isPaused, stream: directStream(userId, other), channelId: deps.ids(deps.now()) });
  },
  preparedStream: ({ stream }) => stream,
  decide: (state: DirectState, { prepared: { channelId, isPaused } }, { fields, context }) =>
    // People who have a channel keep it.
    isPaused && state.channelId === undefined
      ? refuse('cannotMessageUser')
      : decideDirect({ channelId, participants: [context.actor.userId, fields.recipient_id] }, state),
  follow: {
    'dm-opened': ({ data }) => [channelStep(directChannel(data))],
  },
  waitsFor: 'processes',
  answer: async ({ event }, { context }, deps) => {
    if (event?.type !== 'dm-opened') return refused('keyReused');
    const id = event.data.channelId;
    const row = (await deps.views.guilds.channel(id)) ?? rowOfChannel(directChannel(event.data), event.position);
    return either.right(await channelAnswer(deps, row, context.actor.userId));
  },
});
