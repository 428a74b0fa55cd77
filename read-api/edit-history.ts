/** What a message said before it was edited, for moderators. The log has it; the views keep the newest text alone. */

import * as t from 'io-ts';
import { allows, Permission } from '../domain/permissions.ts';
import { wireTime } from '../presenter/time.ts';
import type { MessageRow } from '../projections/views/timelines/view.ts';
import { integerText } from '../schemas/codecs.ts';
import type { EventOf } from '../schemas/events/catalogue.ts';
import { OnMessage, type Route } from '../schemas/http/route.ts';
import { EditHistory } from '../schemas/http/shapes.ts';
import { channelStream } from '../schemas/streams.ts';
import { found, type ReadDeps, readRoute, refused } from './read-route.ts';

const PAGE = 1000;
/** Pages of the log that one request looks through. */
const PAGES = 20;

interface Said {
  readonly events: readonly EventOf<'message-posted' | 'message-edited'>[];
  /** Where the next request goes on; null at the last edit. */
  readonly next: number | null;
}

/** What is said of the message from a sequence on. The event that sealed its present text is the last. */
const saidFrom = async (log: ReadDeps['log'], row: MessageRow, from: number): Promise<Said> => {
  const stream = channelStream(row.channelId);
  const events: Said['events'][number][] = [];
  let next = from;
  for (let pages = 0; pages < PAGES; pages += 1) {
    const page = await log.readStream({ stream, from: next, limit: PAGE });
    for (const event of page) {
      if (event.type !== 'message-posted' && event.type !== 'message-edited') continue;
      if (event.data.messageId !== row.id) continue;
      events.push(event);
      if (event.id === row.sealedIn) return { events, next: null };
    }
    if (page.length === 0) return { events, next: null };
    next += page.length;
  }
  return { events, next };
};

export const editHistoryRoute = (deps: ReadDeps): Route =>
  readRoute(deps, {
    path: '/channels/:channel_id/messages/:message_id/history',
    reads: ['guild-views', 'timelines'],
    summary: 'What a message said before and after each edit, for those who manage messages',
    params: OnMessage,
    query: t.partial({ from_sequence: integerText(1, Number.MAX_SAFE_INTEGER) }),
    ours: true,
    answers:
      '{versions: [{content, embeds, timestamp, sequence}], next_sequence}, oldest first; next_sequence is the from_sequence to go on with, or null at the end',
    answer: EditHistory,
    handle: async ({ actor, params: { channel_id, message_id }, query: { from_sequence = 1 } }) => {
      const access = await deps.access.channel(actor.userId, channel_id);
      if (access === undefined) return refused('unknownChannel');
      if (access.channel.guildId === null) return refused('dmExecute');
      if (!allows(access.permissions, Permission.manageMessages | Permission.readMessageHistory))
        return refused('missingPermissions');
      const row = await deps.views.timelines.message(channel_id, message_id, actor.userId);
      if (row === undefined || row.deleted) return refused('unknownMessage');
      const { events, next } = await saidFrom(deps.log, row, Math.max(from_sequence, row.sequence));
      const texts = await deps.presenter.texts(events);
      const versions = events.map(({ time, sequence }, n) => ({ ...texts[n], timestamp: wireTime(time), sequence }));
      return found({ versions, next_sequence: next });
    },
  });
