/** What a ban deletes: what the banned person has lately said in the guild's channels, one step for each channel. */

import { deleteOfBanned, MOST_DELETED } from '../../domain/bulk-delete.ts';
import type { ChannelState } from '../../domain/channel.ts';
import type { EventOf } from '../../schemas/events/catalogue.ts';
import { deletedBy } from '../../schemas/message-ids.ts';
import { channelStream } from '../../schemas/streams.ts';
import type { Sources, Step } from '../processes.ts';
import type { Since } from '../turn.ts';

const PAGE = 100;
/** A message that its node was about to store when the ban was acknowledged is stored by then, in milliseconds. */
const SETTLED_MS = 1000;
/** How far before the ban the second look begins, in milliseconds: clocks of nodes differ. */
const MARGIN_MS = 60_000;

interface Said {
  readonly messageId: string;
  readonly ordinal: number;
  readonly author: string;
  readonly deleted: false;
}

/** What the timeline holds of the author's messages since a time. @returns with the sequence through which it is complete */
const saidIn = async (
  { timelines }: Sources,
  channelId: string,
  { author, after }: { readonly author: string; readonly after: number },
) => {
  // Read before the rows, which may then hold more than `through`, never less.
  const { through } = await timelines.facts(channelId, '0');
  const said: Said[] = [];
  for (let before: string | undefined; ; ) {
    const rows = await timelines.page(channelId, before === undefined ? { limit: PAGE } : { before, limit: PAGE }, '');
    for (const { id: messageId, ordinal, author: by, time } of rows)
      if (by === author && time >= after) said.push({ messageId, ordinal, author, deleted: false });
    const oldest = rows.at(-1);
    if (oldest === undefined || rows.length < PAGE || oldest.time < after) break;
    before = oldest.id;
  }
  return { through, said };
};

/** Those messages, and what was said since the timeline was read, without what is deleted by now. */
const leftOf = async (
  { through, said }: { readonly through: number; readonly said: readonly Said[] },
  { author, after }: { readonly author: string; readonly after: number },
  since: Since,
): Promise<readonly Said[]> => {
  const left = new Map(said.map((one) => [one.messageId, one]));
  for await (const page of since(through)) {
    for (const event of page) {
      if (event.sequence <= through) continue;
      if (event.type === 'message-posted' && event.data.author === author && event.time >= after) {
        const { messageId, ordinal } = event.data;
        left.set(messageId, { messageId, ordinal, author, deleted: false });
      }
      for (const id of deletedBy(event)) left.delete(id);
    }
  }
  return [...left.values()].sort((a, b) => a.ordinal - b.ordinal);
};

const stepsIn = async function* (
  sources: Sources,
  channelId: string,
  of: { readonly author: string; readonly after: number; readonly by: string },
): AsyncGenerator<Step> {
  const stored = await saidIn(sources, channelId, of);
  let more = true;
  const step: Step = {
    stream: channelStream(channelId),
    decide:
      (_, { since }) =>
      async (state: ChannelState) => {
        const left = await leftOf(stored, of, since);
        more = left.length > MOST_DELETED;
        return deleteOfBanned(of.by, left.slice(0, MOST_DELETED), state);
      },
  };
  while (more) yield step;
};

/**
 * Looks twice: a message whose sender still had the right when it was decided may be stored a moment after the ban, and
 * it belongs to what was said before.
 */
export const deletionsAfter = async function* (
  { actor: by, time, data: { guildId, userId: author, deleteMessageSeconds } }: EventOf<'member-banned'>,
  sources: Sources,
): AsyncGenerator<Step> {
  if (deleteMessageSeconds === 0) return;
  const looks = [time - deleteMessageSeconds * 1000, time - Math.min(MARGIN_MS, deleteMessageSeconds * 1000)];
  for (const [n, after] of looks.entries()) {
    if (n > 0) await sources.clock.delay(SETTLED_MS);
    for (const { id, isDeleted } of await sources.guilds.channelsOf(guildId))
      if (isDeleted !== true) yield* stepsIn(sources, id, { author, after, by });
  }
};
