/** Maps our events to KurrentDB's: data is JSON, the envelope is metadata, sequence is revision + 1. */

import { randomUUID } from 'node:crypto';
import type { Position, RecordedEvent } from '@eventstore/db-client';
import type { Recorded } from '../../schemas/envelope.ts';
import { type NewParleyEvent, UnreadableEvent } from '../../schemas/events/catalogue.ts';
import { isStreamName } from '../../schemas/streams.ts';
import type { ProposedEvent } from '../../stores/kurrentdb/append-messages.ts';
import type { StoredEvent } from '../port.ts';

/** Stream of our own notes, which readers never see. */
export const NOTES = 'parley-log';

/** Fields that KurrentDB's events lack. Names with `$` are the server's own, known to its projections and its UI. */
interface Envelope {
  readonly id: string;
  readonly schema: number;
  readonly time: number;
  readonly actor: string;
  readonly key?: string;
  readonly $correlationId: string;
  readonly $causationId?: string;
  readonly traceparent?: string;
}

const envelopeOf = (event: NewParleyEvent): Envelope => ({
  id: event.id,
  schema: event.schema,
  time: event.time,
  actor: event.actor,
  ...(event.key !== null && { key: event.key }),
  $correlationId: event.correlationId,
  ...(event.causationId !== null && { $causationId: event.causationId }),
  ...(event.traceparent !== null && { traceparent: event.traceparent }),
});

const jsonOf = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value), 'utf8');

/** With a fresh id. The server calls an append with known ids stored, whatever the data: only tries of one share ids. */
export const proposed = (type: string, data: unknown, metadata: object = {}): ProposedEvent => ({
  id: randomUUID(),
  type,
  data: jsonOf(data),
  metadata: jsonOf(metadata),
});

/** @throws what keeps the data from being JSON */
export const toProposed = (event: NewParleyEvent): ProposedEvent => proposed(event.type, event.data, envelopeOf(event));

/** As the client tells it, or a subscription. */
export type AnyRecorded = Pick<RecordedEvent, 'streamId' | 'type' | 'revision'> & {
  readonly data: unknown;
  readonly metadata?: unknown;
  readonly position?: Position | undefined;
};

/** From `$all`. */
export type Placed = AnyRecorded & { readonly position: Position };

/** False for the server's own events, links, our notes, and whatever other programs write to streams of their own. */
export const isOurs = ({ streamId, type }: AnyRecorded): boolean => isStreamName(streamId) && !type.startsWith('$');

/** Written by another program, to a stream of its own. */
export const isForeign = ({ streamId, type }: AnyRecorded): boolean =>
  !isStreamName(streamId) && !streamId.startsWith('$') && !type.startsWith('$') && streamId !== NOTES;

/** A position: an offset in the server's files, in bytes. */
export const toPosition = (commit: bigint): number => {
  if (commit > BigInt(Number.MAX_SAFE_INTEGER))
    throw new RangeError(`Position ${commit} cannot be told: KurrentDB 23.10 or later is needed.`);
  return Number(commit);
};

export const positionOf = ({ position }: AnyRecorded): number => toPosition(position?.commit ?? 2n ** 64n);

export const sequenceOf = ({ revision }: AnyRecorded): number => Number(revision) + 1;

const toEvent = <Data>(recorded: AnyRecorded, data: Data): Recorded<string, Data> => {
  const envelope = recorded.metadata as Partial<Envelope> | undefined;
  if (typeof envelope?.id !== 'string' || typeof envelope.schema !== 'number')
    throw new UnreadableEvent(
      { stream: recorded.streamId, sequence: sequenceOf(recorded), position: positionOf(recorded) },
      `The event with revision ${recorded.revision} of stream ${recorded.streamId} was not written by Parley. Remove what another program wrote there: stop that program, and put a backup back (docs/log-kurrentdb.md).`,
    );
  return {
    id: envelope.id,
    type: recorded.type,
    schema: envelope.schema,
    stream: recorded.streamId,
    sequence: sequenceOf(recorded),
    time: envelope.time ?? 0,
    actor: envelope.actor ?? '',
    key: envelope.key ?? null,
    correlationId: envelope.$correlationId ?? '',
    causationId: envelope.$causationId ?? null,
    traceparent: envelope.traceparent ?? null,
    data,
    position: positionOf(recorded),
  };
};

/** The data is parsed already. */
export const toRecorded = (recorded: AnyRecorded): Recorded => toEvent(recorded, recorded.data);

export const toStored = (recorded: AnyRecorded): StoredEvent => toEvent(recorded, JSON.stringify(recorded.data));
