/** Deleting up to 100 messages at once. */

import { either } from 'fp-ts';
import * as t from 'io-ts';
import { bulkDelete } from '../../domain/bulk-delete.ts';
import type { ChannelState } from '../../domain/channel.ts';
import { list, Snowflake } from '../../schemas/codecs.ts';
import { OnChannel } from '../../schemas/http/route.ts';
import { channelStream } from '../../schemas/streams.ts';
import { command } from '../command.ts';
import { currentFactsOfAll, storedFactsOfAll } from '../states.ts';
import { actorInChannel } from './messages.ts';

const LEAST = 2;
const MOST = 100;

export const bulkDeleteMessages = command({
  type: 'message.bulk-delete',
  summary: `Delete ${LEAST} to ${MOST} messages of a guild's channel at once, none of them older than 14 days.`,
  route: {
    method: 'POST',
    path: '/channels/:channel_id/messages/bulk-delete',
    status: 204,
    answers: 'Nothing. Ids that no message has are passed over.',
  },
  params: OnChannel,
  body: t.type({ messages: list(Snowflake, MOST, (id) => id, LEAST) }),
  structural: false,
  stream: ({ channel_id }) => channelStream(channel_id),
  rights: actorInChannel,
  prepare: async ({ fields: { channel_id, messages } }, deps) =>
    either.right(await storedFactsOfAll(deps.timelines, channel_id, messages)),
  decide: async (state: ChannelState, { rights, prepared, since }, { fields, cause }, deps) => {
    const messageIds = fields.messages;
    const messages = await currentFactsOfAll(prepared, messageIds, since);
    return bulkDelete({ ...rights, key: cause.key, now: deps.now(), messageIds, messages }, state);
  },
});
