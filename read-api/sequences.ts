/** Pages of a channel's history beside a sequence of its stream: which messages were posted before it, or after it. */

import { isFull, type LogReader } from '../log/port.ts';
import type { PageQuery, TimelineReader } from '../projections/views/timelines/view.ts';
import { channelStream } from '../schemas/streams.ts';

export interface SequenceDeps {
  readonly log: Pick<LogReader, 'readStream'>;
  readonly timelines: Pick<TimelineReader, 'page'>;
}

/** A place in a channel's stream, as a viewer of the channel names it. */
export interface Place {
  readonly channelId: string;
  readonly sequence: number;
  readonly viewer: string;
}

/** Most events looked through on either side of a sequence. Most channels have a message among them. */
const LOOKED_THROUGH = 200;

/** Above every id. */
const BEYOND_IDS = 2n ** 63n - 1n;

/**
 * The message posted nearest to a sequence, looking in one direction, the sequence included.
 * @returns `null` when there is none, `undefined` when there may be one further away
 */
const nearby = async (
  { log }: SequenceDeps,
  stream: string,
  from: number,
  direction: 'forwards' | 'backwards',
): Promise<bigint | null | undefined> => {
  if (from < 1) return null;
  const events = await log.readStream({ stream, from, direction, limit: LOOKED_THROUGH });
  for (const event of events) if (event.type === 'message-posted') return BigInt(event.data.messageId);
  return isFull(events, LOOKED_THROUGH) ? undefined : null;
};

/**
 * The last message posted before a sequence, 0 if there is none. Looks among the messages that are there, since their
 * ids grow with their sequences: every question halves what is left of the 2^63 ids, however many other events there are.
 */
const searched = async (
  { timelines }: SequenceDeps,
  channelId: string,
  sequence: number,
  viewer: string,
): Promise<bigint> => {
  // Messages up to `low` were posted before the sequence, those from `high` on were not.
  let low = 0n;
  let high = BEYOND_IDS;
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    const [row] = await timelines.page(channelId, { after: String(middle - 1n), limit: 1 }, viewer);
    if (row === undefined || row.sequence >= sequence) high = middle;
    else low = BigInt(row.id);
  }
  return low;
};

/** The last message posted before a sequence, 0 if there is none. */
const lastBefore = async (deps: SequenceDeps, channelId: string, sequence: number, viewer: string): Promise<bigint> => {
  const near = await nearby(deps, channelStream(channelId), sequence - 1, 'backwards');
  return near === undefined ? searched(deps, channelId, sequence, viewer) : (near ?? 0n);
};

/** The newest messages posted before a sequence. */
export const pageBefore = async (
  deps: SequenceDeps,
  { channelId, sequence, viewer }: Place,
  limit: number,
): Promise<PageQuery> => {
  const next = await nearby(deps, channelStream(channelId), Math.max(1, sequence), 'forwards');
  if (next === null) return { limit };
  const before = next ?? (await lastBefore(deps, channelId, sequence, viewer)) + 1n;
  return { before: String(before), limit };
};

/** The oldest messages posted after a sequence. */
export const pageAfter = async (
  deps: SequenceDeps,
  { channelId, sequence, viewer }: Place,
  limit: number,
): Promise<PageQuery> => ({ after: String(await lastBefore(deps, channelId, sequence + 1, viewer)), limit });
