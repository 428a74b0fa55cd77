/** The form every event of the log has, whatever it says. */
import * as t from 'io-ts';

/** What somebody typed, encrypted under the key of person `by`; `box` is base64 of nonce, ciphertext and tag. */
export const Sealed = t.type({ by: t.string, box: t.string }, 'Sealed');
export type Sealed = t.TypeOf<typeof Sealed>;

/** What the appender is handed: everything but the position, which only the log can give. */
export interface NewEvent<Type extends string = string, Data = unknown> {
  /** UUIDv5 of stream, sequence and idempotency key, so that a retry carries the same id. */
  readonly id: string;
  readonly type: Type;
  /** Version of `data`, of its type's own count from 1; older ones are upcast when read. */
  readonly schema: number;
  readonly stream: string;
  /** Place in the stream: dense, from 1. */
  readonly sequence: number;
  /** Milliseconds since 1970. */
  readonly time: number;
  /** User id of who caused it. */
  readonly actor: string;
  /** Idempotency key, where the command carried one. */
  readonly key: string | null;
  readonly correlationId: string;
  /** Id of the event a process answered. */
  readonly causationId: string | null;
  readonly traceparent: string | null;
  readonly data: Data;
}

/** An event as read from the log. `position` is its place in the whole log: strictly increasing in commit order. */
export interface Recorded<Type extends string = string, Data = unknown> extends NewEvent<Type, Data> {
  readonly position: number;
}

/**
 * An event at its place in the log, its data in whatever form; `schema` where that is another than the event was written in.
 * Field by field: a spread of so many fields takes microseconds, and this runs for every event.
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
