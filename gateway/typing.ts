/**
 * TYPING_START: sent to current listeners with the `s` each session already has, and dropped first for slow sockets.
 */

import type { Typing } from '../commands/port.ts';
import { Intent } from '../schemas/gateway/frames.ts';
import { channelAudience } from '../schemas/streams.ts';
import { dispatchFrame } from './encoding.ts';
import { Phase } from './session.ts';
import type { Parts } from './session-start.ts';

export const tellTyping = async (parts: Parts, typing: Typing): Promise<void> => {
  const audience = channelAudience(typing.channelId);
  if (parts.subscriptions.topic(audience) === undefined) return;
  const { guildId, userId, channelId } = typing;
  const member = guildId === null ? undefined : await parts.deps.views.guilds.member(guildId, userId);
  const d = JSON.stringify({
    channel_id: channelId,
    user_id: userId,
    timestamp: Math.floor(typing.time / 1000),
    ...(guildId === null ? {} : { guild_id: guildId }),
    ...(member === undefined ? {} : { member: await parts.deps.presenter.member(member) }),
  });
  const intent = guildId === null ? Intent.directTyping : Intent.guildTyping;
  const frames = new Map<number, Buffer>();
  let count = 0;
  for (const session of parts.subscriptions.topic(audience)?.sessions ?? []) {
    if (session.phase !== Phase.live || (session.intents & intent) === 0) continue;
    if (!parts.outbox.hasRoomForEphemeral(session)) continue;
    let frame = frames.get(session.s);
    if (frame === undefined) {
      frame = dispatchFrame('TYPING_START', session.s, d);
      frames.set(session.s, frame);
    }
    parts.outbox.push(session, frame);
    count += 1;
  }
  parts.deps.metrics.dispatches(count);
};
