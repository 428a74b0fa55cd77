/** Pins: the pinned messages of a channel. */

import { either } from 'fp-ts';
import * as channel from '../../domain/channel.ts';
import { OnMessage } from '../../schemas/http/route.ts';
import { channelStream } from '../../schemas/streams.ts';
import { command } from '../command.ts';
import { currentFacts, storedFacts } from '../states.ts';
import { actorInChannel } from './messages.ts';

const pinning = <const K extends 'message.pin' | 'message.unpin'>(
  type: K,
  method: 'PUT' | 'DELETE',
  summary: string,
  decide: typeof channel.pin,
) =>
  command({
    type,
    summary,
    route: {
      method,
      path: '/channels/:channel_id/messages/pins/:message_id',
      formerPath: '/channels/:channel_id/pins/:message_id',
      status: 204,
      answers: 'Nothing.',
    },
    params: OnMessage,
    structural: false,
    limit: { bucket: 'pin', key: ({ channel_id }, { userId }) => `${userId}:${channel_id}` },
    stream: ({ channel_id }) => channelStream(channel_id),
    rights: actorInChannel,
    prepare: async ({ fields: { channel_id, message_id } }, deps) =>
      either.right(await storedFacts(deps.timelines, channel_id, { messageId: message_id })),
    decide: async (state: channel.ChannelState, { rights, prepared, since }, { fields, cause }, deps) => {
      const message = await currentFacts(prepared, { messageId: fields.message_id }, since);
      return decide({ ...rights, key: cause.key, message, now: deps.now(), low: deps.lowBits() }, state);
    },
  });

export const pinMessage = pinning('message.pin', 'PUT', 'Pin a message: 250 in a channel at most.', channel.pin);
export const unpinMessage = pinning('message.unpin', 'DELETE', 'Take a pinned message down.', channel.unpin);
