/** The envelope that every event of the log has, whatever its data. */
import * as t from 'io-ts';

/** Typed text, encrypted under the key of person `by`; `box` is base64 of nonce, ciphertext and tag. */
export const Sealed = t.type({ by: t.string, box: t.string }, 'Sealed');
export type Sealed = t.TypeOf<typeof Sealed>;

/** An event to append. It lacks only the position, which the log assigns. */
export interface NewEvent<Type extends string = string, Data = unknown> {
  /** UUIDv5 of stream, sequence and idempotency key, so a retry carries the same id. */
  readonly id: string;
  readonly type: Type;
  /** Version of `data`, counted from 1 per type. Older versions are upcast when read. */
  readonly schema: number;
  readonly stream: string;
  /** Place in the stream: 1, 2, 3 and so on without gaps. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** Id of the user who caused it. */
  readonly actor: string;
  /** Idempotency key; null when the command carried none. */
  readonly key: string | null;
  readonly correlationId: string;
  /** Id of the event that a process reacted to. */
  readonly causationId: string | null;
  readonly traceparent: string | null;
  readonly data: Data;
}

/** An event as read from the log. `position` is its place in the whole log: strictly increasing in commit order. */
export interface Recorded<Type extends string = string, Data = unknown> extends NewEvent<Type, Data> {
  readonly position: number;
}

/**
 * The event with its position, its data in any form; `schema` is given when it differs from the version written.
 * Copies field by field: spreading so many fields takes microseconds, and this runs for every event.
 */
export const recordedAs = <Data>(
  event: NewEvent,
  position: number,
  data: Data,
  schema = event.schema,
): Recorded<string, Data> => ({
  id: event.id,
  type: event.type,
  schema,
  stream: event.stream,
  sequence: event.sequence,
  time: event.time,
  actor: event.actor,
  key: event.key,
  correlationId: event.correlationId,
  causationId: event.causationId,
  traceparent: event.traceparent,
  data,
  position,
});
