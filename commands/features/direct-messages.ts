/** The direct channel of two people. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { type DirectState, openDirect as decideDirect } from '../../domain/direct.ts';
import { rowOfChannel } from '../../projections/views/guild-views/view.ts';
import { Snowflake } from '../../schemas/codecs.ts';
import type { EventData } from '../../schemas/events/catalogue.ts';
import { PLAIN } from '../../schemas/events/channel.ts';
import { Channel } from '../../schemas/http/shapes.ts';
import { directStream } from '../../schemas/streams.ts';
import { command, refused } from '../command.ts';
import { refuseNotThere } from '../not-there.ts';
import { channelStep } from '../processes.ts';
import { channelAnswer } from './channels.ts';

const directChannel = ({ channelId, participants }: EventData<'dm-opened'>): EventData<'channel-created'> => ({
  ...{ channelId, kind: 'dm', guildId: null, name: null, topic: null, ...PLAIN },
  ...{ overwrites: [], participants },
});

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
    return either.right({ stream: directStream(userId, other), channelId: deps.ids(deps.now()) });
  },
  preparedStream: ({ stream }) => stream,
  decide: (state: DirectState, { prepared: { channelId } }, { fields, context }) =>
    decideDirect({ channelId, participants: [context.actor.userId, fields.recipient_id] }, state),
  follow: {
    'dm-opened': ({ data }) => [channelStep(directChannel(data))],
  },
  // The two people always have the same channel.
  same: () => true,
  waitsFor: 'processes',
  answer: async ({ event }, { context }, deps) => {
    if (event?.type !== 'dm-opened') return refused('keyReused');
    const id = event.data.channelId;
    const row = (await deps.views.guilds.channel(id)) ?? rowOfChannel(directChannel(event.data), event.position);
    return either.right(await channelAnswer(deps, row, context.actor.userId));
  },
});
