/** From a decided event to what the log stores: ids, envelope, and typed text sealed. */
import { randomUUID } from 'node:crypto';
import { parse as uuidBytes, v5 as uuidv5 } from 'uuid';
import { type DecidedEvent, EVENT_SCHEMA, type NewParleyEvent } from '../schemas/events/index.ts';
import type { KeyRing } from '../vault/key-ring.ts';
import { sealText } from '../vault/seal.ts';

/** Namespace of our event ids. */
const NAMESPACE = uuidBytes('6f1c6a52-0c3b-5d6e-9a77-3f0d6b1f2a10');

/**
 * Of this process alone: two nodes that carry out one command at one sequence make two events, and a store that takes
 * equal ids for the same event (KurrentDB does, whatever they say) must not tell both that theirs is stored.
 */
const MAKER = randomUUID();

/** Who caused an event, and by which command. */
export interface Cause {
  readonly actor: string;
  /** Idempotency key: see `domain/recent-keys.ts`. */
  readonly key: string;
  readonly correlationId: string;
  readonly causationId: string | null;
  readonly traceparent: string | null;
}

/** Nobody can be made to say anything under a key that was destroyed. */
export class KeyGone extends Error {}

/**
 * @param decided belongs to the event from now on.
 * @param keys have looked for the key of whoever said something.
 * @throws KeyGone when the person whose text the event carries has no key any more.
 */
export const toNewEvent = (
  decided: DecidedEvent,
  stream: string,
  sequence: number,
  cause: Cause,
  now: number,
  keys: KeyRing,
): NewParleyEvent => {
  const id = uuidv5(Buffer.from(`${stream}\n${sequence}\n${cause.key}\n${MAKER}`), NAMESPACE);
  let data: unknown = decided.data;
  if (decided.secret !== undefined) {
    const { by, text } = decided.secret;
    const key = keys.cached(by);
    if (key === undefined || key === null) throw new KeyGone(by);
    data = Object.assign(decided.data, { sealed: sealText(key, { stream, eventId: id, by }, text) });
  }
  return {
    id,
    type: decided.type,
    schema: EVENT_SCHEMA,
    stream,
    sequence,
    time: decided.time ?? now,
    actor: cause.actor,
    key: cause.key,
    correlationId: cause.correlationId,
    causationId: cause.causationId,
    traceparent: cause.traceparent,
    data,
  } as NewParleyEvent;
};
