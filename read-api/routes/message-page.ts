/** Which page of a channel's history was asked for. */
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import * as t from 'io-ts';
import type { LogReader } from '../../log/port.ts';
import type { PageQuery } from '../../projections/timelines/port.ts';
import { fieldError, type ParleyError } from '../../schemas/errors.ts';
import { integerText, Snowflake } from '../../schemas/primitives.ts';
import { channelStream } from '../../schemas/streams.ts';
import { limitOf } from './read-route.ts';

const Sequence = integerText(0, Number.MAX_SAFE_INTEGER);

export const MessagePageQuery = t.partial({
  around: Snowflake,
  before: Snowflake,
  after: Snowflake,
  before_sequence: Sequence,
  after_sequence: Sequence,
  limit: limitOf(100),
});
type MessagePageQuery = t.TypeOf<typeof MessagePageQuery>;

const ANCHORS = ['around', 'before', 'after', 'before_sequence', 'after_sequence'] as const;
const EVENTS_PER_READ = 200;

/** Id of the message whose posting is nearest to sequence `from`, looking in one direction, `from` included. */
const nearestMessage = async (
  log: Pick<LogReader, 'readStream'>,
  stream: string,
  from: number,
  direction: 'forwards' | 'backwards',
): Promise<string | undefined> => {
  let next = from;
  for (;;) {
    const events = await log.readStream({ stream, from: next, direction, limit: EVENTS_PER_READ });
    for (const event of events) if (event.type === 'message-posted') return event.data.messageId;
    if (events.length < EVENTS_PER_READ) return undefined;
    next = events.at(-1)!.sequence + (direction === 'forwards' ? 1 : -1);
  }
};

/**
 * Translates what was asked into a page of the timeline; sequences become the ids of the messages next to them.
 * @returns error 50035 when two anchors were given
 */
export const pageQueryOf = async (
  log: Pick<LogReader, 'readStream'>,
  channelId: string,
  query: MessagePageQuery,
): Promise<Either<ParleyError, PageQuery>> => {
  const { around, before, after, before_sequence, after_sequence, limit = 50 } = query;
  const given = ANCHORS.filter((anchor) => query[anchor] !== undefined);
  if (given.length > 1) {
    return either.left(fieldError([given[1]!], 'MUTUALLY_EXCLUSIVE', `Cannot be combined with ${given[0]}.`));
  }
  const stream = channelStream(channelId);
  if (around !== undefined) return either.right({ around, limit });
  if (before !== undefined) return either.right({ before, limit });
  if (after !== undefined) return either.right({ after, limit });
  if (before_sequence !== undefined) {
    const first = await nearestMessage(log, stream, Math.max(1, before_sequence), 'forwards');
    return either.right(first === undefined ? { limit } : { before: first, limit });
  }
  if (after_sequence !== undefined) {
    const last = after_sequence === 0 ? undefined : await nearestMessage(log, stream, after_sequence, 'backwards');
    return either.right({ after: last ?? '0', limit });
  }
  return either.right({ limit });
};
